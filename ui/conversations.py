"""What was asked, kept: conversations of one owner, and what citizens think of answers.

An owner is a random token that the caller makes up and tells nobody (``X-Owner``), within the key
that it uses, if any; without either nothing can be read again, and the question is kept for the
operators alone.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from starlette.exceptions import HTTPException

from assistant.history import Exchange, History
from assistant.types import Answer, Turn
from knowledge.errors import HomeError
from ui import schemas
from ui.access import Caller
from ui.errors import PROBLEMS
from ui.service import Served

log = logging.getLogger(__name__)

REMEMBERED = 20  # turns that a follow-up question can lean on
SHORTEST = 16  # characters of an owner's token: it must not be guessed
DIGEST = 64  # characters of an owner within a key
NOT_THERE = "没有这段对话，或者它不属于您。"

router = APIRouter(tags=["对话"], responses=PROBLEMS)


async def _owner(
    request: Request,
    x_owner: Annotated[
        str,
        Header(
            max_length=64,
            description="Random token of the caller's own, at least 16 characters; whoever has it "
            "reads the conversations.",
        ),
    ] = "",
) -> str:
    if 0 < len(x_owner) < SHORTEST:
        raise HTTPException(422, f"请求头 X-Owner 太短：至少 {SHORTEST} 个字符，且不能被猜到。")
    return owner_of(request.state.caller, x_owner)


def owner_of(caller: Caller, token: str) -> str:
    """Return whose conversations a caller means by a token."""
    if not caller.name and len(token) < DIGEST:  # as long as a digest, it could be a key's owner
        return token
    # Two keys never share an owner, whatever they send.
    return hashlib.sha256(f"{caller.name} {token}".encode()).hexdigest()


Owner = Annotated[str, Depends(_owner)]


@contextmanager
def unless_down() -> Iterator[None]:
    """Go on where the conversations' database is not there: an answer counts without it too."""
    try:
        yield
    except HomeError as error:
        log.warning("what was said is neither read nor kept: %s", error)


def turns(history: History, owner: str, conversation: str) -> list[Turn]:
    """Return what was said before; nothing where it can't be read."""
    with unless_down():
        return history.turns(owner, conversation, REMEMBERED)
    return []


def keep(
    history: History, owner: str, conversation: str, answer: Answer, replaces: str = ""
) -> Exchange | None:
    """Keep an exchange, perhaps in place of another; None where it can't be kept."""
    with unless_down():
        return history.keep(owner, conversation, answer, replaces=replaces)
    return None


@router.get("/api/conversations")
def list_conversations(
    served: Served, owner: Owner, search: str = ""
) -> list[schemas.Conversation]:
    """List an owner's conversations, the last first; those that hold a text."""
    found = served.history.conversations(owner, search) if owner else []
    return [
        schemas.Conversation(id=one.id, title=one.title, changed=_time(one.changed))
        for one in found
    ]


@router.get("/api/conversations/{conversation_id}")
def read_conversation(
    conversation_id: str, served: Served, owner: Owner
) -> list[schemas.KeptExchange]:
    """Read what was said in a conversation, in order."""
    found = served.history.exchanges(owner, conversation_id) if owner else []
    if not found:
        raise HTTPException(404, NOT_THERE)
    return [
        schemas.KeptExchange(
            **schemas.Exchanged.kept(one.answer, one, conversation_id).model_dump(),
            asked=_time(one.asked),
            verdict=one.verdict,
        )
        for one in found
    ]


@router.delete("/api/conversations/{conversation_id}", status_code=204)
def delete_conversation(conversation_id: str, served: Served, owner: Owner) -> None:
    """Delete a conversation with all that was said in it."""
    if not (owner and served.history.delete(owner, conversation_id)):
        raise HTTPException(404, NOT_THERE)


@router.post("/api/feedback", status_code=204)
def give_feedback(feedback: schemas.Feedback, served: Served) -> None:
    """Say what one thinks of an answer; a second time takes the place of the first."""
    if not served.history.rate(feedback.id, feedback.verdict, feedback.reason):
        raise HTTPException(404, f"没有编号为 {feedback.id!r} 的回答。编号是回答里的 id。")


@router.get("/api/feedback")
def list_feedback(
    served: Served, kind: schemas.FeedbackKind = "disliked", limit: schemas.Limit = 100
) -> list[schemas.KeptExchange]:
    """List what was last asked by anybody, for operators; personal numbers are masked."""
    return [
        schemas.KeptExchange(
            **schemas.Exchanged.kept(one.answer, one, "").model_dump(),
            asked=_time(one.asked),
            verdict=one.verdict,
            comment=one.reason,
        )
        for one in served.history.asked(kind, limit)
    ]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
