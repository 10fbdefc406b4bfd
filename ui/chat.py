"""The chat page: asks the assistant and shows what it says, with its sources."""

import logging
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from assistant.chain import Assistant
from assistant.types import Turn
from knowledge.base import KnowledgeBase
from knowledge.errors import KnowledgeError
from ui.errors import INTERNAL_ERROR
from ui.markup import answer_html, problem_html, question_html, stopped_html, streamed_html
from ui.theme import HEAD, STYLES, theme

if TYPE_CHECKING:
    import gradio as gr

log = logging.getLogger(__name__)

Messages = list[dict[str, Any]]  # as Gradio's chatbot takes them
Step = tuple[Any, Messages, list[Turn]]  # the box, what is shown, what was said

TITLE = "小泉 · 政策问答"
SUGGESTIONS = 6
TRIED = 24  # titles that are tried for them at most
LONGEST_SUGGESTION = 28  # characters
REMEMBERED = 20  # turns that a follow-up question can lean on
AT_ONCE = 40  # questions answered at the same time; more wait in line
_ASKS = re.compile(r"怎|如何|什么|哪|多少|吗")
_ASIDE = re.compile(r"（[^）]*）$")

_DROP = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><path fill="#14618f" '
    'd="M16 2c6 7 10 12 10 17a10 10 0 0 1-20 0C6 14 10 9 16 2z"/>'
    '<path fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" '
    'd="M11 20c1.5 3 8.5 3 10 0"/></svg>'
)
BRAND = (
    f'<header class="xq-brand">{_DROP}<div><h1>小泉政策问答</h1>'
    "<p>用平常的话提问，每句回答都有出处</p></div></header>"
)
HELLO = (
    '<div class="xq-hello"><h2>您好，我是小泉</h2>'
    "<p>想办什么事、想了解什么政策，请直接告诉我。</p></div>"
)
FOOT = (
    '<div class="xq-foot">回答摘自已载入的资料，以主管部门的规定为准。'
    "请不要输入身份证号、银行卡号等个人信息。</div>"
)


# Events are no one's API, and an answer shows by itself that it is coming.
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


@dataclass(frozen=True, slots=True)
class _Parts:
    """What of the page is spoken to."""

    shown: "gr.Chatbot"
    box: "gr.Textbox"
    anew: "gr.Button"
    said: "gr.State"


def mount_chat(app: FastAPI, base: KnowledgeBase, assistant: Assistant) -> FastAPI:
    """Put the chat page at ``/`` of an application."""
    import gradio as gr

    mounted: FastAPI = gr.mount_gradio_app(
        app,
        make_page(base, assistant),
        path="/",
        theme=theme(),
        css_paths=[STYLES],
        head_paths=[HEAD],
        footer_links=[],
        ssr_mode=False,
        show_error=False,
        allowed_paths=[],
        max_file_size=0,
    )
    return mounted


def make_page(base: KnowledgeBase, assistant: Assistant) -> "gr.Blocks":
    """Return the page; each visit has its own conversation."""
    import gradio as gr

    suggest = suggester(base)
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_height=True) as page:
        said = gr.State([])
        with gr.Column(elem_id="xq-page"):
            with gr.Row(elem_id="xq-top"):
                gr.HTML(BRAND)
                anew = gr.Button("新的对话", elem_id="xq-new", size="sm")
            parts = _Parts(_chatbot(suggest()), _box(), anew, said)
            gr.HTML(FOOT)
        _wire(parts, assistant)
        page.load(lambda: gr.Chatbot(examples=_examples(suggest())), None, parts.shown, **_QUIET)
    page.queue(default_concurrency_limit=AT_ONCE, api_open=False)
    return page


def _chatbot(suggestions: Sequence[str]) -> "gr.Chatbot":
    import gradio as gr

    return gr.Chatbot(
        elem_id="xq-chat",
        show_label=False,
        label="对话",
        height=None,
        placeholder=HELLO,
        autoscroll=False,  # head.html does it
        examples=_examples(suggestions),
        buttons=[],
        feedback_options=None,
        latex_delimiters=[],
        layout="bubble",
    )


def _examples(suggestions: Sequence[str]) -> list[dict[str, str]]:
    return [{"text": suggestion} for suggestion in suggestions]


