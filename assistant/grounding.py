"""Each sentence of an answer checked against the passages that it cites.

What must be right to the letter has to stand in the quote (``claims``); of the other words most
have to, in no other relation: no negation more or less, no number beside the wrong thing.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import ge
from typing import NamedTuple

from assistant.claims import fold, numbers, states_all, unit, without_bound, without_list_mark
from knowledge.lexical import terms
from knowledge.splitting import sentences
from knowledge.types import Hit

# Shares of a sentence's content characters that stand in its source: enough; enough if the
# embedding finds both alike; and the least of its terms that the quoted words alone must hold.
COVERED = 0.75
COVERED_ALIKE = 0.6
ALIKE = 0.8
QUOTED_TERMS = 0.5
LONGEST_GAP = 4  # content characters in a row that stand nowhere in the source
_NEAR = 0.1  # a shorter quote may hold this much less than the whole passage
_SAYS_THE_SAME = 0.6  # from this coverage on, two clauses are about the same
_IN_THE_SAME_WORDS = 0.9
_SWAPPED = 0.15  # a number's neighbour fits this much better: it was taken from there

# Words that join or address and say nothing.
_FILLER = re.compile(
    r"您好|您|请问|可以|可|需要|需|应当|应该|应|如果|如需|如|若|以及|或者|并且|而且|根据|按照|依据|因此|所以"
    r"|同时|此外|另外|其中|主要|具体|包括|有关|相关|进行|通过|以下|如下|上述|资料|规定|情况|方面|内容|首先|其次"
    r"|最后|然后|例如|比如|分别|属于|目前|已经|已|等|即|也|就|都|会|将|能|请|个|和|与|或|及|由|在|为|是|的|了|对|从"
    r"|到|被|把|于|以|其|该|这些|这|那|一些|之|并|后|时|中|有|共|要|则|且|而"
)
_HAN = re.compile(r"[\u3400-\u9fff]+")
_CLAUSE = re.compile(r"[,;。:!?\n]+")
_PART = re.compile(r"[,;。:!?、(\n]")
_STOP = re.compile(r"[;。!?\n]")
_CONDITIONS = {"周岁", "岁", "级", "人", "户", "条", "款", "项", "date", ""}
_NO_NEGATION = re.compile(
    r"不(?:超|高于|多于|低于|少于|短于|足|满|同|动产|管|论|仅|断|限|定期|良|孕)|未(?:满|来|成年)|无(?:论|障碍|锡|线)"
    r"|是否|能否|可否|否则|非(?:常|公|遗|税|营利)|免(?:疫|得|费)|禁毒"
)
_NEGATION = re.compile("[不未没无非勿免禁否]|除外|以外|严防|拒绝")


@dataclass(frozen=True)
class Quote:
    """Neighbouring sentences of a passage; offsets within the passage."""

    hit: Hit
    start: int
    end: int

    @property
    def text(self) -> str:
        """The words as they stand in the passage."""
        return self.hit.passage.text[self.start : self.end]

    @cached_property
    def folded(self) -> str:
        """The words as they are compared, one sentence a line."""
        text = self.text
        said = (fold(text[start:end]) for start, end in sentences(text))
        return "\n".join(map(without_list_mark, said))

    @cached_property
    def above(self) -> str:
        """What the words stand under: title, headings and the policy facts, folded."""
        document = self.hit.document
        facts = (document.metadata.get(name, "") for name in ("document_number", "issuer"))
        return fold("\n".join((document.title, *self.hit.passage.section, *facts)))


class _Segment(NamedTuple):
    """A number, what leads to it, and all the words that it belongs to."""

    number: str
    lead: str
    words: str


Alike = Callable[[str, str], float]


class Grounding:
    """Finds what the passages say for a sentence, or that they don't."""

    def __init__(
        self, hits: Sequence[Hit], alike: Alike = lambda _a, _b: 0.0, question: str = ""
    ) -> None:
        """Check against these passages.

        Args:
            hits: Numbered from 1, as the sentences cite them.
            question: Its words in a sentence are no words of a passage: "厦门有184台" after
                "厦门有多少台" where the passage speaks of 泉州.
            alike: How alike two texts are in meaning, in [-1, 1]; asked only where the words
                leave it open.
        """
        self._hits = hits
        self._alike = alike
        self._question = fold(question)

    def support(self, sentence: str, cited: Sequence[int]) -> list[Quote]:
        """Return the shortest quotes that support a sentence; none if it is not supported.

        Args:
            sentence: Without its marks.
            cited: The passages that it cites; none: whichever supports it.
        """
        said = without_list_mark(fold(sentence))
        numbered = [self._hits[n - 1] for n in cited if 1 <= n <= len(self._hits)]
        if not re.search(r"\w", _content(said)) or (cited and not numbered):
            return []
        quotes = [quote for hit in numbered or self._hits if (quote := self._best(said, hit))]
        alone = [quote for quote in quotes if self._supported(said, [quote])]
        if not numbered:
            return alone[:1]
        return alone or (quotes if self._supported(said, quotes) else [])

    def _best(self, said: str, hit: Hit) -> Quote | None:
        """Return the shortest run of a passage's sentences that holds what the passage does."""
        spans = sentences(hit.passage.text)
        if not spans:
            return None
        whole = Quote(hit, spans[0][0], spans[-1][1])
        most, all_stated = _coverage(said, [whole])[0], _stated(said, [whole])
        runs = (
            Quote(hit, spans[first][0], spans[last][1])
            for first in range(len(spans))
            for last in range(first, len(spans))
        )
        for run in sorted(runs, key=lambda run: run.end - run.start):
            enough = _coverage(said, [run])[0] >= most - _NEAR and _quoted(said, [run])
            if enough and (not all_stated or _stated(said, [run])):
                return run
        return whole

    def _supported(self, said: str, quotes: Sequence[Quote]) -> bool:
        if not quotes or not (_stated(said, quotes) and _quoted(said, quotes)):
            return False
        covered, gaps = _coverage(said, quotes)
        if covered < COVERED_ALIKE or any(map(self._is_unfounded, gaps)):
            return False
        source = "\n".join(quote.folded for quote in quotes)
        if not (_same_polarity(said, source) and _same_neighbours(said, source)):
            return False
        return covered >= COVERED or self._alike(said, source) >= ALIKE

    def _is_unfounded(self, gap: str) -> bool:
        """Tell whether a gap is too much, or what was asked about and nobody speaks of."""
        return len(gap) > LONGEST_GAP or (len(gap) > 1 and gap in self._question)


