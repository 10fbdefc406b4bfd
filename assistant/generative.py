"""Answers in a chat model's words; the only file that imports chat models.

No sentence is shown before it is checked: what was never streamed need not be taken back, which
a page could do and speech or an OpenAI client could not. Where the model fails or nothing that it
says holds, the extractive answer takes its place, with a note that says so; sentences that were
shown by then stay before it.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from assistant.asking import holds, understand
from assistant.breaker import DOWN, Breaker
from assistant.composing import Composed, Composer, citation, finished, followed_by
from assistant.errors import ChatModelDownError, ChatModelError
from assistant.grounding import Alike, Grounding, Quote
from assistant.privacy import mask
from assistant.prompts import messages, rewriting
from assistant.rewriting import WAIT, accepted, shown
from assistant.types import Citation, Delta, Turn
from knowledge.addresses import host, is_loopback
from knowledge.base import KnowledgeBase
from knowledge.errors import SettingError
from knowledge.plaintext import clean_characters
from knowledge.settings import Settings
from knowledge.splitting import MARK_IN_ADDRESS
from knowledge.types import Hit

if TYPE_CHECKING:
    import httpx
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessageChunk

log = logging.getLogger(__name__)

PASSAGES = 5  # that the model is given: more cost it time and lead it astray
LONGEST = 1500  # characters; a model that has not ended by then is going round in circles
PATIENCE = 4  # times the wait for the next words: the longest that a whole answer may take
CONTEXT = 8192  # tokens; Ollama silently cuts a prompt off at fewer
OLLAMA = "http://127.0.0.1:11434"
CONNECT = 5.0  # seconds at most: a host that has not answered by then is not there
# Of a service that is well, and will not take this one question: too long, filtered.
_REFUSED = frozenset({400, 413, 422})

SLOW = "对话模型没有及时回应"
OVER_QUOTA = "对话模型的用量已到上限"
CUT_OFF = "对话模型的回答没有写完"
UNSUPPORTED = "对话模型的回答没有通过与原文的核对"
NOTE = "（{}，以上内容摘自资料原文。）"

_MARK = (
    r"(?:[\[［【](?:资料|来源|编号)?\s*(?:编号\s*[=＝:：]?)?\s*\d{1,2}(?:\s*[,，、]\s*\d{1,2})*\s*[\]］】]"
    r"|[（(]资料\s*\d{1,2}[)）])"
)
_MARKS = re.compile(_MARK)
_SENTENCE = rf".*?(?:(?:(?!{MARK_IN_ADDRESS})[。！？!?])+[”’」』）)]*|\n)(?:\s*{_MARK})*"
# While it streams, a sentence is whole once what follows it can be no mark of it.
_NEXT = r"(?=\s*(?:[^\s\[［【（(”’」』）)。！？!?]|[（(][^资]))"
_WHOLE = re.compile(_SENTENCE + _NEXT, re.DOTALL)
_THOUGHT = "</think>"
_MARKDOWN = re.compile(r"\*\*|__|^\s*#+\s*|`")
_ITEM = re.compile(r"^(?:\d{1,2}[.、)）]|[（(]\d{1,2}[）)])\s*(?!\d)")  # counted by the model
_ENDED = re.compile(rf"(?:[。！？!?…][”’」』）)]*|{_MARK})\s*$")


class GenerativeComposer:
    """Has a chat model write the answer, and keeps what the passages support."""

    def __init__(  # noqa: PLR0913 - one parameter a part
        self,
        model: "BaseChatModel",
        instead: Composer,
        *,
        wait: float = 30.0,
        outside: bool = True,
        alike: Alike = lambda _a, _b: 0.0,
        breaker: Breaker | None = None,
    ) -> None:
        """Compose with a model.

        Args:
            model: Any chat model of LangChain.
            instead: Composes where the model does not.
            wait: Seconds until its next words.
            outside: It runs elsewhere: personal numbers are masked before it is asked.
            alike: How alike two texts are in meaning, in [-1, 1].
            breaker: Leaves the model alone while it is down or busy.
        """
        self._model = model
        self._instead = instead
        self._wait = wait
        self._outside = outside
        self._alike = alike
        self._breaker = breaker or Breaker()
        self._rewriting = Breaker()  # one that is too slow for this may still answer

    def compose(
        self, question: str, hits: Sequence[Hit], history: Sequence[Turn]
    ) -> Generator[Delta, None, Composed]:
        """Yield each sentence once it is checked."""
        grounding = Grounding(hits[:PASSAGES], self._alike, question)
        answer = _Answer(grounding)
        try:
            for sentence in _sentences(self._words(question, hits[:PASSAGES], history)):
                if sentence is None:
                    if answer.text:
                        yield Delta("\n\n")
                    answer = _Answer(grounding)
                elif piece := answer.add(sentence):
                    yield Delta(piece)
        except ChatModelError as error:
            problem = str(error)
        else:
            if answer.holds_for(question):
                return Composed(answer.text, tuple(answer.citations), "generative")
            problem = UNSUPPORTED
        lifting = self._instead.compose(question, hits, history)
        if answer.text:  # it was shown: each mark in it must keep pointing at its quote
            composed = followed_by(answer.text, answer.citations, finished(lifting))
            yield Delta(composed.text.removeprefix(answer.text))
        else:
            composed = yield from lifting
        note = NOTE.format(problem)
        yield Delta(f"\n{note}")
        return replace(composed, text=f"{composed.text}\n{note}")

    def rewrite(self, question: str, history: Sequence[Turn]) -> str:
        """Return a follow-up as a question that stands alone.

        It is empty where the model gives none in time, or one with something of its own in it.
        """
        if self._outside:
            question = mask(question)
            history = [Turn(turn.role, mask(turn.content)) for turn in history]
        seen = shown(history)
        try:
            with self._breaker.call():
                return accepted(self._rewritten(question, seen), question, seen)
        except ChatModelError:
            return ""

    def _rewritten(self, question: str, history: Sequence[Turn]) -> str:
        prompt, text = rewriting(question, history), ""
        wait = min(self._wait, WAIT)
        try:
            with self._rewriting.call():
                for chunk in _patiently(lambda: self._model.stream(prompt), wait, patience=1):
                    text += chunk.text
                    if _is_endless(text):
                        break
        except ChatModelDownError as error:
            raise ChatModelError(str(error)) from error  # the answer gets more time
        return _said(text)

    def _words(self, question: str, hits: Sequence[Hit], history: Sequence[Turn]) -> Iterator[str]:
        """Yield the model's answer as it comes.

        Raises:
            ChatModelError: It fails, is too slow, has its hands full, or ends before its answer
                does.
        """
        if self._outside:
            question = mask(question)
            history = [Turn(turn.role, mask(turn.content)) for turn in history]
        prompt = messages(question, hits, history)
        text = reason = ""
        with self._breaker.call():
            for chunk in _patiently(lambda: self._model.stream(prompt), self._wait):
                reason = _finish_reason(chunk) or reason
                text += chunk.text
                yield chunk.text
                if _is_endless(text):
                    raise ChatModelError(CUT_OFF)
        if reason not in {"", "stop"} or not (reason or _ENDED.search(text)):
            raise ChatModelError(CUT_OFF if text else DOWN)


def _said(text: str) -> str:
    """Return what comes after what a model thinks aloud.

    Where its thinking begins is not always told: some servers put "<think>" into the prompt.
    """
    return text.rpartition(_THOUGHT)[2]


def _is_endless(text: str) -> bool:
    said = _said(text)
    return len(said) > LONGEST and "<think>" not in said


class _Answer:
    """What stands so far of an answer."""

    def __init__(self, grounding: Grounding) -> None:
        self._grounding = grounding
        self._new_line = False
        self.removed = 0
        self.text = ""
        self.citations: list[Citation] = []

    def add(self, sentence: str) -> str:
        """Take a sentence if its passages support it; return what it adds to the text."""
        said = _ITEM.sub(
            "- ", _MARKDOWN.sub("", _MARKS.sub("", clean_characters(sentence))).strip()
        )
        cited = [int(n) for mark in _MARKS.findall(sentence) for n in re.findall(r"\d+", mark)]
        if said in self.text and _ENDED.search(said):  # a model that goes round in circles
            return ""
        quotes = self._grounding.support(said, cited)
        piece = ""
        if quotes:
            marks = "".join(f"[{n}]" for n in sorted({self._number(quote) for quote in quotes}))
            piece = ("\n" if self.text and self._new_line else "") + said + marks
            self._new_line = False
        elif said:
            self.removed += 1
        self._new_line |= "\n" in sentence
        self.text += piece
        return piece

    def holds_for(self, question: str) -> bool:
        """Tell whether what stands can be the answer: what was asked for was not removed."""
        kinds = understand(question, lambda _: {}).kinds
        answers = not kinds or any(holds(kind, self.text) for kind in kinds)
        return bool(self.text) and (answers or not self.removed)

    def _number(self, quote: Quote) -> int:
        """Return the number of a quote's citation: the same words are cited once."""
        start = quote.hit.passage.start + quote.start
        for cited in self.citations:
            if (cited.document_id, cited.start, cited.quote) == (
                quote.hit.document.id,
                start,
                quote.text,
            ):
                return cited.n
        self.citations.append(citation(len(self.citations) + 1, quote.hit, quote.text, start))
        return len(self.citations)


