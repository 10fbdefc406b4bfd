"""What the pages need to hear and to speak."""

import logging
from typing import Annotated

import httpx
from anyio import to_thread
from fastapi import APIRouter, Body, Request
from fastapi.responses import Response

from knowledge.settings import Settings
from ui.conversing import Desk
from ui.errors import RequestError
from ui.hearing import LONGEST, NOT_HEARD, Hearing, check
from ui.outside import Outside
from ui.speech import sentences
from ui.tiles import asked_most, tiles

log = logging.getLogger(__name__)

LONGEST_SPOKEN = 20_000  # characters
LONGEST_SENTENCE = 1_000
_DEAF = (
    "这里没有设置语音识别，请打字提问。"
    "管理人员可设置 XIAOQUAN_SPEECH_MODEL 或 XIAOQUAN_SPEECH_URL。"
)
_MUTE = "这里没有设置朗读服务。管理人员可设置 XIAOQUAN_VOICE_URL。"
_NO_VOICE = "朗读服务没有回应，请看文字。"

talking = APIRouter(include_in_schema=False)


def abilities(settings: Settings) -> str:
    """Return what ``speech.js`` is to know of the server, for the head of a page."""
    hears = LONGEST if settings.speech_model or settings.speech_url else 0
    voice = "server" if settings.voice_url else ""
    return f'<meta name="xq-hears" content="{hears:.0f}"><meta name="xq-voice" content="{voice}">'


@talking.post("/page/heard")
async def heard(request: Request) -> dict[str, str]:
    """Return what a recording (WAV, 16 kHz, mono, 16 bits) says."""
    hearing: Hearing | None = request.app.state.hearing
    if hearing is None:
        raise RequestError(404, _DEAF)
    recording = await request.body()
    check(recording)
    expected = await to_thread.run_sync(_expected, request.app.state.desk)
    if not (text := await hearing.text(recording, expected)):
        raise RequestError(422, NOT_HEARD)
    return {"text": text}


def _expected(desk: Desk) -> str:
    """Return what is asked most: a model spells 公积金 as it is spelt there, not 攻击金."""
    return "".join(f"{tile.question}。" for tile in tiles(asked_most(desk)))


@talking.post("/page/spoken")
def spoken(text: Annotated[str, Body(embed=True, max_length=LONGEST_SPOKEN)]) -> list[str]:
    """Return what a voice is to say, sentence by sentence."""
    return sentences(text)


@talking.post("/page/voice")
async def voice(
    text: Annotated[str, Body(embed=True, min_length=1, max_length=LONGEST_SENTENCE)],
    request: Request,
) -> Response:
    """Return a sentence as the service of the settings reads it."""
    voice: Voice | None = request.app.state.voice
    if voice is None:
        raise RequestError(404, _MUTE)
    sound = await voice.read(text)
    return Response(sound.content, media_type=sound.headers.get("content-type", "audio/mpeg"))


class Voice:
    """A service that speaks OpenAI's ``/audio/speech``."""

    def __init__(self, settings: Settings) -> None:
        self._outside = Outside(settings.voice_url, settings.speech_api_key.get_secret_value())
        self._given = {"model": settings.voice_model, "voice": settings.voice_name}

    async def read(self, sentence: str) -> httpx.Response:
        """Return a sentence as sound.

        Raises:
            RequestError: The service gives none now.
        """
        try:
            return await self._outside.post(
                "/audio/speech", json={**self._given, "input": sentence}
            )
        except (httpx.HTTPError, TimeoutError) as error:
            log.warning("reading aloud: %s: %r", self._outside.url, error)
            raise RequestError(502, _NO_VOICE) from error


def make_voice(settings: Settings) -> Voice | None:
    """Return what the settings name; None for a server without a voice of its own."""
    return Voice(settings) if settings.voice_url else None
