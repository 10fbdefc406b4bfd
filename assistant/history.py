"""Conversations, and what was asked, kept in SQL: SQLite in the home, or any database by URL.

Personal numbers are masked before a word is written.
"""

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from assistant.database import Database
from assistant.privacy import mask
from assistant.types import Answer, Citation, Turn
from knowledge.errors import HomeError
from knowledge.settings import Settings

Verdict = Literal["", "up", "down"]
# Which of the questions an operator looks at.
Kind = Literal["all", "refused", "disliked", "unsure"]

LONGEST_TITLE = 60  # characters
_TABLES = sql.MetaData()
_CONVERSATIONS = sql.Table(
    "conversations",
    _TABLES,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("owner", sql.String(64), nullable=False, index=True),
    sql.Column("title", sql.String(LONGEST_TITLE), nullable=False),
    sql.Column("changed", sql.Float, nullable=False),
)
_EXCHANGES = sql.Table(
    "exchanges",
    _TABLES,
    sql.Column("number", sql.Integer, primary_key=True),
    sql.Column("id", sql.String(64), unique=True, nullable=False),
    sql.Column("conversation", sql.String(64), index=True),  # empty once it is anonymous
    sql.Column("asked", sql.Float, nullable=False, index=True),
    sql.Column("question", sql.Text, nullable=False),
    sql.Column("status", sql.String(16), nullable=False),
    sql.Column("said", sql.Text, nullable=False),  # the answer's text
    sql.Column("answer", sql.Text, nullable=False),  # the whole answer as JSON
    sql.Column("shared", sql.Boolean, nullable=False),
    sql.Column("verdict", sql.String(4), nullable=False),
    sql.Column("reason", sql.Text, nullable=False),
)
_KINDS: Mapping[Kind, sql.ColumnElement[bool]] = {
    "all": sql.true(),
    "refused": _EXCHANGES.c.status.not_in(("answered", "partial")),
    "disliked": _EXCHANGES.c.verdict == "down",
    "unsure": _EXCHANGES.c.status == "partial",
}


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of the list; ``changed`` in seconds since 1970."""

    id: str
    title: str
    changed: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question with its answer, and what the citizen thought of it."""

    id: str
    asked: float
    answer: Answer
    verdict: Verdict
    reason: str

    def turns(self) -> tuple[Turn, Turn]:
        """Return it as the assistant takes what was said before."""
        return Turn("user", self.answer.question), Turn("assistant", self.answer.answer)


