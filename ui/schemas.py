"""Wire models: what goes in and out over HTTP and as JSON on the command line."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from assistant import types as assistant_types
from assistant.types import Mode, Role, Status, Turn
from knowledge.catalogue import Record
from knowledge.types import Hit


def _is_text(text: str) -> str:
    r"""Refuse half a character: JSON can spell one (``\ud800``), nothing can read it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("含有不完整的字符") from None
    return text


Text = Annotated[str, AfterValidator(_is_text)]
MODEL = "xiaoquan"  # the name of the only model under /v1


class Citation(BaseModel):
    """Where a sentence of the answer comes from; `[n]` in the answer points here."""

    model_config = ConfigDict(from_attributes=True)

    n: int
    document_id: str
    title: str
    section: str
    source: str
    date: str
    quote: str
    start: int = Field(description="Offset of the quote in the document's text, in characters.")
    end: int


class Answer(BaseModel):
    """The whole answer."""

    model_config = ConfigDict(from_attributes=True)

    question: str
    corrected_question: str
    answer: str
    status: Status
    refused: bool
    reason: str
    missing: list[str]
    citations: list[Citation]
    mode: Mode
    seconds: float

    @classmethod
    def of(cls, answer: assistant_types.Answer) -> Self:
        """Return the wire form of an answer."""
        return cls.model_validate(answer)


class Found(BaseModel):
    """One passage of a search."""

    rank: int
    score: float
    document_id: str
    title: str
    section: str
    text: str
    source: str
    start: int
    end: int

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """Return the wire form of a hit."""
        document, passage = hit.document, hit.passage
        return cls(
            rank=hit.rank,
            score=round(hit.score, 6),
            document_id=document.id,
            title=document.title,
            section=" / ".join(passage.section),
            text=passage.text,
            source=document.metadata.get("url") or document.source,
            start=passage.start,
            end=passage.end,
        )


class DocumentInfo(BaseModel):
    """One document of the list."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    source: str
    metadata: dict[str, str]
    passages: int
    added: str = Field(description="When it was loaded, in UTC.")

    @classmethod
    def of(cls, record: Record) -> Self:
        """Return the wire form of a record."""
        return cls.model_validate(record)


class Message(BaseModel):
    """One turn of the conversation so far."""

    role: Role
    content: Text

    def turn(self) -> Turn:
        """Return it as the assistant takes it."""
        return Turn(self.role, self.content)


class Question(BaseModel):
    """A question to `/api/ask`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "身份证丢了怎么补领？", "history": []}]}
    )

    question: Text
    history: list[Message] = []
    as_typed: bool = Field(default=False, description="Take every word as typed: mend no typo.")
    conversation_id: str | None = Field(
        default=None, description="The caller's own name for the conversation; nothing is kept."
    )


class Problem(BaseModel):
    """What went wrong, in plain Chinese."""

    error: str


class Health(BaseModel):
    """Whether the process lives."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether a question would be answered now."""

    ready: bool
    documents: int
    passages: int


# -- OpenAI's forms: https://platform.openai.com/docs/api-reference/chat


_ROLES: Mapping[str, Role] = {"user": "user", "assistant": "assistant"}


def _is_none(value: object) -> bool:
    return value is None


def _joined_parts(content: object) -> object:
    """Return a message's content as one text: clients send text, a list of parts, or null."""
    if content is None:
        return ""
    if not isinstance(content, list):
        return content
    return "\n".join(
        part["text"] for part in content if isinstance(part, dict) and part.get("type") == "text"
    )


class ChatMessage(BaseModel):
    """One message; system and tool messages are read over."""

    role: str
    content: Annotated[Text, BeforeValidator(_joined_parts)] = ""


class StreamOptions(BaseModel):
    """Options of a streamed completion."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A request for a chat completion; fields that are not known are ignored, as OpenAI does."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": MODEL,
                    "messages": [{"role": "user", "content": "身份证丢了怎么补领？"}],
                }
            ]
        }
    )

    model: str = Field(default=MODEL, description="Any name will do: there is one model.")
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None

    @property
    def question(self) -> str:
        """The last message, if a user wrote it."""
        last = self.messages[-1]
        return last.content if last.role == "user" else ""

    def history(self) -> list[Turn]:
        """Return what was said before."""
        earlier = self.messages[:-1]
        return [Turn(_ROLES[m.role], m.content) for m in earlier if m.role in _ROLES]


class Usage(BaseModel):
    """Counted in characters: nothing is billed by it."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int

    @classmethod
    def of(cls, messages: Sequence[ChatMessage], answer: str) -> Self:
        """Count what was asked and answered."""
        asked = sum(len(message.content) for message in messages)
        return cls(
            prompt_tokens=asked, completion_tokens=len(answer), total_tokens=asked + len(answer)
        )


class AssistantMessage(BaseModel):
    """The answer as a message."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The only choice, with its citations beside the message."""

    index: int = 0
    message: AssistantMessage
    finish_reason: Literal["stop"] = "stop"
    citations: list[Citation]


class Completion(BaseModel):
    """A chat completion."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: list[Choice]
    usage: Usage


class Piece(BaseModel):
    """What a chunk adds to the message."""

    role: Role | None = Field(default=None, exclude_if=_is_none)
    content: str | None = Field(default=None, exclude_if=_is_none)


class ChunkChoice(BaseModel):
    """The only choice of a chunk; the last one carries the citations."""

    index: int = 0
    delta: Piece
    finish_reason: Literal["stop"] | None = None
    citations: list[Citation] | None = Field(default=None, exclude_if=_is_none)


class Chunk(BaseModel):
    """One piece of a streamed chat completion."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str = MODEL
    choices: list[ChunkChoice]
    usage: Usage | None = Field(default=None, exclude_if=_is_none)


class Model(BaseModel):
    """The model that there is."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = MODEL


class Models(BaseModel):
    """The list of models."""

    object: Literal["list"] = "list"
    data: list[Model] = [Model()]


class OpenAIErrorBody(BaseModel):
    """OpenAI's description of an error."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIError(BaseModel):
    """OpenAI's form of an error."""

    error: OpenAIErrorBody
