"""What every way of composing an answer has in common."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from assistant.types import Citation, Delta, Mode, Turn
from knowledge.types import Hit

# Before an answer that may be beside the question.
UNSURE = "下面这段不一定正是您要问的，请核对出处。\n"


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


def numbered_from(composed: Composed, count: int) -> Composed:
    """Return an answer whose citations are numbered on from those that stand before it."""
    own = {str(citation.n) for citation in composed.citations}  # 泉政[2020]12号 is none

    def moved(mark: re.Match[str]) -> str:
        return f"[{int(mark[1]) + count}]" if mark[1] in own else mark[0]

    text = re.sub(r"\[(\d+)\]", moved, composed.text)
    citations = tuple(replace(citation, n=citation.n + count) for citation in composed.citations)
    return replace(composed, text=text, citations=citations)


def followed_by(text: str, citations: Sequence[Citation], composed: Composed) -> Composed:
    """Return an answer with what was shown before it; its citations are numbered on."""
    then = numbered_from(composed, len(citations))
    return replace(then, text=f"{text}\n\n{then.text}", citations=(*citations, *then.citations))


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
