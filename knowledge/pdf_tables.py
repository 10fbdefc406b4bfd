"""Tables in a PDF's pages: PDFs know none, but most draw the lines between cells.

A table is left as the text that it is where its cells can't be told for sure.
"""

import ctypes
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from knowledge.reflow import joined
from knowledge.table_heads import parted
from knowledge.tables import markdown_table

Rows = list[list[str]]

_NEAR = 3.0  # points: the width of a line and what it may miss another by
_MOST_LINES = 5000  # on a page; more is a drawing
_MOST_RULES = 600  # of which so many are put together from pieces
_FIRST_MARK = 0x4E00
_MOST_TABLES = 20_000
_MARK = re.compile("\x01(.)")


@dataclass(frozen=True, slots=True)
class _Line:
    """A horizontal or vertical line: where it lies, and from where to where it goes."""

    at: float
    start: float
    end: float

    def covers(self, at: float, middle: float) -> bool:
        return abs(self.at - at) <= _NEAR and self.start < middle < self.end

    def meets(self, other: "_Line") -> bool:
        return (
            self.start - _NEAR <= other.at <= self.end + _NEAR
            and other.start - _NEAR <= self.at <= other.end + _NEAR
        )


@dataclass(frozen=True, slots=True)
class _Grid:
    """Lines that meet one another; ``xs`` from left to right, ``ys`` from the top down."""

    across: list[_Line]
    down: list[_Line]

    @property
    def xs(self) -> list[float]:
        return sorted(_apart(line.at for line in self.down))

    @property
    def ys(self) -> list[float]:
        return sorted(_apart(line.at for line in self.across), reverse=True)


def page_text(page: Any, tables: list[Rows]) -> str:  # noqa: ANN401
    """A page's text, with a mark in the place of each table, which is added to ``tables``."""
    text = page.get_textpage()
    whole = _words(text.get_text_range())
    grids = [] if page.get_rotation() else sorted(_grids(page), key=lambda grid: -grid.ys[0])
    pieces, found, told, top = list[str](), list[Rows](), "", page.get_height()
    for grid in grids:
        rows, words = _rows(grid, text)
        above = _between(text, grid.ys[0], top)
        pieces += [above, f"\x01{chr(_FIRST_MARK + len(tables) + len(found))}"]
        found.append(rows)
        told += above + words
        top = grid.ys[-1]
    pieces.append(_between(text, 0, top))
    # Not so where words stand beside a table or on its lines, or tables one in another.
    is_whole = _letters(told + pieces[-1]) == _letters(whole)
    if not (found and is_whole and len(tables) + len(found) <= _MOST_TABLES):
        return whole
    tables += found
    return "\n".join(pieces)


def with_tables(text: str, tables: list[Rows]) -> str:
    """The text with its tables in Markdown; one that goes on on the next page is one."""
    lines: list[str] = []
    for is_table, group in itertools.groupby(text.split("\n"), lambda one: bool(_MARK.match(one))):
        if is_table:
            for rows in _whole(tables[ord(line[1]) - _FIRST_MARK] for line in group):
                captions, table = parted(rows)
                lines += ["", *captions, markdown_table(table), ""]
        else:
            lines += group
    return "\n".join(lines)


def _whole(parts: Iterable[Rows]) -> Iterator[Rows]:
    """Tables put together from what follows one another with as many columns."""
    whole: Rows = []
    for rows in parts:
        if whole and len(whole[0]) == len(rows[0]):
            pairs = zip(whole, rows, strict=False)
            repeated = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))
            whole += rows[repeated:]
            continue
        if whole:
            yield whole
        whole = list(rows)
    yield whole


def _letters(words: str) -> Counter[str]:
    return Counter("".join(words.split()))


def _between(text: Any, bottom: float, top: float) -> str:  # noqa: ANN401
    return _words(text.get_text_bounded(bottom=bottom, top=top)) if top > bottom else ""


def _words(text: str) -> str:
    return text.replace("\x01", "")  # what marks a table


