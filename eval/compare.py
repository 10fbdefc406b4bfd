"""Two runs of the same questions, paired: what got better, what got worse, and is it chance?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.errors import ReportError
from eval.metrics import MEASURES, Scored, score
from eval.runner import RESULTS, read_run

CHANCE = 0.05  # a difference that chance alone makes less often than this is none
# Measures that a question can get better or worse on; higher is better.
_PAIRED = (
    "answer_accuracy",
    "fact_recall",
    "span_coverage",
    "refusal_recall",
    "citation_precision",
    "citation_recall",
    "retrieval_ndcg@10",
)
_PROMISES = ("answer_accuracy", "refusal_recall", "citation_precision")


@dataclass(frozen=True, slots=True)
class Pair:
    """One question in both runs."""

    before: Scored
    after: Scored

    @property
    def change(self) -> int:
        """1 if it got better, -1 if worse, 0 if neither.

        What is right comes first, then the share of the facts, then whether the citations hold.
        """
        for measure in (_right, _facts, _citations):
            before, after = measure(self.before), measure(self.after)
            if before is not None and after is not None and before != after:
                return 1 if after > before else -1
        return 0


def _right(s: Scored) -> float | None:
    return float(s.right)


def _facts(s: Scored) -> float | None:
    return s.facts_share if s.question.answerable else None


def _citations(s: Scored) -> float | None:
    counts = s.citations
    if not counts.sentences:
        return None
    held = counts.supported / counts.citations if counts.citations else 0.0
    return held * counts.cited / counts.sentences


def load_run(path: Path) -> list[Scored]:
    """Load the last run of a report folder, or of its ``results.jsonl``, and score it anew.

    Raises:
        ReportError: There are none.
    """
    file = path / RESULTS if path.is_dir() else path
    try:
        records = read_run(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(
            f"读不了 {str(file)!r}：{error}。请给出 eval run 的报告文件夹，或其中的 {RESULTS}。"
        ) from error
    if not records:
        raise ReportError(f"{str(file)!r} 里没有一条记录。请先运行 xiaoquan eval run。")
    return score(records)


def compare(before: Sequence[Scored], after: Sequence[Scored]) -> dict[str, Any]:
    """Compare two runs, question by question.

    ``p_value`` is that of the exact two-sided sign test on the questions that changed: how often
    chance alone, if better and worse were as likely, would part them at least as unevenly.

    Raises:
        ReportError: The runs have no question in common.
    """
    pairs = paired(before, after)
    better, worse = _ids(pairs, 1), _ids(pairs, -1)
    p_value = sign_test(len(better), len(worse))
    measures = {name: _measure(pairs, name) for name in _PAIRED}
    return {
        "better": len(better),
        "worse": len(worse),
        "same": len(pairs) - len(better) - len(worse),
        "p_value": p_value,
        "verdict": _verdict(len(better), len(worse), p_value, measures),
        "measures": measures,
        "better_ids": better,
        "worse_ids": worse,
        "only_in_one": len(before) + len(after) - 2 * len(pairs),
    }


def paired(before: Sequence[Scored], after: Sequence[Scored]) -> list[Pair]:
    """Pair the questions that are the same in both runs."""
    earlier = {(s.question.id, s.question.question): s for s in before}
    pairs = [
        Pair(earlier[s.question.id, s.question.question], s)
        for s in after
        if (s.question.id, s.question.question) in earlier
    ]
    if not pairs:
        raise ReportError("两次评测没有一道相同的题目，不能比较。请用同一份题目各运行一次。")
    return pairs


def _ids(pairs: Sequence[Pair], change: int) -> list[str]:
    return [pair.after.question.id for pair in pairs if pair.change == change]


def sign_test(better: int, worse: int) -> float:
    """Return the p-value of the exact two-sided sign test (for yes and no: McNemar's)."""
    from scipy.stats import binomtest

    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def _verdict(
    better: int, worse: int, p_value: float, measures: Mapping[str, Mapping[str, Any]]
) -> str:
    """Say ``better``, ``worse`` or ``same``.

    Where the questions as a whole say neither, what one promise lost is not made up by what
    another won: refusing everything refuses what should be refused, too.
    """
    if p_value < CHANCE:
        return "better" if better > worse else "worse"
    # Three looks at the data: Bonferroni keeps chance where it was.
    lost = (
        measures[name]["worse"] > measures[name]["better"]
        and measures[name]["p_value"] < CHANCE / len(_PROMISES)
        for name in _PROMISES
    )
    return "worse" if any(lost) else "same"


def _measure(pairs: Sequence[Pair], name: str) -> Mapping[str, Any]:
    of = MEASURES[name]
    changes = [_difference(of, pair) for pair in pairs]
    better, worse = sum(c > 0 for c in changes), sum(c < 0 for c in changes)
    return {
        "a": _total(of, [pair.before for pair in pairs]),
        "b": _total(of, [pair.after for pair in pairs]),
        "better": better,
        "worse": worse,
        "p_value": sign_test(better, worse),
    }


Of = Callable[[Scored], tuple[float, float]]


def _difference(of: Of, pair: Pair) -> float:
    (above_a, below_a), (above_b, below_b) = of(pair.before), of(pair.after)
    return above_b / below_b - above_a / below_a if below_a and below_b else 0.0


def _total(of: Of, scored: Sequence[Scored]) -> float | None:
    ratios = [of(s) for s in scored]
    below = sum(ratio[1] for ratio in ratios)
    return round(sum(ratio[0] for ratio in ratios) / below, 4) if below else None