def _stated(said: str, quotes: Sequence[Quote]) -> bool:
    source = "\n".join(quote.folded for quote in quotes)
    return states_all(said, source, "\n".join(quote.above for quote in quotes))


def _quoted(said: str, quotes: Sequence[Quote]) -> bool:
    wanted = set(terms(said))
    held = set(terms("\n".join(quote.folded for quote in quotes)))
    return len(wanted & held) >= QUOTED_TERMS * len(wanted)


def _content(said: str) -> str:
    return _FILLER.sub(" ", said)


def _coverage(said: str, quotes: Sequence[Quote]) -> tuple[float, list[str]]:
    """Return the share of content characters that stand in the quotes or above them, and the gaps.

    A character stands there if it does together with a neighbour. What is not Chinese is left to
    the letter. The gaps are the runs of characters that don't.
    """
    return _covered(
        said, "\n".join(text for quote in quotes for text in (quote.folded, quote.above))
    )


def _covered(said: str, source: str) -> tuple[float, list[str]]:
    pairs = {a + b for a, b in pairwise(source)}
    total, gaps = 0, []
    for run in _HAN.findall(_content(said)):
        stands = _standing(run, pairs, source)
        total += len(run)
        marked = "".join(" " if there else c for c, there in zip(run, stands, strict=True))
        gaps += marked.split()
    return 1 - len("".join(gaps)) / total if total else 1.0, gaps


