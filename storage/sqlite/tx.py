"""A transaction of SQLite, for the SQL that both engines share (storage/tx.py)."""

import functools
import re
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Iterable, Sequence
from typing import TypeVar

from storage.errors import NotFoundError
from storage.records import FIRST_BOARD, Account, Message
from storage.rows import COLUMNS, messages_in, table_of, to_message
from storage.sqlite.word_index import reindex
from storage.tx import Row

T = TypeVar("T")


class SQLiteTx:
    """Its methods never suspend. They run on the connection's thread."""

    __slots__ = ("_db", "has_news")

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.has_news = False

    async def one(self, sql: str, *values: object) -> Row | None:
        try:
            row: Row | None = self._db.execute(numbered(sql), values).fetchone()
        except OverflowError:  # of a number that no row can have
            return None
        return row

    async def all(self, sql: str, *values: object) -> Sequence[Row]:
        try:
            return self._db.execute(numbered(sql), values).fetchall()
        except OverflowError:
            return []

    async def run(self, sql: str, *values: object) -> int:
        return self._db.execute(numbered(sql) if values else sql, values).rowcount

    async def run_many(self, sql: str, rows: Iterable[Row]) -> None:
        self._db.executemany(numbered(sql), rows)

    async def set_message(
        self, board_id: int, id: int, body: str | None, words: object, mentions: str | None = None
    ) -> Message:
        self.has_news = True
        table = table_of(board_id)
        select = f"SELECT {messages_in(board_id)} AND id = ?2 AND body IS NOT NULL"
        row = self._db.execute(numbered(select), (board_id, id)).fetchone()
        if row is None:
            raise NotFoundError(f"message {id}")
        before = to_message(row)
        change = f"UPDATE {table} SET {DELETION if body is None else EDIT} WHERE id = ?1 RETURNING {COLUMNS}"
        after = self._db.execute(
            change, (id, next_seq(self._db), *([] if body is None else [body, mentions]))
        ).fetchone()
        reindex(self._db, [(id, before.body or "", board_id)], [] if body is None else [(id, body, board_id)])
        return to_message((*after, board_id))

    async def add_message(
        self, board_id: int, author: Account, body: str, words: object, address: str | None
    ) -> Message:
        self.has_news = True
        columns, given = "", "?1, ?1, ?2, ?3, ?4, now_ms(), ?5"
        if board_id != FIRST_BOARD:
            columns, given = ", board_id", f"{given}, {board_id:d}"
        insert = f"INSERT INTO {table_of(board_id)} ({NEW}{columns}) VALUES ({given}) RETURNING {COLUMNS}"
        row = self._db.execute(insert, (next_seq(self._db), author.id, author.name, body, address)).fetchone()
        return to_message((*row, board_id))

    async def delete_messages(self, table: str, where: str, *values: object) -> Counter[int]:
        named = "board_id" if table == "posts" else FIRST_BOARD
        delete = f"DELETE FROM {table} WHERE {where} RETURNING id, body, {named}"
        rows = self._db.execute(numbered(delete), values).fetchall()  # which raises where all() finds nothing
        reindex(self._db, [(id, body, board) for id, body, board in rows if body is not None])
        return Counter(board_id for _, _, board_id in rows)


NEW = "id, seq, author_id, author_name, body, created_at, address"
EDIT = "seq = ?2, body = ?3, edited_at = now_ms(), mentions = ?4"
DELETION = "seq = ?2, body = NULL, author_name = NULL, edited_at = NULL, reply_to = NULL, reactions = NULL, mentions = NULL, pinned_at = NULL, fingerprint = NULL, address = NULL"


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