def _sentences(words: Iterable[str]) -> Iterator[str | None]:
    """Yield whole sentences with their marks; None where all before turns out to be thinking."""
    text = ""
    for word in words:
        text += word
        if _THOUGHT in text:
            text = _said(text)
            yield None
        if "<think>" in text:
            continue
        while found := _WHOLE.match(text):
            yield found[0]
            text = text[found.end() :]
    yield from re.findall(rf"{_SENTENCE}|.+$", text.split("<think>")[0], re.DOTALL)


def _patiently(
    stream: "Callable[[], Iterator[BaseMessageChunk]]", wait: float, patience: float = PATIENCE
) -> "Iterator[BaseMessageChunk]":
    """Yield a stream's chunks; it is read in a thread, since no client can be trusted to time out.

    What a service sends to keep a connection alive would reset a timeout of the connection.

    Raises:
        ChatModelError: It failed, or the next chunk did not come in time.
    """
    chunks: SimpleQueue[Any] = SimpleQueue()
    left = threading.Event()

    def read() -> None:
        try:
            with closing(stream()) as chunk_stream:  # type: ignore[type-var]
                for chunk in chunk_stream:
                    chunks.put(chunk)
                    if left.is_set():
                        return
            chunks.put(None)
        except Exception as error:  # each client has its own
            chunks.put(error)

    threading.Thread(target=read, name="chat-model", daemon=True).start()
    until = time.monotonic() + patience * wait
    try:
        while (chunk := _next(chunks, min(wait, until - time.monotonic()))) is not None:
            yield chunk
    finally:
        left.set()


