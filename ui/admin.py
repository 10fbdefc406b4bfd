"""The operator pages: a page over the API, and the two things that only it shows.

Who may see them is decided in ``ui.access``: a password or a key of the scope admin.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse

from ui.service import Served

_PAGE = Path(__file__).with_name("static") / "admin.html"

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


@admin.get("/admin/settings")
def settings(served: Served) -> Mapping[str, str]:
    """Return what is set; pydantic hides what is secret, and a database's password goes."""
    values = served.base.settings.model_dump()
    values["database_url"] = re.sub(r"(?<=:)[^:@/]+(?=@)", "***", values["database_url"])
    return {f"XIAOQUAN_{name.upper()}": str(value) for name, value in values.items()}
