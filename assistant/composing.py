"""What every way of composing an answer has in common."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from assistant.types import Citation, Delta, Mode, Turn
from knowledge.types import Hit


@dataclass(frozen=True, slots=True)
class Composed:
    """The text that stands, with its citations; it may differ from what was streamed."""

    text: str
    citations: tuple[Citation, ...]
    mode: Mode


class Composer(Protocol):
    """Streams an answer made only of what the hits say, and returns it with its citations."""

    def compose(
        self, question: str, hits: Sequence[Hit], history: Sequence[Turn]
    ) -> Generator[Delta, None, Composed]:
        """Yield the answer's text in pieces; return what stands in the end."""
        ...


@runtime_checkable
class Rewriter(Protocol):
    """Writes a follow-up out as a question that stands alone; nothing where it can't be trusted."""

    def rewrite(self, question: str, history: Sequence[Turn]) -> str:
        """Return the question that stands alone, or an empty text."""
        ...


def finished(composing: Generator[Delta, None, Composed]) -> Composed:
    """Compose to the end; return what stands."""
    while True:
        try:
            next(composing)
        except StopIteration as end:
            composed: Composed = end.value
            return composed


def citation(n: int, hit: Hit, quote: str, start: int) -> Citation:
    """Return the citation of a quote that starts at an offset in the hit's document."""
    document = hit.document
    return Citation(
        n=n,
        document_id=document.id,
        title=document.title,
        section=" / ".join(hit.passage.section),
        source=document.metadata.get("url") or document.source,
        date=document.metadata.get("date", ""),
        quote=quote,
        start=start,
        end=start + len(quote),
    )
