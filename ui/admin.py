"""The operator pages: a page over the API, and the few things that only it shows.

Who may see them is decided in ``ui.access``: a password or a key of the scope admin.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import FileResponse
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from knowledge.errors import SynonymsError
from knowledge.plaintext import decode
from knowledge.synonyms import BUNDLED, OWN, write
from ui.errors import RequestError
from ui.schemas import Job
from ui.service import Served

_PAGE = Path(__file__).with_name("static") / "admin.html"

_NO_FILE = "这台服务器上没有文件 {source!r}。请用“替换”上传新的文件。"

admin = APIRouter(include_in_schema=False)


@admin.get("/admin")
def page() -> FileResponse:
    """Return the page."""
    return FileResponse(_PAGE, headers={"Cache-Control": "no-store"})


@admin.get("/admin/passages")
def passages(served: Served, document: str) -> list[Mapping[str, Any]]:
    """Return how a document was split."""
    found = served.base.passages(document)
    return [{"section": passage.section, "text": passage.text} for passage in found]


@admin.post("/admin/reload")
def reload(served: Served, document: str) -> Job:
    """Read a document's file on this machine again."""
    found = served.base.document(document)
    if found is None:
        raise RequestError(404, f"没有编号为 {document!r} 的资料。")
    path = Path(found.source)
    if not (path.is_absolute() and path.is_file()):
        raise RequestError(422, _NO_FILE.format(source=found.source))
    return Job.of(served.jobs.reload(found))


@admin.get("/admin/synonyms")
def synonyms(served: Served) -> Mapping[str, str]:
    """Return the operator's synonyms, and those that come along."""
    own = served.base.home / OWN
    try:
        text = decode(own.read_bytes()) if own.exists() else ""
    except ValueError as error:
        raise SynonymsError(f"读不了 {OWN!r}：{error}。请存成 UTF-8 编码的文本。") from error
    return {"own": text, "bundled": BUNDLED.read_text(encoding="utf-8")}


@admin.put("/admin/synonyms")
def save_synonyms(served: Served, text: Annotated[str, Body(embed=True)]) -> Mapping[str, int]:
    """Save the operator's synonyms; the next question takes them."""
    return {"entries": write(served.base.home, text)}


@admin.get("/admin/settings")
def settings(served: Served) -> Mapping[str, str]:
    """Return what is set; pydantic hides what is secret, and a database's password goes."""
    values = served.base.settings.model_dump()
    for name in ("database_url", "catalogue_url"):
        values[name] = _without_password(values[name])
    return {f"XIAOQUAN_{name.upper()}": str(value) for name, value in values.items()}


def _without_password(address: str) -> str:
    """Return a database's address without its password, wherever it stands."""
    try:
        url = make_url(address).difference_update_query(["password"])
    except ArgumentError:  # none is set, or it is no address at all
        return address and "***"
    return url.render_as_string(hide_password=True)
