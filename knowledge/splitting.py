"""Document → passages, along headings, articles, lists and tables. Pure.

Every character that is not white space falls into exactly one passage, and
``document.text[start:end] == passage.text`` always holds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.types import Document, Passage

# In characters. The default model reads 512 tokens, about one per Chinese character; the title
# and the section path are embedded with the passage. Measured: docs/benchmarks.md.
TARGET = 250
LONGEST = 400
HEADING_LONGEST = 40

_NUMERAL = "一二三四五六七八九十百千零〇○"
_ANNEX_LEVEL = 1  # that of a document's title: nothing of the main text stands above an annex
_LEVELS = {"编": 7, "章": 8, "节": 9, "条": 10}
_MARKDOWN = re.compile(r"(#{1,6})\s+(.+)")
_CHAPTER = re.compile(rf"第[{_NUMERAL}\d]+([编章节])(?=[\s：:]|$).*")
_ARTICLE = re.compile(rf"(第[{_NUMERAL}\d]+条(?:之[{_NUMERAL}]+)?)(?=[\s：:【（]|$)")
_ENUMERATED = re.compile(rf"([{_NUMERAL}]+)、|[（(]([{_NUMERAL}]+)[）)]")
# An annex begins: 附件, 附件2, 附件2：收费标准; 附件：1.收费标准 only says that there is one.
_ANNEX = re.compile(rf"附\s*[件录](?:\s*(?:\d{{1,2}}|[{_NUMERAL}]{{1,3}}))?\s*[：:.．]?")
_ANNEX_NAMED = re.compile(rf"附\s*件\s*(?:\d{{1,2}}|[{_NUMERAL}]{{1,3}})\s*[：:.．、\s][^。；]+")
_ANNEX_TITLE = re.compile(
    rf"(?!\||#|第[{_NUMERAL}\d]+[编章节条]|[（(]?[{_NUMERAL}\d]+[）)、.．])"
    rf"[^。；：:，]{{2,{HEADING_LONGEST}}}"
)
_FILE_NAME = re.compile(r"\.[a-z]{3,4}$", re.IGNORECASE)
_LIST_GOES_ON = re.compile("附|[2二][.．、]")
_TABLE_ROW = re.compile(r"\|.*\|$")
_TABLE_RULE = re.compile(r"\|[\s:|-]+\|$")
# Where structure starts inside a long line, as web pages and OCR often leave it.
_INLINE = re.compile(
    rf"(?<=[\s。；;：:！？])(?=(?:[{_NUMERAL}]+、|[（(][{_NUMERAL}]+[）)]"
    rf"|第[{_NUMERAL}]+[章条]\s|\d{{1,2}}[.．、](?!\d)))"
)
# A space between two Chinese characters is where web pages and OCR lost a line break.
# A half-width mark between letters belongs to an address: /search?id=3.
MARK_IN_ADDRESS = r"(?<=[A-Za-z0-9/_=&%.#-])[!?](?=[A-Za-z0-9_=&%/])"
SENTENCE_END = re.compile(
    rf"(?:(?!{MARK_IN_ADDRESS})[。！？!?；;…])+[”’」』）)]*|\n+"
    r"|(?<=[\u4e00-\u9fff”）》])[ \u3000]+(?=[\u4e00-\u9fff“（《])"
)
_CLAUSE_END = re.compile(r"[，,、：:\s]+")


@dataclass(frozen=True, slots=True)
class _Block:
    """A stretch of text that is not torn apart unless it is too long."""

    start: int
    end: int
    level: int = 0  # of the heading that it starts with; 0: none
    heading: str = ""
    bare: bool = False  # the heading is all there is
    header: str = ""  # of the table whose row this is

    @property
    def length(self) -> int:
        return self.end - self.start


def split(document: Document) -> list[Passage]:
    """Cut a document into passages of at most ``LONGEST`` characters."""
    packer = _Packer(document.text, document.title)
    for block in _blocks(document.text):
        packer.add(block)
    return packer.passages()


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the spans of the text's sentences, without the white space around them.

    A row of a table is one: half of a row says what stands in another column.
    """
    spans, start = [], 0
    marks = (mark for mark in SENTENCE_END.finditer(text) if not _is_in_row(text, mark))
    for end in [*(mark.end() for mark in marks), len(text)]:
        span = _stripped(text, start, end)
        if span[0] < span[1]:
            spans.append(span)
        start = end
    return spans


def _is_in_row(text: str, mark: re.Match[str]) -> bool:
    if "\n" in mark[0] or "|" not in text:
        return False
    start, end = text.rfind("\n", 0, mark.start()) + 1, text.find("\n", mark.end())
    return bool(_TABLE_ROW.match(text[start : end if end >= 0 else None].strip()))


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _blocks(text: str) -> Iterator[_Block]:
    header = ""
    for line in re.finditer(r"[^\n]+", text):
        start, end = _stripped(text, *line.span())
        if start == end:
            continue
        words = text[start:end]
        if not _TABLE_ROW.match(words):
            header = ""
        elif not header:
            header = words
        if header:
            yield from _cut_long(text, _Block(start, end, header="" if words == header else header))
        else:
            for piece in _inline_pieces(text, start, end):
                yield from _cut_long(text, _headed(text, *piece))


