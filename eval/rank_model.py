"""Fits the weights of ``knowledge.ranking``: which of the first candidates is relevant.

``python -m eval.rank_model HOME BEIR [HOME BEIR …]`` takes homes that hold the documents of
BEIR folders, each of which counts the same. The weights maximise the likelihood
that a relevant passage is drawn first (ListNet's top-one probability, Cao et al. 2007), with a
ridge penalty. Beside them it prints nDCG@10 of every other query of each folder with weights
fitted on the rest. Queries are moved by an adapter that was fitted on the other half of the first
set (``eval.adapter_model``): of those that it has seen it would seem to know more than it does.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval import adapter_model
from eval.datasets import load_beir
from eval.homes import homes_with
from eval.ranking import ranking_scores
from knowledge.base import KnowledgeBase
from knowledge.queries import Weighed, content
from knowledge.query_adapter import QueryAdapter
from knowledge.ranking import features
from knowledge.settings import load_settings

Floats = NDArray[np.float64]
PENALTY = 2e-2  # on weights of features in units of their standard deviation


@dataclass(frozen=True, slots=True)
class Query:
    """A query with its candidates.

    Attributes:
        rows: Features, of shape (candidates, features).
        relevant: Whether each candidate is, of shape (candidates,).
        documents: The document of each candidate.
        judged: Relevance by document.
        count: How much the query counts.
    """

    rows: Floats
    relevant: NDArray[np.bool_]
    documents: Sequence[str]
    judged: Mapping[str, int]
    count: float

    def ranked(self, weights: Floats) -> list[str]:
        """Return the documents, each ranked by its best passage."""
        order = np.argsort(-(self.rows @ weights), kind="stable")
        return list(dict.fromkeys(self.documents[at] for at in order))


def collect(
    home: Path, folder: Path, adapters: Sequence[QueryAdapter]
) -> tuple[list[str], list[Query]]:
    """Search for every query; return the names of the features, and the queries.

    Args:
        home: A home that holds the folder's documents.
        folder: The set.
        adapters: For queries of even place, and for the others.
    """
    beir, names = load_beir(folder), list[str]()
    found = []
    with KnowledgeBase(load_settings(home=home)) as base:
        for at, (id_, text) in enumerate(beir.queries.items()):
            base.retriever.adapter = adapters[at % 2]
            rows, documents = _candidates(base, text)
            names = list(rows[0])
            judged = beir.judgements[id_]
            found.append(
                Query(
                    np.array([[row[name] for name in names] for row in rows]),
                    np.array([judged.get(document, 0) > 0 for document in documents]),
                    documents,
                    judged,
                    1 / len(beir.queries),
                )
            )
    return names, found


def _candidates(base: KnowledgeBase, text: str) -> tuple[list[Mapping[str, float]], list[str]]:
    candidates = base.retriever.candidates(text)
    weighed = Weighed(base.term_weights(content(text)))
    return features(text, weighed, candidates), [one.row.document.id for one in candidates]


def fit(queries: Sequence[Query]) -> Floats:
    """Return the weight of each feature."""
    from scipy.optimize import minimize

    told = [query for query in queries if query.relevant.any()]
    deviation = np.vstack([query.rows for query in told]).std(0) + 1e-9
    scaled = [query.rows / deviation for query in told]
    total = sum(query.count for query in told)

    def loss(weights: Floats) -> tuple[float, Floats]:
        value, slope = 0.0, np.zeros_like(weights)
        for rows, query in zip(scaled, told, strict=True):
            odds = np.exp(rows @ weights - (rows @ weights).max())
            right = odds * query.relevant
            value -= query.count * np.log(right.sum() / odds.sum() + 1e-12)
            slope -= query.count * (right / right.sum() - odds / odds.sum()) @ rows
        penalty = PENALTY * weights
        return float(value / total + penalty @ weights / 2), slope / total + penalty

    fitted = minimize(loss, np.zeros(len(deviation)), jac=True, method="L-BFGS-B").x
    weights: Floats = fitted / deviation
    return weights


def held_out(sets: Sequence[Sequence[Query]]) -> Iterator[float]:
    """Yield the mean nDCG@10 of each set, each half with weights fitted on the other halves."""
    weights = [fit([query for one in sets for query in one[1 - half :: 2]]) for half in (0, 1)]
    for one in sets:
        rankings = {str(at): query.ranked(weights[at % 2]) for at, query in enumerate(one)}
        judged = {str(at): query.judged for at, query in enumerate(one)}
        scores = ranking_scores(rankings, judged, ["ndcg@10"])
        yield float(np.mean([score["ndcg@10"] for score in scores.values()]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.rank_model",
        epilog="Example: python -m eval.rank_model home-laws laws home-pandemic pandemic",
    )
    given = homes_with(parser, "BEIR", arguments)
    names, sets = list[str](), []
    pairs = adapter_model.collect(*given[0])
    adapters = [adapter_model.fit(pairs, [1 - half]) for half in (0, 1)]
    for home, folder in given:
        names, found = collect(home, folder, adapters)
        sets.append(found)
    for name, weight in zip(names, fit([query for one in sets for query in one]), strict=True):
        print(f'    "{name}": {weight:.2f},')
    for (_, folder), score in zip(given, held_out(sets), strict=True):
        print(f"nDCG@10 of {folder}, weights of the other half: {score:.3f}", file=sys.stderr)


if __name__ == "__main__":
    main()
