"""What a microphone hears, as text: by a Whisper model on this machine, or by a service.

Pages send WAV of 16 kHz, mono, 16 bits, which every browser can make and which needs no decoder.
"""

import io
import logging
import re
import wave
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import httpx
from anyio import Lock, fail_after, to_thread

from knowledge.errors import KnowledgeError, SettingError
from knowledge.settings import Settings
from ui.errors import BusyError, RequestError
from ui.outside import TIMEOUT, Outside

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

RATE = 16_000  # samples a second
LONGEST = 30.0  # seconds: what Whisper hears at once, and less than the largest body
SHORTEST = 0.2  # seconds: a tap, not a word
MOST_TOKENS = 120  # a minute of fast speech; noise can make a model repeat itself for ever
REPEATED = 2.4  # how well text can be compressed that says the same again and again (OpenAI's)
UNSURE = -1.3  # mean log probability of a guess
NOT_HEARD = "没有听清，请靠近话筒再说一遍，或者打字提问。"
_NOT_WAV = "录音要是 WAV（16 kHz、单声道、16 位）。"
_LENGTH = "录音长 {seconds:.1f} 秒；应当在 {shortest} 到 {longest:.0f} 秒之间。"
_NO_PACKAGE = (
    "设置了 XIAOQUAN_SPEECH_MODEL={model!r}，但没有安装语音识别。请运行 "
    "pip install 'xiaoquan[speech]'，或者用 XIAOQUAN_SPEECH_URL 指定语音识别服务。"
)
_NO_MODEL = (
    "载入不了语音识别模型 {model!r}：{error}。请检查 XIAOQUAN_SPEECH_MODEL："
    "应当是存有 CTranslate2 格式 Whisper 模型的文件夹，或模型库里的名称。"
)
_NO_SERVICE = "语音识别服务没有回应，请打字提问，或稍后再试。"
_BUSY = "正在听别人说话，请稍后再试。"


class Hearing(Protocol):
    """Turns speech into text."""

    async def text(self, recording: bytes, expected: str = "") -> str:
        """Return what a WAV file says in simplified Chinese; empty where nothing was understood.

        ``expected`` holds sentences whose words and script are likely.

        Raises:
            KnowledgeError: The model or the service can't be had now.
        """


def make_hearing(settings: Settings) -> Hearing | None:
    """Return what the settings name; None for a server that does not hear.

    Raises:
        SettingError: A model is named and what runs it is not installed.
    """
    if settings.speech_url:
        return Service(settings)
    if not settings.speech_model:
        return None
    if not all(map(find_spec, ("faster_whisper", "opencc"))):
        raise SettingError(_NO_PACKAGE.format(model=settings.speech_model))
    return Whisper(settings)


def check(recording: bytes) -> None:
    """Refuse what is no recording, or too long or short a one.

    Raises:
        RequestError: The message says what is wrong.
    """
    try:
        with wave.open(io.BytesIO(recording)) as wav:
            form = wav.getframerate(), wav.getnchannels(), wav.getsampwidth()
            seconds = wav.getnframes() / RATE
    except (wave.Error, EOFError) as error:
        raise RequestError(422, _NOT_WAV) from error
    if form != (RATE, 1, 2):
        raise RequestError(422, _NOT_WAV)
    if not SHORTEST <= seconds <= LONGEST:
        told = _LENGTH.format(seconds=seconds, shortest=SHORTEST, longest=LONGEST)
        raise RequestError(422, told)


def samples(recording: bytes) -> "NDArray[np.float32]":
    """Return a recording's samples, from -1 to 1."""
    import numpy as np

    with wave.open(io.BytesIO(recording)) as wav:
        data = wav.readframes(wav.getnframes())
    return np.frombuffer(data, dtype="<i2").astype(np.float32) / np.float32(32768)


class Service:
    """A service that speaks OpenAI's ``/audio/transcriptions``."""

    def __init__(self, settings: Settings) -> None:
        self._outside = Outside(settings.speech_url, settings.speech_api_key.get_secret_value())
        self._model = settings.speech_model or "whisper-1"

    async def text(self, recording: bytes, expected: str = "") -> str:
        """Return what a WAV file says."""
        given = {"model": self._model, "language": "zh", "prompt": expected}
        file = {"file": ("speech.wav", recording, "audio/wav")}
        try:
            answer = await self._outside.post("/audio/transcriptions", data=given, files=file)
            return str(answer.json()["text"]).strip()
        except (httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError) as error:
            log.warning("hearing: %s: %r", self._outside.url, error)
            raise RequestError(502, _NO_SERVICE) from error


class Whisper:
    """A Whisper model on this machine, loaded when somebody speaks; one recording at a time."""

    def __init__(self, settings: Settings) -> None:
        self._name = settings.speech_model
        self._model: Any = None
        self._simplify: Any = None
        self._one = Lock()

    async def text(self, recording: bytes, expected: str = "") -> str:
        """Return what a WAV file says."""
        try:
            with fail_after(TIMEOUT):
                await self._one.acquire()
        except TimeoutError as error:
            raise BusyError(_BUSY, 10) from error
        try:
            return await to_thread.run_sync(self._heard, samples(recording), expected)
        finally:
            self._one.release()

    def _heard(self, sound: "NDArray[np.float32]", expected: str) -> str:
        """Return what was said; of noise a model may just go on with what it expects."""
        text = self._written(sound, expected)
        if _words(text) not in _words(expected) or _alike(text, self._written(sound)):
            return text
        return ""

    def _written(self, sound: "NDArray[np.float32]", expected: str = "") -> str:
        segments, _ = self._loaded().transcribe(
            sound,
            language="zh",
            initial_prompt=expected or None,
            temperature=0,
            max_new_tokens=MOST_TOKENS,
            condition_on_previous_text=False,
            vad_filter=True,  # silence would be made into words
        )
        said = [one.text for one in segments if _is_sure(one)]
        text = str(self._simplify.convert("".join(said).strip()))
        # Of noise it writes marks alone, or one character again and again.
        return text if len(set(_words(text))) > 1 else ""

    def _loaded(self) -> Any:  # noqa: ANN401 - faster_whisper has no types
        if self._model is None:
            from faster_whisper import WhisperModel
            from opencc import OpenCC

            try:
                self._model = WhisperModel(self._name, compute_type="int8")
            except Exception as error:  # whatever the hub's client and the model's reader raise
                told = _NO_MODEL.format(model=self._name, error=error)
                raise KnowledgeError(told) from error
            self._simplify = OpenCC("t2s")
        return self._model


def _is_sure(segment: Any) -> bool:  # noqa: ANN401
    """Tell whether a segment is speech that was understood, not noise made into words."""
    return bool(segment.avg_logprob > UNSURE and segment.compression_ratio < REPEATED)


def _words(text: str) -> str:
    """Return a text without its marks."""
    return re.sub(r"\W", "", text)


def _alike(text: str, other: str) -> bool:
    """Tell whether at least half of a text's sounds stand in the other, too."""
    from pypinyin import lazy_pinyin

    sounds, others = set(lazy_pinyin(_words(text))), set(lazy_pinyin(_words(other)))
    return 2 * len(sounds & others) >= len(sounds)
