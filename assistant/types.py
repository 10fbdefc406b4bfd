"""What passes in and out of the assistant: frozen, and nothing but data."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["user", "assistant"]

# In the order in which a question can meet them.
Status = Literal[
    "not_allowed",
    "out_of_scope",
    "personal",
    "unclear",
    "not_found",
    "elsewhere",
    "not_covered",
    "partial",
    "answered",
]
Mode = Literal["extractive", "generative"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the conversation so far."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence of the answer comes from; ``[n]`` in the answer points here.

    ``document.text[start:end] == quote``, always.
    """

    n: int
    document_id: str
    title: str
    section: str
    source: str
    date: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer's text, as it is streamed."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The final answer.

    Attributes:
        answer: What the citizen reads, with ``[n]`` behind each sentence that is cited.
        refused: True for every status but ``partial`` and ``answered``.
        reason: Why it was refused, in plain Chinese; empty when it was not.
        missing: What the question asks for and no passage says.
        seconds: From the question to the whole answer.
    """

    question: str
    corrected_question: str
    answer: str
    status: Status
    refused: bool
    reason: str
    missing: tuple[str, ...]
    citations: tuple[Citation, ...]
    mode: Mode
    seconds: float
