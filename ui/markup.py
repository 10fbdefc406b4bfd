"""Text as HTML: every word of a document or a citizen is escaped.

Documents are plain text to us. Only what a reader would stumble over is drawn instead of spelt
out: Markdown's signs before headings, items and quotations, and around the cells of a table.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

# Stand for <mark> and </mark> until the text around them is escaped; documents can't hold them,
# since the readers drop private-use characters or they are dropped here.
_OPEN, _CLOSE = "\ue000", "\ue001"
_HEADING = re.compile(rf"^({_OPEN}?)#{{1,6}}\s+")
# A line such as 一、办理材料 above others: a part of an answer, or of a document.
_PART = re.compile(
    rf"^({_OPEN}?)(?=[一二三四五六七八九十]{{1,3}}、[^。；：\n\[]{{1,40}}{_CLOSE}?\n)", re.MULTILINE
)
_QUOTED = re.compile(rf"^({_OPEN}?)>\s+")
_ITEM = re.compile(rf"^\s*({_OPEN}?)[-*]\s+")
_ROW = re.compile(rf"^{_OPEN}?\s*\|.*\|\s*{_CLOSE}?$")
_RULE = re.compile(rf"[\s|:\-{_OPEN}{_CLOSE}]*")


def both(chinese: str, english: str) -> str:
    """Return a word of the page in both languages; the style sheet shows one of them."""
    return f'<span class="zh">{chinese}</span><span class="en" lang="en">{english}</span>'


def marked(text: str, start: int, end: int) -> str:
    """Return a text as HTML on one line, with a span of it highlighted."""
    text = _without_marks(text)
    return _drawn(f"{text[:start]}{_OPEN}{text[start:end]}{_CLOSE}{text[end:]}")


def plain(text: str) -> str:
    """Return a short text as HTML on one line."""
    return escape(" ".join(text.split()))


def _without_marks(text: str) -> str:
    """Return the text with our two private characters replaced, so that offsets stay."""
    return text.replace(_OPEN, "□").replace(_CLOSE, "□")


def lines(text: str) -> str:
    """Return a text as HTML on one line."""
    return _drawn(_without_marks(text))


def _drawn(text: str) -> str:
    text = _PART.sub(r"\1# ", text)
    blocks = groupby(_each_marked(text.splitlines()), key=lambda line: bool(_ROW.match(line)))
    drawn = "".join(_table(lines) if rows else _paragraphs(lines) for rows, lines in blocks)
    return drawn.replace(_OPEN, "<mark>").replace(_CLOSE, "</mark>")


def _each_marked(pieces: Sequence[str]) -> Iterator[str]:
    """Close the mark at the end of each piece and open it in the next: tags must nest."""
    is_open = False
    for piece in pieces:
        marked = (_OPEN if is_open else "") + piece
        is_open = marked.rfind(_OPEN) > marked.rfind(_CLOSE)
        yield marked + (_CLOSE if is_open else "")


def _paragraphs(lines: Iterator[str]) -> str:
    return "".join(f"<p>{_line(line)}</p>" for line in lines if line.strip(f" \t　{_OPEN}{_CLOSE}"))


def _line(line: str) -> str:
    heading = _HEADING.sub(r"\1", line)
    if heading != line:
        return f"<strong>{escape(heading)}</strong>"
    return escape(_ITEM.sub(r"\1• ", _QUOTED.sub(r"\1", line)).strip())


def _table(lines: Iterator[str]) -> str:
    first, *others = lines
    has_head = bool(others) and bool(_RULE.fullmatch(others[0])) and not _RULE.fullmatch(first)
    head = f"<thead>{_row(first, 'th')}</thead>" if has_head else ""
    body = others if has_head else [first, *others]
    rows = (_row(line) for line in body if not _RULE.fullmatch(line))
    return f"<table>{head}<tbody>{''.join(rows)}</tbody></table>"


def _row(line: str, kind: str = "td") -> str:
    cells = list(_each_marked(line.split("|")))[1:-1]
    return f"<tr>{''.join(f'<{kind}>{escape(cell.strip())}</{kind}>' for cell in cells)}</tr>"
