"""Answers lifted from the passages: sentences chosen and ordered, never altered."""

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.asking import Asked, Kind, holds, understand
from assistant.composing import Composed, citation
from assistant.types import Delta, Turn
from knowledge.lexical import terms
from knowledge.splitting import sentences
from knowledge.types import Hit

PASSAGES = 4  # looked at for the answer
# Characters of an answer; what asks for a list or a way to do it gets more.
LONGEST = 170
LONGEST_LIST = 350
# A neighbouring sentence joins if it is at least this likely to belong to the answer.
JOINS_FROM = 0.05

# Logistic regression: does the sentence hold (part of) the answer? Fitted on the even questions
# of datasets/pandemic with the command in docs/benchmarks.md, reported on the odd ones.
_WEIGHTS: Mapping[str, float] = {
    "behind": 10.607,
    "first": 0.351,
    "dense": -1.171,
    "cover": -2.428,
    "cover_squared": 0.159,
    "cover_behind": 1.251,
    "cover_with_before": 1.202,
    "cover_with_above": 2.735,
    "cover_passage": 0.607,
    "is_most": 1.477,
    "after_most": 0.19,
    "later": 0.783,
    "next_gain": -1.545,
    "length": 0.105,
    "short": -0.92,
    "new": 1.13,
    "leads_in": 0.483,
    "position": 0.244,
    "number": 0.377,
    "time": 0.254,
    "list": 0.232,
    "place": 0.411,
    "manner": 0.351,
    "phone": 1.456,
}
_BIAS = -4.613


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a hit: offsets within its passage, and what is known of it."""

    hit: Hit
    start: int
    end: int
    features: Mapping[str, float]

    @property
    def text(self) -> str:
        """The words as they stand in the passage."""
        return self.hit.passage.text[self.start : self.end]

    @property
    def likelihood(self) -> float:
        """How likely it belongs to the answer, in [0, 1]."""
        z = _BIAS + sum(_WEIGHTS[name] * value for name, value in self.features.items())
        return 1 / (1 + math.exp(-z))


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Neighbouring sentences of one passage, to be quoted as they stand."""

    hit: Hit
    start: int
    end: int
    likelihood: float

    @property
    def text(self) -> str:
        """The words as they stand in the passage."""
        return self.hit.passage.text[self.start : self.end]


class ExtractiveComposer:
    """Quotes the sentences that answer, each with its citation."""

    def __init__(self, weigh: Callable[[str], Mapping[str, float]]) -> None:
        """Compose with ``weigh``, which gives the information content of a text's terms."""
        self._weigh = weigh

    def compose(
        self, question: str, hits: Sequence[Hit], history: Sequence[Turn]
    ) -> Generator[Delta, None, Composed]:
        """Yield the quotes, each followed by its mark."""
        del history  # the question stands alone by now
        chosen = [best_excerpt(understand(question, self._weigh), hits)]
        pieces, citations = [], []
        for n, excerpt in enumerate(chosen, 1):
            piece = f"{excerpt.text}[{n}]"
            yield Delta(piece)
            pieces.append(piece)
            start = excerpt.hit.passage.start + excerpt.start
            citations.append(citation(n, excerpt.hit, excerpt.text, start))
        return Composed("\n".join(pieces), tuple(citations), "extractive")


def best_excerpt(asked: Asked, hits: Sequence[Hit]) -> Excerpt:
    """Return the sentence most likely to hold the answer, with the neighbours that belong to it.

    Raises:
        ValueError: There is no hit.
    """
    best: tuple[float, list[Sentence], int] | None = None
    for of_passage in candidates(asked, hits):
        for at, sentence in enumerate(of_passage):
            if best is None or sentence.likelihood > best[0]:
                best = sentence.likelihood, of_passage, at
    if best is None:
        raise ValueError("no hit to lift an answer from")
    likelihood, of_passage, at = best
    longest = LONGEST_LIST if asked.kinds & {"list", "manner"} else LONGEST
    first, last = _with_neighbours(of_passage, at, longest)
    return Excerpt(of_passage[at].hit, of_passage[first].start, of_passage[last].end, likelihood)


def _with_neighbours(of_passage: Sequence[Sentence], at: int, longest: int) -> tuple[int, int]:
    first = last = at
    while True:
        ways = []
        if last + 1 < len(of_passage):
            ways.append((of_passage[last + 1].likelihood, first, last + 1))
        if first > 0:
            ways.append((of_passage[first - 1].likelihood, first - 1, last))
        fitting = [
            way for way in ways if of_passage[way[2]].end - of_passage[way[1]].start <= longest
        ]
        if not fitting or max(fitting)[0] < JOINS_FROM:
            return first, last
        _, first, last = max(fitting)


def candidates(asked: Asked, hits: Sequence[Hit]) -> Iterator[list[Sentence]]:
    """Yield the sentences of each of the best passages, with their features."""
    for hit in hits[:PASSAGES]:
        passage = _read(asked, hit)
        yield [
            Sentence(hit, *span, _features(asked, hits[0], passage, at))
            for at, span in enumerate(passage.spans)
        ]


@dataclass(frozen=True, slots=True)
class _ReadPassage:
    """A passage cut into sentences, with what each covers of the question."""

    hit: Hit
    spans: Sequence[tuple[int, int]]
    found: Sequence[set[str]]  # terms of each sentence
    above: set[str]  # terms of the title and the headings
    cover: Sequence[float]


def _read(asked: Asked, hit: Hit) -> _ReadPassage:
    spans = sentences(hit.passage.text)
    found = [set(terms(hit.passage.text[start:end])) for start, end in spans]
    above = set(terms("\n".join((hit.document.title, *hit.passage.section))))
    return _ReadPassage(hit, spans, found, above, [asked.share(one) for one in found])


def _features(asked: Asked, top: Hit, passage: _ReadPassage, at: int) -> dict[str, float]:
    hit, spans, found, above, cover = (
        passage.hit,
        passage.spans,
        passage.found,
        passage.above,
        passage.cover,
    )
    start, end = spans[at]
    text = hit.passage.text[start:end]
    most = max(cover)
    before = found[at - 1] if at else set()
    features = {
        "behind": hit.score - top.score,
        "first": float(hit.rank == 1),
        "dense": hit.dense,
        "cover": cover[at],
        "cover_squared": cover[at] ** 2,
        "cover_behind": cover[at] - most,
        "cover_with_before": asked.share(found[at] | before),
        "cover_with_above": asked.share(found[at] | above),
        "cover_passage": asked.share(above.union(*found)),
        "is_most": float(cover.index(most) == at),
        "after_most": float(cover.index(most) == at - 1),
        "later": float(at > cover.index(most)),
        "next_gain": cover[at + 1] - cover[at] if at + 1 < len(cover) else 0.0,
        "length": math.log(end - start),
        "short": float(end - start < 12),
        "new": len(found[at] - asked.weights.keys()) / (1 + len(found[at])),
        "leads_in": float(text[-1] in "：:"),
        "position": at / len(spans),
    }
    kinds: tuple[Kind, ...] = ("number", "time", "list", "place", "manner", "phone")
    for kind in kinds:
        features[kind] = float(kind in asked.kinds and holds(kind, text))
    return features
