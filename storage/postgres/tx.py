"""A transaction of PostgreSQL, for the SQL that both engines share (storage/tx.py)."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from storage.errors import NotFoundError
from storage.records import Message
from storage.rows import COLUMNS, to_message
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

    async def set_message(self, id: int, body: str | None, words: object) -> Message:
        self.has_news = True
        seq = await self._db.fetchval("UPDATE board SET seq = seq + 1 RETURNING seq")
        change = EDIT if body is not None else DELETION
        row = await self._db.fetchrow(change, id, seq, *([] if body is None else [body, words]))
        if row is None:
            raise NotFoundError(f"message {id}")
        return to_message(row)

    async def delete_messages(self, where: str, *values: object) -> int:
        return await self.run(f"DELETE FROM messages WHERE {where}", *values)


EDIT = (
    "UPDATE messages SET seq = $2, body = $3, search = $4::text::tsvector, edited_at = now_ms() "
    f"WHERE id = $1 AND body IS NOT NULL RETURNING {COLUMNS}"
)
DELETION = (
    "UPDATE messages SET seq = $2, body = NULL, search = NULL, author_name = NULL, edited_at = NULL, fingerprint = NULL, "
    f"address = NULL WHERE id = $1 AND body IS NOT NULL RETURNING {COLUMNS}"
)


def count(status: str) -> int:
    """Returns how many rows a command changed, as its status says: `DELETE 3`."""
    return int(status.rpartition(" ")[2])


def sought(sql: str, values: Iterable[object]) -> Iterable[object]:
    """Finds nothing for a text that PostgreSQL can't store, because it contains NUL."""
    return map(without_nul, values) if sql.startswith("SELECT") else values


def without_nul(value: object) -> object:
    return None if isinstance(value, str) and "\0" in value else value
