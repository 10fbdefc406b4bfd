"""Measures over a run's records: every rate is a ratio of sums over questions.

So one bootstrap serves them all: questions are drawn again, and both sums with them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eval.citations import CitationCounts, check_citations
from eval.facts import coverage, normalise, share_stated
from eval.outcomes import Outcome, Record
from eval.questions import Question
from eval.ranking import ranking_scores

RESAMPLES = 2000
_RETRIEVAL = ("recall@5", "mrr@10", "ndcg@10")


@dataclass(frozen=True)
class Scored:
    """A record with everything that is measured of it; computed once, when first asked for."""

    record: Record
    ranking: Mapping[str, float]

    @property
    def question(self) -> Question:
        """What was asked."""
        return self.record.question

    @property
    def outcome(self) -> Outcome:
        """What came back."""
        return self.record.outcome

    @property
    def answered(self) -> bool:
        """Whether there is an answer that is not a refusal."""
        return not self.outcome.refused and not self.outcome.error

    @cached_property
    def facts_share(self) -> float:
        """Share of the facts that the answer states; 0 for a refusal."""
        return share_stated(self.outcome.answer, self.question.facts) if self.answered else 0.0

    @property
    def right(self) -> bool:
        """Whether it states all facts, or was rightly refused."""
        if self.question.answerable:
            return self.answered and self.facts_share == 1.0
        return self.outcome.refused

    @cached_property
    def covered(self) -> float:
        """Mean share of the facts' characters that stand in the answer in one run."""
        facts = self.question.facts
        if not self.answered or not facts:
            return 0.0
        return sum(coverage(self.outcome.answer, fact) for fact in facts) / len(facts)

    @cached_property
    def citations(self) -> CitationCounts:
        """What holds of its citations."""
        return check_citations(self.outcome)

    @property
    def reference(self) -> str:
        """The reference answer; a single fact is one."""
        if self.question.answer or len(self.question.facts) != 1:
            return self.question.answer
        (fact,) = self.question.facts
        return fact if isinstance(fact, str) else fact[0]

    @cached_property
    def overlap(self) -> tuple[float, float]:
        """Character F1 and ROUGE-L against the reference answer."""
        given = self.outcome.answer if self.answered else ""
        return character_f1(given, self.reference), rouge_l(given, self.reference)


def character_f1(answer: str, reference: str) -> float:
    """Return the F1 of the characters that two texts share, as SQuAD has it for words.

    Rajpurkar et al. 2016; characters instead of words as in CMRC 2018 (Cui et al. 2019).
    """
    from collections import Counter

    given, wanted = Counter(normalise(answer)), Counter(normalise(reference))
    total = given.total() + wanted.total()
    return 2 * (given & wanted).total() / total if total else 1.0


def rouge_l(answer: str, reference: str) -> float:
    """Return ROUGE-L's F1 over characters: longest common subsequence (Lin 2004), by rapidfuzz."""
    from rapidfuzz.distance import LCSseq

    given, wanted = normalise(answer), normalise(reference)
    total = len(given) + len(wanted)
    return 2 * LCSseq.similarity(given, wanted) / total if total else 1.0


def score(records: Sequence[Record]) -> list[Scored]:
    """Score each record."""
    judged = {str(i): r for i, r in enumerate(records) if r.question.relevant}
    rankings = ranking_scores(
        {
            i: list(dict.fromkeys(found.document_id for found in record.outcome.found))
            for i, record in judged.items()
        },
        {i: dict.fromkeys(record.question.relevant, 1) for i, record in judged.items()},
        _RETRIEVAL,
    ) if judged else {}  # fmt: skip
    return [Scored(record, rankings.get(str(i), {})) for i, record in enumerate(records)]


Ratio = tuple[float, float]
_NOTHING: Ratio = (0.0, 0.0)


def _if(condition: bool, value: float) -> Ratio:
    return (float(value), 1.0) if condition else _NOTHING


def _refusal_f1(s: Scored) -> Ratio:
    refused, wanted = s.outcome.refused, not s.question.answerable
    return 2.0 * (refused and wanted), float(refused) + float(wanted)


def _ranking(name: str) -> Callable[[Scored], Ratio]:
    return lambda s: _if(name in s.ranking, s.ranking.get(name, 0.0))


