"""Answers lifted from the passages: sentences chosen and ordered, never altered."""

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.asking import Asked, understand
from assistant.composing import Composed, citation
from assistant.injection import without_orders
from assistant.reader import Told
from assistant.sentences import LONGEST_LIST, Sentence, candidates, said, telling
from assistant.topics import topic_of
from assistant.types import Citation, Delta, Turn
from assistant.whole import (
    LONGEST_WHOLE,
    TABLE_ROW,
    Span,
    header_above,
    lead_above,
    lines_of,
    list_around,
    touched_by,
)
from knowledge.types import Hit, Passage

# Characters of an answer; what asks for a list or a way to do it gets as many as a list.
LONGEST = 170
LONGEST_SECOND = 120
# A neighbouring sentence joins if it is at least this likely to belong to the answer, and one with
# which the answer is no longer short, if it is likelier; a second excerpt is given if its best
# sentence is, and the first one's is less likely than that is sure.
JOINS_FROM, JOINS_LONG_FROM = 0.03, 0.08
SHORT = 100  # characters
SECOND_FROM = 0.12
SURE_FROM = 0.65
LINE_ENDS = 2  # between paragraphs
_ITEM = re.compile(
    r"\s*(?:[-*•●·]\s*|\d{1,2}[.、．)）](?!\d)|[（(][一二三四五六七八九十\d]+[)）]|[一二三四五六七八九十]+、)"
)
_PAIRS = (("“", "”"), ("《", "》"), ("「", "」"), ("（", "）"))
MORE = "（以上不是全部，其余请看原文。）"
_POINTS_BACK = re.compile(r"[该此其这](?!次|外|中|他|间)|上述|以上|前款|前项|对此|为此")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Neighbouring sentences of one passage, to be quoted as they stand."""

    hit: Hit
    start: int
    end: int
    likelihood: float

    @property
    def text(self) -> str:
        """The words as they stand in the passage."""
        return self.hit.passage.text[self.start : self.end]

    def holds(self, sentence: Sentence) -> bool:
        """Tell whether a sentence of the same passage is part of this."""
        return self.start <= sentence.start and sentence.end <= self.end

    def joined(self, other: "Excerpt") -> "Excerpt | None":
        """Return both as one where they overlap or touch; None where they lie apart."""
        apart = max(self.start, other.start) - min(self.end, other.end)
        if self.hit != other.hit or apart > LINE_ENDS:
            return None
        start, end = min(self.start, other.start), max(self.end, other.end)
        return replace(self, start=start, end=end)


class ExtractiveComposer:
    """Quotes the sentences that answer, each with its citation."""

    def __init__(
        self,
        weigh: Callable[[str], Mapping[str, float]],
        read: Callable[[str, Sequence[Told]], Sequence[float]] | None = None,
        text_of: Callable[[str], str] | None = None,
    ) -> None:
        """Compose.

        Args:
            weigh: As in ``understand``.
            read: As in ``understand``.
            text_of: Gives a document's text by its id; without it what goes over the end of a
                passage is cut there.
        """
        self._weigh = weigh
        self._read = read
        self._text_of = text_of

    def compose(
        self, question: str, hits: Sequence[Hit], history: Sequence[Turn]
    ) -> Generator[Delta, None, Composed]:
        """Yield the quotes, each followed by its mark."""
        del history  # the question stands alone by now
        asked = understand(question, self._weigh, self._read)
        pieces, citations = list[str](), list[Citation]()
        for excerpt in excerpts(asked, hits):
            text = self._text_of(excerpt.hit.document.id) if self._text_of else ""
            quotes, more = in_whole(asked, excerpt, text)
            if any(_is_quoted(quotes[-1], one) for one in citations):
                continue
            piece, cited = quoted(quotes, len(citations))
            citations += cited
            piece += more
            yield Delta(f"\n{piece}" if pieces else piece)
            pieces.append(piece)
        return Composed("\n".join(pieces), tuple(citations), "extractive")


def quoted(quotes: Sequence[Excerpt], count: int = 0) -> tuple[str, list[Citation]]:
    """Return quotes one below the other with their marks, numbered on from ``count``."""
    citations = [
        citation(n, quote.hit, quote.text, quote.hit.passage.start + quote.start)
        for n, quote in enumerate(quotes, count + 1)
    ]
    text = "\n".join(quote.text for quote in quotes)
    # A mark behind a table's last row would be a cell too many, or no row at all.
    apart = "\n\n" if TABLE_ROW.match(text.splitlines()[-1]) else ""
    marks = "".join(f"[{one.n}]" for one in citations)
    return f"{text}{apart}{marks}", citations


def in_whole(asked: Asked, excerpt: Excerpt, text: str) -> tuple[list[Excerpt], str]:
    """Return an excerpt with what it says little without, and what to say if that is too long.

    Rows of a table come below its header, the items of a list that is asked for all together,
    though they stand in several passages, and a list below what leads it in.

    Args:
        asked: The question.
        excerpt: What is to be quoted.
        text: Its whole document; empty, or of another version: the excerpt stays as it is.
    """
    start, end = _place(excerpt)
    if text[start:end] != excerpt.text:  # a new version has come in between
        return [excerpt], ""
    quotes, more = _below_header(asked, excerpt, text)
    lead = lead_above(text, _place(quotes[0])[0])
    return [_quoting(excerpt, text, lead), *quotes] if lead else quotes, more


def _below_header(asked: Asked, excerpt: Excerpt, text: str) -> tuple[list[Excerpt], str]:
    start, end = _place(excerpt)
    if header := header_above(text, start, end):
        return _unless_ordered([_quoting(excerpt, text, header), excerpt], excerpt), ""
    whole = list_around(text, start, end) if asked.kinds & {"list", "manner"} else None
    if not whole or whole == (start, end):
        return [excerpt], ""
    if whole[1] - whole[0] > LONGEST_WHOLE:
        return [excerpt], MORE
    return _unless_ordered([_quoting(excerpt, text, whole)], excerpt), ""


def _unless_ordered(quotes: list[Excerpt], excerpt: Excerpt) -> list[Excerpt]:
    """Return the quotes; the excerpt alone where they take in orders that it was cut free of."""
    hits = [quote.hit for quote in quotes]
    return quotes if without_orders(hits) == hits else [excerpt]


def _is_quoted(excerpt: Excerpt, citation: Citation) -> bool:
    """Tell whether some of these words stand in what is quoted already."""
    start, end = _place(excerpt)
    of_it = citation.document_id == excerpt.hit.document.id
    return of_it and citation.start < end and start < citation.end


def _place(excerpt: Excerpt) -> Span:
    """Return where an excerpt stands in its document."""
    return excerpt.hit.passage.start + excerpt.start, excerpt.hit.passage.start + excerpt.end


def _quoting(excerpt: Excerpt, text: str, span: Span) -> Excerpt:
    """Return an excerpt of the same document that quotes a span of its text."""
    passage = Passage(text[slice(*span)], *span, excerpt.hit.passage.section)
    return replace(
        excerpt, hit=replace(excerpt.hit, passage=passage), start=0, end=span[1] - span[0]
    )


def excerpts(asked: Asked, hits: Sequence[Hit]) -> list[Excerpt]:
    """Return the sentences likeliest to hold the answer, with the neighbours that belong to them.

    A second excerpt comes only where the first may not be it, and where it is likely to hold (part
    of) the answer, too.

    Raises:
        ValueError: There is no hit.
    """
    passages = candidates(asked, hits)
    if not any(passages):
        raise ValueError("no hit to lift an answer from")
    longest = LONGEST_LIST if asked.kinds & {"list", "manner"} else LONGEST
    among = telling(asked, passages)
    first = _best(passages, among, longest, JOINS_FROM)
    if first.likelihood >= SURE_FROM:
        return [first]
    # What was quoted already, here or word for word elsewhere, is not quoted again.
    rest = [
        [s for s in passage if not first.holds(s)]
        if passage[0].hit == first.hit
        else [s for s in passage if s.text not in first.text]
        for passage in among
        if passage
    ]
    rest = [
        passage
        for passage in rest
        if not all(one.is_furniture for one in passage) and _is_of(asked, passage[0].hit, first.hit)
    ]
    if not rest:
        return [first]
    second = _best(rest, rest, LONGEST_SECOND, SECOND_FROM / 2)
    if second.likelihood < SECOND_FROM:
        return [first]
    joined = first.joined(second)
    return [joined] if joined else [first, second]


def _is_of(asked: Asked, other: Hit, quoted: Hit) -> bool:
    """Tell whether a hit is of the topic, where what is quoted first is titled with it.

    What only mentions an identity card tells what another certificate takes.
    """
    name = topic_of(asked.question).name
    return len(name) < 2 or name not in quoted.document.title or name in other.document.title


def _best(
    passages: Sequence[list[Sentence]],
    among: Sequence[Sequence[Sentence]],
    longest: int,
    joins_from: float,
) -> Excerpt:
    """Return the likeliest sentence of some, with its neighbours of all."""
    best = max(said(among), key=lambda sentence: sentence.log_odds)
    of_passage = next(passage for passage in passages if best in passage)
    at = of_passage.index(best)
    first, last = _with_neighbours(of_passage, at, longest, joins_from)
    first, last = _complete(of_passage, first, last)
    hit = best.hit
    start, end = of_passage[first].start, of_passage[last].end
    # Rather without what stands around a list than without a part of it.
    of_list = [(start, end), (best.start, best.end)]
    whole = (_whole_list(hit.passage.text, *one) for one in of_list)
    start, end = next(filter(None, whole), (start, end))
    start, end = _whole_table(hit.passage.text, start, end)
    return Excerpt(hit, start, end, best.likelihood)


def _with_neighbours(
    of_passage: Sequence[Sentence], at: int, longest: int, joins_from: float
) -> tuple[int, int]:
    first = last = at
    while True:
        ways = []
        if last + 1 < len(of_passage):
            ways.append((of_passage[last + 1].likelihood, first, last + 1))
        if first > 0:
            ways.append((of_passage[first - 1].likelihood, first - 1, last))
        fitting = [
            way
            for way in ways
            if (length := of_passage[way[2]].end - of_passage[way[1]].start) <= longest
            and way[0] >= (joins_from if length <= SHORT else max(joins_from, JOINS_LONG_FROM))
        ]
        if not fitting:
            return first, last
        _, first, last = max(fitting)


def _complete(of_passage: Sequence[Sentence], first: int, last: int) -> tuple[int, int]:
    """Take in what the chosen sentences can't be understood without.

    That is what a sentence points back to, and the items of a list behind its lead-in. Headings
    and lines that name the source are left out at both ends.
    """
    while first < last and of_passage[first].is_furniture:
        first += 1
    while last > first and of_passage[last].is_furniture:
        last -= 1
    points_back = first > 0 and _POINTS_BACK.match(of_passage[first].text)
    if points_back and not of_passage[first - 1].is_furniture:
        first -= 1
    if of_passage[last].text.rstrip()[-1:] in "：:":
        while last + 1 < len(of_passage) and not of_passage[last + 1].is_furniture:
            if of_passage[last + 1].end - of_passage[first].start > LONGEST_LIST:
                break
            last += 1
    return _closed(of_passage, first, last)


def _closed(of_passage: Sequence[Sentence], first: int, last: int) -> tuple[int, int]:
    """Take in the rest of a quotation or a bracket, or of what a colon leads in in a sentence.

    Where that is too long, or does not end, the sentences stay as they are.
    """
    text = of_passage[first].hit.passage.text
    begin, end = first, last
    while begin >= 0 and end < len(of_passage):
        words = text[of_passage[begin].start : of_passage[end].end]
        if len(words) > LONGEST_LIST or any(of_passage[n].is_furniture for n in (begin, end)):
            break
        if _began_before(words):
            begin -= 1
        elif _goes_on(words):
            end += 1
        else:
            return begin, end
    return first, last


def _began_before(words: str) -> bool:
    """Tell whether words begin within a quotation or a bracket."""
    return any(words.count(opened) < words.count(closed) for opened, closed in _PAIRS)


def _goes_on(words: str) -> bool:
    """Tell whether words end within a quotation, a bracket, or what a colon leads in."""
    if any(words.count(opened) > words.count(closed) for opened, closed in _PAIRS):
        return True
    led_to = re.split("[。！？\n]", words)[-1]
    return words.endswith("；") and "：" in led_to


def _whole_list(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Take in the other items of a list that the words are part of, and its lead-in.

    None: they are part of no list, or of one that is too long with them.
    """
    lines, around = _lines_around(text, start, end, _ITEM)
    if not around:
        return None
    first, last = around
    if first and _ITEM.match(text, *lines[first]):
        first -= text[: lines[first - 1][1]].rstrip()[-1:] in "：:"
    return _if_short(min(start, lines[first][0]), max(end, lines[last][1]))


def _whole_table(text: str, start: int, end: int) -> tuple[int, int]:
    """Take in the header and the other rows of a table that the words are part of.

    A row says little without its header, and which row is asked for may take some reckoning.
    """
    lines, around = _lines_around(text, start, end, TABLE_ROW)
    if not around:
        return start, end
    first, last = around
    return _if_short(min(start, lines[first][0]), max(end, lines[last][1])) or (start, end)


def _if_short(start: int, end: int) -> tuple[int, int] | None:
    return (start, end) if end - start <= LONGEST_LIST else None


def _lines_around(
    text: str, start: int, end: int, kind: re.Pattern[str]
) -> tuple[list[tuple[int, int]], tuple[int, int] | None]:
    """Return the lines of a text, and which of them the words and those of a kind around take.

    None: none of the words stand in a line of that kind.
    """
    lines = lines_of(text)
    touched = touched_by(lines, start, end)
    of_kind = {n for n, line in enumerate(lines) if kind.match(text, *line)}
    if not of_kind.intersection(touched):
        return lines, None
    first, last = touched[0], touched[-1]
    while first - 1 in of_kind:
        first -= 1
    while last + 1 in of_kind:
        last += 1
    return lines, (first, last)
