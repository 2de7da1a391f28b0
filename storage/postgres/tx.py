"""A transaction of PostgreSQL, for the SQL that both engines share (storage/tx.py)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from storage.errors import NotFoundError
from storage.records import FIRST_BOARD, Account, Message
from storage.rows import COLUMNS, table_of, to_message
from storage.tx import Row

if TYPE_CHECKING:
    from storage.postgres.connection import Database, Link


class PostgreSQLTx:
    __slots__ = ("_db", "has_news")

    def __init__(self, db: "Database | Link") -> None:
        self._db = db
        self.has_news = False

    async def one(self, sql: str, *values: object) -> Row | None:
        row: Any = await self._db.fetchrow(sql, *sought(sql, values))  # a record is a sequence, except in its type
        return row  # type: ignore[no-any-return]

    async def all(self, sql: str, *values: object) -> Sequence[Row]:
        rows: Any = await self._db.fetch(sql, *sought(sql, values))
        return rows  # type: ignore[no-any-return]

    async def run(self, sql: str, *values: object) -> int:
        return count(await self._db.execute(sql, *values))

    async def run_many(self, sql: str, rows: Iterable[Row]) -> None:
        await self._db.executemany(sql, rows)

    async def set_message(
        self, board_id: int, id: int, body: str | None, words: object, mentions: str | None = None
    ) -> Message:
        self.has_news = True
        seq = await self._db.fetchval("UPDATE board SET seq = seq + 1 RETURNING seq")
        on_board = "" if board_id == FIRST_BOARD else f" AND board_id = {board_id:d}"
        change = f"UPDATE {table_of(board_id)} SET {DELETION if body is None else EDIT}"
        where = f"WHERE id = $1 AND body IS NOT NULL{on_board} RETURNING {COLUMNS}"
        row = await self._db.fetchrow(f"{change} {where}", id, seq, *([] if body is None else [body, words, mentions]))
        if row is None:
            raise NotFoundError(f"message {id}")
        return to_message((*row, board_id))

    async def add_message(
        self, board_id: int, author: Account, body: str, words: object, address: str | None
    ) -> Message:
        self.has_news = True
        seq = await self._db.fetchval("UPDATE board SET seq = seq + 1 RETURNING seq")
        columns, given = "", "$1, $1, $2, $3, $4, now_ms(), $5, $6::text::tsvector"
        if board_id != FIRST_BOARD:
            columns, given = ", board_id", f"{given}, {board_id:d}"
        insert = f"INSERT INTO {table_of(board_id)} ({NEW}{columns}) VALUES ({given}) RETURNING {COLUMNS}"
        row: Any = await self._db.fetchrow(insert, seq, author.id, author.name, body, address, words)
        return to_message((*row, board_id))

    async def delete_messages(self, table: str, where: str, *values: object) -> Counter[int]:
        board = "board_id" if table == "posts" else f"CAST({FIRST_BOARD} AS bigint)"
        rows = await self._db.fetch(
            f"WITH gone AS (DELETE FROM {table} WHERE {where} RETURNING {board} AS board_id) "
            "SELECT board_id, count(*) FROM gone GROUP BY board_id",
            *values,
        )
        return Counter({row[0]: row[1] for row in rows})


NEW = "id, seq, author_id, author_name, body, created_at, address, search"
EDIT = "seq = $2, body = $3, search = $4::text::tsvector, edited_at = now_ms(), mentions = $5"
DELETION = "seq = $2, body = NULL, search = NULL, author_name = NULL, edited_at = NULL, reply_to = NULL, reactions = NULL, mentions = NULL, pinned_at = NULL, fingerprint = NULL, address = NULL"


def count(status: str) -> int:
    """Returns how many rows a command changed, as its status says: `DELETE 3`."""
    return int(status.rpartition(" ")[2])


def sought(sql: str, values: Iterable[object]) -> Iterable[object]:
    """Finds nothing for a text that PostgreSQL can't store, because it contains NUL, or for too great a number."""
    return map(storable, values) if sql.startswith("SELECT") else values


def storable(value: object) -> object:
    if isinstance(value, str):
        return None if "\0" in value else value
    return None if isinstance(value, int) and not -(2**63) <= value < 2**63 else value
