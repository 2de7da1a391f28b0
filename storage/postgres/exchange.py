"""Moves the rows of a whole board in and out of PostgreSQL (see storage/exchange.py)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from storage.exchange import ROWS_AT_ONCE, TABLES, Row, RowRefusedError, Standing
from storage.postgres.connection import CONNECT_SECONDS, FAULTS, connect, faults_as_unavailable, why_not
from storage.postgres.schema import prepare
from storage.postgres.search import to_vector
from storage.postgres.tx import PostgreSQLTx
from storage.rows import note_access_change

if TYPE_CHECKING:
    from storage.postgres.connection import Link

SECONDS = 600.0
"""How long one statement may take; nobody waits for this connection."""


NEW_EPOCH = "substr(replace(gen_random_uuid()::text, '-', ''), 1, 8)"
A_UUID = "uuid_send(gen_random_uuid())"


class PostgreSQLExchange:
    def __init__(self, db: "Link") -> None:
        self._db = db

    @classmethod
    async def open(cls, url: str) -> "PostgreSQLExchange":
        """Raises CannotOpenError."""
        try:
            await prepare(url)
            return cls(await connect(url, SECONDS))
        except (*FAULTS, ValueError) as error:
            raise why_not(error) from error

    async def close(self) -> None:
        await self._db.close(timeout=CONNECT_SECONDS)

    # --- reading

    async def begin_reading(self) -> Standing:
        db = self._db
        async with faults_as_unavailable():
            await db.execute("SET idle_in_transaction_session_timeout = 0")
            await db.transaction(isolation="repeatable_read", readonly=True).start()
            seq, floor = await db.fetchrow("SELECT seq, floor FROM board") or (0, 0)
            last = {name: await last_given(db, name) for name, table in TABLES.items() if table.counts}
            counts = {name: await db.fetchval(f"SELECT count(*) FROM {name}") for name in TABLES}
        return Standing(seq, floor, last, counts)

    async def rows(self, table: str) -> AsyncIterator[Sequence[Row]]:
        columns, key = ", ".join(TABLES[table].columns), TABLES[table].key
        async with faults_as_unavailable():
            cursor = await self._db.cursor(f"SELECT {columns} FROM {table} ORDER BY {key}")
            while chunk := await cursor.fetch(ROWS_AT_ONCE):
                yield [dict(row) for row in chunk]

    # --- writing

    async def make_room(self, seq: int) -> None:
        sql = "UPDATE board SET seq = $1, floor = greatest(floor, $1) WHERE seq < $1"
        await self._write(lambda: self._db.execute(sql, seq))

    async def put(self, table: str, rows: Sequence[Row]) -> int:
        async def unit() -> int:
            return sum([await put(self._db, table, row, index) for index, row in enumerate(rows)])

        new: int = await self._write(unit)
        return new

    async def begin_anew(self, *, keep_sessions: bool) -> None:
        async def unit() -> None:
            await self._db.execute(f"UPDATE board SET epoch = {NEW_EPOCH}, access = access + 1")
            if not keep_sessions:
                for (account_id,) in await self._db.fetch("SELECT DISTINCT account_id FROM credentials"):
                    await note_access_change(
                        PostgreSQLTx(self._db), account_id
                    )  # a running board drops its cache of them
                await self._db.execute("DELETE FROM credentials WHERE kind <> 'bot'")
                await self._db.execute("DELETE FROM links")
                await self._db.execute(f"UPDATE board SET secret = sha256({' || '.join(3 * [A_UUID])})")

        await self._write(unit)

    async def finish(self, standing: Standing) -> None:
        async def unit() -> None:
            for name, number in standing.last.items():
                if number > await last_given(self._db, name):
                    await self._db.execute(f"SELECT setval('{name}_id_seq', $1)", number)
            await self._db.execute(
                f"UPDATE board SET epoch = {NEW_EPOCH}, access = access + 1, "
                "floor = CASE WHEN seq = $1 THEN $2 ELSE floor END",
                standing.seq, standing.floor,
            )  # fmt: skip

        await self._write(unit)

    async def _write(self, unit: Callable[[], Awaitable[Any]]) -> Any:
        async with faults_as_unavailable(), self._db.transaction():
            await self._db.execute("SELECT take_turn()")
            return await unit()


async def put(db: "Link", table: str, row: Row, index: int) -> int:
    """Adds the row. Returns 1 if it was new, else 0. Raises RowRefusedError."""
    columns, key = TABLES[table].columns, TABLES[table].key
    values = [row[column] for column in columns]
    known = await db.fetchrow(f"SELECT {', '.join(columns)} FROM {table} WHERE {key} = $1", row[key])
    if known is not None and list(known) == values:
        return 0
    if known is not None:
        raise RowRefusedError(index, f"this board has another row {row[key]!r} in {table}")
    places = [f"${number}" for number in range(1, len(columns) + 1)]
    if table == "messages":
        columns = (*columns, "search")
        places.append(f"${len(columns)}::text::tsvector")
        values.append(to_vector(row["body"]) if isinstance(row["body"], str) else None)
    try:
        await db.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(places)})", *values)
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
        why = " ".join(str(error).rstrip(".").split())  # the text may have a second line
        raise RowRefusedError(index, f"this board can't take it: {why}") from error
    return 1


async def last_given(db: "Link", table: str) -> int:
    number: int = await db.fetchval(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table}_id_seq")
    return number