def _next(chunks: SimpleQueue[Any], wait: float) -> "BaseMessageChunk | None":
    try:
        chunk: BaseMessageChunk | Exception | None = chunks.get(timeout=max(0.0, wait))
    except Empty:
        raise ChatModelDownError(SLOW) from None
    if isinstance(chunk, Exception):
        raise _problem(chunk) from chunk
    return chunk


def _problem(error: Exception) -> ChatModelError:
    """Return what kind of failure it was; an error's own words may hold the question or the key."""
    status = getattr(error, "status_code", None)
    log.warning("the chat model failed: %s, status %s", type(error).__name__, status)
    if status in _REFUSED:
        return ChatModelError(DOWN)
    if status in {402, 429}:
        return ChatModelDownError(OVER_QUOTA)
    return ChatModelDownError(SLOW if "Timeout" in type(error).__name__ else DOWN)


def _finish_reason(chunk: "BaseMessageChunk") -> str:
    metadata = chunk.response_metadata
    return str(metadata.get("finish_reason") or metadata.get("done_reason") or "")


# -- models


def generative(settings: Settings, base: KnowledgeBase, instead: Composer) -> GenerativeComposer:
    """Return the composer for the chat model that the settings name.

    Raises:
        SettingError: They name none that can be used.
    """

    def alike(one: str, other: str) -> float:
        vectors = base.embeddings.encode([one, other])
        return float(vectors[0] @ vectors[1])

    return GenerativeComposer(
        chat_model(settings),
        instead,
        wait=settings.chat_timeout,
        outside=is_outside(settings),
        alike=alike,
        breaker=Breaker(settings.chat_limit),
    )


