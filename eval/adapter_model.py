"""Fits ``knowledge.query_adapter``: what sets citizens' words apart from the documents'.

``python -m eval.adapter_model HOME BEIR [HOME BEIR …]`` takes homes that hold the documents of
BEIR folders. It fits on the first, and writes the adapter; the others tell what that is worth
elsewhere. It maximises the likelihood that a relevant passage is drawn among others (InfoNCE,
van den Oord et al. 2018), and holds the map back by the weight of its factors (together a nuclear
norm, Srebro et al. 2004) and by how far it moves a question. Before it writes, it prints nDCG@10 of
vectors alone, as they are and moved by what was fitted on the other half of the first set.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.datasets import load_beir
from eval.homes import homes_with
from eval.ranking import ranking_scores
from knowledge.base import KnowledgeBase
from knowledge.embedding import Vectors
from knowledge.query_adapter import QueryAdapter
from knowledge.settings import load_settings

Numbers = NDArray[np.int64]

RANK = 128
STEPS = 300
QUERIES = 96  # in a step
OTHERS = 6000  # passages beside the relevant ones
TEMPERATURE = 0.05
RATE = 3e-3
HELD_BY_WEIGHT = 1e-2
HELD_BY_MOVE = 3.0
DEEP = 30  # passages


@dataclass(frozen=True, slots=True)
class Pairs:
    """Queries and passages of one set.

    Attributes:
        queries: Array of shape (queries, dimensions).
        passages: Array of shape (passages, dimensions).
        relevant: The relevant passages of each query.
        documents: The document of each passage.
        judged: Relevance by document, of each query.
    """

    queries: Vectors
    passages: Vectors
    relevant: Sequence[Sequence[int]]
    documents: Sequence[str]
    judged: Sequence[Mapping[str, int]]


def collect(home: Path, folder: Path) -> Pairs:
    """Read all vectors of a home, and embed the queries."""
    beir = load_beir(folder)
    with KnowledgeBase(load_settings(home=home)) as base:
        pages = list(base.vectors.pages())
        numbers = [number for page, _ in pages for number in page]
        keys = base.catalogue.document_keys(numbers)
        known = base.catalogue.live_documents(set(keys.values()))
        documents = [known[keys[number]].id for number in numbers]
        queries = base.embeddings.encode(list(beir.queries.values()))
    places: dict[str, list[int]] = {}
    for at, document in enumerate(documents):
        places.setdefault(document, []).append(at)
    judged = [beir.judgements[id_] for id_ in beir.queries]
    relevant = [
        [at for document, grade in one.items() if grade > 0 for at in places.get(document, [])]
        for one in judged
    ]
    return Pairs(queries, np.vstack([page for _, page in pages]), relevant, documents, judged)


def fit(pairs: Pairs, halves: Sequence[int] = (0, 1), seed: int = 1) -> QueryAdapter:
    """Fit on every other query, or on all of them (Adam, Kingma & Ba 2015)."""
    draw = np.random.default_rng(seed)
    width = pairs.queries.shape[1]
    down = draw.normal(0, 0.05, (RANK, width)).astype(np.float32)
    weights = [down, np.zeros((width, RANK), dtype=np.float32)]
    means, squares = [0 * one for one in weights], [0 * one for one in weights]
    of = [n for half in halves for n in range(half, len(pairs.queries), 2) if pairs.relevant[n]]
    for step in range(1, STEPS + 1):
        batch = draw.choice(of, min(QUERIES, len(of)), replace=False)
        others = draw.integers(len(pairs.passages), size=OTHERS)
        for n, slope in enumerate(_slopes(weights, pairs, batch, others)):
            held = slope + 2 * HELD_BY_WEIGHT * weights[n]
            means[n] += 0.1 * (held - means[n])
            squares[n] += 0.001 * (held**2 - squares[n])
            move = np.sqrt(squares[n] / (1 - 0.999**step)) + 1e-8
            weights[n] -= RATE * means[n] / (1 - 0.9**step) / move
    return QueryAdapter(*weights)


def _slopes(
    weights: Sequence[Vectors], pairs: Pairs, batch: Numbers, others: Numbers
) -> tuple[Vectors, Vectors]:
    """Return the gradient of the loss by ``down`` and ``up``."""
    down, up = weights
    queries = pairs.queries[batch]
    right = [(row, at) for row, n in enumerate(batch) for at in pairs.relevant[n]]
    passages = pairs.passages[[*(at for _, at in right), *others]]
    inner = queries @ down.T
    moved = queries + inner @ up.T
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    unit = moved / length
    odds = np.exp((unit @ passages.T - 1) / TEMPERATURE)
    among = np.zeros_like(odds)
    for column, (row, _) in enumerate(right):
        among[row, column] = odds[row, column]
    pull = odds / odds.sum(1, keepdims=True) - among / among.sum(1, keepdims=True)
    slope = (pull @ passages / TEMPERATURE + 2 * HELD_BY_MOVE * (unit - queries)) / len(batch)
    slope = (slope - unit * (unit * slope).sum(1, keepdims=True)) / length
    return (slope @ up).T @ queries, slope.T @ inner


def dense_score(pairs: Pairs, half: int, move: QueryAdapter | None) -> float:
    """Return the mean nDCG@10 of every other query, by vectors alone."""
    rankings, judged = {}, {}
    for n in range(half, len(pairs.queries), 2):
        query = pairs.queries[n]
        scores = pairs.passages @ (move(query) if move else query)
        best = np.argpartition(-scores, DEEP)[:DEEP]
        order = best[np.argsort(-scores[best], kind="stable")]
        rankings[str(n)] = list(dict.fromkeys(pairs.documents[at] for at in order))
        judged[str(n)] = pairs.judged[n]
    found = ranking_scores(rankings, judged, ["ndcg@10"])
    return float(np.mean([score["ndcg@10"] for score in found.values()]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Tell what it is worth, fit on all, and write."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.adapter_model",
        epilog="Example: python -m eval.adapter_model home-laws laws home-pandemic pandemic",
    )
    given = homes_with(parser, "BEIR", arguments)
    sets = [collect(*one) for one in given]
    for half in (0, 1):
        adapter = fit(sets[0], [1 - half])
        for (_, folder), one in zip(given, sets, strict=True):
            scores = dense_score(one, half, None), dense_score(one, half, adapter)
            print(f"{folder}, half {half}: nDCG@10 {scores[0]:.4f} → {scores[1]:.4f}")
    fit(sets[0]).save()


if __name__ == "__main__":
    main()
