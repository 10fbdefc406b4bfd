"""Which of the passages found says what is asked for: the search's candidates, scored anew.

The search finds what is about the same matter. Of several passages on one matter, citizens need
the one with the amount, the office or the time that they ask for; how well its best sentence says
that (``assistant.answer_types``) counts beside what the search knows. The weights maximise the
likelihood that a passage with the answer is drawn first (ListNet's top-one probability, Cao et al.
2007).
"""

from collections.abc import Mapping, Sequence

from assistant import answer_types
from knowledge.lexical import normalise
from knowledge.ranking import Candidate
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


def rerank(
    query: str, known: Sequence[Mapping[str, float]], candidates: Sequence[Candidate]
) -> list[float]:
    """Return the new score of each candidate.

    Args:
        query: What was searched for.
        known: What the search knows of each, and its score.
        candidates: The passages.
    """
    rows = features(query, known, candidates)
    return [sum(_WEIGHTS[name] * value for name, value in row.items()) for row in rows]


def features(
    query: str, known: Sequence[Mapping[str, float]], candidates: Sequence[Candidate]
) -> list[Mapping[str, float]]:
    """Return what decides of each candidate."""
    best = max((of["score"] for of in known), default=0.0)
    return [
        {
            "behind": of["score"] - best,
            **{name: of[name] for name in ("dense", "cover", "cover_above", "characters")},
            "fit": _best_fit(query, one.row.passage.text),
        }
        for of, one in zip(known, candidates, strict=True)
    ]


def _best_fit(query: str, text: str) -> float:
    """Return how well the passage's best sentence says what is asked for; 0 where it has none."""
    said = [normalise(text[start:end]) for start, end in sentences(text)]
    fits = answer_types.fit(query, said)
    return float(fits.max()) if len(fits) else 0.0
