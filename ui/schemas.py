"""Wire models: what goes in and out over HTTP and as JSON on the command line."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from assistant import types as assistant_types
from assistant.types import Mode, Role, Status, Turn
from knowledge.catalogue import Record
from knowledge.types import Document, Hit

if TYPE_CHECKING:
    from assistant.history import Exchange
    from ui import jobs


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


Verdict = Literal["", "up", "down"]


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


class Exchanged(Answer):
    """The whole answer, with its number for feedback."""

    id: str = Field(description="For /api/feedback; empty if the answer could not be kept.")
    conversation_id: str

    @classmethod
    def kept(
        cls, answer: assistant_types.Answer, exchange: "Exchange | None", conversation: str
    ) -> Self:
        """Return the wire form of an answer that was kept, or could not be."""
        fields = Answer.of(answer).model_dump()
        return cls(**fields, id=exchange.id if exchange else "", conversation_id=conversation)


class KeptExchange(Exchanged):
    """One question with its answer, as it was kept."""

    asked: str = Field(description="When, in UTC.")
    verdict: Verdict
    comment: str = ""


class Conversation(BaseModel):
    """One conversation of the list."""

    id: str
    title: str
    changed: str = Field(description="When something was last said, in UTC.")


class Feedback(BaseModel):
    """What a citizen thinks of an answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": "Zk3yq0Yk1r0WmJbX7c5d2A", "verdict": "down", "reason": "数字过时"}]
        }
    )

    id: Annotated[Text, Field(max_length=64, description="The answer's `id`.")]
    verdict: Verdict = Field(description="Empty takes it back.")
    reason: Annotated[Text, Field(max_length=1000)] = ""


FeedbackKind = Literal["all", "refused", "disliked", "unsure"]
Limit = Annotated[int, Field(ge=1, le=1000)]


class Source(BaseModel):
    """A document that an answer is composed from."""

    document_id: str
    title: str
    source: str
    date: str

    @classmethod
    def of_hits(cls, hits: Sequence[Hit]) -> list[dict[str, str]]:
        """Return the documents of hits, each once, best first."""
        documents = {hit.document.id: hit.document for hit in hits}
        return [
            cls(
                document_id=document.id,
                title=document.title,
                source=document.metadata.get("url") or document.source,
                date=document.metadata.get("date", ""),
            ).model_dump()
            for document in documents.values()
        ]


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


class WholeDocument(BaseModel):
    """One document with its text, which the offsets of citations count in."""

    id: str
    title: str
    source: str
    metadata: dict[str, str]
    text: str

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the wire form of a document."""
        return cls(
            id=document.id,
            title=document.title,
            source=document.source,
            metadata=dict(document.metadata),
            text=document.text,
        )


class Changes(BaseModel):
    """What changes about a document; what is not named stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"metadata": {"expires": "2027-12-31", "url": ""}}]}
    )

    title: Annotated[Text, Field(max_length=500)] = ""
    metadata: dict[
        Annotated[Text, Field(min_length=1, max_length=64)], Annotated[Text, Field(max_length=2000)]
    ] = Field(default={}, max_length=50)


class NotRead(BaseModel):
    """A row that could not be read."""

    model_config = ConfigDict(from_attributes=True)

    path: str
    error: str


class Job(BaseModel):
    """A change to the documents, and how far it is."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: Literal["upload", "replace", "metadata", "remove"]
    name: str = Field(description="The file's, or the document's id.")
    state: Literal["waiting", "reading", "indexing", "done", "failed"]
    documents: int = Field(description="Done so far.")
    total: int = Field(description="Documents in all; 0 until the file is read.")
    passages: int = Field(description="Indexed so far.")
    ids: list[str] = Field(description="Of the documents that are done.")
    failed: list[NotRead]
    error: str = Field(description="Why it failed.")

    @classmethod
    def of(cls, job: "jobs.Job") -> Self:
        """Return the wire form of a job."""
        return cls.model_validate(job)


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
    history: list[Message] | None = None
    as_typed: bool = Field(default=False, description="Take every word as typed: mend no typo.")
    conversation_id: Annotated[Text, Field(max_length=64)] | None = Field(
        default=None,
        description="Random name that the caller makes up for the conversation; with `X-Owner` "
        "it can be read again.",
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
        _text_of(part) for part in content if isinstance(part, dict) and part.get("type") == "text"
    )


def _text_of(part: Mapping[str, object]) -> str:
    text = part.get("text")
    if not isinstance(text, str):
        raise ValueError("类型为 text 的部分要有 text，内容是文字")
    return text


class ChatMessage(BaseModel):
    """One message; only users' and assistants' are read."""

    role: str
    content: Annotated[Text, BeforeValidator(_joined_parts)] = ""


class StreamOptions(BaseModel):
    """Options of a streamed completion."""

    include_usage: bool | None = False


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
    stream: bool | None = False
    stream_options: StreamOptions | None = None

    @property
    def question(self) -> str:
        """What the user said last; empty where no user said anything."""
        return "".join(turn.content for turn in self._turns()[-1:])

    def history(self) -> list[Turn]:
        """Return what was said before."""
        return self._turns()[:-1]

    def _turns(self) -> list[Turn]:
        """Return what was said, up to the user's last words."""
        said = [Turn(_ROLES[m.role], m.content) for m in self.messages if m.role in _ROLES]
        while said and said[-1].role != "user":
            said.pop()
        return said


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
