"""Reports that people and CI can decide from: self-contained HTML, Markdown, JSON, JUnit XML."""

import json
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from eval.facts import Fact, states
from eval.metrics import Rate, Scored, by_kind, percentile, rates, summary
from eval.outcomes import Found
from eval.plots import Series, histogram, interval_bars
from eval.runner import cannot_write

# Every measure's name for people, and how it is counted.
LABELS: Mapping[str, tuple[str, str]] = {
    "all_right": ("总正确率", "该答的题要点齐全，不该答的题拒答"),
    "answer_accuracy": ("回答正确率", "该答的题中，回答含全部要点的"),
    "answered_accuracy": ("作答题的正确率", "该答且作答的题中，含全部要点的"),
    "fact_recall": ("要点召回率", "全部要点中，回答里有的"),
    "span_coverage": ("最长连续重合", "要点的文字有多大一段原样连续出现在回答里"),
    "char_f1": ("字符 F1", "回答与参考答案共有的字"),
    "rouge_l": ("ROUGE-L", "回答与参考答案的最长公共子序列"),
    "refusal_precision": ("拒答准确率", "拒答的题中，确实不该答的"),
    "refusal_recall": ("拒答召回率", "不该答的题中，拒答了的"),
    "refusal_f1": ("拒答 F1", "上两项的调和平均"),
    "refused_answerable": ("误拒率", "该答的题中，被拒答的"),
    "citation_precision": ("引用成立率", "引文确在原文，且含该句的数字、日期、名称的"),
    "citation_recall": ("引用覆盖率", "回答的句子中，带引用的"),
    "retrieval_recall@5": ("检索召回率@5", "应找的文档排进前五的"),
    "retrieval_mrr@10": ("检索 MRR@10", "应找的文档第一次出现的名次的倒数"),
    "retrieval_ndcg@10": ("检索 nDCG@10", "应找的文档排得有多靠前"),
}
JUDGED = {"faithfulness": "忠于资料", "answer_relevancy": "切合问题"}
_TILES = ("answer_accuracy", "refusal_precision", "refusal_recall", "citation_precision")
_OF_KINDS = ("all_right", "answer_accuracy", "refusal_recall", "citation_precision")
_MADE_WITH = {"settings": "设置", "knowledge": "知识库版本", "code": "程序版本"}
_Case = dict[str, Any]
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Made:
    """What a report is about.

    Attributes:
        source: The question set's path.
        made_with: The run's fingerprint.
        seconds: Spent asking.
    """

    source: str
    made_with: Mapping[str, str]
    seconds: float


def write_report(
    folder: Path,
    scored: Sequence[Scored],
    made: Made,
    judged: Mapping[str, float | None] = MappingProxyType({}),
) -> dict[str, Any]:
    """Write ``report.html``, ``.md``, ``.json`` and ``junit.xml``; return the summary.

    Args:
        folder: Where they go.
        scored: The run.
        made: What it was a run of.
        judged: A judge model's measures, to stand beside the others.

    Raises:
        ReportError: A file can't be written.
    """
    result = summary(scored, made.seconds) | dict(judged)
    cases = [_case(s) for s in scored]
    page = _page(scored, cases, made, result)
    files: Mapping[str, Callable[[], str]] = {
        "report.json": lambda: _json(scored, cases, made, result),
        "report.html": lambda: _rendered("report.html.j2", page),
        "report.md": lambda: _rendered("report.md.j2", page),
        "junit.xml": lambda: junit(scored, Path(made.source).stem),
    }
    for name, text in files.items():
        try:
            (folder / name).write_text(text(), encoding="utf-8")
        except OSError as error:
            raise cannot_write(folder / name, error) from error
    return result


