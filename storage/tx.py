"""A transaction that both engines have, on which each noun's SQL is written once.

SQL is what SQLite and PostgreSQL both understand, with parameters $1, $2, …, `false` and `true`, and the function
now_ms(). A unit is an async function on a Tx that awaits nothing but its Tx. On PostgreSQL it is awaited. On SQLite a Tx
never suspends, so a unit runs to its end in one call on the connection's thread (storage/sqlite/tx.py).
"""

import abc
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from storage.records import Message

T = TypeVar("T")
Row = Sequence[Any]


class Tx(Protocol):
    has_news: bool
    """Whether parked polls have to hear of this transaction: it changed messages, or what an account may do."""

    async def one(self, sql: str, *values: object) -> Row | None:
        """The first row, if there is one."""

    async def all(self, sql: str, *values: object) -> Sequence[Row]: ...
    async def run(self, sql: str, *values: object) -> int:
        """How many rows were inserted, changed or deleted."""

    async def run_many(self, sql: str, rows: Iterable[Row]) -> None:
        """Runs it once for the values of each row."""

    async def set_message(self, id: int, body: str | None, words: object) -> Message:
        """Gives a message its next state and the next number; without a body it is deleted.

        `words` is what Nouns._words() returned for the body. Raises NotFoundError, also for a deleted one.
        """

    async def delete_messages(self, where: str, *values: object) -> int:
        """Removes them for good, also from the search index. Returns how many there were."""


class Nouns(abc.ABC):
    """What the methods of every noun work with; each may raise UnavailableError."""

    on_commit: Callable[[], Awaitable[object]] | None = None
    """Called after each commit of this process that parked polls have to hear of, before the writing method returns."""

    async def _announce(self) -> None:
        if self.on_commit is not None:
            await self.on_commit()

    @abc.abstractmethod
    async def _write(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Runs the unit; returns what it returned once that is on disk. Raises what it raised, with all of it undone."""

    @abc.abstractmethod
    async def _read(self, unit: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Returns what unit(tx, *arguments) returned."""

    @abc.abstractmethod
    async def _read_for_delivery(self, unit: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """The same, on the connection on which nothing else delays deliver()."""

    @abc.abstractmethod
    async def _words(self, body: str) -> object:
        """What the engine needs to index a body, made before the transaction begins."""
