"""The OpenAI-compatible API under ``/v1``: https://platform.openai.com/docs/api-reference/chat."""

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from assistant.reply import Reply
from assistant.types import Role
from ui import schemas
from ui.errors import describe, openai_error
from ui.service import Placed, Served, Service
from ui.streams import event, stream

_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": schemas.OpenAIError, "description": "请求不合要求"},
    401: {"model": schemas.OpenAIError, "description": "没有可用的密钥"},
    422: {"model": schemas.OpenAIError, "description": "不会出现：不合要求的请求得到 400"},
    429: {"model": schemas.OpenAIError, "description": "请求太频繁，见 Retry-After"},
    503: {"model": schemas.OpenAIError, "description": "暂时不能回答，见 Retry-After"},
}

router = APIRouter(prefix="/v1", tags=["OpenAI"], responses=_ERRORS)


@router.get("/models")
async def models() -> schemas.Models:
    """List the only model."""
    return schemas.Models()


@router.get("/models/{model}")
async def model(model: str) -> schemas.Model:
    """Describe the only model, whatever name it is called by."""
    return schemas.Model(id=model)


@router.post(
    "/chat/completions",
    dependencies=[Placed],
    response_model=schemas.Completion,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def chat_completions(
    asked: schemas.ChatRequest, request: Request, served: Served
) -> schemas.Completion | Response:
    """Answer the last message; `citations` stand beside it."""
    reply = served.assistant.ask(asked.question, asked.history())
    if asked.stream:
        return await stream(_events(reply, asked, served), _failure)
    answer = schemas.Answer.of(await served.work.answer(reply, request))
    choice = schemas.Choice(
        message=schemas.AssistantMessage(content=answer.answer), citations=answer.citations
    )
    usage = schemas.Usage.of(asked.messages, answer.answer)
    return schemas.Completion(**_identity(), choices=[choice], usage=usage)


def _identity() -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time())}


async def _events(reply: Reply, asked: schemas.ChatRequest, served: Service) -> AsyncIterator[str]:
    identity = _identity()

    def chunk(choice: schemas.ChunkChoice) -> str:
        return event(schemas.Chunk(**identity, choices=[choice]).model_dump())

    understood = await served.work.run(reply.understood)
    role: Role | None = "assistant"  # goes with the first piece only
    async with aclosing(served.work.deltas(reply, understood)) as deltas:
        async for delta in deltas:
            yield chunk(schemas.ChunkChoice(delta=schemas.Piece(role=role, content=delta.text)))
            role = None
    answer = schemas.Answer.of(reply.answer())
    yield chunk(
        schemas.ChunkChoice(delta=schemas.Piece(), finish_reason="stop", citations=answer.citations)
    )
    if asked.stream_options and asked.stream_options.include_usage:
        usage = schemas.Usage.of(asked.messages, answer.answer)
        yield event(schemas.Chunk(**identity, choices=[], usage=usage).model_dump())
    yield "data: [DONE]\n\n"


def _failure(error: Exception) -> str:
    return event(openai_error(*describe(error)))
