"""Tables: .csv and .xlsx read into rows of text, and rows written as Markdown."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from knowledge.plaintext import decode

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
    first = text.split("\n", 1)[0]
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    return [Sheet("", tuple(_filled((reader.line_num, row) for row in reader)))]


def xlsx_sheets(path: Path) -> list[Sheet]:
    """Read the cells' values, as last computed, from a workbook's sheets."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        return [_sheet(sheet) for sheet in book.worksheets]
    finally:
        book.close()


def _sheet(sheet) -> Sheet:  # type: ignore[no-untyped-def]  # noqa: ANN001
    sheet.reset_dimensions()  # some programs write a wrong size, and rows would be lost
    rows = enumerate(sheet.iter_rows(values_only=True), start=1)
    return Sheet(sheet.title, tuple(_filled((n, [_cell(v) for v in row]) for n, row in rows)))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)


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
