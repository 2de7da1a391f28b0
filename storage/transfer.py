"""Reads and writes the rows of a whole board: for export, import, move and a restored copy.

tables.py says what is carried. Passwords are exported, as Argon2 hashes: without them, nobody could sign in on the
other side.
"""

import abc
import dataclasses
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import ClassVar, TypeVar

from storage.errors import StorageError
from storage.reading import read_pinned
from storage.records import FIRST_BOARD
from storage.rows import EVERYWHERE, note_access_change
from storage.tables import BOARD, TABLES
from storage.tx import Row, Tx

T = TypeVar("T")
MISMATCH = "what has arrived differs from what was sent, in table {}; nothing was kept. Please report this"


OTHER_MESSAGES = {"messages": "posts", "posts": "messages"}
"""The tables whose ids and changes are numbers of one sequence."""


class RowRefusedError(StorageError):
    """The board can't take this row, or has another one with its key. None of the rows was taken."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(why)
        self.index = index


@dataclasses.dataclass(frozen=True)
class Position:
    """A board's position: its last change and floor, the last number given in each table, and the counts of rows."""

    seq: int
    floor: int
    last: Mapping[str, int]
    counts: Mapping[str, int]


class Transfer(abc.ABC):
    """A separate connection, which doesn't wait for a server's work. It holds that up only by write().

    Rows are tuples with the columns of tables.py, in their order. Every method may raise UnavailableError.
    """

    refusals: ClassVar[tuple[type[Exception], ...]]
    """What the engine raises for a row that it can't take."""
    name: str
    """The database's name, without user and password."""
    tx: Tx
    """The open transaction."""

    @abc.abstractmethod
    async def aclose(self) -> None: ...

    @abc.abstractmethod
    async def read(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Runs the unit. All reads see the board as it was at the first one; what is posted later is not seen."""

    @abc.abstractmethod
    async def write(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Runs the unit in a transaction, while nobody else writes. Unlike others, it may await another database."""

    @abc.abstractmethod
    def rows(self, table: str) -> AsyncGenerator[Sequence[Row], None]:
        """Yields all rows in the order of their keys, ROWS_AT_ONCE at a time."""

    # --- within a unit
    @abc.abstractmethod
    async def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Adds the rows, and the words of messages to the search index."""

    @abc.abstractmethod
    async def last_given(self, table: str) -> int:
        """Returns the highest key that the database has ever given in a table that counts; 0 if none."""

    @abc.abstractmethod
    async def set_last_given(self, table: str, last: int) -> None: ...

    async def position(self, tables: Collection[str]) -> Position:
        ((seq, floor),) = await self.tx.all("SELECT seq, floor FROM board")
        last = {name: await self.last_given(name) for name in tables if TABLES[name].counts}
        counts = {name: (await self.tx.all(f"SELECT count(*) FROM {name}"))[0][0] for name in tables}
        return Position(seq, floor, last, counts)

    async def continue_numbers(self, last: Mapping[str, int]) -> None:
        """Never gives a number again that was given before, here or where the rows come from."""
        for name, number in last.items():
            if number > await self.last_given(name):
                await self.set_last_given(name, number)

    # --- import
    async def make_room(self, seq: int) -> None:
        """Called before the first row: from then on, new posts get numbers above this one."""
        update = "UPDATE board SET seq = $1, floor = CASE WHEN floor < $1 THEN $1 ELSE floor END WHERE seq < $1"
        await self.write(lambda tx: tx.run(update, seq))

    async def put(self, table: str, rows: Sequence[Row]) -> int:
        """Adds all rows or none; skips rows that exist already and are equal. Returns how many are new.

        Raises RowRefusedError.
        """

        async def unit(tx: Tx) -> int:
            elsewhere = await self._numbers_elsewhere(table, rows)
            return sum([await self._put(table, row, index, elsewhere) for index, row in enumerate(rows)])

        return await self.write(unit)

    async def _numbers_elsewhere(self, table: str, rows: Sequence[Row]) -> set[int]:
        """Returns the ids and changes of these messages that the other table of messages has: one sequence has both."""
        if (other := OTHER_MESSAGES.get(table)) is None:
            return set()
        columns = ((name, ", ".join(str(row[place]) for row in rows)) for place, name in enumerate(("id", "seq")))
        selects = (f"SELECT {name} FROM {other} WHERE {name} IN ({numbers})" for name, numbers in columns)
        return {number for (number,) in await self.tx.all(" UNION ALL ".join(selects))}

    async def _put(self, table: str, row: Row, index: int, elsewhere: set[int]) -> bool:
        names = TABLES[table].names
        known = await self.tx.one(f"SELECT {', '.join(names)} FROM {table} WHERE {names[0]} = $1", row[0])
        if known is not None:
            if tuple(known) != row:
                raise RowRefusedError(index, f"this board has another row {row[0]!r} in {table}")
            return False
        if elsewhere and (row[0] in elsewhere or row[1] in elsewhere):
            raise RowRefusedError(index, f"this board has another row {row[0]!r} in {OTHER_MESSAGES[table]}")
        await self._check_reply(table, row, index)
        await self._check_pin(table, row, index)
        try:
            await self.insert(table, [row])
        except self.refusals as error:
            why = " ".join(str(error).rstrip(".").split())  # the text may have a second line
            raise RowRefusedError(index, f"this board can't take it: {why}") from error
        return True

    async def _check_reply(self, table: str, row: Row, index: int) -> None:
        """Raises RowRefusedError for a reply to a message that is here, and on another board."""
        fields = dict(zip(TABLES[table].names, row, strict=True))
        if (target := fields.get("reply_to")) is None:
            return
        there = await self.tx.one(f"SELECT board_id FROM {EVERYWHERE} WHERE id = $1", target)
        if there is not None and there[0] != fields.get("board_id", FIRST_BOARD):
            raise RowRefusedError(index, f"row {row[0]!r} in {table} replies to a message of another board")

    async def _check_pin(self, table: str, row: Row, index: int) -> None:
        """Raises RowRefusedError for a second pinned message of a board."""
        fields = dict(zip(TABLES[table].names, row, strict=True))
        if fields.get("pinned_at") is None or fields["body"] is None:
            return
        if here := await read_pinned(self.tx, int(fields.get("board_id", FIRST_BOARD))):
            why = f"row {row[0]!r} in {table} is pinned, and so is message {here.id} of its board. Unpin that one first"
            raise RowRefusedError(index, why)

    async def finish(self, position: Position) -> None:
        """Called after the last row, if any was new: the board gets this position, and a new epoch."""

        async def unit(tx: Tx) -> None:
            await self.continue_numbers(position.last)
            await tx.run(
                "UPDATE board SET epoch = $1, access = access + 1, floor = CASE WHEN seq = $2 THEN $3 ELSE floor END, "
                "boards = (SELECT coalesce(max(changed), board.boards) FROM boards WHERE changed > board.boards)",
                *(new_epoch(), position.seq, position.floor),
            )

        await self.write(unit)

    # --- move
    async def receive(self, source: "Transfer", position: Position, on_rows: Callable[[int], object]) -> None:
        """Becomes the source's board, in one transaction. If it is that already, it only compares all rows.

        Calls `on_rows` with numbers of rows, each written and compared. Raises StorageError if another board is here,
        or if what has arrived is not what was sent.
        """

        async def unit(tx: Tx) -> None:
            select = f"SELECT {', '.join(BOARD)} FROM board"
            (board,), (here,) = await source.tx.all(select), await tx.all(select)
            if is_new := tuple(here) != tuple(board):
                await self._check_empty()
                for table in position.counts:
                    async for rows in source.rows(table):
                        await self.insert(table, [as_posted(table, row) for row in rows])
                        on_rows(len(rows))
            for table in position.counts:
                await self._compare(source, table, on_rows)
            if is_new:  # last: with its epoch, this is the board that clients know
                await self.continue_numbers(position.last)
                assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(BOARD, 1))
                await tx.run(f"UPDATE board SET {assignments}", *board)

        await self.write(unit)

    async def _check_empty(self) -> None:
        for table in TABLES:
            if await self.tx.one(f"SELECT 1 FROM {table} LIMIT 1"):
                raise StorageError(
                    f"there is a board in {self.name} already: it has {table}. Move to an empty database"
                )

    async def _compare(self, source: "Transfer", table: str, on_rows: Callable[[int], object]) -> None:
        async with aclosing(self.rows(table)) as arrived:
            async for rows in source.rows(table):
                if await anext(arrived, None) != [as_posted(table, row) for row in rows]:
                    raise StorageError(MISMATCH.format(table))
                on_rows(len(rows))
            if await anext(arrived, None) is not None:
                raise StorageError(MISMATCH.format(table))


def as_posted(table: str, row: Row) -> Row:
    """Makes booleans, which SQLite lacks, and removes NULs, which can't be posted but may come from an old import."""
    return tuple(
        bool(value) if column.kind == "flag" else value.replace("\0", "") if isinstance(value, str) else value
        for column, value in zip(TABLES[table].columns, row, strict=True)
    )


def new_epoch() -> str:
    return secrets.token_hex(4)


async def start_epoch(tx: Tx, *, keep_sessions: bool = False) -> None:
    """For a database that lacks what clients have seen: makes a new epoch. Unless sessions are kept, it also signs
    everybody out (bots keep their tokens), ends all links and makes a new secret, so that nothing else that was
    revoked or used since becomes valid again.
    """
    await tx.run("UPDATE board SET epoch = $1, access = access + 1", new_epoch())
    if keep_sessions:
        return
    for (account_id,) in await tx.all("SELECT DISTINCT account_id FROM credentials"):
        await note_access_change(tx, account_id)  # a running board drops its cache of them
    await tx.run("DELETE FROM credentials WHERE kind <> 'bot'")
    await tx.run("DELETE FROM links")
    await tx.run("UPDATE board SET secret = $1", secrets.token_bytes(32))
