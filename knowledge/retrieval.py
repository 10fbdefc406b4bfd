"""Both searches fused, as a LangChain ``BaseRetriever``.

BM25, of a passage and of its whole document, counts as a share of the highest that the query could
reach. Fusing scores (``knowledge.ranking``) keeps what fusing ranks (RRF) loses where one half
knows much better than the other; the document's score helps a passage whose topic is only named
elsewhere in it. Measured: docs/benchmarks.md.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, PrivateAttr

from knowledge.arranging import arrange
from knowledge.catalogue import Catalogue
from knowledge.embedding import SentenceEmbeddings
from knowledge.lexical import KeywordIndex, Table, terms
from knowledge.queries import Weighed, content
from knowledge.query_adapter import QueryAdapter
from knowledge.ranking import DEPTH, Candidate, Found, Rerank, first_of
from knowledge.ranking import rank as best_of
from knowledge.types import Hit
from knowledge.vectors import VectorIndex
from knowledge.versions import Versions, china_today

CANDIDATES = 100  # from each search
DOCUMENT_CANDIDATES = 300
# The commonest terms cost the most and tell the least: at most so many, and none that stands
# in more than this share of the passages.
TERMS_AT_MOST = 40
COMMON = 0.2
# An entry is scored if it holds one of the rarest terms, as many as together stand in so many
# entries: what holds the others alone is not among the best (as in MaxScore, Turtle & Flood 1995,
# with a budget in place of the bound).
SCORED_AT_LEAST = 1000
BM25_K1 = 1.2  # fixed in SQLite's FTS5


class HybridRetriever(BaseRetriever):
    """Finds passages by meaning and by keywords; the best ``limit`` come back."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    embeddings: SentenceEmbeddings
    vectors: VectorIndex
    catalogue: Catalogue
    adapter: QueryAdapter | None = None  # of the model; none: a question is searched for as it is
    limit: int = 10
    city: str = ""  # whose rules come first; empty: that of most documents
    today: Callable[[], date] = china_today
    # Term counts by catalogue version and table, so that a term is counted once.
    _known: dict[tuple[int, Table], tuple[int, dict[str, int]]] = PrivateAttr(default_factory=dict)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[LangChainDocument]:
        return [_as_langchain(hit) for hit in self.hits(query, self.limit)]

    def hits(
        self,
        query: str,
        limit: int,
        filters: Mapping[str, str] | None = None,
        rerank: Rerank | None = None,
    ) -> list[Hit]:
        """Return the best passages, best first; none for an empty query."""
        with self.catalogue.snapshot():
            return self._hits(query, limit, filters, rerank)

    def _hits(
        self, query: str, limit: int, filters: Mapping[str, str] | None, rerank: Rerank | None
    ) -> list[Hit]:
        only = self.catalogue.ids_where(filters) if filters else None
        if limit < 1 or not query.strip() or only == []:
            return []
        candidates = self._candidates(query, limit, only)
        best = best_of(query, self.weighed(query), candidates, rerank)
        first = arrange(query, best[:DEPTH], self.versions, self.today(), self.city)
        found = [*first, *best[DEPTH:]][:limit]
        return [_hit(rank, score, one) for rank, (score, one) in enumerate(found, 1)]

    @cached_property
    def versions(self) -> Versions:
        """What is known of the documents' dates, repeals and newer versions."""
        return Versions(self.catalogue)

    def candidates(self, query: str) -> list[Candidate]:
        """Return the passages that are scored anew for a query, in their first order."""
        with self.catalogue.snapshot():
            return self._candidates(query, DEPTH, None)

    def weighed(self, query: str) -> Weighed:
        """Return the terms of a query that say what is asked for, or all if none does."""
        words = content(query)
        return Weighed(self.term_weights(words if terms(words) else query))

    def term_weights(self, text: str) -> dict[str, float]:
        """Return the information content (BM25's idf) of each of the text's terms.

        A term that no passage holds has the highest weight there is.
        """
        counts = self._counts("passage")
        return {term: counts.information(term) for term in dict.fromkeys(terms(text))}

    def _counts(self, table: Table) -> "_Counts":
        version = self.catalogue.version()
        entries, known = self._known.get((version, table), (0, {}))
        if not entries:
            documents, passages = self.catalogue.count()
            entries, known = (documents if table == "document" else passages), {}
            self._known[(version, table)] = entries, known
            self._forget_before(version)
        return _Counts(entries, known, KeywordIndex(self.catalogue.connection, table))

    def _forget_before(self, version: int) -> None:
        self._known = {key: kept for key, kept in self._known.items() if key[0] >= version}

    def _candidates(self, query: str, limit: int, only: Sequence[str] | None) -> list[Candidate]:
        first = first_of(self._found(query, max(limit, CANDIDATES), only), limit)
        rows = self.catalogue.passages([one.number for one in first])
        return [Candidate(one, rows[one.number]) for one in first]

    def _found(self, query: str, limit: int, only: Sequence[str] | None) -> list[Found]:
        """Return every passage that either search found, with what both say of it."""
        vector = self.embeddings.encode([query])[0]
        moved = self.adapter(vector) if self.adapter else vector
        near = [number for number, _ in self.vectors.search(moved, limit, only)]
        counts = self._counts("passage")
        chosen, highest = counts.worth_searching(query)
        among = None if only is None else self.catalogue.numbers_of(only)
        leading = chosen if only else counts.leading(chosen)
        lexical = counts.index.search(chosen, limit, among, also=near, leading=leading)
        documents = self.catalogue.document_keys({*near, *lexical})
        similar = self.vectors.similarities(np.stack([vector, moved]), [*documents])
        of_document = self._document_shares(query)
        found = []
        for number, key in documents.items():
            dense, adapted = similar.get(number, (0.0, 0.0))
            bm25 = lexical.get(number, 0.0)
            shares = bm25 / highest, of_document.get(key, 0.0)
            found.append(Found(number, key, dense, adapted, bm25, *shares))
        return found

    def _document_shares(self, query: str) -> dict[int, float]:
        counts = self._counts("document")
        chosen, highest = counts.worth_searching(query)
        leading = counts.leading(chosen)
        found = counts.index.search(chosen, DOCUMENT_CANDIDATES, leading=leading)
        return {key: score / highest for key, score in found.items()}


