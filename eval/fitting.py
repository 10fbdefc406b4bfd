"""Fits the weights of the two decisions an answer rests on: which sentences, and whether at all.

``python -m eval.fitting HOME QUESTIONS [HOME QUESTIONS …]`` prints the weights for
``assistant.sentences`` and ``assistant.evidence``, fitted on all sets, and how well the latter
do on each half of each set with weights fitted on the other halves. The first set, which counts
more often for the latter, decides how much of what is asked in the documents' own words is refused.
Sets that were written with the documents in sight teach little of everyday words; the others are
there for these. A question in the documents' words is learnt from twice: also as if there were no
document with its answer. Both are logistic regressions with a ridge penalty. What can only speak
for an answer, or only against one, is held to that: weights that cancel each other out on the sets
at hand do harm on any other.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from assistant import evidence, sentences
from assistant.asking import Asked, understand
from assistant.counties import Counties
from assistant.matters import Matters
from assistant.reader import WEIGHTS, Reader
from assistant.reranking import rerank
from assistant.sentences import Sentence, candidates, said
from assistant.wording import everyday
from eval.facts import normalise
from eval.homes import homes_with
from eval.questions import Question, load_questions
from knowledge.base import KnowledgeBase
from knowledge.models import default_folder
from knowledge.places import counties_of
from knowledge.settings import load_settings
from knowledge.types import Hit

Floats = NDArray[np.float64]
Weights = tuple[dict[str, float], float]

HITS = 8
POOL = 60  # hits, of which those are taken that have not the answer
# Of the refusal decision.
SPEAK_FOR = frozenset(
    {"dense", "margin", "likelihood", "cover_passage", "cover_first", "cover_below_title"}
    | {"characters", "fit", "passage_matter_uncovered", "dense_uncovered"}
)
SPEAK_AGAINST = frozenset(
    {"gap", "gap_uncovered", "matter_uncovered", "no_number", "no_time", "no_phone"}
    | {"place_missing", "smaller_place_missing", "other_place", "year_missing"}
    | {"quoted_missing", "no_unit", "no_unit_in_passage", "year_missing_in_passage"}
)
# On the weights of the features in units of their standard deviation: of the sentences', which are
# many, and of the refusal decision's.
PENALTY, EVIDENCE_PENALTY = 3.0, 30.0
EVERYDAY = "everyday "  # what a feature counts for more, or for less, in everyday words
OFFICIAL_BELOW = 0.3  # as everyday a question in the documents' words may be
FIRST = 2  # times that the first set counts for the refusal decision
FALSE_REFUSALS = 0.065  # share of its answerable questions that may be refused


@dataclass(frozen=True, slots=True)
class Asking:
    """A question with what was found for it."""

    question: Question
    asked: Asked
    hits: Sequence[Hit]
    sentences: Sequence[Sentence]
    labels: Sequence[bool]  # does the sentence hold (part of) the answer?

    @property
    def best(self) -> Sentence:
        """The sentence that would be quoted."""
        return max(said([self.sentences]), key=lambda sentence: sentence.log_odds)

    @property
    def misled(self) -> bool:
        """Whether there is an answer, but not in that sentence."""
        return self.question.answerable and not self.labels[self.sentences.index(self.best)]


def fit(
    rows: Sequence[Mapping[str, float]],
    labels: Sequence[bool],
    speak_for: Set[str] = frozenset(),
    speak_against: Set[str] = frozenset(),
    penalty: float = PENALTY,
) -> Weights:
    """Return the weights by feature, and the bias, that make the labels likeliest.

    Args:
        rows: The features of each case.
        labels: What each case is.
        speak_for: Features whose weight may not be below zero.
        speak_against: Features whose weight may not be above zero.
        penalty: How dear large weights are.
    """
    from scipy.optimize import minimize

    names = sorted(rows[0])
    x = np.array([[row[name] for name in names] for row in rows])
    mean, deviation = x.mean(0), x.std(0) + 1e-9
    x = np.hstack([(x - mean) / deviation, np.ones((len(x), 1))])
    sign = np.where(labels, 1.0, -1.0)

    def loss(w: Floats) -> tuple[float, Floats]:
        margin = sign * (x @ w)
        slope = -sign / (1 + np.exp(margin))
        ridge = penalty * np.append(w[:-1], 0.0)
        total = np.logaddexp(0, -margin).sum() + ridge @ w / 2
        return float(total), slope @ x + ridge

    of = [name.removeprefix(EVERYDAY) for name in names]
    least = [0 if name in speak_for else None for name in of]
    most = [0 if name in speak_against else None for name in of]
    bounds = [*zip(least, most, strict=True), (None, None)]
    w = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = w[:-1] / deviation
    bias = float(w[-1] - weights @ mean)
    return dict(zip(names, weights.tolist(), strict=True)), bias


def read(home: Path, path: Path, weights: Path) -> tuple[KnowledgeBase, list[Asking]]:
    """Search for every question, in the documents' words, and label the sentences found.

    ``weights`` are the reader's.
    """
    base = KnowledgeBase(load_settings(home=home))
    reader = Reader(lambda: default_folder(base.settings), weights)
    return base, [_asking(base, reader, question) for question in load_questions(path)]


def _asking(base: KnowledgeBase, reader: Reader, question: Question) -> Asking:
    worded = base.worded(question.question)
    wording = everyday(question.question)
    asked = understand(worded, base.term_weights, reader.read, wording)
    return _beside(question, asked, base.search(worded, HITS, rerank=rerank))


def _beside(question: Question, asked: Asked, hits: Sequence[Hit]) -> Asking:
    found = [sentence for passage in candidates(asked, hits) for sentence in passage]
    return Asking(question, asked, hits, found, list(labels_of(question, found)))


def _unanswered(base: KnowledgeBase, asking: Asking) -> Asking | None:
    """Return the same as if the documents with the answer were not there.

    None: it has no answer, is in everyday words (of what those are near to, any document may have
    an answer), or nothing else is found.
    """
    if not asking.question.answerable or asking.asked.everyday >= OFFICIAL_BELOW:
        return None
    hits = without_answer(base, asking.question, asking.asked.question)
    without = _beside(asking.question, asking.asked, hits)
    return without if without.sentences else None


def without_answer(base: KnowledgeBase, question: Question, worded: str) -> list[Hit]:
    """Return what is found where the documents that hold the first fact are left out.

    Args:
        base: Where to search.
        question: It has an answer.
        worded: The same in the documents' words.
    """
    fact = _fact(question)
    found = base.search(worded, POOL, rerank=rerank)
    others = [hit for hit in found if fact not in normalise(base.text(hit.document.id))]
    return [replace(hit, rank=n) for n, hit in enumerate(others[:HITS], 1)]


def labels_of(question: Question, found: Sequence[Sentence]) -> Iterator[bool]:
    """Tell of each sentence whether it holds (part of) the answer.

    A sentence holds the answer if half of either lies in the other.
    """
    spans: dict[int, tuple[int, int] | None] = {}
    for sentence in found:
        key = sentence.hit.rank
        if key not in spans:
            spans[key] = _span(question, sentence.hit.passage.text)
        span = spans[key]
        if span is None:
            yield False
            continue
        shared = max(0, min(sentence.end, span[1]) - max(sentence.start, span[0]))
        shorter = min(sentence.end - sentence.start, span[1] - span[0])
        yield shared >= shorter / 2 > 0


def _span(question: Question, text: str) -> tuple[int, int] | None:
    """Return where the first fact stands in a text, however its width and spaces are written."""
    if not question.answerable:
        return None
    wanted = _fact(question)
    folded, places = "", []
    for place, character in enumerate(text):
        added = normalise(character)
        folded += added
        places += [place] * len(added)
    at = folded.find(wanted)
    return (places[at], places[at + len(wanted) - 1] + 1) if at >= 0 and wanted else None


def _fact(question: Question) -> str:
    fact = question.facts[0]
    return normalise(fact if isinstance(fact, str) else fact[0])


def sentence_weights(askings: Sequence[Asking]) -> Weights:
    """Fit which sentences hold the answer."""
    of = [asking for asking in askings if asking.question.answerable]
    rows = [sentence.features for asking in of for sentence in asking.sentences]
    return fit(rows, [label for asking in of for label in asking.labels])


def evidence_rows(base: KnowledgeBase, askings: Sequence[Asking]) -> list[dict[str, float]]:
    """Return the features of the refusal decision, with the sentence weights that are set."""
    rows = []
    matters = Matters(lambda: base.embeddings, base.likeness)
    counties = Counties(counties_of(base.city()), base.text)
    spread = base.catalogue.has(evidence.SPREAD)
    for asking in askings:
        best = asking.best
        compared = evidence.Compared(asking.asked, best, base, counties)
        near = matters.nearness(asking.asked.question, best.hit)
        fit_ = sentences.best_fit([asking.sentences])
        told = sentences.reading([asking.sentences])
        features = compared.features(asking.hits, near, fit_, told, spread=spread)
        rows.append(_by_wording(features, asking.asked.everyday))
    return rows


def _by_wording(features: Mapping[str, float], everyday: float) -> dict[str, float]:
    """Return the features as they count for any question, and again for one in everyday words.

    So either wording has weights of its own where there is reason to, and else one learns from the
    other (Daumé III 2007, "Frustratingly easy domain adaptation").
    """
    spoken = {f"{EVERYDAY}{name}": value * everyday for name, value in features.items()}
    return {**features, **spoken, EVERYDAY: everyday}


def evidence_scores(rows: Sequence[Mapping[str, float]], weights: Weights) -> Floats:
    """Return the probability that each is answerable."""
    names, bias = weights
    return np.array(
        [1 / (1 + np.exp(-bias - sum(names[n] * v for n, v in row.items()))) for row in rows]
    )


@dataclass(frozen=True, slots=True)
class Cases:
    """Features and labels of the refusal decision.

    Attributes:
        rows: The features.
        labels: Whether each is answerable.
        misled: Whether each is, but would be answered by a sentence without the answer.
        unanswered: The features of each where no document holds the answer, if that is known.
    """

    rows: Sequence[Mapping[str, float]]
    labels: Sequence[bool]
    misled: Sequence[bool]
    unanswered: Sequence[Mapping[str, float] | None]

    @classmethod
    def of(cls, base: KnowledgeBase, askings: Sequence[Asking]) -> Self:
        """Describe what was found for each question."""
        rows = evidence_rows(base, askings)
        labels = [asking.question.answerable for asking in askings]
        without = [_unanswered(base, asking) for asking in askings]
        rows_without = iter(evidence_rows(base, [one for one in without if one]))
        unanswered = [next(rows_without) if one else None for one in without]
        return cls(rows, labels, [asking.misled for asking in askings], unanswered)

    def half(self, of: int) -> Self:
        """Return every other case."""
        return type(self)(
            self.rows[of::2], self.labels[of::2], self.misled[of::2], self.unanswered[of::2]
        )

    def to_learn_from(self, *, first: bool) -> Iterator[tuple[Mapping[str, float], bool]]:
        """Yield features and labels, those of the first set more often.

        Of another, what would be answered wrongly is left out: neither an answer nor a refusal is
        right.
        """
        for row, label, misled in zip(self.rows, self.labels, self.misled, strict=True):
            yield from [(row, label)] * (FIRST if first else int(not misled))
        yield from ((row, False) for row in self.unanswered if row)


def fit_all(sets: Sequence[Cases]) -> Weights:
    """Fit on all sets together."""
    cases = [case for n, of in enumerate(sets) for case in of.to_learn_from(first=n == 0)]
    rows, labels = zip(*cases, strict=True)
    return fit(rows, labels, SPEAK_FOR, SPEAK_AGAINST, EVIDENCE_PENALTY)


def held_out(sets: Sequence[Cases], more_official: float = 0.0) -> list[Floats]:
    """Score each half of each set with weights fitted on the other halves.

    Args:
        sets: What is scored.
        more_official: What the logarithm of the odds is raised by in the documents' own words.
    """
    weights = [fit_all([cases.half(1 - half) for cases in sets]) for half in (0, 1)]
    raised = [_raised(of, more_official) for of in weights]
    scores = [np.zeros(len(cases.rows)) for cases in sets]
    for of, cases in zip(scores, sets, strict=True):
        for half in (0, 1):
            of[half::2] = evidence_scores(cases.half(half).rows, raised[half])
    return scores


def _raised(weights: Weights, more_official: float) -> Weights:
    names, bias = weights
    everyday = names[EVERYDAY] - more_official
    return {**names, EVERYDAY: everyday}, bias + more_official


def more_official(first: Cases, scores: Floats) -> float:
    """Return what raises the scores so that only so many answerable questions are refused.

    Everyday words are refused by ``ANSWERABLE_FROM`` as it is set. Those of a document that is not
    there outnumber what is really asked in the documents' words, so the scores come out too low.
    """
    labels = np.array(first.labels)
    official = 1 - np.array([row[EVERYDAY] for row in first.rows])[labels]
    odds = np.log(scores / (1 - scores))[labels]
    least = math.log(evidence.ANSWERABLE_FROM / (1 - evidence.ANSWERABLE_FROM))
    needed = (least - odds) / np.maximum(official, 1e-9)  # of each, to be answered
    return float(np.quantile(needed, 1 - FALSE_REFUSALS))


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit both and print them."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.fitting",
        epilog="Example: python -m eval.fitting home set.jsonl sample-home lay_questions.jsonl",
    )
    parser.add_argument(
        "--evidence-only", action="store_true", help="keep the weights of sentences that are set"
    )
    parser.add_argument(
        "--reader", type=Path, default=WEIGHTS, help="weights that have not seen the questions"
    )
    given = homes_with(parser, "QUESTIONS", arguments)
    weights_read = parser.parse_args(arguments).reader
    read_sets = [read(*one, weights_read) for one in given]
    if not parser.parse_args(arguments).evidence_only:
        weights = sentence_weights([asking for _, askings in read_sets for asking in askings])
        _print("assistant/sentences.py", weights)
        vars(sentences).update(_WEIGHTS=weights[0], _BIAS=weights[1])
    sets = [Cases.of(*one) for one in read_sets]
    more = more_official(sets[0], held_out(sets)[0])
    _print_evidence(_raised(fit_all(sets), more))
    _report([str(path) for _, path in given], sets, held_out(sets, more))


def _report(names: Sequence[str], sets: Sequence[Cases], scores: Sequence[Floats]) -> None:
    """Print what is refused of each set with weights of the other halves."""
    for name, cases, of in zip(names, sets, scores, strict=True):
        labels, refused = np.array(cases.labels), of < evidence.ANSWERABLE_FROM
        right = float((refused & ~labels).sum())
        print(
            f"{name}, weights of the other half: refused {right / (~labels).sum():.3f} of the "
            f"unanswerable, {refused[labels].mean():.3f} of the answerable, "
            f"F1 {2 * right / (refused.sum() + (~labels).sum()):.3f}",
            file=sys.stderr,
        )


def _print(name: str, weights: Weights) -> None:
    print(f"# {name}")
    for feature, weight in weights[0].items():
        print(f'    "{feature}": {weight:.3f},')
    print(f"_BIAS = {weights[1]:.3f}")


def _print_evidence(weights: Weights) -> None:
    of, bias = weights
    print("# assistant/evidence.py: (official, everyday)")
    for name, weight in of.items():
        if not name.startswith(EVERYDAY):
            print(f'    "{name}": ({weight:.3f}, {weight + of[EVERYDAY + name]:.3f}),')
    print(f"_BIAS = ({bias:.3f}, {bias + of[EVERYDAY]:.3f})")


if __name__ == "__main__":
    main()
