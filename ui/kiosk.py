"""The page of a terminal: tiles for what is asked most, and a code to take an answer along."""

import io
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Template
from markupsafe import Markup

from ui.conversing import Desk
from ui.talking import abilities
from ui.tiles import asked_most, tiles

_PAGE = Template(
    (Path(__file__).with_name("static") / "kiosk.html").read_text(encoding="utf-8"),
    autoescape=True,
)
IDLE_MINUTES = 2.0  # where no other time is set

kiosk = APIRouter(include_in_schema=False)


@kiosk.get("/kiosk")
def page(request: Request) -> HTMLResponse:
    """Return the page."""
    desk: Desk = request.app.state.desk
    settings = desk.base.settings
    idle = 60 * (settings.idle_minutes or IDLE_MINUTES)
    able = Markup(abilities(settings))  # noqa: S704
    shown = list(tiles(asked_most(desk)))
    return HTMLResponse(_PAGE.render(tiles=shown, idle=idle, abilities=able))


@kiosk.get("/page/code")
def code(request: Request, address: Annotated[str, Query(pattern=r"^a/[\w-]{1,64}$")]) -> Response:
    """Return the address of a shared answer as a QR code."""
    import segno

    drawn = io.BytesIO()
    segno.make(f"{request.base_url}{address}", micro=False).save(drawn, kind="svg", scale=8)
    return Response(drawn.getvalue(), media_type="image/svg+xml")
