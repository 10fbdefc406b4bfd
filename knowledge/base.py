"""KnowledgeBase: add, remove and search, over one home folder."""

import hashlib
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from knowledge import locking
from knowledge.catalogue import Catalogue, Record, Row, content_hash
from knowledge.correcting import as_read_after, with_corrections
from knowledge.errors import HomeError, ModelMismatchError
from knowledge.lexical import KeywordIndex
from knowledge.models import model_identity
from knowledge.moved import Moved
from knowledge.settings import Settings, load_settings, make_home
from knowledge.splitting import split
from knowledge.synonyms import Synonyms
from knowledge.types import Document, Hit, Passage
from knowledge.versions import Standing, Versions, china_today

if TYPE_CHECKING:
    from knowledge.embedding import SentenceEmbeddings
    from knowledge.ranking import Rerank
    from knowledge.retrieval import HybridRetriever
    from knowledge.vectors import VectorIndex, Vectors

Outcome = Literal["added", "updated", "unchanged"]

BATCH = 512
UNFINISHED = "（重建未完成）"  # stands for the model of a home whose rebuild was interrupted
# Seconds between two looks at what another process has written to embedded Chroma. Keywords
# and removals are seen at once; only new vectors wait this long.
REOPEN_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Change:
    """What adding one document did."""

    document_id: str
    outcome: Outcome
    passages: int


