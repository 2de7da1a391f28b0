"""The rows of a whole board, as export and import carry them, and how to reach them.

What is not among them: sessions, tokens and one-time links (secrets that work by themselves), and what only the
running board needs. Passwords are: as Argon2 hashes, without which nobody could sign in on the other side.
"""

import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from storage import moving
from storage.records import StorageError

Row = Mapping[str, object]
ROWS_AT_ONCE = 500
"""Rows in one transaction of an import: some ten milliseconds, so that a running server can post in between."""
TABLES = {name: table for name, table in moving.TABLES.items() if table.is_exported}


class RowRefusedError(StorageError):
    """The board can't take this row, or has another one with its key. It has taken none of the rows."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(why)
        self.index = index


@dataclasses.dataclass(frozen=True)
class Standing:
    """Where a board stands: its last change and floor, the last number given in each table, and how many rows."""

    seq: int
    floor: int
    last: Mapping[str, int]
    counts: Mapping[str, int]


class Exchange(Protocol):
    """A connection for moving rows. Every method may raise UnavailableError."""

    async def close(self) -> None: ...
    async def begin_reading(self) -> Standing:
        """From here on, all that is read is of one moment, whatever is posted meanwhile."""

    def rows(self, table: str) -> AsyncIterator[Sequence[Row]]:
        """In the order of their keys."""

    async def make_room(self, seq: int) -> None:
        """Before the first row: new posts get numbers above this."""

    async def put(self, table: str, rows: Sequence[Row]) -> int:
        """Adds all rows or none; equal rows that exist are skipped. Returns how many are new. Raises RowRefusedError."""

    async def begin_anew(self, *, keep_sessions: bool) -> None:
        """For a database that lacks what clients have seen: makes a new epoch. Unless sessions are kept, it also signs
        everybody out, ends all links and makes a new secret, so that nothing revoked since becomes valid again.
        """

    async def finish(self, standing: Standing) -> None:
        """After the last row, if any was new: the board stands where that one did, and has another epoch."""


async def open_exchange(url: str, *, create: bool) -> Exchange:
    """Raises CannotOpenError; with `create`, a new board is made where there is none."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        from storage.sqlite.exchange import SQLiteExchange

        return await SQLiteExchange.open(rest[1:], create=create)
    from storage.postgres.exchange import PostgreSQLExchange

    return await PostgreSQLExchange.open(url)