@dataclass(frozen=True, slots=True)
class _Counts:
    """In how many entries each term stands; what was looked up is kept for the next question."""

    entries: int
    known: dict[str, int]
    index: KeywordIndex

    def of(self, term: str) -> int:
        if term not in self.known:
            self.known[term] = self.index.count(term)
        return self.known[term]

    def information(self, term: str) -> float:
        """Return Robertson & Spärck Jones's idf as FTS5 has it, kept above zero."""
        count = self.of(term)
        return max(math.log((self.entries - count + 0.5) / (count + 0.5)), 1e-6)

    def worth_searching(self, query: str) -> tuple[list[str], float]:
        """Return the terms worth searching for, and the highest BM25 that they could give."""
        known = sorted((t for t in dict.fromkeys(terms(query)) if self.of(t)), key=self.of)
        rare = [term for term in known if self.of(term) <= COMMON * self.entries] or known
        chosen = rare[:TERMS_AT_MOST]
        return chosen, sum(map(self.information, chosen)) * (BM25_K1 + 1) or 1.0

    def leading(self, chosen: Sequence[str]) -> list[str]:
        """Return the first of these terms, rarest first, that an entry is scored for."""
        before = accumulate(map(self.of, chosen), initial=0)
        return [term for term, sum_ in zip(chosen, before, strict=False) if sum_ < SCORED_AT_LEAST]


def _hit(rank: int, score: float, one: Candidate) -> Hit:
    found, row = one.found, one.row
    return Hit(rank, score, found.dense, found.lexical, row.passage, row.document)


def _as_langchain(hit: Hit) -> LangChainDocument:
    metadata: dict[str, Any] = {
        **hit.document.metadata,
        "document_id": hit.document.id,
        "title": hit.document.title,
        "source": hit.document.source,
        "section": list(hit.passage.section),
        "start": hit.passage.start,
        "end": hit.passage.end,
        "score": hit.score,
    }
    return LangChainDocument(page_content=hit.passage.text, metadata=metadata)
