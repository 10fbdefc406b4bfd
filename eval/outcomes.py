"""What was asked and what came back: the records that a run keeps, one JSON line each."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from assistant.types import Turn
from eval.questions import Question
from knowledge.base import KnowledgeBase
from knowledge.errors import KnowledgeError
from knowledge.types import Hit

EXCERPT = 800  # characters of a passage that are kept, for a person to see what was found


@dataclass(frozen=True, slots=True)
class Cited:
    """One citation of an answer; ``in_document``: its quote stands where it says."""

    n: int
    document_id: str
    title: str
    quote: str
    in_document: bool


@dataclass(frozen=True, slots=True)
class Found:
    """One passage that the answer was looked for in."""

    document_id: str
    title: str
    section: str
    text: str
    score: float
    dense: float
    lexical: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back for one question.

    Attributes:
        evidence: Probability that it is answerable, as the assistant judged, in [0, 1].
        seconds: From the question to the whole answer.
        error: Why it failed; empty if it did not.
    """

    answer: str = ""
    refused: bool = False
    status: str = ""
    reason: str = ""
    corrected_question: str = ""
    citations: tuple[Cited, ...] = ()
    found: tuple[Found, ...] = ()
    evidence: float = 0.0
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A question with its outcome."""

    question: Question
    outcome: Outcome


Ask = Callable[[Question], Outcome]


def asker(base: KnowledgeBase) -> Ask:
    """Return the function that asks through the very chain that citizens use."""
    from assistant.chain import Assistant

    assistant = Assistant(base)
    base.search("预热", 1)  # loads the model, which the first question's latency should not hold

    def ask(question: Question) -> Outcome:
        reply = assistant.ask(question.question, question.history)
        answer = reply.answer()
        return Outcome(
            answer=answer.answer,
            refused=answer.refused,
            status=answer.status,
            reason=answer.reason,
            corrected_question=answer.corrected_question,
            citations=tuple(_cited(base, citation) for citation in answer.citations),
            found=tuple(map(_found, reply.hits)),
            evidence=reply.evidence.score,
            seconds=answer.seconds,
        )

    return ask


def _cited(base: KnowledgeBase, citation: Any) -> Cited:  # noqa: ANN401 - assistant.types.Citation
    document = base.document(citation.document_id)
    text = document.text if document else ""
    return Cited(
        n=citation.n,
        document_id=citation.document_id,
        title=citation.title,
        quote=citation.quote,
        in_document=bool(citation.quote) and text[citation.start : citation.end] == citation.quote,
    )


def _found(hit: Hit) -> Found:
    return Found(
        document_id=hit.document.id,
        title=hit.document.title,
        section=" / ".join(hit.passage.section),
        text=hit.passage.text[:EXCERPT],
        score=round(hit.score, 4),
        dense=round(hit.dense, 4),
        lexical=round(hit.lexical, 4),
    )


def failure(error: Exception) -> Outcome:
    """Return the outcome of a question that failed."""
    words = str(error) if isinstance(error, KnowledgeError) else f"{type(error).__name__}: {error}"
    return Outcome(error=words or type(error).__name__)


def key(question: Question) -> str:
    """Return a hash of what is asked: the expectations may change without asking again."""
    asked = [question.question, [asdict(turn) for turn in question.history]]
    return hashlib.sha256(json.dumps(asked, ensure_ascii=False).encode()).hexdigest()[:16]


def to_json(record: Record) -> str:
    """Write a record as one line of JSON."""
    return json.dumps(asdict(record), ensure_ascii=False)


def from_json(line: str) -> Record:
    """Read a record back.

    Raises:
        ValueError: The line is no record, such as one that was cut off.
    """
    given = json.loads(line)
    try:
        question, outcome = given["question"], given["outcome"]
        facts = tuple(tuple(f) if isinstance(f, list) else f for f in question["facts"])
        turns = tuple(Turn(**turn) for turn in question["history"])
        relevant = tuple(question["relevant"])
        return Record(
            Question(**{**question, "facts": facts, "history": turns, "relevant": relevant}),
            _outcome(outcome),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no record of a question: {error}") from error


def _outcome(given: Mapping[str, Any]) -> Outcome:
    known = {field.name for field in fields(Outcome)}
    values = {name: value for name, value in given.items() if name in known}
    values["citations"] = tuple(Cited(**cited) for cited in given["citations"])
    values["found"] = tuple(Found(**found) for found in given["found"])
    return Outcome(**values)
