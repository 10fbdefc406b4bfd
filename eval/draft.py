"""Proposes questions from the knowledge base by rules, for operators to prune.

A sentence that states a number, an amount, a date, a telephone number or a place becomes the
question that asks for it: what is asked for is taken out of its clause, and 多少, 什么时候, 哪里
stand in its place.
"""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from knowledge.base import KnowledgeBase
from knowledge.splitting import sentences

DRAFT = "draft-"  # what every kind of a drafted question begins with
_MAGNITUDE = "(?:万亿|亿|万|千|百)?"
_NUMBER = rf"\d[\d,，]*(?:\.\d+)?{_MAGNITUDE}"
_DATE = r"(?:(?:19|20)\d\d年)?\d{1,2}月(?:\d{1,2}日)?|(?:19|20)\d\d年"
# Longer ones first: 3个工作日 are no 3个.
_UNITS = "个工作日|平方公里|平方米|人次|小时|公里|个月|[条项家个台人户次所座件种类批名张天吨亩年]"


@dataclass(frozen=True, slots=True)
class _Rule:
    """What is asked for (the group ``fact``), and what stands in its place in the question."""

    kind: str
    pattern: re.Pattern[str]
    asking: str


# The first rule that fits a sentence is the one that is used; lines without a full stop are
# headings and table rows, which only the first two can make sense of.
_RULES = (
    _Rule("phone", re.compile(r"(?:电话|热线)(?:是|为)?[:：]?\s*(?P<fact>\d[\d-]{4,}\d)"), "多少"),
    _Rule(
        "place",
        re.compile(r"(?:地址(?:是|为|在)?[:：]?\s*|位于|坐落于)(?P<fact>[^，。；：\s]{4,30})"),
        "哪里",
    ),
    _Rule("date", re.compile(rf"(?<=[自于在从])(?P<fact>{_DATE})(?![\d-])"), "什么时候"),
    _Rule("date", re.compile(rf"(?<!\d)(?P<fact>{_DATE})(?=[起前])"), "什么时候"),
    _Rule(
        "amount",
        re.compile(rf"(?P<fact>{_NUMBER}(?P<unit>元|美元|欧元))(?=[^\d/]|$)"),
        "多少{unit}",
    ),
    _Rule(
        "number",
        re.compile(rf"(?<![\d第.])(?!(?:19|20)\d\d年)(?P<fact>{_NUMBER}(?P<unit>{_UNITS}))"),
        "多少{unit}",
    ),
    _Rule("share", re.compile(r"(?<![\d.])(?P<fact>\d+(?:\.\d+)?%)"), "百分之多少"),
)
_RULES_FOR_LINES = _RULES[:2]
_BREAK = re.compile(r"[，,、：:（(）)]")
_LEAST = 6  # characters beside the fact that a clause needs to be a question
_SHORTEST, _LONGEST = 10, 120  # characters of a sentence that is looked at
# A sentence that leans on the one before it makes no question of its own.
_LEANING = re.compile(r"^[其该此这那它他她]|^(?:同时|此外|另外|并且?|但|而且?|以上|前款|上述)")
_ENUMERATION = re.compile(
    r"^(?:[（(]?[一二三四五六七八九十\d]+[）)、.．]\s*|第.{1,6}[条章]\s*|[-*#|>]+\s*)"
)


def draft(base: KnowledgeBase, limit: int, seed: int = 0) -> list[dict[str, Any]]:
    """Propose at most ``limit`` questions, spread over the documents; the same seed, the same ones.

    Returns:
        Rows of a question set; their kinds begin with ``draft-``.
    """
    records = base.documents()
    random.Random(seed).shuffle(records)  # noqa: S311 - no secret
    proposals = {record.id: _of_document(base, record.id, record.title) for record in records}
    chosen: list[Mapping[str, Any]] = []
    while proposals and len(chosen) < limit:
        for id_ in list(proposals):  # one of each document in turn
            row = next(proposals[id_], None)
            if row is None:
                del proposals[id_]
            elif len(chosen) < limit:
                chosen.append(row)
    return [{"id": f"draft-{number:03}", **row} for number, row in enumerate(chosen, 1)]


def _of_document(base: KnowledgeBase, id_: str, title: str) -> Iterator[Mapping[str, Any]]:
    seen = set()
    for passage in base.passages(id_):
        for start, end in sentences(passage.text):
            row = question_of(passage.text[start:end], title)
            if row and row["question"] not in seen:
                seen.add(row["question"])
                yield {**row, "relevant": [id_]}


def question_of(sentence: str, title: str) -> dict[str, Any] | None:
    """Turn a sentence into a question about what it states; ``None`` where no rule fits."""
    rules = _RULES if sentence[-1:] in "。；;！!" else _RULES_FOR_LINES
    sentence = _ENUMERATION.sub("", sentence).rstrip("。；;！!")
    if not _SHORTEST <= len(sentence) <= _LONGEST or _LEANING.match(sentence) or "|" in sentence:
        return None
    for rule in rules:
        for match in rule.pattern.finditer(sentence):
            start, end = _clause(sentence, match)
            if len(sentence[start:end]) - len(match["fact"]) >= _LEAST:
                return _row(rule, match, sentence[start:end], start, title)
    return None


def _clause(sentence: str, match: re.Match[str]) -> tuple[int, int]:
    """Return the clause around a match, with the one before it where it is too short alone."""
    breaks = [m.end() for m in _BREAK.finditer(sentence, 0, match.start("fact"))]
    starts = [0, *breaks]
    after = _BREAK.search(sentence, match.end("fact"))
    end = after.start() if after else len(sentence)
    start = starts.pop()
    while starts and match.start("fact") - start < _LEAST:
        start = starts.pop()
    return start, end


def _row(rule: _Rule, match: re.Match[str], clause: str, start: int, title: str) -> dict[str, Any]:
    at = match.start("fact") - start
    asking = rule.asking.format(**match.groupdict())
    asked = clause[:at] + asking + clause[at + len(match["fact"]) :]
    about = title.strip("《》 ")
    return {
        "question": f"《{about}》中，{asked}？",
        "facts": [match["fact"]],
        "answerable": True,
        "kind": f"{DRAFT}{rule.kind}",
    }
