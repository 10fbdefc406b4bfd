"""Which county a sentence is about: another county's amounts and rules do harm.

A newspaper's page tells of one county after the other: a sentence is about those that it names, or
about the one named last before it.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence, Set
from functools import cache
from itertools import groupby
from operator import itemgetter

import numpy as np

from assistant import ngrams
from assistant.asking import Asked
from assistant.confusions import statistics
from assistant.sentences import candidates, likeliest
from knowledge.places import origins, places_found
from knowledge.splitting import sentences
from knowledge.types import Hit

Read = Callable[[str], str]

# So many times oftener either word must be: 普惠 and 安居 are, 对南 and 安的 are not.
OFTENER = 1.5


def cities_named(text: str) -> set[str]:
    """Return the provinces and cities that a text names, none that begins within a word."""
    return {found[0] for found in places_found(text) if _stands_alone(text, *found.span())}


def cities_asked_about(question: str) -> set[str]:
    """Return the provinces and cities whose rules a question asks for: 德阳 of 从武汉回德阳."""
    comes_from = origins(question)
    return {
        found[0]
        for found in places_found(question)
        if found.start() not in comes_from and _stands_alone(question, *found.span())
    }


def without_places(text: str, names: Set[str]) -> str:
    """Return a text without these places, where it names them: 泉州市的居住证, 居住证."""

    def left(found: re.Match[str]) -> str:
        return "" if _stands_alone(text, *found.span(1)) else found[0]

    listed = "|".join(sorted(names, key=len, reverse=True)) or "(?!)"
    return re.sub(rf"({listed})(?:市区?(?!民)|[县区])?的?", left, text)


class Counties:
    """The counties of the city whose documents these are, known by their bare names."""

    def __init__(self, names: Set[str], read: Read) -> None:
        """Know them by name; ``read`` returns the whole text of a document by its id."""
        self._names = re.compile(f"(?=({'|'.join(sorted(names)) or '(?!)'}))")
        self._read = read
        self._places = cache(self._places_of)

    def named(self, text: str) -> set[str]:
        """Return those that a text names."""
        return {found[1] for found in self._found(text)}

    def _found(self, text: str) -> Iterator[re.Match[str]]:
        for found in self._names.finditer(text):
            if _stands_alone(text, *found.span(1)):
                yield found

    def places_of(self, hit: Hit) -> set[str]:
        """Return all places that a hit's document names: provinces, cities and these counties."""
        text = f"{hit.document.title}\n{self._read(hit.document.id)}"
        return cities_named(text) | self.named(text)

    def about(self, hit: Hit, start: int, end: int) -> set[str]:
        """Return those that a stretch of a passage is about; none where none is named."""
        return self.named(hit.passage.text[start:end]) or self._last_before(hit, start)

    def _last_before(self, hit: Hit, start: int) -> set[str]:
        ends, names = self._places(hit.document.id, hit.document.title)
        at = bisect_right(ends, len(hit.document.title) + 1 + hit.passage.start + start)
        return {names[at - 1]} if at else set()

    def _places_of(self, document_id: str, title: str) -> tuple[list[int], list[str]]:
        """Return where each name ends in a document that follows its title, and the names."""
        found = list(self._found(f"{title}\n{self._read(document_id)}"))
        return [one.end(1) for one in found], [one[1] for one in found]

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


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    return not _is_of_two_words(before, text[start:end], after)


@cache
def _is_of_two_words(before: str, name: str, after: str) -> bool:
    """Tell whether a name is but the end of a word and the beginning of the next: 优[惠安]置.

    It is where official Chinese has either word oftener than the name.
    """
    table, _ = statistics()
    pairs = [before + name[:1], name[:2], name[-1:] + after]
    if not all(len(pair) == 2 and all(map(ngrams.code, pair)) for pair in pairs):
        return False
    wanted = ngrams.joined(np.array([ngrams.numbers_of(pair) for pair in pairs]))
    first, own, last = table[2].look_up(wanted)
    return bool(min(first, last) > OFTENER * own)