def _rows(grid: _Grid, text: Any) -> tuple[Rows, str]:  # noqa: ANN401
    """The cells' words, and all words once: those merged over rows are said in each of them."""
    xs, ys = grid.xs, grid.ys
    rows = [[""] * (len(xs) - 1) for _ in ys[1:]]
    told, seen = "", set[tuple[int, int]]()
    for row, column in itertools.product(range(len(ys) - 1), range(len(xs) - 1)):
        if (row, column) in seen:
            continue
        below, right = _extent(grid, xs, ys, row, column)
        seen |= set(itertools.product(range(row, below), range(column, right)))
        words = _words(text.get_text_bounded(xs[column], ys[below], xs[right], ys[row]))
        told += words
        for each in range(row, below):
            rows[each][column] = joined(words.split("\n"))
    return rows, told


def _extent(
    grid: _Grid, xs: list[float], ys: list[float], row: int, column: int
) -> tuple[int, int]:
    """Up to which row and column, exclusive, no line ends a cell that begins in these."""
    middle = (ys[row] + ys[row + 1]) / 2
    right = column + 1
    while right < len(xs) - 1 and not any(line.covers(xs[right], middle) for line in grid.down):
        right += 1
    middle = (xs[column] + xs[column + 1]) / 2
    below = row + 1
    while below < len(ys) - 1 and not any(line.covers(ys[below], middle) for line in grid.across):
        below += 1
    return below, right


def _grids(page: Any) -> list[_Grid]:  # noqa: ANN401
    """The tables of a page: lines that meet, with two columns and two rows between them."""
    drawn = list(itertools.islice(_drawn(page), _MOST_LINES + 1))
    if len(drawn) > _MOST_LINES:
        return []
    across = _merged(_Line(y, min(a, b), max(a, b)) for (a, y), (b, z) in drawn if abs(y - z) < 1)
    down = _merged(_Line(x, min(a, b), max(a, b)) for (x, a), (z, b) in drawn if abs(x - z) < 1)
    grids = []
    while down and len(across) + len(down) <= _MOST_RULES:
        grid = _meeting(down.pop(), across, down)
        if len(grid.xs) > 2 and len(grid.ys) > 2:
            grids.append(grid)
    return grids


def _meeting(first: _Line, across: list[_Line], down: list[_Line]) -> _Grid:
    """Take from the lines those that are connected with one."""
    grid, new = _Grid([], [first]), [first]
    while new:
        new = _taken(across, new)
        grid.across.extend(new)
        new = _taken(down, new)
        grid.down.extend(new)
    return grid


def _taken(lines: list[_Line], others: list[_Line]) -> list[_Line]:
    met = [line for line in lines if any(map(line.meets, others))]
    lines[:] = [line for line in lines if line not in met]
    return met


def _merged(lines: Iterable[_Line]) -> list[_Line]:
    """The lines without short strokes; those of one height that touch are one."""
    merged: list[_Line] = []
    for line in sorted(lines, key=lambda one: (round(one.at / _NEAR), one.start)):
        last = merged[-1] if merged else None
        if last and abs(last.at - line.at) <= _NEAR and line.start <= last.end + _NEAR:
            merged[-1] = _Line(last.at, last.start, max(last.end, line.end))
        else:
            merged.append(line)
    return [line for line in merged if line.end - line.start > 2 * _NEAR]


def _apart(places: Iterable[float]) -> Iterator[float]:
    last = float("-inf")
    for place in sorted(places):
        if place - last > _NEAR:
            yield place
        last = place


def _drawn(page: Any) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:  # noqa: ANN401
    """The straight strokes of a page, from point to point."""
    import pypdfium2.raw as pdfium

    for path in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=1):
        matrix = path.get_matrix()
        start = last = (0.0, 0.0)
        for number in range(max(0, pdfium.FPDFPath_CountSegments(path))):
            segment = pdfium.FPDFPath_GetPathSegment(path, number)
            x, y = ctypes.c_float(), ctypes.c_float()
            pdfium.FPDFPathSegment_GetPoint(segment, x, y)
            point = matrix.on_point(x.value, y.value)
            kind = pdfium.FPDFPathSegment_GetType(segment)
            if kind == pdfium.FPDF_SEGMENT_MOVETO:
                start = point
            elif kind == pdfium.FPDF_SEGMENT_LINETO:
                yield last, point
            if pdfium.FPDFPathSegment_GetClose(segment):
                yield point, start
            last = point
