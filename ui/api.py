"""The HTTP API: native under ``/api``, OpenAI-compatible under ``/v1``.

Questions are never logged. The endpoints are plain functions, so they run in the thread pool.
"""

import json
import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.responses import Response

from assistant.chain import Assistant
from assistant.errors import ChatModelError, QuestionError
from assistant.reply import Reply
from assistant.types import Role
from knowledge.base import KnowledgeBase
from knowledge.errors import HomeError, KnowledgeError, ModelMismatchError, ModelUnavailableError
from ui import schemas

log = logging.getLogger(__name__)

# Errors → HTTP statuses; an error that is not listed takes its parent's.
STATUSES: Mapping[type[Exception], int] = {
    QuestionError: 400,
    ChatModelError: 502,
    HomeError: 503,
    ModelUnavailableError: 503,
    ModelMismatchError: 503,
    KnowledgeError: 500,
}
INTERNAL_ERROR = "服务内部出错，请稍后再试；若一直如此，请联系管理人员查看服务日志。"
# What is wrong with a field, by pydantic's type of error; the rest is told in its own words.
_PROBLEMS: Mapping[str, str] = {
    "missing": "缺少这个字段",
    "json_invalid": "请求体不是合法的 JSON",
    "string_type": "应当是文字",
    "int_parsing": "应当是整数",
    "bool_parsing": "应当是 true 或 false",
    "list_type": "应当是列表",
    "model_attributes_type": "应当是 JSON 对象",
    "literal_error": "只能是 {expected}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "value_error": "{error}",
    "too_short": "至少要有 {min_length} 项",
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": schemas.Problem, "description": "问题为空或太长"},
    422: {"model": schemas.Problem, "description": "请求不合要求"},
    503: {"model": schemas.Problem, "description": "暂时不能回答"},
}
_OPENAI_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": schemas.OpenAIError, "description": "请求不合要求"},
    422: {"model": schemas.OpenAIError, "description": "不会出现：不合要求的请求得到 400"},
    503: {"model": schemas.OpenAIError, "description": "暂时不能回答"},
}

native = APIRouter(tags=["小泉"], responses=_ERRORS)
openai = APIRouter(prefix="/v1", tags=["OpenAI"], responses=_OPENAI_ERRORS)


def create_app(base: KnowledgeBase, assistant: Assistant) -> FastAPI:
    """Return the API over one knowledge base; ``/docs`` needs no other host."""
    app: FastAPI = FastAPIOffline(
        title="小泉政策问答",
        description="每句回答都有出处的政策问答；资料里没有的，如实说没有。",
        redoc_url=None,
    )
    app.state.base = base
    app.state.assistant = assistant
    app.include_router(native)
    app.include_router(openai)
    app.add_exception_handler(Exception, _on_error)
    app.add_exception_handler(KnowledgeError, _on_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    return app


async def _base(request: Request) -> KnowledgeBase:
    base: KnowledgeBase = request.app.state.base
    return base


async def _assistant(request: Request) -> Assistant:
    assistant: Assistant = request.app.state.assistant
    return assistant


Base = Annotated[KnowledgeBase, Depends(_base)]
Asked = Annotated[Assistant, Depends(_assistant)]


# -- native


@native.post(
    "/api/ask",
    response_model=schemas.Answer,
    responses={200: {"content": {"text/event-stream": {}}}},
)
def ask(
    question: schemas.Question, request: Request, assistant: Asked
) -> schemas.Answer | Response:
    """Answer a question.

    With `Accept: text/event-stream` the answer streams: events `delta` with `{"text"}`, then one
    event `answer` with the whole answer, or `error` with `{"error"}`.
    """
    history = [message.turn() for message in question.history]
    reply = assistant.ask(question.question, history, as_typed=question.as_typed)
    if "text/event-stream" in request.headers.get("accept", ""):
        return _stream(_native_events(reply), _native_failure)
    return schemas.Answer.of(reply.answer())


@native.get("/api/search")
def search(
    base: Base,
    q: Annotated[str, Query(description="What to look for.", examples=["公积金提取"])],
    k: Annotated[int, Query(ge=1, le=100, description="How many passages at most.")] = 10,
) -> list[schemas.Found]:
    """Find the best passages."""
    return [schemas.Found.of(hit) for hit in base.search(q, k)]


@native.get("/api/documents")
def documents(base: Base) -> list[schemas.DocumentInfo]:
    """List the documents."""
    return [schemas.DocumentInfo.of(record) for record in base.documents()]


@native.get("/healthz")
def healthz() -> schemas.Health:
    """Tell that the process lives."""
    return schemas.Health()


@native.get("/readyz")
def readyz(base: Base) -> schemas.Readiness:
    """Tell whether a question would be answered now, by searching for one."""
    base.search("办事", limit=1)
    found, passages = base.catalogue.count()
    return schemas.Readiness(ready=True, documents=found, passages=passages)


# -- OpenAI-compatible


@openai.get("/models")
def models() -> schemas.Models:
    """List the only model."""
    return schemas.Models()


@openai.post(
    "/chat/completions",
    response_model=schemas.Completion,
    responses={200: {"content": {"text/event-stream": {}}}},
)
def chat_completions(asked: schemas.ChatRequest, assistant: Asked) -> schemas.Completion | Response:
    """Answer the last message; `citations` stand beside it."""
    reply = assistant.ask(asked.question, asked.history())
    if asked.stream:
        return _stream(_openai_events(reply, asked), _openai_failure)
    answer = schemas.Answer.of(reply.answer())
    choice = schemas.Choice(
        message=schemas.AssistantMessage(content=answer.answer), citations=answer.citations
    )
    usage = schemas.Usage.of(asked.messages, answer.answer)
    return schemas.Completion(**_identity(), choices=[choice], usage=usage)


def _identity() -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time())}


