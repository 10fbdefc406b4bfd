"""A catalogue that several machines share: PostgreSQL keeps it, each home a copy to search in.

The copy is the SQLite catalogue with its keywords that every home has, so a question is searched
for on its own machine and costs the database nothing. Every change is written to PostgreSQL and to
the copy, PostgreSQL first; the other copies follow its version. While PostgreSQL is down questions
are answered from the copies, and nothing can be written.

A writer holds an advisory lock. Should it be lost with its connection, the version tells: a change
is taken only if nobody else has written since the writer looked.
"""

import json
import logging
import sqlite3
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from knowledge.catalogue import RESTORED, Catalogue
from knowledge.errors import HomeError
from knowledge.lexical import KeywordIndex, listed
from knowledge.types import Passage

FOLLOW_EVERY = 1.0  # seconds between two looks at what other machines have written
CONNECT_TIMEOUT = 3  # seconds after which a database that does not answer is down
AT_ONCE = 200  # documents that are copied together
_LOCK = 0x7869616F  # any number; advisory locks belong to a database

_COPIED = ("key", "id", "title", "source", "metadata", "hash", "added", "as_read")

_State = sql.Row[Any]
_TABLES = sql.MetaData()
# One row.
_STATE = sql.Table(
    "catalogue_state",
    _TABLES,
    sql.Column("id", sql.String(32), primary_key=True),  # tells one shared catalogue from another
    sql.Column("version", sql.BigInteger, nullable=False),
    sql.Column("last_key", sql.BigInteger, nullable=False),
    sql.Column("last_number", sql.BigInteger, nullable=False),
    sql.Column("embedding_model", sql.Text, nullable=False),
)
# Those that are live. ``version`` is the one with which they became so.
_DOCUMENTS = sql.Table(
    "catalogue_documents",
    _TABLES,
    sql.Column("key", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("version", sql.BigInteger, nullable=False, index=True),
    sql.Column("id", sql.Text, nullable=False, unique=True),
    sql.Column("title", sql.Text, nullable=False),
    sql.Column("source", sql.Text, nullable=False),
    sql.Column("metadata", sql.Text, nullable=False),
    sql.Column("hash", sql.Text, nullable=False),
    sql.Column("added", sql.Text, nullable=False),
    sql.Column("text", sql.Text, nullable=False),
    sql.Column("as_read", sql.Text, nullable=False, server_default="{}"),
    # Of each passage its number, start, end and section, as JSON.
    sql.Column("passages", sql.Text, nullable=False),
)
# What was live, by the version that ended it: from this the copies know what to forget.
_REMOVED = sql.Table(
    "catalogue_removed",
    _TABLES,
    sql.Column("key", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("version", sql.BigInteger, nullable=False, index=True),
)


class SharedCatalogue(Catalogue):
    """The catalogue of a home that is one of several; a thread follows what the others write."""

    def __init__(self, path: Path, url: str) -> None:
        """Open the copy, and bring it up to date if the database can be reached.

        A home with documents that comes first brings them along; one that comes later must be
        empty, or a copy already.

        Args:
            path: The copy.
            url: PostgreSQL, as an SQLAlchemy URL.

        Raises:
            HomeError: The copy can't be opened, it has documents of its own, or the database can't
                be reached and there is no copy yet.
        """
        super().__init__(path)
        try:
            with _told():
                self._engine = sql.create_engine(
                    url, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_TIMEOUT}
                )
        except ModuleNotFoundError as error:
            raise HomeError(
                "共享目录库需要 PostgreSQL 的驱动：请运行 pip install 'xiaoquan[postgres]'。"
            ) from error
        try:
            self._join()
        except _UnreachableError as error:
            if not self.fact("shared"):
                raise
            _warn(error)
        self._closed = threading.Event()
        self._follower = threading.Thread(target=self._follow, name="catalogue", daemon=True)
        self._follower.start()

    def close(self) -> None:
        """Follow no more; let go of the database and of this thread's copy."""
        self._closed.set()
        self._follower.join()
        self._engine.dispose()
        super().close()

    # -- following

    def _follow(self) -> None:
        told = False
        while not self._closed.wait(FOLLOW_EVERY):
            try:
                self.catch_up()
                told = False
            except (HomeError, sqlite3.Error) as error:  # such as a full disk, until it is not
                if not told:
                    _warn(error)
                told = True
        super().close()

    def catch_up(self) -> None:
        """Copy what other machines have changed, in one step for whoever searches.

        Raises:
            HomeError: The database can't be reached, or the copy not be written.
        """
        with _told(), self._snapshot() as database:
            state = database.execute(sql.select(_STATE)).one()
            if self._is_current(state):
                return
            with self.transaction():
                if not self._is_current(state):  # by another process of this machine
                    self._copy(database, state)

    def _is_current(self, state: _State) -> bool:
        model = self.fact("embedding_model")
        return (self.version(), model) == (state.version, state.embedding_model)

    def _copy(self, database: sql.Connection, state: _State) -> None:
        seen = self.version()
        if seen > state.version:  # an older state was put back there
            self._forget(self._keys("state = 'live'"))
            self._set_fact(RESTORED, uuid.uuid4().hex)
            seen = 0
        gone = sql.select(_REMOVED.c.key).where(_REMOVED.c.version > seen)
        self._forget(database.execute(gone).scalars().all())
        new = sql.select(_DOCUMENTS).where(_DOCUMENTS.c.version > seen).order_by(_DOCUMENTS.c.key)
        for some in database.execute(new).yield_per(AT_ONCE).partitions():
            self._write(some)
        self._set_fact("embedding_model", state.embedding_model)
        self._set_fact("version", str(state.version))

    @contextmanager
    def _snapshot(self) -> Iterator[sql.Connection]:
        with self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ")

    def _forget(self, keys: Sequence[int]) -> None:
        for some in _pieces(keys):
            live = self._keys(f"state = 'live' AND key IN ({listed(some)})")
            self._retire(live)
            self._delete(listed(live))

    def _write(self, documents: Sequence[_State]) -> None:
        """Write documents as they are elsewhere; what a crash left of them here gives way."""
        keys = [one.key for one in documents]
        self._delete(listed(keys))
        for one in documents:
            passages = json.loads(one.passages)
            self._insert(
                {**{name: getattr(one, name) for name in _COPIED}, "passages": len(passages)},
                one.text,
                [
                    (number, Passage(one.text[start:end], start, end, tuple(section)))
                    for number, start, end, section in passages
                ],
            )
        self._set_state(keys, "live")
        KeywordIndex(self.connection, "passage").add(self._passage_fields(keys))
        KeywordIndex(self.connection, "document").add(self._document_fields(keys))

    # -- joining

    def _join(self) -> None:
        with _told(), self._engine.begin() as database:
            # Two that come first must not both begin it.
            database.execute(sql.select(sql.func.pg_advisory_xact_lock(_LOCK + 1)))
            _TABLES.create_all(database)
            _bring_up_to_date(database)
            if not database.execute(sql.select(_STATE)).first():
                self._begin(database)
            id_ = database.execute(sql.select(_STATE.c.id)).scalar_one()
            known = self.fact("shared")
            if known != id_ and (known or not self.is_empty()):
                raise HomeError(
                    f"数据文件夹里的目录库 {str(self._path)!r} 有它自己的资料，与共享目录库里的不是"
                    "一套。请用 --home 或 XIAOQUAN_HOME 另指一个空文件夹，再把这些资料载入一次。"
                )
        super().set_fact("shared", id_)
        self.catch_up()

    def _begin(self, database: sql.Connection) -> None:
        """Begin a shared catalogue with the documents of this home."""
        last = dict(self.connection.execute("SELECT name, seq FROM sqlite_sequence"))
        id_, version = uuid.uuid4().hex, self.version()
        state = _STATE.insert().values(
            id=id_,
            version=version,
            last_key=last.get("documents", 0),
            last_number=last.get("passages", 0),
            embedding_model=self.fact("embedding_model"),
        )
        database.execute(state)
        self._send(database, self._keys("state = 'live'"), version)
        super().set_fact("shared", id_)

    # -- writing

    @contextmanager
    def alone(self, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Keep every other machine from writing; what a crash left half done is dropped.

        It was confirmed to nobody, and another machine may have written the same since.

        Raises:
            HomeError: The database can't be reached.
        """
        with _told(), self._engine.connect() as connection:
            held = connection.execution_options(isolation_level="AUTOCOMMIT")
            if not held.execute(sql.select(sql.func.pg_try_advisory_lock(_LOCK))).scalar():
                waiting()
                held.execute(sql.select(sql.func.pg_advisory_lock(_LOCK)))
            try:
                self.catch_up()
                with self.transaction():
                    self._set_state(self._keys("state = 'staged'"), "retired")
                yield
            finally:
                with suppress(SQLAlchemyError):  # it ended with the connection
                    held.execute(sql.select(sql.func.pg_advisory_unlock(_LOCK)))

    def set_fact(self, name: str, value: str) -> None:
        """Keep a fact; the embedding model is one about all copies."""
        if name == "embedding_model":
            with _told(), self._engine.begin() as database:
                database.execute(_STATE.update().values(embedding_model=value))
        super().set_fact(name, value)

    def _reserve(self, passages: int) -> tuple[int, Sequence[int]]:
        """Take numbers that no machine will ever take again: the vectors are known by them."""
        of = _STATE.c
        taken = (
            _STATE.update()
            .values(last_key=of.last_key + 1, last_number=of.last_number + passages)
            .returning(of.last_key, of.last_number)
        )
        with _told(), self._engine.begin() as database:
            key, last = database.execute(taken).one()
        return key, range(last - passages + 1, last + 1)

    def _changed(self, live: Sequence[int], retired: Sequence[int]) -> None:
        """Write it to the database before it stands here: after a crash it is copied from there."""
        seen = self.version()
        with _told(), self._engine.begin() as database:
            moved = _STATE.update().where(_STATE.c.version == seen).values(version=seen + 1)
            if not database.execute(moved).rowcount:
                raise HomeError("另一台机器刚刚写过共享目录库，这次没有写入。请再试一次。")
            if retired:
                gone = [{"key": key, "version": seen + 1} for key in retired]
                database.execute(_REMOVED.insert(), gone)
                for some in _pieces(retired):
                    database.execute(_DOCUMENTS.delete().where(_DOCUMENTS.c.key.in_(some)))
            self._send(database, live, seen + 1)
        self._set_fact("version", str(seen + 1))

    def _send(self, database: sql.Connection, keys: Sequence[int], version: int) -> None:
        for some in _pieces(keys):
            these = listed(some)
            passages = defaultdict(list)
            for row in self._rows(f"documents.key IN ({these}) ORDER BY passages.number"):
                of = row.passage
                passages[row.document_key].append((row.number, of.start, of.end, of.section))
            rows = self.connection.execute(
                f"SELECT {', '.join(_COPIED)}, text FROM documents JOIN texts USING (key)"  # noqa: S608
                f" WHERE key IN ({these})"
            )
            sent = [
                {
                    **dict(zip((*_COPIED, "text"), row, strict=True)),
                    "passages": json.dumps(passages[row[0]], ensure_ascii=False),
                    "version": version,
                }
                for row in rows
            ]
            database.execute(_DOCUMENTS.insert(), sent)


def _bring_up_to_date(database: sql.Connection) -> None:
    """Give tables that an older version has made the columns that have come since."""
    columns = {column["name"] for column in sql.inspect(database).get_columns(_DOCUMENTS.name)}
    if "as_read" not in columns:
        added = f"ALTER TABLE {_DOCUMENTS.name} ADD COLUMN as_read TEXT NOT NULL DEFAULT '{{}}'"
        database.execute(sql.text(added))


def _pieces(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[at : at + AT_ONCE] for at in range(0, len(keys), AT_ONCE))


class _UnreachableError(HomeError):
    """PostgreSQL does not answer."""


@contextmanager
def _told() -> Iterator[None]:
    """Turn the database's errors into one that says what to do; it never holds the password."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _UnreachableError(
            f"共享目录库不可用：{getattr(error, 'orig', None) or error}。"
            "请检查 XIAOQUAN_CATALOGUE_URL 和 PostgreSQL。"
        ) from error


def _warn(error: Exception) -> None:
    logging.getLogger(__name__).warning("this copy of the catalogue stays as it is: %s", error)
