"""Documents over HTTP: list and read them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from ui import schemas
from ui.service import Served

_ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": schemas.Problem, "description": "没有这份资料"},
    422: {"model": schemas.Problem, "description": "请求不合要求"},
    503: {"model": schemas.Problem, "description": "暂时不能，见 Retry-After"},
}

router = APIRouter(tags=["资料"], responses=_ERRORS)


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
    document = served.base.document(document_id)
    if document is None:
        raise HTTPException(
            404, f"没有编号为 {document_id!r} 的资料。编号可用 GET /api/documents 查。"
        )
    return schemas.WholeDocument.of(document)
