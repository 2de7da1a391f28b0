"""The rows of a whole board, as export and import carry them, and how to read and write them.

Sessions, tokens and one-time links (secrets that work by themselves) are not among them, nor is what only the running
board needs. Passwords are, as Argon2 hashes: without them, nobody could sign in on the other side.
"""

import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from storage import moving
from storage.errors import StorageError

Row = Mapping[str, object]
ROWS_AT_ONCE = 500
"""Rows in one transaction of an import: about ten milliseconds, so that a running server can post in between."""
TABLES = {name: table for name, table in moving.TABLES.items() if table.is_exported}


class RowRefusedError(StorageError):
    """The board can't take this row, or has another one with its key. None of the rows was taken."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(why)
        self.index = index


@dataclasses.dataclass(frozen=True)
class Standing:
    """A board's position: its last change and floor, the last number given in each table, and the counts of rows."""

    seq: int
    floor: int
    last: Mapping[str, int]
    counts: Mapping[str, int]


class Exchange(Protocol):
    """A connection for moving rows. Every method may raise UnavailableError."""

    async def close(self) -> None: ...
    async def begin_reading(self) -> Standing:
        """From here on, all reads see the board at one moment, whatever is posted after it."""

    def rows(self, table: str) -> AsyncIterator[Sequence[Row]]:
        """Yields the rows in the order of their keys."""

    async def make_room(self, seq: int) -> None:
        """Called before the first row: from then on, new posts get numbers above this one."""

    async def put(self, table: str, rows: Sequence[Row]) -> int:
        """Adds all rows or none; skips rows that exist already and are equal. Returns how many are new.

        Raises RowRefusedError.
        """

    async def begin_anew(self, *, keep_sessions: bool) -> None:
        """For a database that lacks what clients have seen: makes a new epoch. Unless sessions are kept, it also signs
        everybody out (bots keep their tokens), ends all links and makes a new secret, so that nothing else that was
        revoked since becomes valid again.
        """

    async def finish(self, standing: Standing) -> None:
        """Called after the last row, if any was new: the board gets this position, and a new epoch."""


async def open_exchange(url: str, *, create: bool) -> Exchange:
    """Opens the connection; with `create`, makes a new board if there is none. Raises CannotOpenError."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        from storage.sqlite.exchange import SQLiteExchange

        return await SQLiteExchange.open(rest[1:], create=create)
    from storage.postgres.exchange import PostgreSQLExchange

    return await PostgreSQLExchange.open(url)
