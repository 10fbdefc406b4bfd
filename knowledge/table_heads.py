"""What stands above a table's rows: captions, and headers of several lines. Pure functions.

Cells merged over columns are filled at their left, those merged over rows in each row.
"""

import re
from collections.abc import Iterable, Iterator

Row = tuple[str, ...]

_NUMBER = re.compile(r"(?!(?:19|20)\d\d$)[-+¥￥]?[\d.,]+[%％元]?")  # a year can be a head


def parted(rows: Iterable[Iterable[str]]) -> tuple[list[str], list[Row]]:
    """Part a table's captions, such as its title, from its rows, which begin with one header."""
    filled = [tuple(cell.strip() for cell in row) for row in rows]
    width = max(map(len, filled), default=0)
    table = [row + ("",) * (width - len(row)) for row in filled]
    captions = []
    if any(sum(map(bool, row)) > 1 for row in table):  # else it is a list
        while sum(map(bool, table[0])) < 2:
            captions.append(" ".join("".join(table.pop(0)).split()))
    while len(table) > 1 and _goes_on(table[0], table[1]):
        table[:2] = [_joined(*table[:2])]
    return [caption for caption in captions if caption], table


def _groups(header: Row) -> Iterator[range]:
    """The columns that each filled cell stands over: its own, and empty ones to its right."""
    starts = [column for column, cell in enumerate(header) if cell]
    for start, end in zip(starts, [*starts[1:], len(header)], strict=True):
        yield range(start, end)


def _goes_on(header: Row, row: Row) -> bool:
    """Whether a row parts columns that the header's cells are merged over, and says no more.

    The cells of a form, and a value below a cell that only happens to be merged, do so neither.
    """
    said = [(header[group[0]], [row[column] for column in group]) for group in _groups(header)]
    new = [cells for head, cells in said if not {head, ""}.issuperset(cells)]
    return bool(new) and all(map(_are_heads, new))


def _are_heads(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(cells[0]) and len(filled) > 1 and not any(map(_NUMBER.fullmatch, filled))


def _joined(header: Row, row: Row) -> Row:
    """One header of two lines: 收费 above 首次 becomes 收费/首次."""
    above = {column: header[group[0]] for group in _groups(header) for column in group}
    names = enumerate(row)
    return tuple(
        _both(above.get(column, ""), name) if name else header[column] for column, name in names
    )


def _both(above: str, name: str) -> str:
    return name if above in {"", name} else f"{above}/{name}"