# What each question adds to a measure's two sums.
MEASURES: Mapping[str, Callable[[Scored], Ratio]] = {
    "answer_accuracy": lambda s: _if(s.question.answerable, s.right),
    "fact_recall": lambda s: _times(len(s.question.facts), s.facts_share, s.question.answerable),
    "answered_accuracy": lambda s: _if(s.question.answerable and s.answered, s.right),
    "span_coverage": lambda s: _if(s.question.answerable, s.covered if s.question.facts else 0.0),
    "char_f1": lambda s: _if(_has_reference(s), s.overlap[0] if _has_reference(s) else 0.0),
    "rouge_l": lambda s: _if(_has_reference(s), s.overlap[1] if _has_reference(s) else 0.0),
    "refusal_precision": lambda s: _if(s.outcome.refused, not s.question.answerable),
    "refusal_recall": lambda s: _if(not s.question.answerable, s.outcome.refused),
    "refusal_f1": _refusal_f1,
    "refused_answerable": lambda s: _if(s.question.answerable, s.outcome.refused),
    "citation_precision": lambda s: (float(s.citations.supported), float(s.citations.citations)),
    "citation_recall": lambda s: (float(s.citations.cited), float(s.citations.sentences)),
    "all_right": lambda s: (float(s.right), 1.0),
    **{f"retrieval_{name}": _ranking(name) for name in _RETRIEVAL},
}


def _times(weight: int, value: float, counts: bool) -> Ratio:
    return (weight * value, float(weight)) if counts else _NOTHING


def _has_reference(s: Scored) -> bool:
    return s.question.answerable and bool(s.reference)


@dataclass(frozen=True, slots=True)
class Rate:
    """A measure with its bootstrap 95% interval; ``None`` where nothing counts towards it."""

    value: float | None
    low: float | None
    high: float | None


def rate(ratios: Sequence[Ratio]) -> Rate:
    """Return the ratio of the sums with a percentile bootstrap interval (Efron 1979)."""
    import numpy as np

    counting = np.array([ratio for ratio in ratios if ratio != _NOTHING], float).reshape(-1, 2)
    above, below = counting.T
    if not below.sum():
        return Rate(None, None, None)
    value = float(above.sum() / below.sum())
    if len(counting) == 1 or (above == value * below).all():
        return Rate(value, value, value)
    from scipy.stats import bootstrap

    interval = bootstrap(
        (above, below),
        lambda a, b, axis: a.sum(axis) / np.maximum(b.sum(axis), 1e-12),
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=100,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Rate(value, float(interval.low), float(interval.high))


def rates(scored: Sequence[Scored]) -> dict[str, Rate]:
    """Return every measure."""
    return {name: rate([of(s) for s in scored]) for name, of in MEASURES.items()}


def by_kind(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Group by the questions' kind, those without one under the empty word."""
    kinds: dict[str, list[Scored]] = {}
    for one in scored:
        kinds.setdefault(one.question.kind, []).append(one)
    return dict(sorted(kinds.items()))


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least this share of the values don't exceed."""
    if not values:
        return None
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def refusal_table(scored: Sequence[Scored]) -> dict[str, int]:
    """Count answerable and unanswerable questions by what became of them."""
    counts = {
        f"{kind}_{what}": 0
        for kind in ("answerable", "unanswerable")
        for what in ("answered", "refused", "failed")
    }
    for s in scored:
        kind = "answerable" if s.question.answerable else "unanswerable"
        what = "failed" if s.outcome.error else "refused" if s.outcome.refused else "answered"
        counts[f"{kind}_{what}"] += 1
    return counts


def summary(scored: Sequence[Scored], seconds: float) -> dict[str, Any]:
    """Return what ``xiaoquan eval run --json`` prints."""
    measured = rates(scored)
    kinds = by_kind(scored)
    return {
        "questions": len(scored),
        **{name: _rounded(rate.value) for name, rate in measured.items()},
        **_lengths_and_times(scored),
        "failed": sum(bool(s.outcome.error) for s in scored),
        "refusal_table": refusal_table(scored),
        "statuses": _statuses(scored),
        "intervals": _intervals(measured),
        "by_kind": {name: _of_kind(of_kind) for name, of_kind in kinds.items()}
        if len(kinds) > 1
        else {},
        "seconds": round(seconds, 3),
    }


def _lengths_and_times(scored: Sequence[Scored]) -> dict[str, Any]:
    asked = [s.outcome.seconds for s in scored if not s.outcome.error]
    lengths = [len(normalise(s.outcome.answer)) for s in scored if s.answered]
    return {
        "answer_length_median": percentile(lengths, 0.5),
        "latency": {
            name: _rounded(percentile(asked, share))
            for name, share in (("median", 0.5), ("p95", 0.95), ("p99", 0.99))
        },
    }


def _statuses(scored: Sequence[Scored]) -> dict[str, int]:
    names = [s.outcome.status or "failed" for s in scored]
    return {name: names.count(name) for name in sorted(set(names))}


def _of_kind(scored: Sequence[Scored]) -> dict[str, Any]:
    measured = rates(scored)
    return {
        "questions": len(scored),
        **{name: _rounded(rate.value) for name, rate in measured.items()},
        "intervals": _intervals(measured),
    }


def _intervals(measured: Mapping[str, Rate]) -> dict[str, list[float | None]]:
    return {
        name: [_rounded(rate.low), _rounded(rate.high)]
        for name, rate in measured.items()
        if rate.value is not None
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
