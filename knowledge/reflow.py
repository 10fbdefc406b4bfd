"""Text whose layout broke it: sentences cut by line ends and columns, newspapers' page furniture.

Pure functions on text. What shows no such damage comes back unchanged.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.facts import parse_date

_PROSE = re.compile("[，。；！？]")
_CLOSERS = "”’』」》】〉\"'"
# Not where it names what is meant: 第五条、第六条规定的, （二）项规定的.
_STRUCTURE = re.compile(
    r"#|\||[-*+•·●○■□◆▲△▪➢✓]|>\s|<"
    r"|第[零〇一二三四五六七八九十百千\d]{1,8}[编章节条款项](?=[\s\u3000：:]|、(?!第)|$)"
    r"|[（(]?[一二三四五六七八九十百]{1,4}[）)、．.](?!项|[、至和或][（(])|[（(]\d{1,3}[）)]|\d{1,3}[、．]|\d{1,3}\.(?!\d)|[①-⑳]"
    r"|附件\s*\d*\s*[:：]?|附\s*[:：]|(?:问|答|注)\s*[:：]"
)
_NUMBER_AT_END = re.compile(r"\d\s*[元%％]?\s*$")
_LABEL_AT_END = re.compile(r"[:：][^，。；！？:：]{0,60}$")
_BRACKETS = {"）": "（", ")": "(", "”": "“", "》": "《", "】": "【", "」": "「", "』": "『"}
_TAIL = 400  # characters at a line's end looked at for open brackets
_LONG = 40  # characters from which a line with a comma is no heading
_COLUMNS = 130  # display columns over which a line was not wrapped to a page's width

_NAME = re.compile(
    r"(?:^|\s)(?P<name>[\u4e00-\u9fff]{1,10}(?<![通简公汇申预战海填上举快警情])报)(?=\s|$|\d|创刊|电子版)"
)
_DATELINE = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日[^\n]{0,12}(?:星期|周)[一二三四五六日天]")
_BULLET = r"^[□■○●◇◆▲★☆\s]*"
_EDITOR = re.compile(
    _BULLET + r"(?:[\u4e00-\u9fff]{0,6})(?:编辑|校对|美编|责编|主编|组版|版式|检校|视觉)\s*[:：/]"
)
_CONTACT = re.compile(
    _BULLET + r"(?:[\u4e00-\u9fff]{0,6})(?:电话|热线|传真|邮箱|E-?mail|邮编|网址|QQ)\s*[:：]", re.I
)
_BYLINE = re.compile(
    _BULLET + r"(?:[\u4e00-\u9fff]{0,8}?(?:记者|通讯员)|文/|图/|作者[:：])[^，。；：！？]{0,50}$"
)
_CAPTION = re.compile(r"[（(][^（）()]{0,30}(?:摄|供图|资料图|图/[^（）()]{1,12})[）)]$|^[▲△▼]")
_PAGE_NUMBER = re.compile(r"^(?:[A-Za-z]\d{1,3}|第?\s*[A-Za-z]?\d{1,3}\s*[版页])$")
_SHORT = 60  # characters up to which a line can be part of a masthead, by-line or credit
_HEAD_LINES, _FOOT_LINES = 20, 5


@dataclass(frozen=True, slots=True)
class NewspaperPage:
    """A newspaper's page without its furniture.

    Attributes:
        text: Headlines as Markdown headings, paragraphs whole.
        title: The main headline; empty if none stands out.
        metadata: ``issuer`` (the newspaper) and ``date`` (ISO 8601), as its masthead gives them.
    """

    text: str
    title: str
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Layout:
    width: int  # display columns that lines were cut at; 0 if they were not
    indents: bool  # whether paragraphs begin with an indent


def rejoin(text: str) -> str:
    """Join lines that a page's width or a column's end broke inside a sentence.

    Two kinds of damage are told from the lines themselves: lines cut at one width, and long
    paragraphs that stop inside a sentence. A text that shows neither comes back unchanged.
    """
    lines = text.split("\n")
    entries = _entries(lines)
    layout = _Layout(_wrap_width(lines), any(map(_indented, lines)))
    if not layout.width and not any(
        _broken_column(a, b) and not a.endswith("；") for a, b in _neighbours(lines)
    ):
        return text
    parts: list[str] = []
    end = last = ""  # the end of the paragraph so far, and its last line as it stood
    gap = paragraphs = before = 0
    for number, line in enumerate(lines):
        if not line.strip():
            gap += 1
            continue
        is_joined = number not in entries and before not in entries
        if parts and is_joined and _continues(end, last, line, layout, first=paragraphs == 1):
            below = line.strip()
            parts += [_between(end, below), below]
            end = (end + below)[-_TAIL:]
        else:
            parts += ["\n\n" if gap else "\n", line] if parts else [line]
            end = line.strip()[-_TAIL:]
            paragraphs += 1
        last, before, gap = line, number, 0
    return "".join(parts)


def joined(lines: list[str]) -> str:
    """The lines of a table's cell as one, with a space before an item of a list."""
    words = ""
    for line in filter(None, map(str.strip, lines)):
        words += (" " if _STRUCTURE.match(line) else _between(words, line)) + line
    return words.strip()


