"""Moves a SQLite board elsewhere: reads all of it while nobody else has it open, and marks it as moved at the end."""

import contextlib
import sqlite3
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from storage.errors import CannotOpenError, StorageError
from storage.moving import BOARD, BY_PROVIDER, TABLES
from storage.sqlite import SQLite
from storage.sqlite.database_file import must_be_file, reach, why_not
from storage.sqlite.hashes import check_hashes
from storage.sqlite.schema import MOVED
from storage.sqlite.shape import check_shape
from storage.sqlite.texts import faults_in_words

ROWS_AT_ONCE = 1000
"""Rows that are read together."""


class Leaving:
    """Keeps all others out of the file until it is closed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._db = sqlite3.connect(
            f"file:{urllib.parse.quote(path)}?mode=rw", uri=True, isolation_level=None, timeout=0
        )

    @classmethod
    async def open(cls, path: str) -> "Leaving":
        """Raises CannotOpenError, also if the board was moved before, and StorageError while somebody else uses it."""
        must_be_file(path)
        try:
            with contextlib.closing(reach(path, read_only=True)) as db:
                check_shape(db, path)
                check_hashes(db, path)
        except sqlite3.Error as error:
            raise CannotOpenError(why_not(path, error)) from error
        await (await SQLite.open(path)).close()  # now it is ours, and of this version's schema
        leaving = cls(path)
        try:
            leaving._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            leaving._db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            leaving.close()
            raise StorageError(
                f"{path} is in use ({error}): stop the board first, so that no post is left behind"
            ) from error
        return leaving

    def close(self) -> None:
        self._db.close()

    def faults_in_words(self) -> AbstractContextManager[None]:
        """A context for the methods below: turns each fault of SQLite into UnavailableError."""
        return faults_in_words(self._db)

    def board(self) -> tuple[Any, ...]:
        """The values of BOARD."""
        row: tuple[Any, ...] = self._db.execute(f"SELECT {', '.join(BOARD)} FROM board").fetchone()
        return row

    def count(self, table: str) -> int:
        number: int = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return number

    def last_ids(self) -> dict[str, int]:
        """Returns the highest id ever given in each table of TABLES that counts and has had a row."""
        rows = self._db.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
        return {name: seq for name, seq in rows if name in TABLES and TABLES[name].counts}

    def rows(self, table: str) -> Iterator[list[tuple[Any, ...]]]:
        """Yields all rows in chunks, with the columns of TABLES, in the order of their keys."""
        columns, key = TABLES[table].columns, TABLES[table].key
        found = self._db.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {key}")
        while rows := found.fetchmany(ROWS_AT_ONCE):
            yield [as_moved(columns, row) for row in rows]

    def mark_as_moved(self, target: str) -> None:
        """Marks the file as moved. From then on, it is refused."""
        self._db.execute(MOVED)
        self._db.execute("INSERT INTO moved (target, at) VALUES (?, ?)", (target, time.time_ns() // 1_000_000))
        self._db.execute("COMMIT")


def as_moved(columns: Sequence[str], row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Makes booleans, which SQLite lacks, and removes NULs, which can't be posted but may come from an old import."""
    return tuple(
        bool(value) if name == BY_PROVIDER else value.replace("\0", "") if isinstance(value, str) else value
        for name, value in zip(columns, row, strict=True)
    )
