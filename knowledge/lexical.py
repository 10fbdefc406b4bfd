"""Keyword search over the passages: SQLite FTS5 with character bigrams.

Chosen by measurement (docs/benchmarks.md): bigrams find more than words on policy text, and the
index lives in the catalogue's own file, so that both change in one transaction.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

Table = Literal["passage", "document"]

_RUN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[a-z0-9]+(?:\.[0-9]+)?")

_OPTIONS = """content='', tokenize="unicode61 remove_diacritics 0 tokenchars '.'\""""
SCHEMA = "".join(
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {table} USING fts5({columns}, {_OPTIONS});\n"
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {table}_counts USING fts5vocab({table}, 'row');\n"
    for table, columns in (
        ("passage_keywords", "title, section, text"),
        ("document_keywords", "title, text"),
    )
)


def normalise(text: str) -> str:
    """Fold width and case (Unicode NFKC), so that ２０１９ and 2019 are one."""
    return unicodedata.normalize("NFKC", text).lower()


def terms(text: str) -> list[str]:
    """Return the text's character bigrams, and its Latin words and numbers, in order."""
    found: list[str] = []
    for run in _RUN.findall(normalise(text)):
        if run[0] < "\u3400" or len(run) == 1:
            found.append(run)
        else:
            found += [run[i : i + 2] for i in range(len(run) - 1)]
    return found


class KeywordIndex:
    """BM25 (FTS5's: k1 = 1.2, b = 0.75) over the fields of passages, or of whole documents.

    The table is contentless: it holds the terms only, and forgets an entry when told the very
    fields that were added. Changes are part of the caller's transaction.
    """

    def __init__(self, connection: sqlite3.Connection, table: Table) -> None:
        self._connection = connection
        self._table = f"{table}_keywords"
        self._columns = "title, section, text" if table == "passage" else "title, text"

    def add(self, rows: Iterable[tuple[int, *tuple[str, ...]]]) -> None:
        """Add entries as (number, *fields)."""
        self._connection.executemany(
            f"INSERT INTO {self._table}(rowid, {self._columns})"  # noqa: S608
            f" VALUES ({self._marks(1)})",
            map(_indexed, rows),
        )

    def remove(self, rows: Iterable[tuple[int, *tuple[str, ...]]]) -> None:
        """Remove entries, given as they were added."""
        self._connection.executemany(
            f"INSERT INTO {self._table}({self._table}, rowid, {self._columns})"  # noqa: S608
            f" VALUES ('delete', {self._marks(1)})",
            map(_indexed, rows),
        )

    def count(self, term: str) -> int:
        """Return how many entries hold a term."""
        row = self._connection.execute(
            f"SELECT doc FROM {self._table}_counts WHERE term = ?",  # noqa: S608
            (term,),
        ).fetchone()
        return row[0] if row else 0

    def count_phrase(self, phrase: str) -> int:
        """Return how many entries hold the terms of a phrase in a row."""
        if not terms(phrase):
            return 0
        row = self._connection.execute(
            f"SELECT count(*) FROM {self._table} WHERE {self._table} MATCH ?",  # noqa: S608
            (f'"{" ".join(terms(phrase))}"',),
        ).fetchone()
        return int(row[0])

    def search(
        self,
        query: Sequence[str],
        limit: int,
        among: Iterable[int] | None = None,
        also: Iterable[int] = (),
        leading: Sequence[str] = (),
    ) -> dict[int, float]:
        """Return the best entries' BM25 by number, best first.

        Args:
            query: Terms as from ``terms``; an entry matches if it holds any of them.
            limit: How many at most.
            among: Only these entries.
            also: The score of these is wanted however low it is, of those that match.
            leading: Only entries that hold one of these terms; none: all that match. To score an
                entry costs ten times what it costs to find it.
        """
        if not query:
            return {}
        # The plus keeps SQLite from running the whole match once for each of the numbers. What
        # costs is to score all that match, so it is done once, for the best and for the others.
        only = "" if among is None else f"AND +rowid IN ({listed(among)})"
        led = f"SELECT rowid FROM {self._table} WHERE {self._table} MATCH ?"  # noqa: S608
        rows = self._connection.execute(
            f"WITH found AS MATERIALIZED (SELECT rowid AS number, -bm25({self._table}) AS score"  # noqa: S608
            f" FROM {self._table} WHERE {self._table} MATCH ? {only}"
            f" AND (+rowid IN ({led}) OR +rowid IN ({listed(also)})))"
            " SELECT number, score FROM (SELECT * FROM found ORDER BY score DESC LIMIT ?)"
            f" UNION SELECT number, score FROM found WHERE number IN ({listed(also)})"
            " ORDER BY score DESC",
            (_any_of(query), _any_of(leading or query), limit),
        )
        return dict(rows)

    def _marks(self, more: int) -> str:
        return ", ".join("?" * (self._columns.count(",") + 1 + more))


def _any_of(query: Sequence[str]) -> str:
    return " OR ".join(f'"{term}"' for term in query)


def listed(numbers: Iterable[int]) -> str:
    """Return numbers as SQL lists them."""
    return ",".join(map(str, numbers))


def _indexed(row: tuple[int, *tuple[str, ...]]) -> tuple[int, *tuple[str, ...]]:
    number, *fields = row
    return number, *(" ".join(terms(field)) for field in fields)