class KnowledgeBase:
    """Documents in, passages out. Safe to search from many threads, also while it is written.

    One process writes at a time; another that wants to waits for it.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        any_model: bool = False,
        today: Callable[[], date] = china_today,
    ) -> None:
        """Open the home that the settings name, making it if it is not there.

        Args:
            settings: Read from the environment if not given.
            any_model: Open it even if another embedding model built it, to rebuild it.
            today: Returns the day on which a document is or is not in force.

        Raises:
            HomeError: The folder can't be used.
            ModelMismatchError: It was built with another embedding model.
        """
        self.settings = settings or load_settings()
        self.home = self.settings.home
        self.today = today
        # Passages that are embedded, written and published together: all that a crash can cost.
        self.batch = BATCH
        make_home(self.home)
        self.catalogue = _catalogue(self.settings)
        self._moved = Moved(self.catalogue)
        self._reopening = threading.Lock()
        try:
            if not any_model:
                self._check_model()
            self._seen = (self.catalogue.version(), time.monotonic())
        except sqlite3.Error as error:
            raise HomeError(
                f"目录库读不了：{error}。请用 xiaoquan restore 恢复最近的备份。"
            ) from error

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all files."""
        if "vectors" in self.__dict__:
            self.vectors.close()
        self.catalogue.close()

    @cached_property
    def embeddings(self) -> "SentenceEmbeddings":
        """The embedding model, loaded when first needed."""
        from knowledge.embedding import load_embeddings

        return load_embeddings(self.settings)

    def embed_with(self, embeddings: "SentenceEmbeddings", batch: int) -> None:
        """Have passages embedded by something else that runs the same model, so many at once."""
        self.embeddings, self.batch = embeddings, batch

    @cached_property
    def vectors(self) -> "VectorIndex":
        """The vector index, opened when first needed."""
        from knowledge.vectors import VectorIndex

        return VectorIndex(self.home / "chroma", self.settings.chroma_url)

    @cached_property
    def retriever(self) -> "HybridRetriever":
        """Both searches as a LangChain retriever."""
        from knowledge.query_adapter import adapter_of
        from knowledge.retrieval import HybridRetriever

        return HybridRetriever(
            embeddings=self.embeddings,
            adapter=adapter_of(self.embeddings.name),
            vectors=self.vectors,
            catalogue=self.catalogue,
            city=self.settings.city,
            today=self.today,
        )

    # -- writing

    def add(self, document: Document) -> Change:
        """Add one document, or replace the version of it that is there."""
        return next(self.add_all([document]))

    def add_all(
        self, documents: Iterable[Document], waiting: Callable[[], None] = lambda: None
    ) -> Iterator[Change]:
        """Add documents in batches; a document is searchable once its change is yielded.

        Args:
            documents: May be endless: they are read as they are needed.
            waiting: Called once if another process is writing and has to be waited for.

        Raises:
            HomeError: The home can't be written; what was yielded before stays.
        """
        with self.writing(waiting):
            self.finish()
            self._moved = Moved(self.catalogue)
            yield from self._finished(map(self._stage, documents))

    def _finished(self, staged: Iterable[Change]) -> Iterator[Change]:
        """Index and publish what is staged, batch by batch."""
        batch: list[Change] = []
        passages = 0
        for change in staged:
            batch.append(change)
            passages += change.passages
            if passages >= self.batch:
                self.finish()
                yield from batch
                batch, passages = [], 0
        self.finish()
        yield from batch

    def correct(self, document: Document) -> Change:
        """Write a document with another title or metadata; they stand when it is read again."""
        with self.writing():
            self.finish()
            return next(self._finished(map(self._stage_corrected, [document])))

    def remove(self, ids: Sequence[str], waiting: Callable[[], None] = lambda: None) -> int:
        """Remove documents everywhere; returns how many there were."""
        with self.writing(waiting):
            removed = self.catalogue.retire(ids)
            self.finish()
        return removed

    def remove_others_from(self, file: str, sources: Collection[str]) -> int:
        """Remove what an earlier version of a file held and this one does not.

        Args:
            file: Its name or path, as the sources of its documents begin.
            sources: Of all the documents that it holds now.

        Returns:
            How many documents were removed.
        """
        ids = self.catalogue.ids_from(file, sources)
        return self.remove(ids) if ids else 0

    def rebuild(self, waiting: Callable[[], None] = lambda: None) -> Iterator[Change]:
        """Split and embed every document anew, with the model and the code of today.

        If it is interrupted, the home asks for another rebuild before it is used.

        Raises:
            ModelUnavailableError: The model can't be had; all stays as it was.
        """
        with self.writing(waiting):
            records = self.catalogue.documents()
            self.embeddings.encode(["试"])  # a model that doesn't run must not cost the old vectors
            self.catalogue.set_fact("embedding_model", UNFINISHED)
            self.vectors.clear()
            yield from self._finished(self._stage_anew(record.id) for record in records)
            self.catalogue.set_fact("embedding_model", self._model())

    def _stage_anew(self, document_id: str) -> Change:
        document = self.catalogue.document(document_id)
        assert document is not None  # nobody else writes
        return self._staged(document, self.catalogue.as_read(document_id), "updated")

    def _staged(self, document: Document, as_read: Mapping[str, str], outcome: Outcome) -> Change:
        passages = split(document)
        self.catalogue.stage(document, passages, as_read)
        return Change(document.id, outcome, len(passages))

    def finish(self) -> None:
        """Complete what a batch, or a run that was killed, has left to do."""
        staged = self.catalogue.staged()
        if staged and not self.catalogue.fact("embedding_model"):
            self.embeddings.encode(["试"])  # nor is a home bound to a model that doesn't run
            self.catalogue.set_fact("embedding_model", self._model())
        for at in range(0, len(staged), self.batch):
            self._index(staged[at : at + self.batch])
        if self.catalogue.has_staged():
            self.catalogue.publish()
        if retired := self.catalogue.retired():
            self.vectors.delete(retired)
        self.catalogue.sweep()
        self._seen = (self.catalogue.version(), time.monotonic())  # our own: no need to reopen

    def mend_vectors(self) -> tuple[int, int]:
        """Embed the live passages that have no vector and delete vectors of no passage.

        Returns:
            How many were embedded, and how many deleted.
        """
        with self.writing():
            self.finish()
            missing, extra = self.unlike_vectors()
            for at in range(0, len(missing), self.batch):
                rows = self.catalogue.passages(missing[at : at + self.batch])
                self._index([rows[number] for number in sorted(rows)])
            self.vectors.delete(extra)
            self.catalogue.touch()
        return len(missing), len(extra)

    def discard_vectors(self) -> None:
        """Delete embedded Chroma's files, which can't be read; ``mend_vectors`` makes them anew."""
        with self.writing():
            self.__dict__.pop("retriever", None)
            if opened := self.__dict__.pop("vectors", None):
                opened.close()
            shutil.rmtree(self.home / "chroma")

    def unlike_vectors(self) -> tuple[list[int], list[int]]:
        """Return the passages that have no vector that can be right, and the vectors of none."""
        passages, sound, found = set(self.catalogue.numbers()), set[int](), set[int]()
        for numbers, vectors in self.vectors.pages():
            found.update(numbers)
            lengths = (vectors**2).sum(axis=1)
            sound.update(n for n, length in zip(numbers, lengths, strict=True) if _is_one(length))
        return sorted(passages - sound), sorted(found - passages)

    def _stage(self, document: Document) -> Change:
        document = self._with_own_id(document)
        known = self.catalogue.hash_of(document.id)
        before = document.id if known else self._moved.id_before(document)
        as_read = self.catalogue.as_read(before)
        if as_read and (live := self.catalogue.document(before)):
            document, as_read = with_corrections(document, live, as_read)
        if known and known[0] == content_hash(document):
            return Change(document.id, "unchanged", 0)
        change = self._staged(document, as_read, "updated" if before else "added")
        if before and not known:
            self.catalogue.retire([before])
        return change

    def _stage_corrected(self, document: Document) -> Change:
        before = self.catalogue.document(document.id)
        if before is None or before == document:
            return self._stage(document)
        as_read = as_read_after(before, document, self.catalogue.as_read(document.id))
        return self._staged(document, as_read, "updated")

    def _with_own_id(self, document: Document) -> Document:
        """Give a document the id it has here, or the first that none of another source has.

        A file that is reached by another path, through a link, keeps the source it has here.
        """
        ids = _possible_ids(document)
        known = {id_: found[1] for id_ in ids if (found := self.catalogue.hash_of(id_))}
        for is_same in (str.__eq__, _is_same_file):
            for id_, source in known.items():
                if is_same(source, document.source):
                    return replace(document, id=id_, source=source)
        return replace(document, id=next(id_ for id_ in ids if id_ not in known))

    def _index(self, rows: Sequence[Row]) -> None:
        vectors = self.embeddings.encode([embedded_text(row) for row in rows])
        self.vectors.upsert(
            [row.number for row in rows], vectors, [row.document.id for row in rows]
        )

    @contextmanager
    def writing(self, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Keep every other process from writing.

        Args:
            waiting: Called once if another is writing and has to be waited for.

        Raises:
            HomeError: The home can't be written.
        """
        with locking.writing(self.home, waiting), self.catalogue.alone(waiting):
            self._follow_other_processes(at_once=True)
            yield

    # -- reading

    def search(
        self,
        query: str,
        limit: int = 10,
        filters: Mapping[str, str] | None = None,
        rerank: "Rerank | None" = None,
    ) -> list[Hit]:
        """Return the best passages for a query, best first.

        Args:
            query: Any text; an empty one finds nothing.
            limit: How many at most.
            filters: Metadata that the document must equal, such as ``{"issuer": "国务院"}``.
            rerank: Scores the best of what was found once more.
        """
        if self.catalogue.is_empty():
            return []
        self._follow_other_processes()
        return self.retriever.hits(query, limit, filters, rerank)

    def likeness(self, vector: "Vectors", hit: Hit) -> float:
        """Return the dot product of a vector and that of a passage; 0 if it is gone."""
        number = self.catalogue.number_of(hit.document.id, hit.passage.start)
        return self.vectors.similarities(vector[None], [number]).get(number, [0.0])[0]

    def standings(self, documents: Iterable[Document]) -> dict[str, Standing]:
        """Return by id how each of some documents stands today: in force, or why not."""
        return self._versions.standings(documents, self.today())

    def city(self) -> str:
        """Return the city whose rules come first: as set, else that of most documents."""
        return self.settings.city or self._versions.city()

    @property
    def _versions(self) -> Versions:
        return self.retriever.versions

    def term_weights(self, text: str) -> dict[str, float]:
        """Return the information content of each of the text's terms, in these documents."""
        return self.retriever.term_weights(text)

    def worded(self, question: str) -> str:
        """Return a question with lay words put into the documents' own."""
        return self.synonyms.worded(question)

    @cached_property
    def synonyms(self) -> Synonyms:
        """What documents say for lay words."""

        def count(word: str) -> int:
            return KeywordIndex(self.catalogue.connection, "passage").count_phrase(word)

        return Synonyms(self.home, count)

    def document(self, document_id: str) -> Document | None:
        """Return a document with its whole text."""
        return self.catalogue.document(document_id)

    def text(self, document_id: str) -> str:
        """Return the whole text of a document; empty where there is none of that id."""
        document = self.document(document_id)
        return document.text if document else ""

    def documents(self) -> list[Record]:
        """Return all documents without their texts."""
        return self.catalogue.documents()

    def passages(self, document_id: str) -> list[Passage]:
        """Return a document's passages, in order."""
        return self.catalogue.passages_of(document_id)

    def _follow_other_processes(self, *, at_once: bool = False) -> None:
        version, (seen, at) = self.catalogue.version(), self._seen
        if version == seen or not (at_once or time.monotonic() - at >= REOPEN_EVERY):
            return
        with self._reopening:
            if "vectors" in self.__dict__:
                self.vectors.reopen()
            self._seen = (version, time.monotonic())

    def _model(self) -> str:
        """Return what the home remembers the embedding model by."""
        return model_identity(self.settings.embedding_model)

    def _check_model(self) -> None:
        built_with = self.catalogue.fact("embedding_model")
        if built_with and built_with not in {self.settings.embedding_model, self._model()}:
            raise ModelMismatchError(
                f"数据文件夹 {str(self.home)!r} 是用向量模型 {built_with!r} 建的，"
                f"现在设置的是 {self.settings.embedding_model!r}。"
                "请改回原来的设置，或运行 xiaoquan rebuild 用新模型重建。"
            )


def _catalogue(settings: Settings) -> Catalogue:
    """Open the home's catalogue, which may be a copy of one that several machines share."""
    path = settings.home / "catalogue.sqlite3"
    if not settings.catalogue_url:
        return Catalogue(path)
    if not settings.chroma_url:
        raise HomeError(
            "设置了 XIAOQUAN_CATALOGUE_URL，却没有设置 XIAOQUAN_CHROMA_URL。"
            "几台机器共用资料，向量也要放在共用的 Chroma 服务上；请把两项都设上。"
        )
    from knowledge.shared import SharedCatalogue

    return SharedCatalogue(path, settings.catalogue_url)


def _possible_ids(document: Document) -> tuple[str, ...]:
    """Return its own id, then what it may be called where that is taken by another source."""
    file = Path(document.source.split("#")[0]).stem
    known_by = hashlib.sha256(document.source.encode()).hexdigest()[:8]
    return document.id, f"{file}/{document.id}", f"{file}/{document.id}-{known_by}"


def _is_same_file(one: str, other: str) -> bool:
    """Tell whether two paths lead to one place; a row's, ``path#id``, through folders alone."""
    both = (one, other)
    return all(map(os.path.isabs, both)) and len(set(map(os.path.realpath, both))) == 1


def _is_one(length: float) -> bool:
    """Tell whether a vector can be one of ours, which have the length one."""
    return abs(length - 1) < 0.01


def embedded_text(row: Row) -> str:
    """Return what is embedded for a passage: its title and headings tell what it is about."""
    return "\n".join((row.document.title, *row.passage.section, row.passage.text))
