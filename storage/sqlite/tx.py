"""A transaction of SQLite, for the SQL that both engines share (storage/tx.py)."""

import functools
import re
import sqlite3
from collections.abc import Awaitable, Iterable, Sequence
from typing import TypeVar

from storage.errors import NotFoundError
from storage.records import Message
from storage.rows import COLUMNS, to_message
from storage.sqlite.search import reindex
from storage.tx import Row

T = TypeVar("T")


class SQLiteTx:
    """Its methods never suspend. They run on the connection's thread."""

    __slots__ = ("_db", "has_news")

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.has_news = False

    async def one(self, sql: str, *values: object) -> Row | None:
        row: Row | None = self._db.execute(numbered(sql), values).fetchone()
        return row

    async def all(self, sql: str, *values: object) -> Sequence[Row]:
        return self._db.execute(numbered(sql), values).fetchall()

    async def run(self, sql: str, *values: object) -> int:
        return self._db.execute(numbered(sql) if values else sql, values).rowcount

    async def run_many(self, sql: str, rows: Iterable[Row]) -> None:
        self._db.executemany(numbered(sql), rows)

    async def set_message(self, id: int, body: str | None, words: object) -> Message:
        self.has_news = True
        row = self._db.execute("SELECT body FROM messages WHERE id = ? AND body IS NOT NULL", (id,)).fetchone()
        if row is None:
            raise NotFoundError(f"message {id}")
        change = EDIT if body is not None else DELETION
        after = self._db.execute(change, (id, next_seq(self._db), *([] if body is None else [body]))).fetchone()
        reindex(self._db, [(id, row[0])], [] if body is None else [(id, body)])
        return to_message(after)

    async def delete_messages(self, where: str, *values: object) -> int:
        rows = await self.all(f"DELETE FROM messages WHERE {where} RETURNING id, body", *values)
        reindex(self._db, [(id, body) for id, body in rows if body is not None])
        return len(rows)


EDIT = f"UPDATE messages SET seq = ?2, body = ?3, edited_at = now_ms() WHERE id = ?1 RETURNING {COLUMNS}"
DELETION = (
    "UPDATE messages SET seq = ?2, body = NULL, author_name = NULL, edited_at = NULL, fingerprint = NULL, address = NULL "
    f"WHERE id = ?1 RETURNING {COLUMNS}"
)


@functools.lru_cache(1000)
def numbered(sql: str) -> str:
    """Returns the SQL with SQLite's parameters: ?1 for $1."""
    return re.sub(r"\$(\d+)", r"?\1", sql)


def finish(unit: Awaitable[T]) -> T:
    """Runs a unit to its end. It never suspends, because it awaits nothing but its Tx."""
    steps = unit.__await__()
    try:
        next(steps)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("a unit has awaited something that is not its transaction")


def next_seq(db: sqlite3.Connection) -> int:
    db.execute("UPDATE board SET seq = seq + 1")  # RETURNING took three times as long, through a temporary table
    seq: int = db.execute("SELECT seq FROM board").fetchone()[0]
    return seq
