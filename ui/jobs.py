"""Changes to the documents, one after the other, in the background: embedding takes its time.

Jobs are known to the process that took them and end with it; what one has published stays.
"""

import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from filelock import FileLock

from knowledge.base import Change, KnowledgeBase
from knowledge.errors import UnreadableDocumentError
from knowledge.readers import ReadFailure
from knowledge.reading import read_apart
from knowledge.types import Document
from ui.errors import BusyError, RequestError, describe

log = logging.getLogger(__name__)

Kind = Literal["upload", "replace", "metadata", "remove"]
State = Literal["waiting", "reading", "indexing", "done", "failed"]

WAITING = 50  # changes that may wait
REMEMBERED = 500  # jobs that can be asked for after their end
GONE = "没有编号为 {id!r} 的资料。编号可用 GET /api/documents 查。"
_LEFT = 3 * 24 * 3600  # seconds: longer than any file waits, also for another server of this home
_BUSY = "等待处理的资料太多，请稍后再上传。"
_BUSY_SECONDS = 60
_NOT_ONE = "{source!r} 现在不是一份读得出来的资料。请检查文件，或用“替换”上传。"


@dataclass(slots=True)
class Job:
    """One change and how far it is; written by the worker alone."""

    kind: Kind
    name: str  # of the file, or the document's id
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = "waiting"
    documents: int = 0
    total: int = 0
    passages: int = 0
    failed: list[ReadFailure] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    error: str = ""
    made: float = field(default_factory=time.time)
    ended: "Future[None]" = field(default_factory=Future)


class Jobs:
    """A queue and the one thread that works it off."""

    def __init__(
        self, base: KnowledgeBase, noted: Callable[[Change], None] = lambda _: None
    ) -> None:
        """Work on a base; ``noted`` is told of every change."""
        self._base = base
        self._noted = noted
        self._queue: queue.Queue[tuple[Job, Callable[[Job], object]]] = queue.Queue(WAITING)
        self._jobs: dict[str, Job] = {}
        self._starting = threading.Lock()
        self._started = False
        _sweep(base.home / "uploads")

    def remembered(self) -> list[Job]:
        """Return the jobs that are remembered, the newest first."""
        return list(self._jobs.values())[::-1]

    def find(self, id_: str) -> Job | None:
        """Return a job that is remembered."""
        return self._jobs.get(id_)

    def upload(self, file: Path, name: str) -> Job:
        """Load a file under a name; a document that was loaded under it is replaced."""

        def run(job: Job) -> None:
            documents = self._load(job, file, self._named)
            if documents and not job.failed:  # else what could not be read would be gone
                self._base.remove_others_from(name, {one.source for one in documents})

        return self._add_with(file, Job("upload", name), run)

    def replace(self, file: Path, name: str, document_id: str, source: str) -> Job:
        """Put a file's content in the place of a document."""

        def as_document(read: list[Document], name: str) -> list[Document]:
            if len(read) != 1:
                raise UnreadableDocumentError(
                    f"{name!r} 里有 {len(read)} 份资料，不能用来替换一份。请上传单份文档。"
                )
            return [replace(read[0], id=document_id, source=source)]

        job = Job("replace", name)
        return self._add_with(file, job, lambda job: self._load(job, file, as_document))

    def reload(self, document: Document) -> Job:
        """Read a document's file again; what an operator has corrected stands."""

        def run(job: Job) -> None:
            job.state = "reading"
            read = list(read_apart(Path(document.source)))
            if len(read) != 1 or not isinstance(read[0], Document):
                raise UnreadableDocumentError(_NOT_ONE.format(source=document.source))
            self._index(job, [replace(read[0], id=document.id, source=document.source)])

        return self._add(Job("replace", document.id), run)

    def change(self, document_id: str, title: str, metadata: Mapping[str, str]) -> Job:
        """Give a document another title or other metadata; an empty value takes an entry away."""

        def run(job: Job) -> None:
            # Read now: what was under way before may have replaced its text.
            document = self._base.document(document_id)
            if document is None:
                raise RequestError(404, GONE.format(id=document_id))
            job.state, job.total = "indexing", 1
            merged = {k: v for k, v in {**document.metadata, **metadata}.items() if v}
            new = replace(document, title=title or document.title, metadata=merged)
            self._note(job, self._base.correct(new))

        return self._add(Job("metadata", document_id), run)

    def remove(self, document_id: str) -> Job:
        """Remove a document."""

        def run(job: Job) -> None:
            job.state, job.total = "indexing", 1
            job.documents = self._base.remove([document_id])

        return self._add(Job("remove", document_id), run)

    def _add_with(self, file: Path, job: Job, run: Callable[[Job], object]) -> Job:
        """Take a job with its file, which does not stay where the job can't be taken."""
        try:
            return self._add(job, run)
        except BusyError:
            file.unlink(missing_ok=True)
            raise

    def _add(self, job: Job, run: Callable[[Job], object]) -> Job:
        try:
            self._queue.put_nowait((job, run))
        except queue.Full:
            raise BusyError(_BUSY, _BUSY_SECONDS) from None
        self._jobs[job.id] = job
        while len(self._jobs) > REMEMBERED:
            del self._jobs[next(iter(self._jobs))]
        with self._starting:
            if not self._started:
                # A daemon: the server need not wait for it, the next run finishes what it leaves.
                threading.Thread(target=self._work, name="jobs", daemon=True).start()
                self._started = True
        return job

    def _work(self) -> None:
        while True:
            job, run = self._queue.get()
            try:
                run(job)
            except Exception as error:
                job.state, job.error = "failed", describe(error)[1]
                job.ended.set_exception(error)
            else:
                job.state = "done"
                job.ended.set_result(None)

    def _load(
        self, job: Job, file: Path, made: Callable[[list[Document], str], list[Document]]
    ) -> list[Document]:
        job.state = "reading"
        documents = made(list(self._read(job, file)), job.name)
        self._index(job, documents)
        return documents

    def _read(self, job: Job, file: Path) -> Iterator[Document]:
        """Read a file from a place that depends on its name alone: so do the ids of its rows."""
        path = file.with_name(job.name)
        with FileLock(file.parent / ".reading.lock"):
            file.replace(path)
            try:
                read = list(read_apart(path))
            finally:
                path.unlink(missing_ok=True)
        job.failed = [
            replace(one, path=one.path.replace(str(path), job.name))
            for one in read
            if isinstance(one, ReadFailure)
        ]
        for one in read:
            if isinstance(one, Document):
                yield replace(one, source=one.source.replace(str(path.absolute()), job.name))

    def _named(self, read: list[Document], name: str) -> list[Document]:
        """Give a file's document the id of the one that was loaded under the same name."""
        if len(read) == 1 and (known := self._base.catalogue.ids_where({"source": name})):
            return [replace(read[0], id=known[0])]
        return read

    def _index(self, job: Job, documents: list[Document]) -> None:
        job.state, job.total = "indexing", len(documents)
        for change in self._base.add_all(documents):
            self._note(job, change)

    def _note(self, job: Job, change: Change) -> None:
        job.documents += 1
        job.passages += change.passages
        job.ids.append(change.document_id)
        self._noted(change)


def _sweep(uploads: Path) -> None:
    """Remove what a server that ended left of the jobs that waited."""
    for path in uploads.glob("*"):
        with suppress(OSError):
            if path.suffix != ".lock" and path.stat().st_mtime < time.time() - _LEFT:
                path.unlink()