def _box() -> "gr.Textbox":
    import gradio as gr

    return gr.Textbox(
        elem_id="xq-box",
        label="问题",
        show_label=False,
        placeholder="请输入您的问题",
        lines=1,
        max_lines=6,
        submit_btn="发送",
        autofocus=True,
    )


def _wire(parts: _Parts, assistant: Assistant) -> None:
    """Connect what is on the page with what is done."""
    import gradio as gr

    def typed(question: str, messages: Messages, history: list[Turn]) -> Iterator[Step]:
        yield from answering(assistant, question, messages, history)

    def tapped(event: gr.SelectData, messages: Messages, history: list[Turn]) -> Iterator[Step]:
        yield from answering(assistant, event.value["text"], messages, history)

    box, shown, said = parts.box, parts.shown, parts.said
    outputs = [box, shown, said]
    running = [
        box.submit(typed, [box, shown, said], outputs, **_QUIET),
        shown.example_select(tapped, [shown, said], outputs, **_QUIET),
    ]
    box.stop(stopped, shown, [box, shown], cancels=running, **_QUIET)
    parts.anew.click(lambda: (_ready(""), [], []), None, outputs, cancels=running, **_QUIET)


def answering(
    assistant: Assistant, question: str, messages: Messages, history: list[Turn]
) -> Iterator[Step]:
    """Yield the page's state while an answer is written."""
    import gradio as gr

    if not question.strip():
        yield _ready(""), messages, history
        return
    messages = [*messages, _message("user", question_html(question))]
    yield _busy(), messages, history
    written = ""
    try:
        reply = assistant.ask(question, history[-REMEMBERED:])
        for delta in reply:
            written += delta.text
            # The box is left alone: the citizen may be typing the next question.
            yield gr.skip(), [*messages, _message("assistant", streamed_html(written))], history
        answer = reply.answer()
        final = answer_html(answer, reply.hits, f"xq-{uuid.uuid4().hex}")
        history = [*history, Turn("user", question), Turn("assistant", answer.answer)]
    except KnowledgeError as error:
        final = problem_html(str(error))
    except Exception as error:
        log.exception("unexpected error while answering", exc_info=error)
        final = problem_html(INTERNAL_ERROR)
    yield _ready(), [*messages, _message("assistant", final)], history


def stopped(messages: Messages) -> tuple[Any, Messages]:
    """Return the page's state after the stop button."""
    return _ready(), [*messages, _message("assistant", stopped_html())]


def suggester(base: KnowledgeBase) -> Callable[[], list[str]]:
    """Return a function that gives questions which these documents answer, to start with."""
    # Never a chat model: nobody has asked yet.
    extractive = Assistant(base, base.settings.model_copy(update={"chat_model": ""}))

    @lru_cache(maxsize=1)
    def of(_version: int) -> list[str]:
        answered = (
            question
            for question in _spread(questions_from([r.title for r in base.documents()]))
            if not extractive.ask(question).answer().refused
        )
        return [question for question, _ in zip(answered, range(SUGGESTIONS), strict=False)]

    return lambda: of(base.catalogue.version())


def questions_from(titles: Sequence[str]) -> list[str]:
    """Return titles as questions: those that ask already, else all that are short enough."""
    short = [_ASIDE.sub("", title) for title in titles]
    short = [title for title in dict.fromkeys(short) if len(title) <= LONGEST_SUGGESTION]
    asking = [title for title in short if _ASKS.search(title)]
    if len(asking) >= SUGGESTIONS:
        return asking
    named = (title.strip("《》") for title in short if title not in asking)
    return asking + [f"《{title}》讲了什么" for title in named]


def _spread(questions: Sequence[str]) -> list[str]:
    """Return some of them from all over the list, best spread first."""
    step = max(1, len(questions) // SUGGESTIONS)
    return [one for start in range(step) for one in questions[start::step]][:TRIED]


def _message(role: str, html: str) -> dict[str, Any]:
    return {"role": role, "content": html}


def _busy() -> "gr.Textbox":
    import gradio as gr

    return gr.Textbox(value="", submit_btn=False, stop_btn="停止")


def _ready(value: str | None = None) -> "gr.Textbox":
    import gradio as gr

    given = {} if value is None else {"value": value}
    return gr.Textbox(submit_btn="发送", stop_btn=False, **given)
