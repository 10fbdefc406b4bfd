"""The native HTTP API under ``/api``, and the application that holds all of HTTP.

Questions are never logged.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import PlainTextResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from assistant.chain import Assistant
from assistant.history import History
from assistant.reply import Reply, Understood
from assistant.types import Answer, Turn
from knowledge.base import KnowledgeBase
from knowledge.settings import Settings
from ui import conversations, documents, openai_api, schemas
from ui.access import Guard
from ui.conversations import Owner
from ui.errors import PROBLEMS, CatchAll, describe, handle_errors
from ui.headers import SecureHeaders, allow_sites
from ui.jobs import Jobs
from ui.keys import Keys
from ui.limits import BodyLimit, Limits
from ui.metrics import MeasuredAssistant, Metrics
from ui.observing import Observer
from ui.readiness import Probe
from ui.service import Placed, Served, Service
from ui.streams import event, stream
from ui.work import Work

_STREAMED = """event: question
data: {"question": "身份证丢了怎么补领？", "corrected_question": "身份证丢了怎么补领？"}

event: sources
data: [{"document_id": "3f2a9c0b1d2e", "title": "身份证补领指南", "source": "…", "date": ""}]

event: delta
data: {"text": "带户口簿到派出所办理。[1]"}

event: answer
data: {"question": "…", "answer": "…", "status": "answered", "citations": ["…"]}
"""

router = APIRouter(tags=["小泉"], responses=PROBLEMS)


def create_app(base: KnowledgeBase, assistant: Assistant, *, loopback: bool = True) -> FastAPI:
    """Return the API over one knowledge base; ``/docs`` needs no other host.

    Args:
        base: Where the answers come from.
        assistant: Who answers.
        loopback: Whether only this machine can reach it: then nobody needs a key to ask.
    """
    app: FastAPI = FastAPIOffline(
        title="小泉政策问答",
        description="每句回答都有出处的政策问答；资料里没有的，如实说没有。",
        redoc_url=None,
    )
    settings = base.settings
    work = Work(settings.queue_limit, settings.chat_limit if settings.chat_model else 0)
    metrics = Metrics(base, work)
    measured = MeasuredAssistant(assistant, metrics)
    jobs = Jobs(base, metrics.changed)
    app.state.service = Service(base, measured, History(settings), work, jobs, metrics)
    app.state.probe = Probe(base)
    for part in (router, documents.router, conversations.router, openai_api.router):
        app.include_router(part)
    handle_errors(app)
    _protect(app, settings, loopback=loopback)
    return app


def _protect(app: FastAPI, settings: Settings, *, loopback: bool) -> None:
    """Put between the world and the endpoints what every request passes; the last one first."""
    anonymous = loopback if settings.anonymous is None else settings.anonymous
    limits = Limits(settings.rate_limit)
    app.add_middleware(
        Guard, settings=settings, keys=Keys(settings), limits=limits, anonymous=anonymous
    )
    app.add_middleware(BodyLimit, upload_megabytes=settings.upload_limit)
    app.add_middleware(CatchAll)
    allow_sites(app, settings)
    app.add_middleware(SecureHeaders, frame_ancestors=settings.frame_ancestors)
    app.add_middleware(Observer, metrics=app.state.service.metrics)


@router.post(
    "/api/ask",
    dependencies=[Placed],
    response_model=schemas.Exchanged,
    responses={
        200: {
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _STREAMED}}
        }
    },
)
async def ask(
    question: schemas.Question, request: Request, served: Served, owner: Owner
) -> schemas.Exchanged | Response:
    """Answer a question.

    With `Accept: text/event-stream` the answer streams: an event `question` (as understood), one
    `sources`, any number of `delta` with `{"text"}`, and in the end `answer` with the whole answer
    or `error` with `{"error"}`. What counts is the text of `answer`.

    With a `conversation_id` the turns that the server has kept of it are leaned on, unless a
    `history` comes with the question.
    """
    said = await _said(question, served, owner)
    reply = served.assistant.ask(question.question, said, as_typed=question.as_typed)
    keep = partial(_kept, served, owner, question.conversation_id or "")
    if "text/event-stream" in request.headers.get("accept", ""):
        return await stream(_events(reply, served, keep), _failure)
    return await keep(await served.work.answer(reply, request))


async def _said(question: schemas.Question, served: Service, owner: str) -> list[Turn]:
    if question.history or not question.conversation_id:
        return [message.turn() for message in question.history or ()]
    read = partial(conversations.turns, served.history, owner, question.conversation_id)
    return await to_thread.run_sync(read)


async def _kept(
    served: Service, owner: str, conversation: str, answer: Answer
) -> schemas.Exchanged:
    keep = partial(conversations.keep, served.history, owner, conversation, answer)
    return schemas.Exchanged.kept(answer, await to_thread.run_sync(keep), conversation)


async def _events(
    reply: Reply,
    served: Service,
    keep: Callable[[Answer], Awaitable[schemas.Exchanged]],
) -> AsyncIterator[str]:
    understood = await served.work.run(reply.understood)
    if understood:
        yield event(_as_understood(understood), "question")
        yield event(schemas.Source.of_hits(understood.hits), "sources")
    async with aclosing(served.work.deltas(reply, understood)) as deltas:
        async for delta in deltas:
            yield event({"text": delta.text}, "delta")
    yield event((await keep(reply.answer())).model_dump(), "answer")


def _as_understood(understood: Understood) -> dict[str, str]:
    return {"question": understood.query, "corrected_question": understood.corrected}


def _failure(error: Exception) -> str:
    return event({"error": describe(error)[1]}, "error")


@router.get("/api/search", dependencies=[Placed])
async def search(
    served: Served,
    q: Annotated[str, Query(description="What to look for.", examples=["公积金提取"])],
    k: Annotated[int, Query(ge=1, le=100, description="How many passages at most.")] = 10,
) -> list[schemas.Found]:
    """Find the best passages."""
    hits = await served.work.run(lambda: served.base.search(q, k))
    return [schemas.Found.of(hit) for hit in hits]


@router.get("/healthz")
async def healthz() -> schemas.Health:
    """Tell that the process lives."""
    return schemas.Health()


@router.get("/readyz")
async def readyz(request: Request) -> schemas.Readiness:
    """Tell whether a question would be answered now, by searching for one."""
    probe: Probe = request.app.state.probe
    found, passages = await probe.count()
    return schemas.Readiness(ready=True, documents=found, passages=passages)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(served: Served) -> PlainTextResponse:
    """Return counts and times for Prometheus."""
    return PlainTextResponse(served.metrics.page(), media_type=CONTENT_TYPE_LATEST)
