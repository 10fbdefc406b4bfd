"""Documents over HTTP: list, read, upload, replace, describe, remove.

Every change is a job; with ``wait`` the answer comes when it is done, or after so many seconds.
"""

import asyncio
import secrets
import shutil
import unicodedata
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Response, UploadFile
from starlette.exceptions import HTTPException

from knowledge.checking import check_file
from knowledge.errors import HomeError, UnreadableDocumentError
from knowledge.facts import iso_date
from knowledge.readers import SUFFIXES
from knowledge.types import Document
from ui import schemas
from ui.errors import PROBLEMS, RequestError
from ui.jobs import GONE, Job
from ui.service import Served, Service

LONGEST_NAME = 255  # bytes: what file systems take
_DATES = {"date": "日期", "effective": "施行日期", "expires": "失效日期"}
_NO_DATE = "{name} {given!r} 不是一个日期。请写成 2025-01-31 或 2025年1月31日，不知道就留空。"
_JOB: dict[int | str, dict[str, Any]] = {202: {"model": schemas.Job, "description": "还没有做完"}}

Wait = Annotated[
    float, Query(ge=0, le=60, description="Seconds to wait for the job; 0: answer at once.")
]

router = APIRouter(tags=["资料"], responses=PROBLEMS)


@router.get("/api/documents")
def list_documents(
    served: Served,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int | None, Query(ge=1, le=10**6, description="All, if not given.")] = None,
) -> list[schemas.DocumentInfo]:
    """List the documents, in the order in which they were loaded."""
    records = served.base.documents()[offset:]
    return [schemas.DocumentInfo.of(record) for record in records[:limit]]


@router.get("/api/documents/{document_id:path}")
def read_document(document_id: str, served: Served) -> schemas.WholeDocument:
    """Read one document with its whole text."""
    return schemas.WholeDocument.of(_found(served, document_id))


@router.post("/api/documents", responses=_JOB)
async def upload_document(
    file: UploadFile, served: Served, response: Response, wait: Wait = 0
) -> schemas.Job:
    """Upload a file; what was loaded from a file of the same name is replaced."""
    name = _file_name(file.filename or "")
    job = await to_thread.run_sync(lambda: served.jobs.upload(_saved(file, served, name), name))
    return await _told(job, response, wait)


@router.put("/api/documents/{document_id:path}", responses=_JOB)
async def replace_document(
    document_id: str, file: UploadFile, served: Served, response: Response, wait: Wait = 0
) -> schemas.Job:
    """Put an uploaded file in the place of a document, which keeps its id."""
    name = _file_name(file.filename or "")

    def start() -> Job:
        source = _found(served, document_id).source
        return served.jobs.replace(_saved(file, served, name), name, document_id, source)

    return await _told(await to_thread.run_sync(start), response, wait)


@router.patch("/api/documents/{document_id:path}", responses=_JOB)
async def describe_document(
    document_id: str, changes: schemas.Changes, served: Served, response: Response, wait: Wait = 0
) -> schemas.Job:
    """Change a document's title and metadata; an empty value takes an entry away."""

    def start() -> Job:
        known = _found(served, document_id).metadata
        metadata = {k: _value(k, v, known.get(k, "")) for k, v in changes.metadata.items()}
        return served.jobs.change(document_id, changes.title, metadata)

    return await _told(await to_thread.run_sync(start), response, wait)


@router.delete("/api/documents/{document_id:path}", responses=_JOB)
async def remove_document(
    document_id: str, served: Served, response: Response, wait: Wait = 0
) -> schemas.Job:
    """Remove a document and all its passages."""

    def start() -> Job:
        return served.jobs.remove(_found(served, document_id).id)

    return await _told(await to_thread.run_sync(start), response, wait)


@router.get("/api/jobs")
async def list_jobs(served: Served) -> list[schemas.Job]:
    """List the jobs of this process, the newest first."""
    return [schemas.Job.of(job) for job in served.jobs.remembered()]


@router.get("/api/jobs/{job_id}")
async def read_job(job_id: str, served: Served) -> schemas.Job:
    """Tell how far a job is."""
    if (job := served.jobs.find(job_id)) is None:
        raise HTTPException(
            404, f"没有编号为 {job_id!r} 的任务；服务重新启动后，旧的任务不再列出。"
        )
    return schemas.Job.of(job)


def _found(served: Service, document_id: str) -> Document:
    if document := served.base.document(document_id):
        return document
    raise RequestError(404, GONE.format(id=document_id))


def _value(name: str, given: str, known: str) -> str:
    """Return what is kept of an entry: dates in the one form that is compared; unchanged as it is.

    Raises:
        RequestError: It should be a date and is none.
    """
    if name not in _DATES or given == known:
        return given
    if (day := iso_date(given)) or not given.strip():
        return day
    raise RequestError(422, _NO_DATE.format(name=_DATES[name], given=given))


async def _told(job: Job, response: Response, wait: float) -> schemas.Job:
    """Return a job, and wait for its end so long; one that has failed by then is an error."""
    if wait:
        await asyncio.wait([asyncio.wrap_future(job.ended)], timeout=wait)
        if job.ended.done() and (error := job.ended.exception()):
            raise error
    if not job.ended.done():
        response.status_code = 202
        response.headers["Location"] = f"/api/jobs/{job.id}"
    return schemas.Job.of(job)


def _file_name(given: str) -> str:
    """Return the name of an uploaded file, without whatever could lead elsewhere."""
    name = PurePosixPath(unicodedata.normalize("NFC", given).replace("\\", "/")).name
    name = "".join(c for c in name if c.isprintable() and c not in '<>:"|?*#').strip(" .")
    suffix = PurePosixPath(name).suffix
    if suffix.lower() not in SUFFIXES:
        raise UnreadableDocumentError(
            f"不支持的文件类型 {suffix!r}。可以载入：{'、'.join(SUFFIXES)}。"
        )
    stem = name[: -len(suffix)].encode()[: LONGEST_NAME - len(suffix.encode())]
    return stem.decode(errors="ignore") + suffix


def _saved(file: UploadFile, served: Service, name: str) -> Path:
    """Save an upload beside the data and look at what it is."""
    folder = served.base.home / "uploads"
    path = folder / f".{secrets.token_hex(8)}{PurePosixPath(name).suffix}"
    try:
        folder.mkdir(exist_ok=True)
        with path.open("wb") as saved:
            shutil.copyfileobj(file.file, saved)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise HomeError(f"存不下上传的文件 {name!r}：{error.strerror}。请检查磁盘空间。") from error
    try:
        check_file(path, name)
    except UnreadableDocumentError:
        path.unlink()
        raise
    return path
