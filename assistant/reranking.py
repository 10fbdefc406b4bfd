"""Which of the passages found says what is asked for: the search's candidates, scored anew.

The search finds what is about the same matter. Of several passages on one matter, citizens need
the one with the amount, the office or the time that they ask for; how well its best sentence says
that (``assistant.answer_types``) counts beside what the search knows. The weights maximise the
likelihood that a passage with the answer is drawn first (ListNet's top-one probability, Cao et al.
2007).
"""

from collections.abc import Mapping, Sequence

from assistant import answer_types
from knowledge.lexical import normalise, terms
from knowledge.queries import Weighed
from knowledge.ranking import Candidate, Scored
from knowledge.splitting import sentences

# Fitted by ``python -m eval.rerank_model`` on questions in everyday words and on
# datasets/pandemic/questions.jsonl.
_WEIGHTS: Mapping[str, float] = {
    "behind": 0.32,
    "dense": 24.17,
    "cover": 5.25,
    "cover_above": 1.53,
    "characters": 4.29,
    "fit": 1.49,
}


def rerank(query: str, weighed: Weighed, scored: Sequence[Scored]) -> list[float]:
    """Return the new score of each candidate.

    Args:
        query: What was searched for.
        weighed: Its terms.
        scored: Candidates with the search's score, the best first.
    """
    rows = features(query, weighed, scored)
    return [sum(_WEIGHTS[name] * value for name, value in row.items()) for row in rows]


def features(query: str, weighed: Weighed, scored: Sequence[Scored]) -> list[Mapping[str, float]]:
    """Return what is known of each candidate."""
    best = max((score for score, _ in scored), default=0.0)
    return [_features(query, weighed, score - best, one) for score, one in scored]


def _features(query: str, weighed: Weighed, behind: float, one: Candidate) -> Mapping[str, float]:
    document, passage = one.row.document, one.row.passage
    above = "\n".join((document.title, *passage.section))
    whole = f"{above}\n{passage.text}"
    said = [normalise(passage.text[start:end]) for start, end in sentences(passage.text)]
    fits = answer_types.fit(query, said)
    return {
        "behind": behind,
        "dense": one.found.dense,
        "cover": weighed.share(set(terms(whole))),
        "cover_above": weighed.share(set(terms(above))),
        "characters": weighed.share_of_characters(normalise(whole)),
        "fit": float(fits.max()) if len(fits) else 0.0,
    }
