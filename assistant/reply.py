"""One lazy reply for streaming and for the final answer."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from assistant.evidence import Evidence
from assistant.types import Answer, Delta
from knowledge.types import Hit


@dataclass(frozen=True, slots=True)
class Resolved:
    """The final answer with what it rests on."""

    answer: Answer
    hits: Sequence[Hit]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Understood:
    """What is known before the first word.

    Attributes:
        corrected: The question with its typos mended.
        query: The same, standing alone: what a follow-up leans on is written out.
        hits: The passages that the answer is composed from; none for a refusal.
    """

    corrected: str
    query: str
    hits: Sequence[Hit]


class Reply:
    """Iterate it to stream the answer's text, or ask for ``answer()`` at once.

    Nothing runs before the first of the two. Not to be shared between threads.
    """

    def __init__(self, run: Generator[Delta | Understood, None, Resolved]) -> None:
        self._run = run
        self._understood: Understood | None = None
        self._streamed: list[Delta] = []
        self._resolved: Resolved | None = None
        self._ended = False  # composed, closed, or failed

    def __iter__(self) -> Iterator[Delta]:
        """Yield the pieces of text; a second time, those that came before."""
        yield from self._streamed
        while not self._ended:
            if delta := self._advance():
                yield delta

    def understood(self) -> Understood | None:
        """Return what is being answered, and from what; None where the run does not tell."""
        if not (self._understood or self._streamed or self._ended):
            self._advance()
        return self._understood

    def answer(self) -> Answer:
        """Return the final answer, composing what is not composed yet."""
        return self._resolve().answer

    @property
    def hits(self) -> Sequence[Hit]:
        """The passages that the answer was looked for in, best first."""
        return self._resolve().hits

    @property
    def evidence(self) -> Evidence:
        """Why it was answered or refused."""
        return self._resolve().evidence

    def close(self) -> None:
        """Stop composing; what was streamed stays."""
        self._ended = True
        self._run.close()

    def _advance(self) -> Delta | None:
        try:
            step = next(self._run)
        except StopIteration as end:
            self._ended = True
            self._resolved = end.value
            return None
        except BaseException:
            self._ended = True
            raise
        if isinstance(step, Understood):
            self._understood = step
            return None
        self._streamed.append(step)
        return step

    def _resolve(self) -> Resolved:
        for _ in self:
            pass
        if self._resolved is None:
            raise RuntimeError("the reply was closed, or failed, before it was complete")
        return self._resolved
