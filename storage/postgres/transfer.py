"""Moves the rows of a whole board in and out of PostgreSQL (see storage/transfer.py)."""

import contextlib
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import asyncpg

from storage.postgres.address import parse
from storage.postgres.connection import CONNECT_SECONDS, FAULTS, connect, faults_as_unavailable, why_not
from storage.postgres.schema import prepare
from storage.postgres.search import to_vector
from storage.postgres.tx import PostgreSQLTx
from storage.records import FIRST_BOARD
from storage.tables import TABLES
from storage.transfer import Transfer
from storage.tx import ROWS_AT_ONCE, Row, Tx

if TYPE_CHECKING:
    from storage.postgres.connection import Link

T = TypeVar("T")
SECONDS = 600.0
"""How long one statement may take; nobody waits for this connection."""
PORTION = 8 * 1024 * 1024
"""Bytes of pictures and other octets after which a statement ends: here and in PostgreSQL there are copies of them."""
NO_LIMIT = "SET idle_in_transaction_session_timeout = 0"
"""For a transaction that waits for a disk, a pipe or another database, and has nothing that a server needs."""


class PostgreSQLTransfer(Transfer):
    refusals = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)

    def __init__(self, db: "Link", url: str) -> None:
        self.name = parse(url).name
        self._db = db
        self.tx = PostgreSQLTx(db)

    @classmethod
    async def open(cls, url: str, *, is_long: bool = False) -> "PostgreSQLTransfer":
        """With `is_long`, a writing transaction may pause; a reading one always may. Raises CannotOpenError."""
        try:
            await prepare(url)
            db = await connect(url, SECONDS)
            if is_long:
                await db.execute(NO_LIMIT)
        except (*FAULTS, ValueError) as error:
            raise why_not(error) from error
        return cls(db, url)

    async def aclose(self) -> None:
        with contextlib.suppress(*FAULTS):  # it is closed without a goodbye then; what was done stays done
            await self._db.close(timeout=CONNECT_SECONDS)

    async def read(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        async with faults_as_unavailable():
            if not self._db.is_in_transaction():
                await self._db.execute(NO_LIMIT)
                await self._db.transaction(isolation="repeatable_read", readonly=True).start()
            return await unit(self.tx)

    async def write(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        async with faults_as_unavailable():
            transaction = self._db.transaction()
            await transaction.start()
            try:
                await self._db.execute("SELECT take_turn()")
                done = await unit(self.tx)
            except BaseException:
                if not self._db.is_closed():  # otherwise there is nothing to undo, and the first error says why
                    await transaction.rollback()
                raise
            await transaction.commit()
            return done

    async def rows(self, table: str) -> AsyncGenerator[Sequence[Row], None]:
        key, names = TABLES[table].columns[0], TABLES[table].names
        order = f'{key.name} COLLATE "C"' if key.type == "text" else key.name  # as SQLite orders texts
        async with faults_as_unavailable():
            cursor = await self._db.cursor(f"SELECT {', '.join(names)} FROM {table} ORDER BY {order}")
            while chunk := await cursor.fetch(ROWS_AT_ONCE):
                yield [tuple(row) for row in chunk]

    async def insert(self, table: str, rows: Sequence[Row]) -> None:
        for portion in portions(rows):
            columns = list(map(list, zip(*portion, strict=True)))
            if table in ("messages", "posts"):
                rows_by_name = dict(zip(TABLES[table].names, columns, strict=True))
                boards = rows_by_name.get("board_id", [FIRST_BOARD] * len(portion))
                bodies = zip(rows_by_name["body"], boards, strict=True)
                columns.append([None if body is None else to_vector(body, board_id) for body, board_id in bodies])
            await self.tx.run(inserting(table), *columns)

    async def last_given(self, table: str) -> int:
        ((number,),) = await self.tx.all(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table}_id_seq")
        return int(number)

    async def set_last_given(self, table: str, last: int) -> None:
        await self.tx.all(f"SELECT setval('{table}_id_seq', $1)", last)


def portions(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Yields all rows in order, in as many parts as PORTION asks for."""
    first = size = 0
    for end, row in enumerate(rows, 1):
        size += sum(len(value) for value in row if isinstance(value, bytes))
        if size >= PORTION or end == len(rows):
            yield rows[first:end]
            first, size = end, 0


@functools.cache
def inserting(table: str) -> str:
    """Returns the SQL that adds rows; its parameters are arrays, one for each column."""
    types = {column.name: column.type for column in TABLES[table].columns}
    if table in ("messages", "posts"):
        types["search"] = "text[]::tsvector"  # asyncpg has no arrays of tsvector
    arrays = ", ".join(f"${number}::{type}[]" for number, type in enumerate(types.values(), 1))
    return f"INSERT INTO {table} ({', '.join(types)}) SELECT * FROM unnest({arrays})"
