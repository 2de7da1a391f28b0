"""SQLite through aiosqlite: opening connections, and the one writer, which commits in groups.

aiosqlite runs each connection on a separate thread. Every hop to it costs about 50 µs, and cancelling an awaiting task
stops nothing. So what belongs together (a transaction, a read that must see one moment) is one plain function that
runs on the thread in a single hop. aiosqlite has no public call for that; `run` below uses its `_execute`, which is why
requirements.txt pins the version and a test guards it.
"""

import asyncio
import collections
import logging
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import aiosqlite

from storage.counters import Histogram, seconds
from storage.errors import CannotOpenError, UnavailableError
from storage.sqlite.database_file import add_clock, address, keep_to_owner, why_not, write_safely
from storage.sqlite.texts import explained

T = TypeVar("T")
Unit = Callable[[sqlite3.Connection], Any]
"""One all-or-nothing piece of writing, run on the writer's thread inside its transaction."""

Around = Callable[["Database"], AbstractContextManager[None]]

MAX_WAITING = 2000
"""Units that may wait for the writer; at the 1,000 or more commits a second of a small disk, they take seconds."""
MAX_BATCH = 256
"""Units in one transaction, so that the first of them does not wait long for the last."""
BUSY_MS = 2000
"""How long to wait for another process's transaction before a post is answered 503."""
SCRUB_MS = 100
"""How long emptying the log waits for readers; the next try is a minute away."""

logging.getLogger("aiosqlite").setLevel(logging.INFO)  # at DEBUG it would print the words of messages


class Database(sqlite3.Connection):
    """sqlite3's connection, which also knows where the writer's transaction began."""

    new_from = sys.maxsize
    """The first number that a message posted in this transaction may have."""
    damage = ""
    """Names the first text that is not UTF-8, once one was found (texts.py)."""


class Connection(aiosqlite.Connection):
    stopped: "asyncio.Future[Any] | None" = None
    """The thread resolves this as the last thing it does, after it was told to stop."""

    def stop(self) -> "asyncio.Future[Any] | None":
        self.stopped = super().stop()
        return self.stopped

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Calls function(sqlite3 connection, *arguments) on the connection's thread."""
        result: T = await self._execute(function, self._conn, *arguments)  # type: ignore[no-untyped-call]
        return result


async def connect(path: str, *, read_only: bool) -> Connection:
    """Opens a connection. Raises CannotOpenError."""
    uri = address(path, "ro" if read_only else "rwc")

    def connector() -> sqlite3.Connection:
        db = sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=BUSY_MS / 1000, cached_statements=256, factory=Database
        )
        try:
            add_clock(db)
            db.execute("PRAGMA trusted_schema = OFF")
            db.execute("PRAGMA foreign_keys = ON")
            if not read_only:
                write_safely(db, BUSY_MS / 1000)
        except BaseException:
            db.close()
            raise
        return db

    connection = Connection(connector, iter_chunk_size=64)
    try:
        if not read_only:
            keep_to_owner(path)
        await connection
        return connection
    except (sqlite3.Error, OSError) as error:
        if connection.stopped is not None:
            await connection.stopped  # the thread still uses the loop, which may be closed soon
        raise CannotOpenError(why_not(path, error)) from error


