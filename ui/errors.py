"""Errors as HTTP answers: one table of statuses, one shape for each of the two APIs."""

import logging
import sqlite3
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.errors import ChatModelError, QuestionError
from eval.errors import QuestionSetError
from knowledge.errors import (
    HomeError,
    KnowledgeError,
    ModelMismatchError,
    ModelUnavailableError,
    SynonymsError,
    UnreadableDocumentError,
)
from ui import schemas

log = logging.getLogger(__name__)


class RequestError(KnowledgeError):
    """The request is refused as it stands: who sends it, how often, how large it is."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


class BusyError(RequestError):
    """Too much waits already; the same request will do later."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(503, message, {"Retry-After": str(seconds)})


# Errors → HTTP statuses; an error that is not listed takes its parent's.
STATUSES: Mapping[type[Exception], int] = {
    QuestionError: 400,
    UnreadableDocumentError: 422,
    SynonymsError: 422,
    QuestionSetError: 422,
    ChatModelError: 502,
    HomeError: 503,
    ModelUnavailableError: 503,
    ModelMismatchError: 503,
    KnowledgeError: 500,
}
# What every native endpoint may answer, for the OpenAPI.
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": schemas.Problem, "description": told}
    for status, told in {
        400: "请求体不是 JSON，或问题为空、太长",
        401: "没有可用的密钥",
        403: "密钥没有这项权限",
        404: "没有，或属于别人",
        413: "请求太大",
        422: "请求不合要求，或文件不能载入",
        429: "请求太频繁，见 Retry-After",
        503: "暂时不能，见 Retry-After",
    }.items()
}
INTERNAL_ERROR = "服务内部出错，请稍后再试；若一直如此，请联系管理人员查看服务日志。"
DAMAGED = "资料库暂时读不了。请管理人员检查磁盘，并运行 xiaoquan doctor。"
_NO_FORM = (
    "上传的表单读不了：应当是 multipart/form-data，例如 curl -F file=@文件名。格式请看 /docs。"
)
_NO_FILE = "应当是一个文件；用 curl 时文件名前要有 @，例如 -F file=@文件名"
_NO_BODY = "没有请求体"
_NOT_SENT_AS_JSON = "请求体不是按 JSON 发来的：请在请求头里写 Content-Type: application/json"
RETRY_AFTER = 10  # seconds, where nothing better is known
# What is wrong with a field, by pydantic's type of error; the rest is told in its own words.
_PROBLEMS: Mapping[str, str] = {
    "missing": "缺少这个字段",
    "json_invalid": "请求体不是合法的 JSON",
    "string_type": "应当是文字",
    "string_too_short": "不能少于 {min_length} 个字",
    "string_too_long": "不能超过 {max_length} 个字",
    "int_parsing": "应当是整数",
    "float_parsing": "应当是数字",
    "bool_type": "应当是 true 或 false",
    "bool_parsing": "应当是 true 或 false",
    "list_type": "应当是列表",
    "dict_type": "应当是 JSON 对象",
    "model_attributes_type": "应当是 JSON 对象",
    "literal_error": "只能是 {expected}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "value_error": "{error}",
    "too_short": "至少要有 {min_length} 项",
    "too_long": "最多只能有 {max_length} 项",
}
# OpenAI's names for what its clients tell apart: https://platform.openai.com/docs/guides/error-codes
_OPENAI_CODES: Mapping[int, str] = {
    401: "invalid_api_key",
    404: "not_found",
    413: "request_too_large",
    429: "rate_limit_exceeded",
}


def handle_errors(app: FastAPI) -> None:
    """Make an application answer every error in Chinese, in the shape of the API asked."""
    app.add_exception_handler(KnowledgeError, _on_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)


def describe(error: Exception) -> tuple[int, str]:
    """Return an error's status, and what the caller is told of it."""
    if isinstance(error, RequestError):
        return error.status, str(error)
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind], str(error)
    log.error("unexpected error while answering", exc_info=error)
    if isinstance(error, sqlite3.Error):
        return 503, DAMAGED
    return 500, INTERNAL_ERROR


def openai_error(status: int, message: str) -> dict[str, Any]:
    """Return an error in OpenAI's shape."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    body = schemas.OpenAIErrorBody(message=message, type=kind, code=_OPENAI_CODES.get(status))
    return schemas.OpenAIError(error=body).model_dump()


def failed(path: str, error: Exception) -> Response:
    """Return the answer to a request that failed."""
    status, message = describe(error)
    headers = dict(error.headers) if isinstance(error, RequestError) else {}
    return _response(path, status, message, headers)


def _response(path: str, status: int, message: str, headers: dict[str, str]) -> Response:
    if status == 503:
        headers.setdefault("Retry-After", str(RETRY_AFTER))
    if path.startswith("/v1/"):
        return JSONResponse(openai_error(status, message), status, headers)
    return JSONResponse(schemas.Problem(error=message).model_dump(), status, headers)


class CatchAll:
    """ASGI middleware: answers errors that nobody expected.

    A handler for ``Exception`` would run outside all middleware: its answers would have no number
    and no headers, and be counted nowhere.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            return await self._app(scope, receive, noted)
        except ClientDisconnect:
            return None  # nobody is there to be answered, and nothing has gone wrong here
        except Exception as error:
            if started:
                raise
            return await failed(scope["path"], error)(scope, receive, send)


async def _on_error(request: Request, error: Exception) -> Response:
    return failed(request.url.path, error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = _unread(request) if error.status_code == 400 else error.detail
    return _response(request.url.path, error.status_code, message, dict(error.headers or {}))


def _unread(request: Request) -> str:
    """Return what is told where FastAPI itself, in English, says that it can't read a body."""
    is_form = request.headers.get("content-type", "").startswith("multipart/")
    return _NO_FORM if is_form else _PROBLEMS["json_invalid"]


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    status = 400 if request.url.path.startswith("/v1/") else 422
    return _response(request.url.path, status, _what_is_invalid(error), {})


def _what_is_invalid(error: RequestValidationError) -> str:
    """Say what is wrong with the first wrong field; values are the citizen's and not repeated."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:])
    problem = _problem(first, error.body)
    if first["type"] == "json_invalid" or not field:
        return f"{problem}。格式请看 /docs。"
    return f"字段 {field!r}：{problem}。格式请看 /docs。"


def _problem(first: Mapping[str, Any], body: object) -> str:
    if first["loc"] == ("body",) and isinstance(body, bytes):
        return _NOT_SENT_AS_JSON  # else FastAPI would have read it
    if first["loc"] == ("body",) and first["type"] == "missing":
        return _NO_BODY
    if first["type"] == "value_error" and "UploadFile" in first["msg"]:
        return _NO_FILE
    known = _PROBLEMS.get(first["type"])
    return known.format(**first.get("ctx", {})) if known else str(first["msg"])
