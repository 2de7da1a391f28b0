"""Moves the rows of a whole board in and out of a SQLite file (see storage/transfer.py)."""

import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

from storage.errors import CannotOpenError, StorageError
from storage.records import FIRST_BOARD
from storage.sqlite import SQLite
from storage.sqlite.database_file import is_frozen, must_be_file, must_exist, reach, why_not
from storage.sqlite.hashes import check_hashes
from storage.sqlite.schema import MOVED
from storage.sqlite.shape import check_shape
from storage.sqlite.texts import faults_in_words
from storage.sqlite.tx import SQLiteTx
from storage.sqlite.word_index import index
from storage.tables import TABLES
from storage.transfer import Transfer
from storage.tx import ROWS_AT_ONCE, Row, Tx

T = TypeVar("T")


class SQLiteTransfer(Transfer):
    refusals = (sqlite3.IntegrityError,)

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        self.name = path
        self._db = reach(path, read_only=read_only)
        self.tx = SQLiteTx(self._db)

    @classmethod
    async def open(cls, path: str, *, create: bool) -> "SQLiteTransfer":
        """Raises CannotOpenError."""
        if not create:
            must_exist(path)
        await (await SQLite.open(path, for_reading=not create)).close()  # makes, migrates or refuses it
        return cls(path, read_only=not create and is_frozen(path))

    @classmethod
    async def open_alone(cls, path: str) -> "SQLiteTransfer":
        """Keeps all others out of the file until it is closed.

        Raises CannotOpenError, also if the board was moved before, and StorageError while somebody else uses it.
        """
        must_be_file(path)
        try:
            with contextlib.closing(reach(path, read_only=True)) as db:
                check_shape(db, path)
                check_hashes(db, path)
        except sqlite3.Error as error:
            raise CannotOpenError(why_not(path, error)) from error
        await (await SQLite.open(path)).close()  # now it is ours, and of this version's schema
        alone = cls(path)
        try:
            alone._db.execute("PRAGMA busy_timeout = 0")
            alone._db.execute("PRAGMA locking_mode = EXCLUSIVE")  # keeps the lock of the next transaction
            alone._db.executescript("BEGIN EXCLUSIVE; COMMIT")
        except sqlite3.OperationalError as error:
            await alone.aclose()
            raise StorageError(
                f"{path} is in use ({error}): stop the board first, so that no post is left behind"
            ) from error
        return alone

    async def aclose(self) -> None:
        self._db.close()

    async def read(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        with faults_in_words(self._db):
            if not self._db.in_transaction:
                self._db.execute("BEGIN")
            return await unit(self.tx)

    async def write(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        with faults_in_words(self._db), self._db:  # which commits, or undoes what was done
            self._db.execute("BEGIN IMMEDIATE")
            return await unit(self.tx)

    async def rows(self, table: str) -> AsyncGenerator[Sequence[Row], None]:
        names = TABLES[table].names
        with faults_in_words(self._db):
            cursor = self._db.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY {names[0]}")
            while chunk := cursor.fetchmany(ROWS_AT_ONCE):
                yield chunk

    async def insert(self, table: str, rows: Sequence[Row]) -> None:
        names = TABLES[table].names
        places = ", ".join("?" * len(names))
        await self.tx.run_many(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", rows)
        if table in ("messages", "posts"):
            for row in (dict(zip(names, row, strict=True)) for row in rows):
                if row["body"] is not None:
                    index(self._db, row["id"], row["body"], row.get("board_id", FIRST_BOARD))

    async def last_given(self, table: str) -> int:
        row = await self.tx.one("SELECT seq FROM sqlite_sequence WHERE name = $1", table)
        return row[0] if row else 0

    async def set_last_given(self, table: str, last: int) -> None:
        await self.tx.run("DELETE FROM sqlite_sequence WHERE name = $1", table)
        await self.tx.run("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", table, last)

    async def mark_as_moved(self, target: str) -> None:
        """Within a unit. From its commit on, the file is refused."""
        await self.tx.run(MOVED)
        await self.tx.run("INSERT INTO moved (target, at) VALUES ($1, now_ms())", target)