def newspaper_page(text: str) -> NewspaperPage | None:
    """Take a newspaper page apart, if the text is one: a newspaper's name and its date line.

    Mastheads, page numbers, credits, by-lines and captions are left out.

    Returns:
        The page; None if the text has no masthead.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    edges = [line for line in lines[:_HEAD_LINES] + lines[-_FOOT_LINES:] if len(line) <= _SHORT]
    names = [found["name"] for line in edges if (found := _NAME.search(line.lstrip("# ")))]
    dates = [found.group() for line in edges if (found := _DATELINE.search(line))]
    if not names or not dates:
        return None
    story = rejoin("\n\n".join(_story(lines, names[0])))
    marked, title = _with_headings(story.split("\n\n"))
    metadata = {"issuer": names[0], "date": parse_date(dates[0])}
    return NewspaperPage("\n\n".join(marked), title, {k: v for k, v in metadata.items() if v})


def _neighbours(lines: list[str]) -> Iterator[tuple[str, str]]:
    filled = [line.strip() for line in lines if line.strip()]
    return itertools.pairwise(filled)


def _width(line: str) -> int:
    """Display columns of a line's first characters: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in line[:_COLUMNS])


def _entries(lines: list[str]) -> set[int]:
    """Which lines are entries of a list of prices, telephones or the like: they end in numbers.

    A sentence can be cut behind a number, too; but seldom twice running and with no comma near.
    """
    filled = [number for number, line in enumerate(lines) if line.strip()]
    ends = {n for n in filled if _NUMBER_AT_END.search(lines[n]) and not _PROSE.search(lines[n])}
    return {n for pair in itertools.pairwise(filled) if ends.issuperset(pair) for n in pair}


def _wrap_width(lines: list[str]) -> int:
    """The width that the lines were cut at, in display columns; 0 if they were not.

    Lines cut at a width are of nearly one length, and most stop inside a sentence. The entries of
    a list can seem to; but hardly any holds a comma, or most end in a number.
    """
    filled = [line.rstrip() for line in lines if line.strip() and not line.startswith("|")]
    widths = sorted(_width(line) for line in filled)
    if len(widths) < 5:
        return 0
    width = widths[int(len(widths) * 0.9)]
    full = [line for line in filled if 0.9 * width <= _width(line) <= 1.1 * width]
    cut = [line for line in full if _unfinished(line) and not _STRUCTURE.match(line)]
    if width > _COLUMNS or len(full) < max(3, 0.35 * len(filled)) or len(cut) < 0.5 * len(full):
        return 0
    prose = sum(bool(_PROSE.search(line)) for line in full)
    numbers = sum(bool(_NUMBER_AT_END.search(line)) for line in cut)
    return width if prose >= 0.2 * len(full) and numbers < 0.5 * len(cut) else 0


def _unfinished(line: str) -> bool:
    """Whether a line stops inside a sentence, going by the marks at its end."""
    end = line.rstrip()
    bare = end.rstrip(_CLOSERS)
    if not bare or bare[-1] in "。！？!?…：:|":
        return False
    if bare[-1] in "；;":  # in running text the sentence goes on; in a list the item is done
        return "。" in bare
    return not (bare[-1] == "." and len(bare) > 1 and not bare[-2].isdigit())


def _is_open(line: str) -> bool:
    """Whether a line ends in a comma or inside brackets or quotes, so that more must follow."""
    end = line.rstrip()[-_TAIL:]
    if end.endswith(("，", "、", ",", "（", "“", "《")):
        return True
    return any(end.rfind(left) > end.rfind(right) for right, left in _BRACKETS.items())


