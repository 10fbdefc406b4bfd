"""The first candidates of both searches, scored anew by all that is known of each.

A linear model, as in learning to rank: what either search says of a passage and of its whole
document, and how much of the query its words cover. Its weights maximise the likelihood that a
relevant passage is drawn first (ListNet's top-one probability, Cao et al. 2007).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.catalogue import Row
from knowledge.lexical import normalise, terms
from knowledge.queries import Weighed, longest_common

DEPTH = 30  # candidates that are scored anew; further down nothing relevant was left to gain

# Fitted by ``python -m eval.rank_model`` on datasets/laws and datasets/pandemic, which count the
# same; it prints what each half reaches with weights fitted on the other halves.
_WEIGHTS: Mapping[str, float] = {
    "dense": -4.13,
    "adapted": 17.28,
    "share": 0.25,
    "document_share": 4.50,
    "document_dense": -6.49,
    "document_adapted": 14.15,
    "longest_common": 4.98,
    "cover": 5.16,
    "characters": 2.43,
    "cover_above": -0.83,
    "title_length": -0.28,
}
_SHORT = 4  # characters: a match of a shorter query says less than its share


@dataclass(frozen=True, slots=True)
class Found:
    """What both searches say of a passage.

    Attributes:
        dense: Cosine similarity of query and passage.
        adapted: The same with the query moved towards the words of documents
            (``knowledge.query_adapter``).
        lexical: BM25 of the passage, as it is.
        share: BM25 of the passage, as a share of the highest that the query could reach.
        document_share: The same of its whole document.
    """

    number: int
    document_key: int
    dense: float
    adapted: float
    lexical: float
    share: float
    document_share: float

    @property
    def first_score(self) -> float:
        """What decides which passages are looked at more closely."""
        return 1.5 * self.adapted + (self.share + self.document_share) / 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage to be looked at, with its words."""

    found: Found
    row: Row


Scored = tuple[float, Candidate]
# What is known of each candidate of a query (``features``, and its ``score``): another score each.
Rerank = Callable[[str, Sequence[Mapping[str, float]], Sequence[Candidate]], Sequence[float]]


def first_of(found: Sequence[Found], limit: int) -> list[Found]:
    """Return the best by their first score, best first; at least as many as are scored anew."""
    best = sorted(found, key=lambda one: (-one.first_score, one.number))
    return best[: max(limit, DEPTH)]


def rank(
    query: str, weighed: Weighed, candidates: Sequence[Candidate], rerank: Rerank | None = None
) -> list[Scored]:
    """Return the candidates with their scores, best first.

    Args:
        query: What was searched for.
        weighed: Its terms.
        candidates: In the order of their first score; so many of them are scored anew.
        rerank: Scores the same ones once more.

    Returns:
        Scores are comparable within one query only.
    """
    first, rest = candidates[:DEPTH], candidates[DEPTH:]
    rows = scored_features(query, weighed, first)
    scores = rerank(query, rows, first) if rerank else [row["score"] for row in rows]
    scored = zip(scores, first, strict=True)
    top = sorted(scored, key=lambda one: (-one[0], one[1].found.number))
    return [*top, *_below(top, rest)]


def scored_features(
    query: str, weighed: Weighed, candidates: Sequence[Candidate]
) -> list[Mapping[str, float]]:
    """Return what is known of each candidate, and the ``score`` that it comes to."""
    rows = features(query, weighed, candidates)
    return [{**row, "score": sum(_WEIGHTS[k] * value for k, value in row.items())} for row in rows]


def features(
    query: str, weighed: Weighed, candidates: Sequence[Candidate]
) -> list[Mapping[str, float]]:
    """Return what is known of each candidate, beside the others."""
    best: dict[int, tuple[float, float]] = {}  # what either similarity comes to at best
    for one in candidates:
        key, (dense, adapted) = one.found.document_key, (one.found.dense, one.found.adapted)
        before = best.get(key, (0.0, 0.0))
        best[key] = max(before[0], dense), max(before[1], adapted)
    query = normalise(query)
    return [_features(query, weighed, one, best[one.found.document_key]) for one in candidates]


def _features(
    query: str, weighed: Weighed, one: Candidate, of_document: tuple[float, float]
) -> Mapping[str, float]:
    text = normalise(one.row.passage.text)
    above = normalise("\n".join((one.row.document.title, *one.row.passage.section)))
    held_above = set(terms(above))
    return {
        "dense": one.found.dense,
        "adapted": one.found.adapted,
        "share": one.found.share,
        "document_share": one.found.document_share,
        "document_dense": of_document[0],
        "document_adapted": of_document[1],
        "longest_common": longest_common(query, text) / max(_SHORT, len(query)),
        "cover": weighed.share({*held_above, *terms(text)}),
        "characters": weighed.share_of_characters(above + text),
        # Words of a law's name say less than words of its text; and what rules more generally
        # has the shorter name.
        "cover_above": weighed.share(held_above),
        "title_length": len(one.row.document.title) / 10,
    }


def _below(top: Sequence[Scored], rest: Sequence[Candidate]) -> Iterator[Scored]:
    """Keep the first order below what was scored anew."""
    lowest = min((score for score, _ in top), default=0.0)
    highest = max((one.found.first_score for one in rest), default=0.0)
    for one in rest:
        yield lowest - (highest - one.found.first_score) - 1e-6, one
