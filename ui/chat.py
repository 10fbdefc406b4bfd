"""The chat page in Gradio: what stands on it, and which events it answers.

The conversation is our own component (``gr.HTML``): Gradio's chatbot reads its HTML aloud to
those who listen. ``static/chat.js`` sends the events; the words are made in Python.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from ui.conversations import owner_of
from ui.conversing import Asked, Desk, answering, opened, start_html
from ui.exchanges import stopped_html
from ui.markup import both
from ui.pages import add_pages
from ui.service import Service
from ui.suggesting import Suggester
from ui.talking import abilities
from ui.theme import HEAD, SHELL, theme

if TYPE_CHECKING:
    import gradio as gr

TITLE = "小泉 · 政策问答"
AT_ONCE = 40  # questions answered at the same time; more wait in line

_NOTICE = both(
    "回答摘自已载入的资料，以主管部门的规定为准。请不要输入身份证号、银行卡号等个人信息。",
    "Answers are taken from the documents loaded here; the authorities' rules prevail. "
    "Please enter no personal numbers.",
)
_HEAR = (
    '<p class="xq-hears"><button type="button" data-do="hear" aria-pressed="false">'
    f"{both('说出问题', 'Speak')}</button></p>"
)
# Events are no one's API, and an answer shows by itself that it is coming.
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def mount_chat(app: FastAPI) -> FastAPI:
    """Put the chat page at ``/`` of the API, and what it needs under ``/page``."""
    import gradio as gr

    service: Service = app.state.service
    desk = Desk(service.base, service.assistant, service.history, Suggester(service.base))
    add_pages(app, desk)
    settings = service.base.settings
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        make_page(desk),
        path="/",
        theme=theme(),
        head=f'<meta name="xq-idle" content="{60 * settings.idle_minutes}">{abilities(settings)}',
        head_paths=HEAD,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        show_error=False,
        allowed_paths=[],
        max_file_size=0,
    )
    return mounted


def make_page(desk: Desk) -> "gr.Blocks":
    """Return the page."""
    import gradio as gr

    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_height=True) as page:
        with gr.Column(elem_id="xq-screen"):
            _html(SHELL.read_text(encoding="utf-8"), "xq-shell")
            with gr.Column(elem_id="xq-log"):
                past = _html("", "xq-past")
                current = _html(start_html(desk), "xq-current", _SENDS)
            with gr.Column(elem_id="xq-ask"):
                box = _box()
                _html(f'{_HEAR}<p class="xq-foot">{_NOTICE}</p>', "xq-notice")
        _wire(desk, box, past, current)
    limit = desk.base.settings.queue_limit
    page.queue(default_concurrency_limit=AT_ONCE, max_size=limit, api_open=False)
    return page


# chat.js sends the events from here.
_SENDS = """window.xqEvents = {
    ask: (asked) => trigger('ask', asked),
    open: (place) => trigger('open', place),
    nudge: () => trigger('nudge'),
};
dispatchEvent(new Event('xq-events'));"""


def _html(value: str | Callable[[], str], name: str, script: str | None = None) -> "gr.HTML":
    import gradio as gr

    return gr.HTML(value, elem_id=name, js_on_load=script, apply_default_css=False, padding=False)


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


def _wire(desk: Desk, box: "gr.Textbox", past: "gr.HTML", current: "gr.HTML") -> None:
    """Connect what is on the page with what is done."""
    import gradio as gr

    def ask(event: gr.EventData, request: gr.Request) -> Iterator[tuple[Any, str, str]]:
        asked = Asked(**{**event._data, "owner": _owner(event, request)})
        # The box is left alone meanwhile: the citizen may be typing the next question.
        busy = gr.Textbox(submit_btn=False, stop_btn="停止")
        for shown in answering(desk, asked):
            yield busy, *shown
            busy = gr.skip()
        yield _ready(), gr.skip(), gr.skip()

    def open_(event: gr.EventData, request: gr.Request) -> tuple[Any, str, str]:
        return _ready(), *opened(desk, _owner(event, request), event.conversation)

    outputs = [box, past, current]
    # "multiple": the next question may come before the last event has ended in the browser.
    asking = current.ask(ask, None, outputs, trigger_mode="multiple", **_QUIET)
    opening = current.open(
        open_, None, outputs, cancels=[asking], trigger_mode="multiple", **_QUIET
    )
    current.nudge(lambda: None, None, None, trigger_mode="multiple", **_QUIET)
    opening.then(None, past, None, js="(past) => window.xiaoquan.opened(past)", **_QUIET)
    box.submit(None, box, box, js="(question) => window.xiaoquan.submit(question)", **_QUIET)
    box.stop(stopped, current, [box, current], cancels=[asking], **_QUIET)


def _owner(event: "gr.EventData", request: "gr.Request") -> str:
    """Return whose the conversation is, as the API has it: a browser may be signed in."""
    return owner_of(request.state.caller, event.owner)


def stopped(current: str) -> tuple[Any, str]:
    """Return the page's state after the stop button."""
    return _ready(), current.replace("</div></article>", f"{stopped_html()}</div></article>")


def _ready() -> "gr.Textbox":
    import gradio as gr

    return gr.Textbox(submit_btn="发送", stop_btn=False)