class Writer:
    """The only way to write. Waiting units are committed together, so one disk sync serves all of them.

    `around` runs before and after them within each transaction. `check` is called before each transaction: it raises
    UnavailableError if nothing may be written now.
    """

    def __init__(self, connection: Connection, around: Around, check: Callable[[], None]) -> None:
        self._connection = connection
        self._around = around
        self._check = check
        self.is_failing = False
        """Whether the last writes failed, through no fault of their own."""
        self._waiting: collections.deque[tuple[Unit, asyncio.Future[Any]]] = collections.deque()
        self._task: asyncio.Task[None] | None = None
        self.batches = Histogram(1, 2, 4, 8, 16, 32, 64, 128, MAX_BATCH)
        self.posts = seconds()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def write(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        """Runs the unit, and returns its result once it is on disk.

        Raises what the unit raised, with the unit undone and its neighbours kept, or UnavailableError. If the waiting
        task is cancelled, the unit is still written.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise UnavailableError(f"{MAX_WAITING} writes are waiting already")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((unit, future))
        if self._task is None:
            self._task = asyncio.create_task(self._commit_all())
        return await future

    async def empty_log(self) -> None:
        """Copies the log into the database and empties it, unless others read from it. Raises UnavailableError."""
        try:
            await self._connection.run(empty_log)
        except sqlite3.Error as error:
            raise UnavailableError(str(error)) from error

    async def close(self) -> None:
        """Writes what still waits, then closes the connection."""
        if self._task is not None:
            await self._task
        await self._connection.close()

    async def _commit_all(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
                self.batches.add(len(batch))
                units = [unit for unit, _ in batch]
                outcomes = await self._connection.run(commit, units, self._around, self._check)
                self.is_failing = any(isinstance(error, UnavailableError) for _, error in outcomes)
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    settle(future, *outcome)
        finally:
            self._task = None


Outcome = tuple[Any, BaseException | None]


def settle(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if future.done():  # its task was cancelled
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


def commit(db: Database, units: Sequence[Unit], around: Around, check: Callable[[], None]) -> list[Outcome]:
    """Runs all the units in one transaction. Returns a value or an error for each."""
    try:
        check()
        db.execute("BEGIN IMMEDIATE")
        with around(db):
            outcomes = [attempt(db, unit) for unit in units]
        db.execute("COMMIT")
        return outcomes
    except Exception as error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        # If SQLite lacks memory, it raises MemoryError; any other error is a fault of ours, and must look like one.
        unavailable = isinstance(error, sqlite3.Error | MemoryError)
        return [(None, UnavailableError(str(error)) if unavailable else error)] * len(units)


def empty_log(db: sqlite3.Connection) -> None:
    """Empties the log. What was overwritten in the database stays in it until overwritten there: that may take long.

    Readers finish within milliseconds, so each try waits that long for them. The first does not hold up writers.
    """
    db.execute(f"PRAGMA busy_timeout = {SCRUB_MS}")
    try:
        for mode in ("PASSIVE", "TRUNCATE"):
            db.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    finally:
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")


def attempt(db: sqlite3.Connection, unit: Unit) -> Outcome:
    """Runs one unit inside a savepoint. Raises sqlite3.Error if SQLite has given up the whole transaction."""
    db.execute("SAVEPOINT unit")
    try:
        value, error = unit(db), None
    except Exception as raised:
        if not db.in_transaction:  # a full disk, for example, may roll everything back
            raise sqlite3.OperationalError(str(raised)) from raised
        db.execute("ROLLBACK TO unit")
        unavailable = isinstance(raised, sqlite3.Error) and not isinstance(raised, sqlite3.IntegrityError)
        value, error = None, UnavailableError(explained(db, raised)) if unavailable else raised
    db.execute("RELEASE unit")
    return value, error


class Reader:
    """A read-only connection. Each read is one function, which sees one moment of the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.waiting = 0

    async def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """Returns the result of function(sqlite3 connection, *arguments). Raises UnavailableError."""
        if self.waiting >= MAX_WAITING:
            raise UnavailableError(f"{MAX_WAITING} reads are waiting already")
        self.waiting += 1
        try:
            return await self._connection.run(at_one_moment, function, *arguments)
        except sqlite3.Error as error:
            raise UnavailableError(str(error)) from error
        except ValueError as error:  # what aiosqlite raises for a closed connection
            raise UnavailableError(str(error)) from error
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        await self._connection.close()


def at_one_moment(db: sqlite3.Connection, function: Callable[..., T], *arguments: Any) -> T:
    db.execute("BEGIN")
    try:
        return function(db, *arguments)
    except sqlite3.Error as error:
        raise UnavailableError(explained(db, error)) from None  # its text may contain words of a message
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")  # nothing was written
