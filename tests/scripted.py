"""A chat model that says what it is told to, and hits made by hand."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

from knowledge.types import Document, Hit, Passage


class ScriptedModel(BaseChatModel):
    """Streams a script: text in pieces, an error where it stands, or an event to wait for."""

    script: Sequence[Any] | Callable[[str], Sequence[Any]]
    finish_reason: str = "stop"
    seen: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def prompt(self) -> str:
        return "\n".join(str(message.content) for message in self.seen[-1])

    def _stream(self, messages, stop=None, run_manager=None, **_) -> Iterator[ChatGenerationChunk]:
        self.seen.append(messages)
        script = self.script(self.prompt) if callable(self.script) else self.script
        for piece in script:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, threading.Event):
                piece.wait(10)
            else:
                yield _chunk(content=piece)
        yield _chunk(content="", response_metadata={"finish_reason": self.finish_reason})

    def _generate(self, messages, stop=None, run_manager=None, **_) -> ChatResult:
        text = "".join(chunk.text for chunk in self._stream(messages))
        return ChatResult(generations=[ChatGeneration(message=AIMessageChunk(content=text))])


def _chunk(**given: Any) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(**given))


def says(text: str, **given: Any) -> ScriptedModel:
    """Return a model that says this, three characters at a time."""
    return ScriptedModel(script=[text[i : i + 3] for i in range(0, len(text), 3)], **given)


def hit(text: str, *, title: str = "办事指南", rank: int = 1, **metadata: str) -> Hit:
    """Return a hit whose passage begins at the eighth character of its document."""
    document = Document(f"document-{rank}", title, "", f"/srv/files/{rank}.md", metadata)
    return Hit(rank, 1.0 / rank, 0.8, 10.0, Passage(text, 7, 7 + len(text)), document)
