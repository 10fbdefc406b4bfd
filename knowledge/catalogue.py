"""SQLite: documents, passages, versions; the one source of truth.

A document's new version is first *staged* with its passages, then indexed, then *published* in
one transaction that also retires the version before it. What a crash leaves staged is indexed
and published by the next run; what it leaves retired is swept from the vectors.
"""

import hashlib
import json
import math
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import HomeError
from knowledge.lexical import SCHEMA as KEYWORD_SCHEMA
from knowledge.lexical import KeywordIndex, listed
from knowledge.types import Document, Passage

RESTORED = "restored"  # a fact, another one whenever an older state was put back
_STAGED_IDS = "SELECT id FROM documents WHERE state = 'staged'"

_SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    source TEXT NOT NULL,
    metadata TEXT NOT NULL,
    hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('staged', 'live', 'retired')),
    passages INTEGER NOT NULL,
    added TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX IF NOT EXISTS live_documents ON documents(id) WHERE state = 'live';
CREATE UNIQUE INDEX IF NOT EXISTS staged_documents ON documents(id) WHERE state = 'staged';
CREATE INDEX IF NOT EXISTS documents_by_state ON documents(state);
CREATE TABLE IF NOT EXISTS texts (key INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents(key),
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    section TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS passages_by_document ON passages(document);
"""
    + KEYWORD_SCHEMA
)
# Each takes the format from its place in the row to the next; a home of any age opens.
_MIGRATIONS = (
    _SCHEMA,
    # What the source says of the fields that an operator has corrected: a JSON object.
    "ALTER TABLE documents ADD COLUMN as_read TEXT NOT NULL DEFAULT '{}';",
)


@dataclass(frozen=True, slots=True)
class Record:
    """One document of the list: everything but its text."""

    id: str
    title: str
    source: str
    metadata: Mapping[str, str]
    passages: int
    added: str


@dataclass(frozen=True, slots=True)
class Row:
    """One live passage with its number and its document."""

    number: int
    document_key: int
    document: Document
    passage: Passage


def content_hash(document: Document) -> str:
    """Return a hash of everything that a reader of the document could notice."""
    parts = [document.title, document.text, document.source, sorted(document.metadata.items())]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


class Catalogue:
    """Opens one connection a thread; every change is a transaction."""

    def __init__(self, path: Path) -> None:
        """Open the catalogue, making it if it is not there.

        Raises:
            HomeError: The file can't be opened, or is of a newer format.
        """
        self._path = path
        self._local = threading.local()
        try:
            self._prepare()
        except sqlite3.Error as error:
            raise HomeError(
                f"打不开目录库 {str(path)!r}：{error}。请检查文件夹可写、磁盘未满；"
                "文件损坏的，请用 xiaoquan restore 恢复最近的备份。"
            ) from error

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        if not hasattr(self._local, "connection"):
            connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._local.connection = connection
        return self._local.connection  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close this thread's connection; those of ended threads are closed with them."""
        if hasattr(self._local, "connection"):
            self._local.connection.close()
            del self._local.connection

    def _prepare(self) -> None:
        newest = len(_MIGRATIONS)
        if self._format() > newest:
            raise HomeError(
                f"{str(self._path)!r} 的格式是 {self._format()}，本程序只认得到 {newest}。"
                "请升级程序。"
            )
        if self._format() < newest:
            self.connection.execute("PRAGMA journal_mode = WAL")
            with self.transaction() as connection:
                for at in range(self._format(), newest):  # another process may have been first
                    for statement in _statements(_MIGRATIONS[at]):
                        connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {newest}")

    def _format(self) -> int:
        version: int = self.connection.execute("PRAGMA user_version").fetchone()[0]
        return version

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing.

        Raises:
            HomeError: The disk is full, the file read-only or broken; nothing was changed.
        """
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise HomeError(
                f"写不进目录库 {str(self._path)!r}：{error}。已有内容未受影响；"
                "请检查磁盘空间和写权限。"
            ) from error

    @contextmanager
    def alone(self, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Keep every other machine from writing; here there is none.

        Args:
            waiting: Called once if another is writing and has to be waited for.
        """
        del waiting
        yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read one state of the catalogue, whatever is published meanwhile."""
        connection = self.connection
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("COMMIT")

    # -- facts about the home

    def fact(self, name: str) -> str:
        """Return a fact about the home, such as its embedding model; empty if not known."""
        row = self.connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else ""

    def set_fact(self, name: str, value: str) -> None:
        """Keep a fact about the home."""
        with self.transaction():
            self._set_fact(name, value)

    def _set_fact(self, name: str, value: str) -> None:
        self.connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def version(self) -> int:
        """Return a number that moves whenever any process changes the live passages."""
        return int(self.fact("version") or 0)

    def problems(self) -> list[str]:
        """Return what SQLite finds wrong with the file; nothing where all is well."""
        found = [row[0] for row in self.connection.execute("PRAGMA quick_check")]
        found += [
            f"foreign key {row}" for row in self.connection.execute("PRAGMA foreign_key_check")
        ]
        return [problem for problem in found if problem != "ok"]

    def damaged(self) -> list[str]:
        """Return the ids of the live documents that are not as they were written."""
        rows = self.connection.execute(
            "SELECT id, title, text, source, metadata, hash FROM documents JOIN texts USING (key)"
            " WHERE state = 'live'"
        )
        found = [
            id_
            for id_, title, text, source, metadata, hash_ in rows
            if content_hash(Document(id_, title, text, source, json.loads(metadata))) != hash_
        ]
        cut = self.connection.execute(
            "SELECT DISTINCT id FROM passages JOIN documents ON documents.key = document"
            " JOIN texts USING (key) WHERE state = 'live'"
            " AND passages.text != substr(texts.text, start + 1, end - start)"
        )
        return sorted({*found, *(row[0] for row in cut)})

    def touch(self) -> None:
        """Tell every process to look at the vectors anew."""
        with self.transaction():
            self._changed((), ())

    def keywords_fit(self) -> bool:
        """Return whether the keywords are of exactly the live passages and documents."""
        live = "SELECT {} FROM documents {} WHERE state = 'live'"
        passages = live.format("number", "JOIN passages ON document = key")
        for table, wanted in (("passage", passages), ("document", live.format("key", ""))):
            entries = f"SELECT id FROM {table}_keywords_docsize"  # noqa: S608
            for one, other in ((wanted, entries), (entries, wanted)):
                if self.connection.execute(f"{one} EXCEPT {other} LIMIT 1").fetchone():
                    return False
            try:  # https://www.sqlite.org/fts5.html#the_integrity_check_command
                check = f"INSERT INTO {table}_keywords({table}_keywords) VALUES ('integrity-check')"  # noqa: S608
                self.connection.execute(check)
            except sqlite3.DatabaseError:
                return False
        return True

    def rebuild_keywords(self) -> None:
        """Index the keywords of everything that is live anew."""
        with self.transaction() as connection:
            live = self._keys("state = 'live'")
            for table in ("passage_keywords", "document_keywords"):
                connection.execute(f"INSERT INTO {table}({table}) VALUES ('delete-all')")  # noqa: S608
            KeywordIndex(connection, "passage").add(self._passage_fields(live))
            KeywordIndex(connection, "document").add(self._document_fields(live))
            self._changed((), ())

    # -- writing, in the order of a document's life

    def stage(
        self,
        document: Document,
        passages: Sequence[Passage],
        as_read: Mapping[str, str] | None = None,
    ) -> None:
        """Write a new version beside the live one; it is not found yet.

        Args:
            document: As it shall be found.
            passages: Its passages.
            as_read: What its source says of the fields that an operator has corrected.
        """
        with self.transaction():
            key, numbers = self._reserve(len(passages))
            columns = {
                "key": key,
                "id": document.id,
                "title": document.title,
                "source": document.source,
                "metadata": json.dumps(dict(document.metadata), ensure_ascii=False),
                "hash": content_hash(document),
                "passages": len(passages),
                "as_read": json.dumps(dict(as_read or {}), ensure_ascii=False),
            }
            self._insert(columns, document.text, zip(numbers, passages, strict=True))

    def _reserve(self, passages: int) -> tuple[int | None, Sequence[int | None]]:
        """Return the key of a new document and the numbers of its passages; none: SQLite counts."""
        return None, [None] * passages

    def _insert(
        self,
        columns: Mapping[str, object],
        text: str,
        passages: Iterable[tuple[int | None, Passage]],
    ) -> None:
        """Write a staged document, whose ``columns`` are all but its state; it is the only one."""
        self.connection.execute(
            "UPDATE documents SET state = 'retired' WHERE id = ? AND state = 'staged'",
            (columns["id"],),
        )
        names = ", ".join(columns)
        key = self.connection.execute(
            f"INSERT INTO documents({names}, state)"  # noqa: S608
            f" VALUES ({_marks([*columns])}, 'staged')",
            [*columns.values()],
        ).lastrowid
        self.connection.execute("INSERT INTO texts VALUES (?, ?)", (key, text))
        self.connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)",
            [
                (number, key, p.start, p.end, json.dumps(p.section, ensure_ascii=False), p.text)
                for number, p in passages
            ],
        )

    def staged(self) -> list[Row]:
        """Return the passages that are written but not yet indexed."""
        return self._rows("documents.state = 'staged' ORDER BY passages.number")

    def has_staged(self) -> bool:
        """Return whether any document waits to be published."""
        return bool(self._keys("state = 'staged' LIMIT 1"))

    def publish(self) -> None:
        """Make every staged document live, its keywords with it, and retire what it replaces."""
        with self.transaction() as connection:
            replaced = self._keys("state = 'live' AND id IN (" + _STAGED_IDS + ")")
            self._retire(replaced)
            staged = self._keys("state = 'staged'")
            KeywordIndex(connection, "passage").add(self._passage_fields(staged))
            KeywordIndex(connection, "document").add(self._document_fields(staged))
            self._set_state(staged, "live")
            self._changed(staged, replaced)

    def retire(self, ids: Sequence[str]) -> int:
        """Take documents out of every search; returns how many there were.

        Their new versions that a killed run left staged go with them, or they would come back.
        """
        with self.transaction():
            of = f"id IN ({_marks(ids)})"
            keys = self._keys(f"state = 'live' AND {of}", ids)
            self._retire(keys)
            self._set_state(self._keys(f"state = 'staged' AND {of}", ids), "retired")
            self._changed((), keys)
        return len(keys)

    def retired(self) -> list[int]:
        """Return the numbers of the passages that are to be swept from the vectors."""
        return [row.number for row in self._rows("documents.state = 'retired'")]

    def sweep(self) -> None:
        """Forget what is retired, once its vectors are gone."""
        with self.transaction():
            self._delete("SELECT key FROM documents WHERE state = 'retired'")

    def _delete(self, keys: str) -> None:
        """Delete documents whose keys are listed, or come from a query."""
        for table, column in (("passages", "document"), ("texts", "key"), ("documents", "key")):
            self.connection.execute(f"DELETE FROM {table} WHERE {column} IN ({keys})")  # noqa: S608

    def _keys(self, condition: str, values: Sequence[str] = ()) -> list[int]:
        query = f"SELECT key FROM documents WHERE {condition}"  # noqa: S608
        return [row[0] for row in self.connection.execute(query, values)]

    def _retire(self, keys: Sequence[int]) -> None:
        KeywordIndex(self.connection, "passage").remove(self._passage_fields(keys))
        KeywordIndex(self.connection, "document").remove(self._document_fields(keys))
        self._set_state(keys, "retired")

    def _set_state(self, keys: Sequence[int], state: str) -> None:
        self.connection.execute(
            f"UPDATE documents SET state = ? WHERE key IN ({listed(keys)})",  # noqa: S608
            (state,),
        )

    def _passage_fields(self, keys: Sequence[int]) -> Iterator[tuple[int, str, str, str]]:
        for row in self._rows(f"documents.key IN ({listed(keys)})"):
            yield row.number, row.document.title, "\n".join(row.passage.section), row.passage.text

    def _document_fields(self, keys: Sequence[int]) -> Iterator[tuple[int, str, str]]:
        return self.connection.execute(
            "SELECT key, title, text FROM documents JOIN texts USING (key)"  # noqa: S608
            f" WHERE key IN ({listed(keys)})"
        )

    def _changed(self, live: Sequence[int], retired: Sequence[int]) -> None:
        """Move the version: these documents have become live, and these are no more."""
        del live, retired
        self._set_fact("version", str(self.version() + 1))

    # -- reading

    def hash_of(self, document_id: str) -> tuple[str, str] | None:
        """Return the content hash and the source of a document's newest version."""
        # Each state has an index of its own; any other way to put it reads all documents.
        of = "SELECT hash, source FROM documents WHERE id = :id AND state = "
        row: tuple[str, str] | None = self.connection.execute(
            f"{of}'staged' UNION ALL {of}'live' LIMIT 1", {"id": document_id}
        ).fetchone()
        return row

    def as_read(self, document_id: str) -> dict[str, str]:
        """Return what a live document's source says of the fields that an operator corrected."""
        row = self.connection.execute(
            "SELECT as_read FROM documents WHERE id = ? AND state = 'live'", (document_id,)
        ).fetchone()
        return dict(json.loads(row[0])) if row else {}

    def document(self, document_id: str) -> Document | None:
        """Return a live document with its whole text."""
        row = self.connection.execute(
            "SELECT id, title, text, source, metadata FROM documents JOIN texts USING (key)"
            " WHERE id = ? AND state = 'live'",
            (document_id,),
        ).fetchone()
        return Document(row[0], row[1], row[2], row[3], json.loads(row[4])) if row else None

    def documents(self) -> list[Record]:
        """Return all live documents, in the order in which they were added."""
        rows = self.connection.execute(
            "SELECT id, title, source, metadata, passages, added FROM documents"
            " WHERE state = 'live' ORDER BY key"
        )
        return [Record(r[0], r[1], r[2], json.loads(r[3]), r[4], r[5]) for r in rows]

    def documents_after(self, key: int) -> Iterator[tuple[int, Document]]:
        """Yield the keys and facts of documents written after one, also of those staged."""
        rows = self.connection.execute(
            "SELECT key, id, title, source, metadata FROM documents WHERE key > ?"
            " AND state != 'retired' ORDER BY key",
            (key,),
        )
        for row in rows:
            yield row[0], Document(row[1], row[2], "", row[3], json.loads(row[4]))

    def live_keys(self) -> list[int]:
        """Return the keys of all live documents."""
        return self._keys("state = 'live'")

    def live_documents(self, keys: Collection[int]) -> dict[int, Document]:
        """Return those of the documents that are live, by key, without their texts."""
        rows = self.connection.execute(
            "SELECT key, id, title, source, metadata FROM documents"  # noqa: S608
            f" WHERE state = 'live' AND key IN ({listed(keys)})"
        )
        return {r[0]: Document(r[1], r[2], "", r[3], json.loads(r[4])) for r in rows}

    def ids_where(self, filters: Mapping[str, str]) -> list[str]:
        """Return the ids of the live documents whose metadata equal all of these."""
        conditions, values = ["state = 'live'"], []
        for name, value in filters.items():
            if name in {"id", "title", "source"}:
                conditions.append(f"{name} = ?")
            else:
                conditions.append("json_extract(metadata, ?) = ?")
                values.append(f'$."{name}"')
            values.append(value)
        query = f"SELECT id FROM documents WHERE {' AND '.join(conditions)}"  # noqa: S608
        return [row[0] for row in self.connection.execute(query, values)]

    def ids_from(self, file: str, but: Collection[str]) -> list[str]:
        """Return the ids of the live documents of a file and its rows, but for these sources."""
        rows = self.connection.execute(
            "SELECT id, source FROM documents WHERE state = 'live'"
            " AND (source = :file OR substr(source, 1, length(:file) + 1) = :file || '#')",
            {"file": file},
        )
        return [id_ for id_, source in rows if source not in but]

    def numbers(self) -> list[int]:
        """Return the numbers of all live passages."""
        rows = self.connection.execute(
            "SELECT number FROM passages JOIN documents ON documents.key = passages.document"
            " WHERE state = 'live'"
        )
        return [row[0] for row in rows]

    def number_of(self, document_id: str, start: int) -> int:
        """Return the number of the live passage that a place of a document is in; 0 for none."""
        row = self.connection.execute(
            "SELECT number FROM passages JOIN documents ON documents.key = passages.document"
            " WHERE state = 'live' AND id = ? AND start <= ? ORDER BY start DESC LIMIT 1",
            (document_id, start),
        ).fetchone()
        return int(row[0]) if row else 0

    def numbers_of(self, document_ids: Sequence[str]) -> list[int]:
        """Return the numbers of the live passages of these documents."""
        query = (
            "SELECT number FROM passages JOIN documents ON documents.key = passages.document"  # noqa: S608
            f" WHERE state = 'live' AND id IN ({_marks(document_ids)})"
        )
        return [row[0] for row in self.connection.execute(query, document_ids)]

    def passages(self, numbers: Sequence[int]) -> dict[int, Row]:
        """Return those of the passages that are live, by number."""
        rows = self._rows(f"+documents.state = 'live' AND passages.number IN ({listed(numbers)})")
        return {row.number: row for row in rows}

    def document_keys(self, numbers: Collection[int]) -> dict[int, int]:
        """Return the document's key of each of these passages that is live."""
        return dict(
            self.connection.execute(
                "SELECT number, key FROM passages JOIN documents ON key = document"  # noqa: S608
                f" WHERE +state = 'live' AND number IN ({listed(numbers)})"
            )
        )

    def passages_of(self, document_id: str) -> list[Passage]:
        """Return a live document's passages, in order."""
        rows = self._rows(
            "documents.state = 'live' AND documents.id = ? ORDER BY passages.number", [document_id]
        )
        return [row.passage for row in rows]

    def texts(self, characters: int) -> Iterator[str]:
        """Yield the titles, and passages of about so many characters spread over all there are."""
        live = "documents.key = passages.document AND state = 'live'"
        total = self.connection.execute(
            f"SELECT total(length(text)) FROM passages JOIN documents ON {live}"  # noqa: S608
        ).fetchone()[0]
        for (title,) in self.connection.execute("SELECT title FROM documents WHERE state = 'live'"):
            yield title
        rows = self.connection.execute(
            f"SELECT text FROM passages JOIN documents ON {live}"  # noqa: S608
            " WHERE passages.number % ? = 0",
            (max(1, math.ceil(total / characters)),),
        )
        for (text,) in rows:
            yield text

    def count(self) -> tuple[int, int]:
        """Return the numbers of live documents and passages."""
        documents, passages = self.connection.execute(
            "SELECT count(*), coalesce(sum(passages), 0) FROM documents WHERE state = 'live'"
        ).fetchone()
        return documents, passages

    def is_empty(self) -> bool:
        """Return whether no document is live; quicker than to count them."""
        return not self.has(1)

    def has(self, documents: int) -> bool:
        """Return whether at least so many documents are live; quicker than to count them."""
        return len(self._keys(f"state = 'live' LIMIT {documents}")) == documents

    def _rows(self, condition: str, values: Sequence[str] = ()) -> list[Row]:
        query = (
            "SELECT passages.number, documents.key, documents.id, documents.title,"  # noqa: S608
            " documents.source, documents.metadata, passages.text, passages.start, passages.end,"
            " passages.section FROM passages JOIN documents ON documents.key = passages.document"
            f" WHERE {condition}"
        )
        return [_row(row) for row in self.connection.execute(query, values)]


def _row(columns: tuple[Any, ...]) -> Row:
    number, key, id_, title, source, metadata, text, start, end, section = columns
    document = Document(id_, title, "", source, json.loads(metadata))
    return Row(number, key, document, Passage(text, start, end, tuple(json.loads(section))))


def _statements(script: str) -> Iterator[str]:
    """Split a script, which ``executescript`` would run outside of the transaction."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
