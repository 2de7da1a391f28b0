"""The transaction that both engines provide, so that each noun's SQL is written only once.

The SQL is what both SQLite and PostgreSQL understand, with parameters $1, $2, …, `false` and `true`, and the function
now_ms(). A unit is an async function on a Tx that awaits nothing but its Tx; only that of Transfer.write() may. On
PostgreSQL it is awaited. On SQLite a Tx never suspends, so a unit runs to its end in one call on the connection's thread
(storage/sqlite/tx.py).
"""

import abc
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from storage.records import Account, Message

T = TypeVar("T")
Row = Sequence[Any]
ROWS_AT_ONCE = 500
"""Statements in one transaction: some hundredths of a second on PostgreSQL, whose lock all nodes share."""


class Tx(Protocol):
    has_news: bool
    """Whether parked polls must be told of this transaction: it changed messages, or what an account may do."""

    async def one(self, sql: str, *values: object) -> Row | None:
        """Returns the first row, or None if there is none."""

    async def all(self, sql: str, *values: object) -> Sequence[Row]: ...
    async def run(self, sql: str, *values: object) -> int:
        """Returns how many rows were inserted, changed or deleted."""

    async def run_many(self, sql: str, rows: Iterable[Row]) -> None:
        """Runs the statement once for each row of values."""

    async def set_message(
        self, board_id: int, id: int, body: str | None, words: object, mentions: str | None = None
    ) -> Message:
        """Changes a message of this board and gives it the next number. Without a body, the message is deleted.

        `words` is what Nouns._words() returned for the body, `mentions` what resolve() did. Raises NotFoundError, also
        for a deleted message.
        """

    async def add_message(
        self, board_id: int, author: Account, body: str, words: object, address: str | None
    ) -> Message:
        """Posts a message on this board, without a look at the author's rights. `words` is as for set_message()."""

    async def delete_messages(self, table: str, where: str, *values: object) -> Counter[int]:
        """Removes these rows of `messages` or `posts` permanently, also from the search index.

        Returns how many there were on each board.
        """


class Nouns(abc.ABC):
    """The base of every noun: the methods that it works with. Each may raise UnavailableError."""

    on_commit: Callable[[], Awaitable[object]] | None = None
    """Called after each commit of this process that parked polls must be told of, before the writing method returns."""

    async def _write(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Runs the unit, and returns its result once that is on disk. If the unit raises, all that it did is undone."""
        value, has_news = await self._commit(unit)
        if has_news:
            await self._announce()
        return value

    async def _announce(self) -> None:
        if self.on_commit is not None:
            await self.on_commit()

    @abc.abstractmethod
    async def _commit(self, unit: Callable[[Tx], Awaitable[T]]) -> tuple[T, bool]:
        """Runs the unit in a transaction. Returns its result, and whether the transaction has news."""

    @abc.abstractmethod
    async def _read(self, unit: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Returns the result of unit(tx, *arguments)."""

    @abc.abstractmethod
    async def _read_for_delivery(self, unit: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """The same, on the connection on which nothing else delays deliver()."""

    @abc.abstractmethod
    async def _read_at_one_moment(self, unit: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """The same as _read_for_delivery(), for a unit of several statements, which all see one moment."""

    @abc.abstractmethod
    async def _words(self, body: str, board_id: int) -> object:
        """Returns what the engine needs to index a body on a board. Called before the transaction begins."""


def places(begin: int, values: Collection[object]) -> str:
    """SQL: the parameters of these values, which begin with this one."""
    return ", ".join(f"${place}" for place in range(begin, begin + len(values)))


def in_steps(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """For run_many(), in a transaction each, if repeating a step does no harm: posts get turns in between."""
    return (rows[at : at + ROWS_AT_ONCE] for at in range(0, len(rows), ROWS_AT_ONCE))
