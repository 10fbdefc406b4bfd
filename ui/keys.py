"""API keys: made, listed and revoked by the operator; only a hash of each is kept."""

import hashlib
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, get_args

import sqlalchemy as sql

from assistant.database import Database
from knowledge.settings import Settings

Scope = Literal["ask", "search", "admin"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "xq-"  # tells our keys from the placeholders that OpenAI clients send
PER_MINUTE = 600
LONGEST_NAME = 100
_TABLES = sql.MetaData()
_KEYS = sql.Table(
    "keys",
    _TABLES,
    sql.Column("id", sql.String(16), primary_key=True),
    sql.Column("name", sql.String(LONGEST_NAME), nullable=False),
    # SHA-256 of the whole key: it is random, so a slow hash would protect nothing more.
    sql.Column("hash", sql.String(64), unique=True, nullable=False),
    sql.Column("scopes", sql.String(32), nullable=False),
    sql.Column("per_minute", sql.Integer, nullable=False),
    sql.Column("made", sql.Float, nullable=False),
    sql.Column("revoked", sql.Float),
)


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key.

    Attributes:
        per_minute: Requests that it may make; 0 for any number.
        made: In seconds since 1970.
        revoked: Likewise; None while it is good.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    per_minute: int
    made: float
    revoked: float | None


class Keys:
    """The keys of one database. Safe to use from many threads."""

    def __init__(self, settings: Settings) -> None:
        """Open the database that the settings name.

        Raises:
            HomeError: It can't be reached or written.
        """
        self._database = Database(settings, _TABLES)

    def close(self) -> None:
        """Let go of all connections."""
        self._database.close()

    def make(self, name: str, scopes: Collection[Scope], per_minute: int = PER_MINUTE) -> str:
        """Make a key and return it: it can't be shown again."""
        id_ = secrets.token_hex(4)
        key = f"{PREFIX}{id_}-{secrets.token_urlsafe(32)}"
        values = {
            "id": id_,
            "name": name.strip()[:LONGEST_NAME],
            "hash": _hash(key),
            "scopes": " ".join(scope for scope in SCOPES if scope in scopes),
            "per_minute": per_minute,
            "made": time.time(),
        }
        self._database.change(_KEYS.insert().values(values))
        return key

    def list(self) -> list[Key]:
        """Return all keys, the revoked among them, in the order in which they were made."""
        return [_key(row) for row in self._database.read(_KEYS.select().order_by(_KEYS.c.made))]

    def revoke(self, id_: str) -> bool:
        """Make a key worthless from now on; tell whether there was a good one."""
        statement = _KEYS.update().where(_KEYS.c.id == id_, _KEYS.c.revoked.is_(None))
        return self._database.change(statement.values(revoked=time.time())) > 0

    def find(self, key: str) -> Key | None:
        """Return what is known of a key, if it is good."""
        query = _KEYS.select().where(_KEYS.c.hash == _hash(key), _KEYS.c.revoked.is_(None))
        rows = self._database.read(query)
        return _key(rows[0]) if rows else None


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _key(row: sql.Row[Any]) -> Key:
    scopes = frozenset(scope for scope in SCOPES if scope in row.scopes.split())
    return Key(row.id, row.name, scopes, row.per_minute, row.made, row.revoked)