def _json(
    scored: Sequence[Scored], cases: Sequence[_Case], made: Made, result: Mapping[str, Any]
) -> str:
    questions = [
        {"right": s.right, "kind": s.question.kind, **case}
        for s, case in zip(scored, cases, strict=True)
    ]
    whole = {
        "summary": result,
        "source": made.source,
        "made_with": dict(made.made_with),
        "questions": questions,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _rendered(template: str, page: Mapping[str, Any]) -> str:
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=template.endswith(".html.j2"),
        trim_blocks=False,
    )
    environment.filters["line"] = _markdown_line
    environment.filters["cell"] = lambda words: _markdown_line(words).replace("|", r"\|")
    return environment.get_template(template).render(page)


def _markdown_line(words: str) -> str:
    """Keep words on one line and from being taken for Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(words.split()))


# -- what the templates are given


def _page(
    scored: Sequence[Scored], cases: Sequence[_Case], made: Made, result: Mapping[str, Any]
) -> dict[str, Any]:
    both = list(zip(scored, cases, strict=True))
    measured = rates(scored)
    kinds = by_kind(scored) if len(by_kind(scored)) > 1 else {}
    kind_rates = {name: rates(of_kind) for name, of_kind in kinds.items()}
    return {
        "name": Path(made.source).stem,
        "source": made.source,
        "made_at": time.strftime("%Y-%m-%d %H:%M"),
        "made_with": {_MADE_WITH.get(k, k): v for k, v in made.made_with.items()},
        "summary": result,
        "tiles": [_tile(name, measured[name]) for name in _TILES],
        "measures": [_measure(name, measured[name]) for name in LABELS],
        "judged": {label: _percent(result[n]) for n, label in JUDGED.items() if n in result},
        "latency": {k: "—" if v is None else f"{v:.3f} 秒" for k, v in result["latency"].items()},
        "kind_labels": [LABELS[name][0] for name in _OF_KINDS],
        "by_kind": [_kind(name, kinds[name], of) for name, of in kind_rates.items()],
        "plots": _plots(scored, measured, kind_rates),
        "wrong": [case for s, case in both if not s.right],
        "uncited": [case for s, case in both if s.right and _citation_fault(s)],
    }


def _tile(name: str, rate: Rate) -> dict[str, str]:
    return {"label": LABELS[name][0], "value": _percent(rate.value), "note": _interval(rate)}


def _measure(name: str, rate: Rate) -> dict[str, str]:
    label, how = LABELS[name]
    return {"label": label, "how": how, "value": _percent(rate.value), "interval": _interval(rate)}


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"


def _interval(rate: Rate) -> str:
    return "—" if rate.low is None else f"{_percent(rate.low)}–{_percent(rate.high)}"


def _kind(name: str, scored: Sequence[Scored], measured: Mapping[str, Rate]) -> dict[str, Any]:
    return {
        "name": name or "（未分类）",
        "questions": len(scored),
        "values": [_percent(measured[measure].value) for measure in _OF_KINDS],
    }


def _plots(
    scored: Sequence[Scored],
    measured: Mapping[str, Rate],
    kinds: Mapping[str, Mapping[str, Rate]],
) -> dict[str, str]:
    bars = [(name or "（未分类）", of["all_right"]) for name, of in kinds.items()]
    bars = bars or [(LABELS[name][0], measured[name]) for name in _TILES]
    asked = [s for s in scored if not s.outcome.error]
    seconds = [s.outcome.seconds for s in asked]
    evidence = [
        Series(label, style, [s.outcome.evidence for s in asked if s.question.answerable is wanted])
        for label, style, wanted in (("资料里有答案", "a", True), ("资料里没有答案", "b", False))
    ]
    longest = max(percentile(seconds, 0.99) or 0, 0.01)
    return {
        "accuracy": interval_bars(bars, "正确率"),
        "evidence": histogram(evidence, (0, 1), "依据得分的分布"),
        "latency": histogram([Series("全部题目", "a", seconds)], (0, longest), "用时分布", "秒"),
    }


def _case(s: Scored) -> _Case:
    """Everything that a person needs to see why an answer is wrong."""
    question, outcome = s.question, s.outcome
    understood = outcome.corrected_question
    return {
        "id": question.id,
        "kind": question.kind,
        "question": question.question,
        "history": "\n".join(turn.content for turn in question.history),
        "why": why(s),
        "expected": _expected(s),
        "answer": outcome.answer or outcome.error,
        "status": outcome.status,
        "understood": understood if understood != question.question else "",
        "evidence": round(outcome.evidence, 3),
        "seconds": outcome.seconds,
        "retrieved": _retrieved(s),
        "quotes": "\n".join(f"[{c.n}]《{c.title}》{c.quote}" for c in outcome.citations),
        "found": [_passage(found, s) for found in outcome.found],
    }


def _expected(s: Scored) -> str:
    if not s.question.answerable:
        return "拒答（资料里没有答案）"
    return "\n".join(map(_wording, s.question.facts))


def _wording(fact: Fact) -> str:
    return fact if isinstance(fact, str) else " 或 ".join(fact)


def _passage(found: Found, s: Scored) -> dict[str, Any]:
    return {
        "document_id": found.document_id,
        "title": found.title,
        "section": found.section,
        "text": found.text,
        "score": found.score,
        "dense": found.dense,
        "lexical": found.lexical,
        "relevant": found.document_id in s.question.relevant,
        "holds": any(states(found.text, fact) for fact in s.question.facts),
    }


def why(s: Scored) -> str:
    """Say in a few words what is wrong; empty where nothing is."""
    if s.outcome.error:
        return f"出错：{s.outcome.error}"
    if not s.right and s.outcome.refused:
        return f"误拒：{s.outcome.reason or s.outcome.status}"
    if not s.right and not s.question.answerable:
        return "该拒未拒：资料里没有答案，却作答了"
    if not s.right:
        missing = (f for f in s.question.facts if not states(s.outcome.answer, f))
        return "缺要点：" + "；".join(_short(_wording(fact)) for fact in missing)
    return _citation_fault(s)


def _short(words: str) -> str:
    return words if len(words) <= 40 else words[:39] + "…"


def _citation_fault(s: Scored) -> str:
    counts = s.citations
    if counts.supported < counts.citations:
        return f"引用不成立：{counts.citations} 处引用中有 {counts.citations - counts.supported} 处"
    if counts.cited < counts.sentences:
        return f"有 {counts.sentences - counts.cited} 句没有引用"
    return ""


def _retrieved(s: Scored) -> str:
    """Say how far the search got: whether the answer was there to be found in the passages."""
    found, facts = s.outcome.found, s.question.facts
    if facts and any(all(states(f.text, fact) for fact in facts) for f in found):
        return "要点在其中：是选句或判断的问题"
    ranks = [i for i, f in enumerate(found, 1) if f.document_id in s.question.relevant]
    if ranks:
        return f"应找的文档排第 {ranks[0]}，但没有一段含全部要点"
    return "应找的文档不在其中：是检索的问题" if s.question.relevant else "没有一段含全部要点"


# -- JUnit


def junit(scored: Sequence[Scored], name: str) -> str:
    """Write JUnit XML: one test case a question."""
    suite = ET.Element(
        "testsuite",
        name=_xml(name),
        tests=str(len(scored)),
        failures=str(sum(not s.right and not s.outcome.error for s in scored)),
        errors=str(sum(bool(s.outcome.error) for s in scored)),
        time=f"{sum(s.outcome.seconds for s in scored):.3f}",
    )
    for s in scored:
        _junit_case(suite, s, name)
    xml: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return xml.decode()


def _junit_case(suite: ET.Element, s: Scored, name: str) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_xml(f"{name}.{s.question.kind}" if s.question.kind else name),
        name=_xml(f"{s.question.id} {s.question.question}"),
        time=f"{s.outcome.seconds:.3f}",
    )
    if s.right:
        return
    tag = "error" if s.outcome.error else "failure"
    details = ET.SubElement(case, tag, message=_xml(why(s)))
    details.text = _xml(f"应有：{_expected(s)}\n回答：{s.outcome.answer or s.outcome.error}")


def _xml(words: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", words)