class History:
    """Keeps conversations apart by owner. Safe to use from many threads.

    An owner is a random token that a browser (or an API client) made up and tells nobody; so is
    the id of a conversation. Whoever has an exchange's id may rate it. Asking for what is not
    there, or is another's, finds nothing.
    """

    def __init__(self, settings: Settings) -> None:
        """Open the database that the settings name, making its tables if they are not there.

        Raises:
            HomeError: The database can't be reached or written.
        """
        self._database = Database(settings, _TABLES)

    def close(self) -> None:
        """Let go of all connections."""
        self._database.close()

    # -- conversations of one owner

    def keep(
        self,
        owner: str,
        conversation: str,
        answer: Answer,
        exchange: str = "",
        *,
        replaces: str = "",
    ) -> Exchange:
        """Add an exchange to a conversation, which begins with its first.

        Args:
            owner: Empty: nobody's; only the question's operator will see it.
            conversation: Made up by the caller; empty: none.
            answer: What was asked and answered.
            exchange: An id that was given out already; a new one if empty.
            replaces: The exchange of the conversation that it was asked instead of; that one and
                all that follow it are deleted.
        """
        kept = Exchange(exchange or secrets.token_urlsafe(16), time.time(), _masked(answer), "", "")
        try:
            self._write(owner, conversation, kept, replaces)
        except HomeError as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
            # Another first question began the conversation at the same moment.
            self._write(owner, conversation, kept, replaces)
        return kept

    def _write(self, owner: str, conversation: str, kept: Exchange, replaces: str) -> None:
        with self._database.changing() as connection:
            mine = owner and conversation and self._touch(connection, owner, conversation, kept)
            if mine and replaces:
                _take_back(connection, conversation, replaces)
            values = {
                "id": kept.id,
                "conversation": conversation if mine else None,
                "asked": kept.asked,
                "question": kept.answer.question,
                "status": kept.answer.status,
                "said": kept.answer.answer,
                "answer": json.dumps(asdict(kept.answer), ensure_ascii=False),
                "shared": False,
                "verdict": "",
                "reason": "",
            }
            connection.execute(_EXCHANGES.insert().values(values))

    def conversations(self, owner: str, search: str = "") -> list[Conversation]:
        """Return an owner's conversations, the last first; those that hold a text."""
        c = _CONVERSATIONS.c
        query = sql.select(c.id, c.title, c.changed).where(c.owner == owner)
        if search := search.strip():
            said = sql.select(_EXCHANGES.c.conversation).where(
                _EXCHANGES.c.question.contains(search, autoescape=True)
                | _EXCHANGES.c.said.contains(search, autoescape=True)
            )
            query = query.where(c.title.contains(search, autoescape=True) | c.id.in_(said))
        rows = self._database.read(query.order_by(c.changed.desc()))
        return [Conversation(row.id, row.title, row.changed) for row in rows]

    def exchanges(self, owner: str, conversation: str) -> list[Exchange]:
        """Return what was said in a conversation, in order."""
        mine = self._mine(owner).where(_CONVERSATIONS.c.id == conversation)
        query = _EXCHANGES.select().where(_EXCHANGES.c.conversation.in_(mine))
        return [_exchange(row) for row in self._database.read(query.order_by(_EXCHANGES.c.number))]

    def turns(self, owner: str, conversation: str, last: int) -> list[Turn]:
        """Return the last turns of a conversation, as the assistant takes them."""
        kept = self.exchanges(owner, conversation)[-last // 2 :] if last else []
        return [turn for exchange in kept for turn in exchange.turns()]

    def rename(self, owner: str, conversation: str, title: str) -> bool:
        """Give a conversation another title; tell whether it is there."""
        title = mask(title.strip())[:LONGEST_TITLE]
        c = _CONVERSATIONS.c
        statement = _CONVERSATIONS.update().where(c.id == conversation, c.owner == owner)
        return bool(title) and self._database.change(statement.values(title=title)) > 0

    def delete(self, owner: str, conversation: str) -> bool:
        """Delete a conversation with all that was said in it; tell whether it was there."""
        mine = self._mine(owner).where(_CONVERSATIONS.c.id == conversation)
        c = _CONVERSATIONS.c
        with self._database.changing() as connection:
            connection.execute(_EXCHANGES.delete().where(_EXCHANGES.c.conversation.in_(mine)))
            gone = _CONVERSATIONS.delete().where(c.id == conversation, c.owner == owner)
            return connection.execute(gone).rowcount > 0

    def leave(self, owner: str) -> None:
        """Forget whose the questions were; the masked questions stay, tied to nobody."""
        with self._database.changing() as connection:
            mine = _EXCHANGES.c.conversation.in_(self._mine(owner))
            connection.execute(_EXCHANGES.update().where(mine).values(conversation=None))
            connection.execute(_CONVERSATIONS.delete().where(_CONVERSATIONS.c.owner == owner))

    # -- one exchange

    def exchange(self, owner: str, exchange: str) -> Exchange | None:
        """Return an exchange of an owner's, or one that its owner shared."""
        c = _EXCHANGES.c
        open_to = c.shared | c.conversation.in_(self._mine(owner))
        rows = self._database.read(_EXCHANGES.select().where(c.id == exchange, open_to))
        return _exchange(rows[0]) if rows else None

    def share(self, exchange: str) -> bool:
        """Let everybody who has an exchange's id read it; tell whether it is there."""
        statement = _EXCHANGES.update().where(_EXCHANGES.c.id == exchange)
        return self._database.change(statement.values(shared=True)) > 0

    def rate(self, exchange: str, verdict: Verdict, reason: str = "") -> bool:
        """Keep what a citizen thinks of an answer; tell whether it is there."""
        statement = _EXCHANGES.update().where(_EXCHANGES.c.id == exchange)
        return (
            self._database.change(statement.values(verdict=verdict, reason=mask(reason.strip())))
            > 0
        )

    # -- for operators

    def asked(self, kind: Kind = "all", limit: int = 100) -> list[Exchange]:
        """Return what was last asked by anybody, the last first."""
        query = _EXCHANGES.select().where(_KINDS[kind])
        rows = self._database.read(query.order_by(_EXCHANGES.c.number.desc()).limit(limit))
        return [_exchange(row) for row in rows]

    def most_asked(self, limit: int) -> list[str]:
        """Return the questions that were answered most often."""
        c = _EXCHANGES.c
        query = sql.select(c.question).where(c.status == "answered").group_by(c.question)
        ordered = query.order_by(sql.func.count().desc(), sql.func.max(c.number).desc())
        return [row[0] for row in self._database.read(ordered.limit(limit))]

    # -- SQL

    def _mine(self, owner: str) -> sql.Select[Any]:
        return sql.select(_CONVERSATIONS.c.id).where(_CONVERSATIONS.c.owner == owner)

    def _touch(
        self, connection: sql.Connection, owner: str, conversation: str, kept: Exchange
    ) -> bool:
        """Note that a conversation goes on, or begin it; tell whether it is the owner's."""
        c = _CONVERSATIONS.c
        found = connection.execute(sql.select(c.owner).where(c.id == conversation)).first()
        if found is None:
            title = " ".join(kept.answer.question.split())[:LONGEST_TITLE]
            new = {"id": conversation, "owner": owner, "title": title, "changed": kept.asked}
            connection.execute(_CONVERSATIONS.insert().values(new))
        elif found.owner == owner:
            at = _CONVERSATIONS.update().where(c.id == conversation)
            connection.execute(at.values(changed=kept.asked))
        return found is None or found.owner == owner


def markdown(title: str, exchanges: Sequence[Exchange]) -> str:
    """Return a conversation as Markdown, each answer with its sources."""
    parts = [f"# {title}"]
    for exchange in exchanges:
        parts += [f"## {exchange.answer.question}", exchange.answer.answer]
        parts += [_source_line(citation) for citation in exchange.answer.citations]
    return "\n\n".join(parts) + "\n"


def _take_back(connection: sql.Connection, conversation: str, exchange: str) -> None:
    """Delete an exchange of a conversation and all that follow it."""
    c = _EXCHANGES.c
    here = c.conversation == conversation
    first = sql.select(c.number).where(here, c.id == exchange).scalar_subquery()
    connection.execute(_EXCHANGES.delete().where(here, c.number >= first))


def _source_line(citation: Citation) -> str:
    about = "，".join(part for part in (citation.section, citation.date) if part)
    return f"> [{citation.n}] 《{citation.title.strip('《》')}》{f'（{about}）' if about else ''}"


def _exchange(row: sql.Row[Any]) -> Exchange:
    fields = json.loads(row.answer)
    fields["citations"] = tuple(Citation(**citation) for citation in fields["citations"])
    fields["missing"] = tuple(fields["missing"])
    known = {name: fields[name] for name in Answer.__slots__ if name in fields}
    return Exchange(row.id, row.asked, Answer(**known), row.verdict, row.reason)


def _masked(answer: Answer) -> Answer:
    """Mask what the citizen wrote; documents are public and keep their numbers.

    A composer can repeat only what was asked: the answer is masked where the question is, but for
    what it quotes.
    """
    if mask(answer.question) == answer.question:
        return answer
    quoted = "\n".join(citation.quote for citation in answer.citations)
    return replace(
        answer,
        question=mask(answer.question),
        corrected_question=mask(answer.corrected_question),
        answer=mask(answer.answer, quoted),
        missing=tuple(map(mask, answer.missing)),
        reason=mask(answer.reason),
    )