def _broken_column(above: str, below: str) -> bool:
    """Whether a paragraph evidently goes on in the next one: long, and cut inside a sentence."""
    return (
        len(above) >= _LONG
        and bool(_PROSE.search(above))
        and not above.startswith(("#", "|", "<"))
        and not above.endswith(("）", ")", "]"))  # a remark, a source, a note's number
        and _unfinished(above)
        and (_is_open(above) or not _LABEL_AT_END.search(above[-_TAIL:]))
        and _is_prose(below)
    )


def _is_prose(line: str) -> bool:
    return not _STRUCTURE.match(line) and bool(_PROSE.search(line) or "、" in line)


def _continues(paragraph: str, last: str, line: str, layout: _Layout, *, first: bool) -> bool:
    """Whether ``line`` goes on with the sentence that a paragraph, ending in ``last``, began."""
    below = line.strip()
    if _STRUCTURE.match(below) or paragraph.startswith(("#", "|", "<")):
        return False
    if layout.width and _width(last.rstrip()) >= 0.85 * layout.width:
        return (layout.indents or _unfinished(paragraph)) and not _indented(line)
    if not _unfinished(paragraph):
        return False
    if _broken_column(paragraph, below):
        return True
    # A column can end soon after a paragraph's beginning; a heading has no comma.
    cut_short = "，" in paragraph and not first and not _LABEL_AT_END.search(paragraph)
    return cut_short and _unfinished(last) and _is_prose(below)


def _indented(line: str) -> bool:
    return line.startswith(("\u3000", "  ", "\t"))


def _between(above: str, below: str) -> str:
    """What joins two lines: nothing in Chinese, a space between words in Latin letters."""
    latin = above[-1:].isascii() and above[-1:].isalpha() and below[:1].isascii()
    return " " if latin and below[:1].isalpha() else ""


def _story(lines: list[str], name: str) -> Iterator[str]:
    """The lines that tell something, without masthead, credits, by-lines and captions."""
    body = lines[_masthead(lines, name) :]
    for number, line in enumerate(body):
        if not (_is_masthead(line.lstrip("# "), name) or _is_furniture(line)) and not _is_contact(
            body, number
        ):
            yield line


def _masthead(lines: list[str], name: str) -> int:
    """How many of the first lines are the masthead: short ones, up to the last of furniture."""
    end = 0
    for number, line in enumerate(lines[:_HEAD_LINES]):
        is_name = _is_masthead(line.lstrip("# "), name)
        if len(line) > _SHORT or line.endswith("。") or (line.startswith("#") and not is_name):
            break
        if is_name or _EDITOR.match(line) or _CONTACT.match(line):
            end = number + 1
    return end


def _is_masthead(line: str, name: str) -> bool:
    if len(line) > _SHORT or _PROSE.search(line):
        return False
    named = re.match(rf"{name}(?:\s|$|创刊|电子版|\d)", line)
    return bool(named or _DATELINE.match(line) or _PAGE_NUMBER.match(line))


def _is_furniture(line: str) -> bool:
    if len(line) <= _SHORT and (_EDITOR.match(line) or _BYLINE.match(line)):
        return True
    return len(line) <= 3 * _SHORT and bool(_CAPTION.search(line))


def _is_contact(lines: list[str], number: int) -> bool:
    """Whether a line with a telephone or the like belongs to the editors: it stands by theirs."""
    if len(lines[number]) > _SHORT or not _CONTACT.match(lines[number]):
        return False
    return any(_EDITOR.match(line) for line in lines[max(0, number - 3) : number + 4])


def _with_headings(paragraphs: list[str]) -> tuple[list[str], str]:
    """The paragraphs with their headings marked, and the main headline."""
    title = ""
    marked = []
    for number, paragraph in enumerate(paragraphs):
        words = paragraph.lstrip("# ")
        following = paragraphs[number + 1] if number + 1 < len(paragraphs) else ""
        if paragraph.startswith("#") or _is_heading(words, following, title):
            marked.append(f"# {words}" if not title else f"## {words}")
            title = title or words
        else:
            marked.append(paragraph)
    return marked, title


def _is_heading(line: str, following: str, title: str) -> bool:
    if len(line) > _LONG or re.search("[，。；：]", line) or _STRUCTURE.match(line):
        return False
    return not title or bool(_PROSE.search(following))