def _inline_pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if end - start > TARGET:
        for mark in _INLINE.finditer(text, start, end):
            if start < mark.start():  # else the line itself begins so
                yield _stripped(text, start, mark.start())
            start = mark.start()
    yield _stripped(text, start, end)


def _headed(text: str, start: int, end: int) -> _Block:
    line = text[start:end]
    if match := _MARKDOWN.match(line):
        return _Block(start, end, len(match[1]), match[2].strip(" #"), bare=True)
    if annex := _annex(text, line, end):
        return _Block(start, end, _ANNEX_LEVEL, annex, bare=True)
    if match := _CHAPTER.match(line):
        bare = len(line) <= HEADING_LONGEST and not line.endswith("。")
        return _Block(start, end, _LEVELS[match[1]], line, bare) if bare else _Block(start, end)
    if match := _ARTICLE.match(line):
        return _Block(start, end, _LEVELS["条"], match[1], bare=match.end() == len(line))
    if match := _ENUMERATED.match(line):
        first = SENTENCE_END.split(line, maxsplit=1)[0].strip()
        if len(first) <= HEADING_LONGEST:
            level = 11 if match[1] else 12
            return _Block(start, end, level, first, bare=first == line and line[-1] not in "：:")
    return _Block(start, end)


def _annex(text: str, line: str, end: int) -> str:
    """The annex that begins with a line, with its title below; empty if none does.

    None does where annexes are only listed, or nothing follows.
    """
    below, _, _ = text[end : end + 2 * HEADING_LONGEST].strip().partition("\n")
    if not below or len(line) > HEADING_LONGEST:
        return ""
    if _ANNEX.fullmatch(line) and not _FILE_NAME.search(below):
        return f"{line.rstrip('：:.．')} {below}" if _ANNEX_TITLE.fullmatch(below) else line
    is_listed = _FILE_NAME.search(line) or _LIST_GOES_ON.match(below)
    return line if _ANNEX_NAMED.fullmatch(line) and not is_listed else ""


def _cut_long(text: str, block: _Block) -> Iterator[_Block]:
    """Cut what is too long behind sentences, else behind clauses, else anywhere."""
    if block.length <= LONGEST:
        yield block
        return
    start = block.start
    while start < block.end:
        end = _cut(text, start, block.end)
        piece = _stripped(text, start, end)
        if piece[0] < piece[1]:
            first = start == block.start
            yield _Block(
                *piece,
                block.level if first else 0,
                block.heading if first else "",
                False,
                block.header,
            )
        start = end


def _cut(text: str, start: int, end: int) -> int:
    if end - start <= LONGEST:
        return end
    for pattern in (SENTENCE_END, _CLAUSE_END):
        marks = [mark.end() for mark in pattern.finditer(text, start, start + LONGEST)]
        if marks and marks[-1] - start >= LONGEST // 4:
            return marks[-1]
    return start + LONGEST


class _Packer:
    """Gathers blocks into passages and keeps the path of headings above them."""

    def __init__(self, text: str, title: str) -> None:
        self._text = text
        self._title = title
        self._path: list[tuple[int, str]] = []
        self._gathered: list[_Block] = []
        self._section: tuple[str, ...] = ()
        self._done: list[Passage] = []

    def add(self, block: _Block) -> None:
        if self._starts_anew(block):
            self._close()
        if block.level:
            self._path = [step for step in self._path if step[0] < block.level]
            self._path.append((block.level, block.heading))
        if not self._gathered or self._only_headings():
            header = (block.header,) if block.header else ()
            self._section = tuple(name for _, name in self._path if name != self._title) + header
        self._gathered.append(block)

    def passages(self) -> list[Passage]:
        self._close()
        return self._done

    def _only_headings(self) -> bool:
        return all(block.bare for block in self._gathered)

    def _starts_anew(self, block: _Block) -> bool:
        if not self._gathered:
            return False
        length = block.end - self._gathered[0].start
        if length > LONGEST:
            return True
        if self._only_headings():
            # A heading stays with what follows it; a second one of its rank does not.
            return bool(block.level) and block.level <= self._gathered[-1].level
        if block.level:
            return block.level < 12 or length > TARGET
        return length > TARGET and not self._continues_list(block)

    def _continues_list(self, block: _Block) -> bool:
        return self._text[self._gathered[-1].end - 1] in "：:" or bool(block.header)

    def _close(self) -> None:
        if self._gathered:
            start, end = self._gathered[0].start, self._gathered[-1].end
            self._done.append(Passage(self._text[start:end], start, end, self._section))
            self._gathered = []
