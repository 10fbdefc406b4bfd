"""What the pages ask for beside the API: sources, shared answers, and what only a page needs."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Body, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Template
from markupsafe import Markup
from starlette.exceptions import HTTPException

from assistant.history import markdown
from ui.admin import admin
from ui.conversations import NOT_THERE, Owner
from ui.conversing import Desk, kept_html
from ui.exchanges import Place, answer_html, exchange_html, suggestions_html
from ui.hearing import make_hearing
from ui.kiosk import kiosk
from ui.markup import both
from ui.reports import Evaluations, reports
from ui.service import Placed, Served
from ui.sources import reader_html, source_html
from ui.talking import make_voice, talking

STATIC = Path(__file__).with_name("static")
_PAGE = Template((STATIC / "page.html").read_text(encoding="utf-8"), autoescape=True)
NEXT = both("接着问", "Ask next")
HOME = both("去提问", "Ask a question")
NO_ANSWER = "这个回答不在了，或者没有分享。"

pages = APIRouter(include_in_schema=False)


def add_pages(app: FastAPI, desk: Desk) -> None:
    """Add what the pages need to an application."""
    app.state.desk = desk
    app.state.evaluations = Evaluations(desk.base)
    app.state.hearing = make_hearing(desk.base.settings)
    app.state.voice = make_voice(desk.base.settings)
    app.include_router(pages)
    app.include_router(admin)
    app.include_router(reports)
    app.include_router(kiosk)
    app.include_router(talking)
    app.mount("/page/static", StaticFiles(directory=STATIC), name="static")


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


Working = Annotated[Desk, Depends(_desk)]
At = Annotated[Place, Depends()]


# -- sources


@pages.get("/page/source")
def source(desk: Working, place: At, *, fragment: bool = False) -> HTMLResponse:
    """Return a citation's source."""
    return _page("资料来源", source_html(desk.base, place), fragment=fragment)


@pages.get("/page/reader")
def reader(desk: Working, place: At, *, fragment: bool = False) -> HTMLResponse:
    """Return the whole document."""
    return _page("资料全文", reader_html(desk.base, place), fragment=fragment)


# -- conversations


@pages.post("/page/conversations/{conversation}")
def rename(
    desk: Working, owner: Owner, conversation: str, title: Annotated[str, Body(embed=True)]
) -> None:
    """Give a conversation another title."""
    if not desk.history.rename(owner, conversation, title):
        raise HTTPException(404, NOT_THERE)


@pages.get("/page/conversations/{conversation}/export")
def export(desk: Working, owner: Owner, conversation: str) -> Response:
    """Return a conversation as Markdown."""
    mine = [one for one in desk.history.conversations(owner) if one.id == conversation]
    if not mine:
        raise HTTPException(404, NOT_THERE)
    text = markdown(mine[0].title, desk.history.exchanges(owner, conversation))
    name = f"attachment; filename*=UTF-8''{quote(mine[0].title)}.md"
    return PlainTextResponse(
        text, media_type="text/markdown", headers={"Content-Disposition": name}
    )


@pages.post("/page/leave")
def leave(desk: Working, owner: Owner) -> None:
    """Forget whose the conversations were."""
    desk.history.leave(owner)


# -- one answer


@pages.get("/page/answers/{exchange}")
def answer(desk: Working, owner: Owner, exchange: str) -> HTMLResponse:
    """Return a question with its answer as the chat shows it."""
    kept = desk.history.exchange(owner, exchange)
    if kept is None:
        raise HTTPException(404, NO_ANSWER)
    return HTMLResponse(kept_html(kept))


@pages.get("/page/answers/{exchange}/next", dependencies=[Placed])
async def go_on(desk: Working, served: Served, owner: Owner, exchange: str) -> HTMLResponse:
    """Return questions to go on with; each of them is answered to see that it can be."""
    kept = await to_thread.run_sync(desk.history.exchange, owner, exchange)
    if kept is None:
        raise HTTPException(404, NO_ANSWER)
    found = await served.work.run(partial(desk.suggester.to_go_on, kept.answer))
    return HTMLResponse(suggestions_html(found, NEXT))


@pages.post("/page/answers/{exchange}/share")
def share(desk: Working, owner: Owner, exchange: str) -> Mapping[str, str]:
    """Let everybody who has the link read an answer; return the link."""
    if not (desk.history.exchange(owner, exchange) and desk.history.share(exchange)):
        raise HTTPException(404, NO_ANSWER)
    return {"address": f"a/{exchange}"}


@pages.get("/a/{exchange}")
def shared(desk: Working, exchange: str) -> HTMLResponse:
    """Return a shared answer as a page."""
    kept = desk.history.exchange("", exchange)
    if kept is None:
        return _page("没有找到", f'<p class="xq-note">{NO_ANSWER}</p>', status=404, root="../")
    body = exchange_html(kept.answer.question, answer_html(kept.answer))
    return _page(kept.answer.question, body, root="../")


def _page(
    title: str, body: str, *, fragment: bool = False, status: int = 200, root: str = "../"
) -> HTMLResponse:
    """Return a page of its own, or the piece of it that goes into another page."""
    if fragment:
        return HTMLResponse(body)
    # The body is our own HTML, every word of a document in it is escaped (ui.markup).
    page = _PAGE.render(title=title, body=Markup(body), root=root, home=Markup(HOME))  # noqa: S704
    return HTMLResponse(page, status)
