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


class Reply:
    """Iterate it to stream the answer's text, or ask for ``answer()`` at once.

    Nothing runs before the first of the two. Not to be shared between threads.
    """

    def __init__(self, run: Generator[Delta, None, Resolved]) -> None:
        self._run = run
        self._streamed: list[Delta] = []
        self._resolved: Resolved | None = None

    def __iter__(self) -> Iterator[Delta]:
        """Yield the pieces of text; a second time, those that came before."""
        yield from self._streamed
        while self._resolved is None:
            try:
                delta = next(self._run)
            except StopIteration as end:
                self._resolved = end.value
            else:
                self._streamed.append(delta)
                yield delta

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
        self._run.close()

    def _resolve(self) -> Resolved:
        for _ in self:
            pass
        if self._resolved is None:
            raise RuntimeError("the reply was closed before it was complete")
        return self._resolved
