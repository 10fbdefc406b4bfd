"""Tables: .csv and .xlsx read into rows of text, and rows written as Markdown."""

import csv
import io
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from knowledge.plaintext import decode

_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|;.*')  # in formats: words, colours, other signs
_LOOKED_AT = 100_000  # characters that tell what parts the cells
_LONGEST_FIELD = 2**31 - 1  # characters; the csv module's own limit is 131,072


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table.

    Attributes:
        name: The sheet's name; empty for a .csv file.
        rows: Each with the number of the line or row that it stands in, from 1.
    """

    name: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def csv_sheets(path: Path) -> list[Sheet]:
    """Read a .csv file, parted by commas, semicolons or tabs.

    Raises:
        ValueError: It is no text.
        csv.Error: It is no table.
    """
    text = decode(path.read_bytes())
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text[:_LOOKED_AT]))
    return [Sheet("", tuple(_filled((reader.line_num, row) for row in reader)))]


def _delimiter(text: str) -> str:
    """Return what parts most of the first ten rows, and most of them into equally many cells."""

    def parting(delimiter: str) -> tuple[float, float, int]:
        rows = islice(filter(None, csv.reader(io.StringIO(text), delimiter=delimiter)), 10)
        widths = Counter(map(len, rows))
        parted = {width: times for width, times in widths.items() if width > 1}
        of = widths.total() or 1
        return (
            sum(parted.values()) / of,
            max(parted.values(), default=0) / of,
            max(widths, default=0),
        )

    return max(",;\t", key=parting)


def xlsx_sheets(path: Path) -> list[Sheet]:
    """Read what a workbook's sheets show, as last computed; those that are hidden are not read."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        return [_sheet(sheet, path) for sheet in book.worksheets if sheet.sheet_state == "visible"]
    finally:
        book.close()


def _sheet(sheet: Any, path: Path) -> Sheet:  # noqa: ANN401
    sheet.reset_dimensions()  # some programs write a wrong size, and rows would be lost
    rows = ([_shown(cell) for cell in row] for row in sheet.iter_rows())
    merged = _merged_downwards(path, sheet._worksheet_path)
    return Sheet(sheet.title, tuple(_filled(_repeated_downwards(rows, merged))))


def _merged_downwards(path: Path, part: str) -> dict[int, list[tuple[int, int]]]:
    """By their first row, the columns and last rows of cells that are merged over several rows.

    openpyxl knows them only where it holds a whole workbook in memory.
    """
    from openpyxl.utils import range_boundaries
    from openpyxl.xml.functions import iterparse

    merged = defaultdict[int, list[tuple[int, int]]](list)
    with zipfile.ZipFile(path) as archive, archive.open(part) as file:
        for _, element in iterparse(file):
            if element.tag.endswith("}mergeCell"):
                column, first, _, last = range_boundaries(element.get("ref"))
                merged[first] += [(column - 1, last)] if last > first else []
            element.clear()
    return merged


def _repeated_downwards(
    rows: Iterable[list[str]], merged: dict[int, list[tuple[int, int]]]
) -> Iterator[tuple[int, list[str]]]:
    """The rows by number; what a merged cell says, every row of it says that says anything."""
    said: dict[int, tuple[int, str]] = {}
    for number, row in enumerate(rows, start=1):
        above = {column: words for column, (last, words) in said.items() if number <= last}
        cells = row
        if above and any(row):
            cells = row + [""] * (max(above) + 1 - len(row))
            for column, words in above.items():
                cells[column] = words
        for column, last in merged.get(number, []):
            said[column] = (last, "".join(cells[column : column + 1]))
        yield number, cells


def _shown(cell: Any) -> str:  # noqa: ANN401
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        return _number(value, cell.number_format)
    if isinstance(value, datetime):
        return _date(value, cell.number_format)
    return str(value)


def _number(value: float, pattern: str) -> str:
    """A number in full, as a share or with zeros before it where it is shown so."""
    if re.fullmatch("00+", pattern) and value == int(value):
        return f"{int(value):0{len(pattern)}}"
    if "%" in _NOT_SHOWN.sub("", pattern):  # what 1/3 is shown as has no end
        decimals = re.search(r"\.([0#?]+)", _NOT_SHOWN.sub("", pattern))
        share = Decimal(f"{value:.15g}") * 100
        share = round(share, max(2, len(decimals[1]) if decimals else 0))
        return f"{f'{share:f}'.rstrip('0').rstrip('.')}%"
    return str(value) if isinstance(value, int) else f"{Decimal(f'{value:.15g}'):f}"


def _date(value: datetime, pattern: str) -> str:
    """An ISO date and time; in words where the year, or the day, is not shown: none is meant."""
    shown = set(_NOT_SHOWN.sub("", pattern).lower())
    parts = {"y": f"{value.year}年", "m": f"{value.month}月", "d": f"{value.day}日"}
    if shown & {"h", "s"} or not shown & set(parts) or shown >= set(parts):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return "".join(words for letter, words in parts.items() if letter in shown)


def _filled(rows: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The rows that hold something, without the empty cells at their ends."""
    for number, row in rows:
        cells = [cell.strip() for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, tuple(cells)


def markdown_table(rows: Iterable[Iterable[str]]) -> str:
    """Write rows, the first as the header, as a Markdown table; a cell takes one line."""
    cells = [[" ".join(c.split()).replace("|", r"\|") for c in row] for row in rows]
    columns = max((len(row) for row in cells), default=0)
    if not columns:
        return ""
    lines = ["| " + " | ".join(row + [""] * (columns - len(row))) + " |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * columns, *lines[1:]])