def _standing(run: str, pairs: set[str], source: str) -> Iterator[bool]:
    if len(run) == 1:
        yield run in source
        return
    found = [a + b in pairs for a, b in pairwise(run)]
    for left, right in pairwise([False, *found, False]):
        yield left or right


def _same_polarity(said: str, source: str) -> bool:
    """Tell whether what a sentence denies is denied in its source, and nothing else."""
    clauses = [clause for clause in _CLAUSE.split(source) if _HAN.search(clause)]
    return all(
        _denied_alike(clause, clauses)
        for clause in _CLAUSE.split(said)
        if _HAN.search(_content(clause))
    )


def _denied_alike(clause: str, clauses: Sequence[str]) -> bool:
    """Compare with the clauses that say the same; with none, only a denial needs one like it."""
    fits = [(_covered(clause, one)[0], _denials(one)) for one in clauses]
    best = max(fits, default=(0.0, 0))[0]
    denials = _denials(clause)
    if best < _SAYS_THE_SAME:
        return not denials or any(there for _, there in fits)
    most = 9 if best >= _IN_THE_SAME_WORDS else 1  # other words may deny once what these do twice
    return any(
        min(there, most) == min(denials, most) for fit, there in fits if fit >= best - _NEAR / 2
    )


def _denials(clause: str) -> int:
    return len(_NEGATION.findall(_NO_NEGATION.sub("", clause)))


def _same_neighbours(said: str, source: str) -> bool:
    """Tell whether each number stands beside what it stands beside in the source."""
    there = list(_segments(source))
    for one in _segments(said):
        own = [other for other in there if other.number == one.number]
        rivals = [
            other
            for other in there
            if other.number != one.number and unit(other.number) == unit(one.number)
        ]
        if own and all(any(_is_swapped(one, its, rival) for rival in rivals) for its in own):
            return False
    return True


def _is_swapped(one: _Segment, own: _Segment, rival: _Segment) -> bool:
    """Tell whether a number was put for another of its unit: that one's words fit better.

    They do where they hold all that the number's own words do, and more: a single character may
    tell two rows apart (一级, 二级). What leads to a number decides before what follows, which may
    hold for all (男性年满60周岁，女性年满55周岁可以领取).
    """
    its, others = _held(one.lead, own.lead, one.number), _held(one.lead, rival.lead, one.number)
    if _is_more(others, its) or _is_more(its, others):
        return _is_more(others, its)
    its, others = _held(one.words, own.words, one.number), _held(one.words, rival.words, one.number)
    return _is_more(others, its) or sum(others) > sum(its) + _SWAPPED * len(its)


def _held(words: str, others: str, of: str) -> list[bool]:
    """Tell of each number and character beside a number whether other words hold it, too."""
    found = [found[0] for found in numbers(words) if without_bound(found[0]) != of]
    pairs = {a + b for a, b in pairwise(others)}
    runs = _HAN.findall(_content(words))
    return [number in others for number in found] + [
        stands for run in runs for stands in _standing(run, pairs, others)
    ]


def _is_more(these: Sequence[bool], those: Sequence[bool]) -> bool:
    return these != those and all(map(ge, these, those))


def _segments(text: str) -> Iterator[_Segment]:
    """Yield each number with the words that it belongs to.

    They are those of its clause, and what leads to it since the number of its unit before it; but
    a number that says whom or what the next one is for belongs to its own clause alone.
    """
    ends: dict[str, int] = {}
    for found in numbers(text):
        number = without_bound(found[0])
        start, end = _around(_PART, text, found)
        if unit(number) not in _CONDITIONS:
            start = min(start, max(ends.get(unit(number), 0), _around(_STOP, text, found)[0]))
        yield _Segment(number, text[start : found.start()], text[start:end])
        ends[unit(number)] = end


def _around(end: re.Pattern[str], text: str, found: re.Match[str]) -> tuple[int, int]:
    """Return the span around a match in which nothing ends."""
    before = [part.end() for part in end.finditer(text, 0, found.start())]
    after = end.search(text, found.end())
    return before[-1] if before else 0, after.start() if after else len(text)