@native.api_route("/api/{path:path}", methods=["GET", "POST"], include_in_schema=False)
@openai.api_route("/{path:path}", methods=["GET", "POST"], include_in_schema=False)
def unknown(request: Request) -> None:
    """Say that there is nothing; without this the chat page's own 404 would answer."""
    raise HTTPException(404, f"没有接口 {request.method} {request.url.path!r}，请看 /docs。")


# -- streams


def _native_events(reply: Reply) -> Iterator[str]:
    for delta in reply:
        yield _event({"text": delta.text}, "delta")
    yield _event(schemas.Answer.of(reply.answer()).model_dump(), "answer")


def _native_failure(error: Exception) -> str:
    return _event({"error": _describe(error)[1]}, "error")


def _openai_events(reply: Reply, asked: schemas.ChatRequest) -> Iterator[str]:
    identity = _identity()

    def chunk(choice: schemas.ChunkChoice) -> str:
        return _event(schemas.Chunk(**identity, choices=[choice]).model_dump())

    role: Role | None = "assistant"  # goes with the first piece only
    for delta in reply:
        yield chunk(schemas.ChunkChoice(delta=schemas.Piece(role=role, content=delta.text)))
        role = None
    answer = schemas.Answer.of(reply.answer())
    yield chunk(
        schemas.ChunkChoice(delta=schemas.Piece(), finish_reason="stop", citations=answer.citations)
    )
    if asked.stream_options and asked.stream_options.include_usage:
        usage = schemas.Usage.of(asked.messages, answer.answer)
        yield _event(schemas.Chunk(**identity, choices=[], usage=usage).model_dump())
    yield "data: [DONE]\n\n"


def _openai_failure(error: Exception) -> str:
    return _event(_openai_error(*_describe(error)))


def _event(data: object, name: str = "") -> str:
    """Return one server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _stream(events: Iterator[str], failure: Callable[[Exception], str]) -> StreamingResponse:
    first = next(events)  # what fails before the first word still gets its own status

    def all_events() -> Iterator[str]:
        yield first
        try:
            yield from events
        except Exception as error:  # the status is sent already: the stream has to tell
            yield failure(error)

    # nginx would hold the pieces back without the second header.
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(all_events(), media_type="text/event-stream", headers=headers)


# -- errors


def _describe(error: Exception) -> tuple[int, str]:
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind], str(error)
    log.error("unexpected error while answering", exc_info=error)
    return 500, INTERNAL_ERROR


def _openai_error(status: int, message: str) -> dict[str, Any]:
    kind = "invalid_request_error" if status < 500 else "server_error"
    body = schemas.OpenAIErrorBody(message=message, type=kind)
    return schemas.OpenAIError(error=body).model_dump()


def _failed(request: Request, status: int, message: str) -> Response:
    if request.url.path.startswith("/v1/"):
        return JSONResponse(_openai_error(status, message), status)
    return JSONResponse(schemas.Problem(error=message).model_dump(), status)


async def _on_error(request: Request, error: Exception) -> Response:
    return _failed(request, *_describe(error))


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # FastAPI raises 400 itself, in English, where a body is not even text.
    message = _PROBLEMS["json_invalid"] if error.status_code == 400 else error.detail
    return _failed(request, error.status_code, message)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    status = 400 if request.url.path.startswith("/v1/") else 422
    return _failed(request, status, _what_is_invalid(error))


def _what_is_invalid(error: RequestValidationError) -> str:
    """Say what is wrong with the first wrong field; values are the citizen's and not repeated."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:])
    problem = _PROBLEMS.get(first["type"], first["msg"]).format(**first.get("ctx", {}))
    if first["type"] == "json_invalid" or not field:
        return f"{problem}。格式请看 /docs。"
    return f"字段 {field!r}：{problem}。格式请看 /docs。"
