"""What happens when a citizen asks on the chat page: asked, streamed, kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from assistant.chain import Assistant
from assistant.history import Exchange, History
from assistant.reply import Reply
from knowledge.base import KnowledgeBase
from ui.conversations import REMEMBERED, keep, unless_down
from ui.errors import describe
from ui.exchanges import (
    actions_html,
    answer_html,
    exchange_html,
    problem_html,
    streamed_html,
    suggestions_html,
    understood_html,
    waiting_html,
)
from ui.markup import both
from ui.suggesting import Suggester

_HELLO = both("您好，我是小泉", "Hello, I am Xiaoquan")
_INVITE = both(
    "想办什么事、想了解什么政策，请直接告诉我。", "Tell me what you want to get done, or to know."
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the page works with."""

    base: KnowledgeBase
    assistant: Assistant
    history: History
    suggester: Suggester


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser sends along with a question.

    Attributes:
        owner: The browser's own token.
        conversation: The conversation's id, made up by the browser.
        replaces: The exchange that this question is asked instead of, once it is answered.
        as_typed: Whether the words are to be taken as they stand.
    """

    question: str
    owner: str
    conversation: str
    replaces: str = ""
    as_typed: bool = False


def start_html(desk: Desk) -> str:
    """Return what stands before the first question."""
    title = both("您可以这样问", "You could ask")
    suggested = suggestions_html(desk.suggester.to_start(), title)
    return f'<div class="xq-hello"><h1>{_HELLO}</h1><p>{_INVITE}</p>{suggested}</div>'


def past_html(exchanges: Sequence[Exchange]) -> str:
    """Return what was said before."""
    return "".join(map(kept_html, exchanges))


def kept_html(exchange: Exchange) -> str:
    """Return an exchange that is kept."""
    reply = answer_html(exchange.answer) + actions_html(exchange.verdict)
    return exchange_html(exchange.answer.question, reply, exchange.id)


def opened(desk: Desk, owner: str, conversation: str) -> tuple[str, str]:
    """Return a conversation as it stands: what was said, and the start if nothing was."""
    past = ""
    with unless_down():
        past = past_html(desk.history.exchanges(owner, conversation))
    return past, "" if past else start_html(desk)


def answering(desk: Desk, asked: Asked) -> Iterator[tuple[str, str]]:
    """Yield what was said before and the exchange under way, as the answer is written."""
    kept: Sequence[Exchange] = ()
    with unless_down():
        kept = desk.history.exchanges(asked.owner, asked.conversation)
    before = list(takewhile(lambda exchange: exchange.id != asked.replaces, kept))
    past = past_html(before)
    try:
        for current in _current(desk, asked, before):
            yield past, current
    except Exception as error:  # one that nobody expected is logged there
        # Without a new answer the old ones stay.
        yield past_html(kept), _unkept_html(asked, problem_html(describe(error)[1]))


def _current(desk: Desk, asked: Asked, before: Sequence[Exchange]) -> Iterator[str]:
    yield _unkept_html(asked, waiting_html())
    said = [turn for exchange in before[-REMEMBERED // 2 :] for turn in exchange.turns()]
    reply = desk.assistant.ask(asked.question, said, as_typed=asked.as_typed)
    for written in _written(asked.question, reply):
        yield _unkept_html(asked, written)
    answer = reply.answer()
    if kept := keep(desk.history, asked.owner, asked.conversation, answer, asked.replaces):
        yield kept_html(kept)
    else:
        yield _unkept_html(asked, answer_html(answer) + actions_html(kept=False))


def _unkept_html(asked: Asked, reply: str) -> str:
    """Return an exchange that is not kept (yet); asked again, it still replaces the same one."""
    return exchange_html(asked.question, reply, replaces=asked.replaces)


def _written(question: str, reply: Reply) -> Iterator[str]:
    """Yield the answer as it grows; a refusal looks different and comes as a whole."""
    understood = reply.understood()
    if understood is None or not understood.hits:
        return
    note = understood_html(question, understood.corrected)
    text = ""
    for delta in reply:
        text += delta.text
        yield note + streamed_html(text)