def chat_model(settings: Settings) -> "BaseChatModel":
    """Return the chat model that the settings name.

    Raises:
        SettingError: They name none that can be used.
    """
    provider, _, name = settings.chat_model.partition(":")
    make = {"openai": _openai, "ollama": _ollama}.get(provider)
    if make is None or not name:
        raise SettingError(
            f"设置 XIAOQUAN_CHAT_MODEL 的值 {settings.chat_model!r} 不可用：请写成 openai:模型名"
            "（任何 OpenAI 兼容的服务）或 ollama:模型名。"
        )
    if settings.chat_base_url and not host(settings.chat_base_url):
        raise SettingError(
            f"设置 XIAOQUAN_CHAT_BASE_URL 的值 {settings.chat_base_url!r} 不可用："
            "请写成完整的地址，例如 http://127.0.0.1:8000/v1。"
        )
    return make(settings, name)


def _timeout(settings: Settings) -> "httpx.Timeout":
    import httpx

    return httpx.Timeout(settings.chat_timeout, connect=min(CONNECT, settings.chat_timeout))


def is_outside(settings: Settings) -> bool:
    """Tell whether the chat model runs on another machine, as far as its address says."""
    local = settings.chat_model.startswith("ollama:") and not settings.chat_base_url
    return not local and not is_loopback(settings.chat_base_url)


def _openai(settings: Settings, name: str) -> "BaseChatModel":
    import httpx
    from langchain_openai import ChatOpenAI

    given: dict[str, Any] = {}
    key = settings.chat_api_key.get_secret_value()
    if settings.chat_base_url:
        given = {"base_url": settings.chat_base_url, "api_key": key or "none"}
    elif key:
        given = {"api_key": key}
    else:
        raise SettingError(
            "没有设置 XIAOQUAN_CHAT_BASE_URL，也没有设置 XIAOQUAN_CHAT_API_KEY："
            f"模型 {settings.chat_model!r} 需要服务的地址，或 OpenAI 的密钥。"
        )
    return ChatOpenAI(
        model=name,
        temperature=0,
        timeout=_timeout(settings),
        max_retries=0,  # the extractive answer is at hand: better than to wait
        stream_usage=False,
        http_client=httpx.Client(trust_env=is_outside(settings)),
        **given,
    )


def _ollama(settings: Settings, name: str) -> "BaseChatModel":
    from langchain_ollama import ChatOllama

    key = settings.chat_api_key.get_secret_value()
    return ChatOllama(
        model=name,
        base_url=settings.chat_base_url or OLLAMA,
        temperature=0,
        num_ctx=CONTEXT,
        client_kwargs={
            "timeout": _timeout(settings),
            "trust_env": is_outside(settings),  # a proxy must not see what stays on the machine
            "headers": {"Authorization": f"Bearer {key}"} if key else {},
        },
    )
