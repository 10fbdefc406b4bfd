"""Lists and tables of which a passage, or an excerpt of it, holds only a part."""

import re
from collections.abc import Sequence, Set

from knowledge.numerals import value

LONGEST_WHOLE = 600  # characters of a list that is given in whole, for want of a shorter answer
TABLE_ROW = re.compile(r"\s*\|.*\|\s*$", re.MULTILINE)
_RULE = re.compile(r"\s*\|[\s:|-]+\|\s*$")
_NUMERALS = "〇一二三四五六七八九十"
_MARK = re.compile(
    r"\s*(?:(?P<bullet>[-*•●·])|(?P<digit>\d{1,2})[.、．)）](?!\d)"
    rf"|[（(](?P<inner>\d{{1,2}}|[{_NUMERALS}]{{1,3}})[)）]|(?P<outer>[{_NUMERALS}]{{1,3}})、)"
)
# A document's title is shown with its citation; other headings are not.
_LEAD = re.compile(
    r"^\s*#{2,6}\s+(?P<heading>\S.*?)\s*$|(?P<sentence>[^\s。！？；|#][^。！？；|#]*[：:])\s*$"
)

Span = tuple[int, int]


def list_around(text: str, start: int, end: int) -> Span | None:
    """Return where the list that the words are part of begins and ends, with its lead-in.

    None: they take in neither two items nor an item and the lead-in, so no list is meant.

    Args:
        text: A whole document.
        start: Where the words begin.
        end: Where they end.
    """
    lines = lines_of(text)
    touched = touched_by(lines, start, end)
    items = [n for n in touched if _MARK.match(text, *lines[n])]
    if not items or (len(items) < 2 and not _leads_in(text, lines, {*touched} & {items[0] - 1})):
        return None
    first, last = items[0], items[-1]
    while last + 1 < len(lines) and _follows(text, lines[last], lines[last + 1]):
        last += 1
    while first and _follows(text, lines[first - 1], lines[first]):
        first -= 1
    first -= _leads_in(text, lines, {first - 1})
    return min(start, lines[first][0]), max(end, lines[last][1])


def header_above(text: str, start: int, end: int) -> Span | None:
    """Return where the header stands of the table whose rows words begin with.

    None: they begin with no row, or with the header.

    Args:
        text: A whole document.
        start: Where the words begin.
        end: Where they end.
    """
    lines = lines_of(text)
    first = at = touched_by(lines, start, end)[0]
    while at >= 0 and TABLE_ROW.match(text[slice(*lines[at])]):
        at -= 1
    at += 1
    if at >= first or _RULE.match(text[slice(*lines[first])]):
        return None
    has_rule = at + 1 < first and _RULE.match(text[slice(*lines[at + 1])])
    return lines[at][0], lines[at + 1 if has_rule else at][1]


def lead_above(text: str, start: int) -> Span | None:
    """Return where the words stand that lead in the list that begins at a place.

    That is its heading, without the marks before it, or else the sentence that ends in a colon:
    without 不予支付的情形 above them, its cases read as their opposite. None: no list begins
    there, or nothing of the kind stands right above it.

    Args:
        text: A whole document.
        start: Where the words begin that are quoted.
    """
    lines = [line for line in lines_of(text) if line[0] <= start]
    if not lines or not _MARK.match(text, *lines[-1]) or text[lines[-1][0] : start]:
        return None
    while len(lines) > 1 and _follows(text, *lines[-2:]):
        lines.pop()
    above = lines[-2] if len(lines) > 1 else (0, 0)
    lead = _LEAD.search(text[slice(*above)])
    if not lead:
        return None
    return above[0] + lead.start(lead.lastgroup or 0), above[0] + lead.end(lead.lastgroup or 0)


def lines_of(text: str) -> list[Span]:
    """Return where the lines of a text stand that are not blank."""
    return [line.span() for line in re.finditer(r"[^\n]*\S[^\n]*", text)]


def touched_by(lines: Sequence[Span], start: int, end: int) -> list[int]:
    """Return which lines hold some of the words between two places."""
    return [n for n, line in enumerate(lines) if line[0] < end and start < line[1]]


def _leads_in(text: str, lines: Sequence[Span], of: Set[int]) -> bool:
    """Tell whether one of these lines leads in a list."""
    return any(n >= 0 and text[slice(*lines[n])].rstrip().endswith(("：", ":")) for n in of)


def _follows(text: str, one: Span, other: Span) -> bool:
    """Tell whether a line is the next item of the list that another line is an item of."""
    marks = [mark for line in (one, other) if (mark := _MARK.match(text, *line))]
    if len(marks) < 2 or marks[0].lastgroup != marks[1].lastgroup:
        return False
    before, after = (mark[mark.lastgroup or 0] for mark in marks)
    return marks[0].lastgroup == "bullet" or value(after) == (value(before) or 0) + 1
