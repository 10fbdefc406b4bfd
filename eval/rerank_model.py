"""Fits the weights of ``assistant.reranking``: which of the passages found has the answer.

``python -m eval.rerank_model HOME QUESTIONS [HOME QUESTIONS …]`` takes question sets, each of which
counts the same; a passage that states one of the facts is relevant. Beside the weights it prints
for how many questions of each set the first passage, and one of the first five, is relevant: as the
search ranks them, and by weights fitted on the other sets.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant.reranking import features
from eval.facts import normalise
from eval.homes import homes_with
from eval.questions import Question, load_questions
from eval.rank_model import Floats, Query, fit
from knowledge.base import KnowledgeBase
from knowledge.ranking import scored_features
from knowledge.settings import load_settings


def collect(home: Path, path: Path) -> tuple[list[str], list[Query]]:
    """Search for every answerable question; return the features' names, and the queries."""
    questions = [one for one in load_questions(path) if one.answerable]
    names, found = list[str](), []
    with KnowledgeBase(load_settings(home=home)) as base:
        for question in questions:
            worded = base.worded(question.question)
            weighed = base.retriever.weighed(worded)
            candidates = base.retriever.candidates(worded)
            if not candidates:
                continue
            rows = features(worded, scored_features(worded, weighed, candidates), candidates)
            names = list(rows[0])
            relevant = [_states(one.row.passage.text, question) for one in candidates]
            documents = [str(at) for at in range(len(candidates))]  # passages are ranked
            found.append(
                Query(
                    np.array([[row[name] for name in names] for row in rows]),
                    np.array(relevant),
                    documents,
                    {},
                    1 / len(questions),
                )
            )
    return names, found


def _states(text: str, question: Question) -> bool:
    held = normalise(text)
    wordings = ((fact,) if isinstance(fact, str) else fact for fact in question.facts)
    return any(normalise(wording) in held for fact in wordings for wording in fact)


def found_within(queries: Sequence[Query], weights: Floats, limit: int) -> float:
    """Return the share of the queries that one of the first so many passages is relevant for."""
    told = [
        query.relevant[np.argsort(-(query.rows @ weights), kind="stable")[:limit]].any()
        for query in queries
    ]
    return float(np.mean(told))


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.rerank_model",
        epilog="Example: python -m eval.rerank_model home-sample tests/data/lay_questions.jsonl",
    )
    given = homes_with(parser, "QUESTIONS", arguments)
    names, sets = list[str](), list[tuple[Path, list[Query]]]()
    for home, path in given:
        names, found = collect(home, path)
        sets.append((path, found))
    weights = fit([query for _, found in sets for query in found])
    for name, weight in zip(names, weights, strict=True):
        print(f'    "{name}": {weight:.2f},')
    searched = np.eye(len(names))[names.index("behind")]
    for path, found in sets:
        others = [query for other, queries in sets if other != path for query in queries]
        told = ", ".join(
            f"{name} {found_within(found, by, 1):.3f} {found_within(found, by, 5):.3f}"
            for name, by in (("search", searched), ("others' weights", fit(others)))
            if others
        )
        print(f"{path}: in the first and the first five, {told}", file=sys.stderr)


if __name__ == "__main__":
    main()
