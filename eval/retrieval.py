"""Rankings of whole documents by their best passage, measured on BEIR folders."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from eval.datasets import Beir
from eval.homes import at, cached, fill, fill_whole, home_for
from eval.progress import Progress, silent
from eval.ranking import RANKING_MEASURES, ranking_scores
from knowledge.base import KnowledgeBase
from knowledge.lexical import KeywordIndex, terms
from knowledge.settings import Settings

SystemName = Literal["ours", "bm25", "dense", "langchain"]

DEPTH = 100  # documents that are ranked: recall@100 is the deepest measure
FIRST_LIMIT = 150  # passages that are looked at first: enough where a document is one passage
WORKERS = 2  # queries under way at once
_AT_MOST = 20_000  # passages of one document can fill any list; this many are looked at in the end

Rank = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes:
        beir: The folder.
        settings: Name the model, and the home that is used if it holds the whole corpus.
        system: What ranks.
        whole: Take each text as one passage.
        home: The home to use, filled with what is missing in it.
    """

    beir: Beir
    settings: Settings
    system: SystemName = "ours"
    whole: bool = False
    home: Path | None = None


@dataclass(frozen=True, slots=True)
class System:
    """Something that ranks documents.

    Attributes:
        rank: Query → document ids, best first; safe to call from many threads.
        passages: How many passages it ranks them by.
        notes: What it is made of, for the output.
    """

    rank: Rank
    passages: int
    notes: dict[str, str]


def evaluate_retrieval(plan: Plan, progress: Progress = silent) -> dict[str, Any]:
    """Measure one system on one folder; the documents are ingested first where they are not.

    Returns:
        What ``xiaoquan eval retrieval --json`` prints; ``seconds`` is the searching alone.

    Raises:
        KnowledgeError: The folder can't be used, or a home can't.
    """
    started = time.perf_counter()
    with opened(plan, progress) as ranker:
        ready = time.perf_counter()
        rankings = rank_all(ranker.rank, plan.beir.queries, progress)
        searched = time.perf_counter() - ready
    by_query = ranking_scores(rankings, plan.beir.judgements)
    return {
        **{
            name: _mean([scores[name] for scores in by_query.values()]) for name in RANKING_MEASURES
        },
        "queries": len(plan.beir.queries),
        "passages": ranker.passages,
        "seconds": round(searched, 3),
        "ingest_seconds": round(ready - started, 3),
        "system": plan.system,
        "whole": plan.whole,
        **ranker.notes,
    }


def rank_all(rank: Rank, queries: dict[str, str], progress: Progress) -> dict[str, list[str]]:
    """Rank for every query, a few at a time."""
    with progress("检索", len(queries)) as advance, ThreadPoolExecutor(WORKERS) as pool:

        def one(query: str) -> list[str]:
            ranking = rank(query)
            advance(1)
            return ranking

        return dict(zip(queries, pool.map(one, queries.values()), strict=True))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 5)


@contextmanager
def opened(plan: Plan, progress: Progress) -> Iterator[System]:
    """Have a system ready to rank the folder's documents."""
    if plan.system == "langchain":
        from eval.plain_langchain import plain_langchain

        yield plain_langchain(plan, progress)
        return
    with KnowledgeBase(_settings(plan)) as base:
        (fill_whole if plan.whole else fill)(base, plan.beir, progress)
        passages = base.catalogue.count()[1]
        yield System(_SYSTEMS[plan.system](base), passages, {"home": str(base.home)})


def _settings(plan: Plan) -> Settings:
    if plan.whole:
        return at(plan.settings, plan.home or cached(plan.beir, plan.settings, "whole"))
    return home_for(plan.beir, plan.settings, plan.home)


def _ours(base: KnowledgeBase) -> Rank:
    def best(query: str, limit: int) -> list[str]:
        return [hit.document.id for hit in base.search(query, limit)]

    return by_best_passage(best)


def _bm25(base: KnowledgeBase) -> Rank:
    """Rank by the keyword half alone: BM25 over character bigrams."""

    def best(query: str, limit: int) -> list[str]:
        index = KeywordIndex(base.catalogue.connection, "passage")
        return _documents(base, list(index.search(list(dict.fromkeys(terms(query))), limit)))

    return by_best_passage(best)


def _dense(base: KnowledgeBase) -> Rank:
    """Rank by the vectors alone."""

    def best(query: str, limit: int) -> list[str]:
        (vector,) = base.embeddings.encode([query])
        return _documents(base, [number for number, _ in base.vectors.search(vector, limit)])

    return by_best_passage(best)


_SYSTEMS = {"ours": _ours, "bm25": _bm25, "dense": _dense}


def _documents(base: KnowledgeBase, numbers: Sequence[int]) -> list[str]:
    rows = base.catalogue.passages(numbers)
    return [rows[number].document.id for number in numbers if number in rows]


def by_best_passage(best: Callable[[str, int], list[str]]) -> Rank:
    """Turn a ranking of passages into one of documents; look deeper until there are enough."""

    def rank(query: str) -> list[str]:
        limit = FIRST_LIMIT
        while True:
            passages = best(query, limit)
            documents = list(dict.fromkeys(passages))
            if len(documents) >= DEPTH or len(passages) < limit or limit >= _AT_MOST:
                return documents[:DEPTH]
            limit *= 4

    return rank
