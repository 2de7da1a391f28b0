"""Finds values that two rows of an export can't both have, before anything is imported.

The values go to a temporary SQLite database without a name, and SQLite sorts them there: a million rows take little
memory. Only rows of the export are compared with each other; the board itself compares them with its rows.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from types import TracebackType

from admin.rows import Row
from storage.errors import StorageError
from storage.sqlite.backup import use_room_at
from storage.tables import EXPORTED

VALUES_AT_ONCE = 5000
FIRST_DOUBLE = (
    "SELECT what, max(line) AS second, min(line) FROM seen GROUP BY what, value HAVING count(*) > 1 ORDER BY second"
)


class Doubles:
    """A context manager. `folder` is where the temporary database is; by default, SQLite chooses."""

    def __init__(self, folder: str | None) -> None:
        self._rules = [(name, columns) for name, table in EXPORTED.items() for columns in ((table.key,), *table.unique)]
        self._same = {
            what: self._rules.index(("messages", columns))
            for what, (name, columns) in enumerate(self._rules)
            if name == "posts" and columns in (("id",), ("seq",))
        }
        """The rules that are one with another: the numbers of messages are those of one sequence, whatever the board."""
        self._waiting: list[tuple[int, object, int]] = []
        self.db = sqlite3.connect("", isolation_level=None)
        if folder and os.access(folder, os.W_OK):
            use_room_at(self.db, os.path.join(folder, "board.db"))

    def __enter__(self) -> "Doubles":
        self.db.execute("PRAGMA journal_mode = OFF")
        self.db.execute("CREATE TABLE seen (what INTEGER, value, line INTEGER)")
        self.db.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.db.close()

    def add(self, table: str, row: Row, line: int) -> None:
        """Raises OSError if there is no room for it."""
        for what, (name, columns) in enumerate(self._rules):
            if name == table and (value := value_of(row, columns)) is not None:
                self._waiting.append((self._same.get(what, what), value, line))
        if len(self._waiting) >= VALUES_AT_ONCE:
            self._write()

    def check(self, file: str) -> None:
        """Raises StorageError, which names the line, or OSError."""
        self._write()
        with faults():
            found = self.db.execute(FIRST_DOUBLE).fetchone()
        if found:
            what, second, first = found
            table, columns = self._rules[what]
            raise StorageError(f"{file}, line {second}: {' and '.join(columns)} of {table} are those of line {first}")

    def _write(self) -> None:
        with faults():
            self.db.executemany("INSERT INTO seen VALUES (?, ?, ?)", self._waiting)
        self._waiting.clear()


def value_of(row: Row, columns: tuple[str, ...]) -> object:
    """Returns None if others may have the same. All guests together count as author 0."""
    if len(columns) == 1:
        return row[columns[0]]
    first, second, *rest = (row[column] for column in columns)
    return None if second is None else " ".join(map(str, (first or 0, second, *rest)))


@contextlib.contextmanager
def faults() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(f"the rows could not be compared in a temporary file: {error}") from error
