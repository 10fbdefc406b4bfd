"""Which county a sentence is about: another county's amounts and rules do harm.

A newspaper's page tells of one county after the other: a sentence is about those that it names, or
about the one named last before it.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from functools import cache
from itertools import groupby
from operator import itemgetter

from assistant.asking import Asked
from assistant.sentences import candidates, likeliest
from knowledge.splitting import sentences
from knowledge.types import Hit

Read = Callable[[str], str]


class Counties:
    """The counties of the city whose documents these are, known by their bare names."""

    def __init__(self, names: Set[str], read: Read) -> None:
        """Know them by name; ``read`` returns the whole text of a document by its id."""
        self._names = names
        self._read = cache(read)

    def named(self, text: str) -> set[str]:
        """Return those that a text names."""
        return {name for name in self._names if name in text}

    def about(self, hit: Hit, start: int, end: int) -> set[str]:
        """Return those that a stretch of a passage is about; none where none is named."""
        return self.named(hit.passage.text[start:end]) or self._last_before(hit, start)

    def _last_before(self, hit: Hit, start: int) -> set[str]:
        text = self._read(hit.document.id)
        before = f"{hit.document.title}\n{text[: hit.passage.start + start]}"
        at = {name: before.rfind(name) for name in self._names}
        last = max(at, key=at.__getitem__, default="")
        return {last} if last and at[last] >= 0 else set()

    def of_another(self, question: str, hit: Hit, start: int, end: int) -> list[str]:
        """Return the counties of a question where a stretch of a passage is about another."""
        wanted = self.named(question)
        about = self.about(hit, start, end) if wanted else set()
        return sorted(wanted) if about and not wanted & about else []

    def missed(self, asked: Asked, hits: Sequence[Hit]) -> list[str]:
        """Return the counties of a question where what answers best is about another."""
        best = likeliest(candidates(asked, hits)) if self.named(asked.question) else None
        return self.of_another(asked.question, best.hit, best.start, best.end) if best else []

    def only(self, question: str, hits: Sequence[Hit], *, certainly: bool) -> list[Hit]:
        """Return what the hits say of the counties of a question, and of none.

        Args:
            question: What is asked; the hits stay whole where it names no county.
            hits: What was found for it.
            certainly: Leave out what is about no county, too. Where nothing is left, the hits
                stay whole.
        """
        wanted = self.named(question)
        if not wanted:
            return list(hits)
        return [part for hit in hits for part in self._parts(hit, wanted, certainly)] or list(hits)

    def _parts(self, hit: Hit, wanted: Set[str], certainly: bool) -> Iterator[Hit]:
        spans = sentences(hit.passage.text)
        fitting = [(span, self._fits(self.about(hit, *span), wanted, certainly)) for span in spans]
        for fits, run in groupby(fitting, itemgetter(1)):
            if fits:
                stretch = [span for span, _ in run]
                yield hit.cut(stretch[0][0], stretch[-1][1])

    @staticmethod
    def _fits(about: Set[str], wanted: Set[str], certainly: bool) -> bool:
        return bool(about & wanted) if about or certainly else True
