"""The database for what is kept beside the documents: SQLite in the home, or any by URL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from knowledge.errors import HomeError
from knowledge.settings import Settings

FILE = "history.sqlite3"  # in the home


class Database:
    """Runs statements; what goes wrong says what to do. Safe to use from many threads."""

    def __init__(self, settings: Settings, tables: sql.MetaData) -> None:
        """Open the database that the settings name, making the tables if they are not there.

        Raises:
            HomeError: The database can't be reached or written.
        """
        url = settings.database_url or sql.URL.create("sqlite", database=str(settings.home / FILE))
        with _told(str(url)):
            self._engine = sql.create_engine(url, pool_pre_ping=True)
            if self._engine.dialect.name == "sqlite":
                sql.event.listen(self._engine, "connect", _make_durable)
            tables.create_all(self._engine)
        self._url = self._engine.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def read(self, query: sql.Select[Any]) -> Sequence[sql.Row[Any]]:
        """Return the rows of a query."""
        with _told(self._url), self._engine.connect() as connection:
            return connection.execute(query).all()

    def change(self, statement: sql.Insert | sql.Update | sql.Delete) -> int:
        """Run one statement; return how many rows it changed."""
        with self.changing() as connection:
            return connection.execute(statement).rowcount

    @contextmanager
    def changing(self) -> Iterator[sql.Connection]:
        """All or nothing."""
        with _told(self._url), self._engine.begin() as connection:
            yield connection


def _make_durable(connection: Any, _record: object) -> None:  # noqa: ANN401
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA busy_timeout = 10000")


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn the database's errors into one that says what to do."""
    try:
        yield
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        address = url.rpartition("@")[2]  # never the password
        raise HomeError(
            f"对话库 {address!r} 不可用：{getattr(error, 'orig', None) or error}。"
            "请检查 XIAOQUAN_DATABASE_URL、磁盘空间和写权限。"
        ) from error
