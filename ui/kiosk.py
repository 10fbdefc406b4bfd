"""The page of a terminal: tiles for what is asked most, and a code to take an answer along."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Template
from markupsafe import Markup

from ui.conversing import Desk
from ui.service import Served

_PAGE = Template(
    (Path(__file__).with_name("static") / "kiosk.html").read_text(encoding="utf-8"),
    autoescape=True,
)
TILES = "kiosk.txt"  # in the home, one a line: what stands on the tile | what it asks
IDLE_MINUTES = 2.0  # where no other time is set
MOST = 8
_ALWAYS = (
    "不动产登记证明|不动产登记信息怎么查询、证明怎么开",
    "公积金缴存证明|公积金缴存证明怎么查、怎么打印",
    "医保参保信息|医保参保信息怎么查",
)

kiosk = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Tile:
    """One large button: its words as HTML with their sounds, and the question that it asks."""

    name: Markup
    question: str


@kiosk.get("/kiosk")
def page(request: Request, served: Served) -> HTMLResponse:
    """Return the page."""
    settings = served.base.settings
    file = settings.home / TILES
    text = file.read_text(encoding="utf-8-sig") if file.exists() else _default(request)
    idle = 60 * (settings.idle_minutes or IDLE_MINUTES)
    return HTMLResponse(_PAGE.render(tiles=list(tiles(text)), idle=idle))


@kiosk.get("/page/code")
def code(request: Request, address: Annotated[str, Query(pattern=r"^a/[\w-]{1,64}$")]) -> Response:
    """Return the address of a shared answer as a QR code."""
    import segno

    drawn = io.BytesIO()
    segno.make(f"{request.base_url}{address}", micro=False).save(drawn, kind="svg", scale=8)
    return Response(drawn.getvalue(), media_type="image/svg+xml")


def _default(request: Request) -> str:
    """Return what is asked most everywhere, and what these documents answer."""
    desk: Desk = request.app.state.desk
    return "\n".join([*_ALWAYS, *desk.suggester.to_start()][:MOST])


def tiles(text: str) -> Iterator[Tile]:
    """Yield the tiles that a text lists."""
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, question = line.partition("|")
        yield Tile(with_sounds(name.strip()), question.strip() or name.strip())


def with_sounds(text: str) -> Markup:
    """Return a text as HTML with the pinyin above each character."""
    from pypinyin import pinyin

    sounds = pinyin(text, errors=_apart)
    drawn = (
        escape(character) if sound == character else f"<ruby>{character}<rt>{sound}</rt></ruby>"
        for character, (sound, *_) in zip(text, sounds, strict=True)
    )
    return Markup("".join(drawn))  # noqa: S704


def _apart(text: str) -> Any:  # noqa: ANN401
    """Return what has no pinyin character by character: a list is taken, though not declared."""
    return list(text)
