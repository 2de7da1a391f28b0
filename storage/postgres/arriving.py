"""Moves a board from elsewhere to PostgreSQL in one transaction, so that it arrives as a whole or not at all."""

from collections.abc import AsyncGenerator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from storage.errors import StorageError
from storage.moving import BOARD, TABLES
from storage.postgres.address import parse
from storage.postgres.connection import FAULTS, connect, why_not
from storage.postgres.schema import MIGRATION_SECONDS, prepare
from storage.postgres.search import to_vector

if TYPE_CHECKING:
    from storage.postgres.connection import Link

ROWS_AT_ONCE = 1000
"""Rows that are read together."""
Row = tuple[Any, ...]


class Arriving:
    """As a context manager, this is the transaction: it keeps what was put if the block raises nothing."""

    def __init__(self, db: "Link", url: str) -> None:
        self._db = db
        self.name = parse(url).name
        """The database's name, without user and password."""

    @classmethod
    async def open(cls, url: str) -> "Arriving":
        """Raises CannotOpenError."""
        try:
            await prepare(url)
            db = await connect(url, MIGRATION_SECONDS)
            await db.execute("SET idle_in_transaction_session_timeout = 0")  # the source may be slow
        except (*FAULTS, ValueError) as error:
            raise why_not(error) from error
        return cls(db, url)

    async def close(self) -> None:
        self._db.terminate()

    async def __aenter__(self) -> "Arriving":
        self._transaction = self._db.transaction()
        await self._transaction.start()
        await self._db.execute("SELECT take_turn()")  # so a board that runs here already can't write until the end
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            await self._transaction.commit()
        elif not self._db.is_closed():
            await self._transaction.rollback()

    async def board(self) -> Row:
        """The values of BOARD."""
        row = await self._db.fetchrow(f"SELECT {', '.join(BOARD)} FROM board")
        return tuple(row or ())

    async def check_empty(self) -> None:
        """Raises StorageError if a board in this database has been used already."""
        for table in TABLES:
            if await self._db.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):
                raise StorageError(
                    f"there is a board in {self.name} already: it has {table}. Move to an empty database"
                )

    async def put(self, table: str, rows: Sequence[Row]) -> None:
        columns = TABLES[table].columns
        if table == "messages":  # with the words that they are found by
            body = columns.index("body")
            vectors = [None if row[body] is None else to_vector(row[body]) for row in rows]
            await self._db.execute(INSERT_MESSAGES, *map(list, zip(*rows, strict=True)), vectors)
        else:
            await self._db.copy_records_to_table(table, schema_name="longboard", columns=list(columns), records=rows)

    async def rows(self, table: str) -> AsyncGenerator[Row, None]:
        """Yields all rows with the columns of TABLES, in the order of their keys."""
        columns, key = TABLES[table].columns, TABLES[table].key
        by = f'{key} COLLATE "C"' if key in ("address", "code") else key  # as SQLite orders texts
        async for row in self._db.cursor(
            f"SELECT {', '.join(columns)} FROM {table} ORDER BY {by}", prefetch=ROWS_AT_ONCE
        ):
            yield tuple(row)

    async def become(self, board: Row, last_ids: dict[str, int]) -> None:
        """Called last: makes this the board that clients know. Its numbers and ids continue where they were."""
        for table, last in last_ids.items():
            await self._db.execute("SELECT setval(pg_get_serial_sequence($1, 'id'), $2)", table, max(last, 1))
        assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(BOARD, 1))
        await self._db.execute(f"UPDATE board SET {assignments}", *board)


MESSAGE_COLUMNS = ", ".join(TABLES["messages"].columns)
INSERT_MESSAGES = (
    f"INSERT INTO messages ({MESSAGE_COLUMNS}, search) "
    f"SELECT {MESSAGE_COLUMNS}, search::tsvector FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], "
    "$5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::bytea[], $10::text[], $11::text[]) "
    f"AS moved ({MESSAGE_COLUMNS}, search)"
)
