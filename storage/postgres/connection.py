"""PostgreSQL through asyncpg: how connections are opened, what their faults are called, and reading.

A node has five connections at most: one writes, one listens, one reads for deliver(), and two read for pages.
A pool of one opens its connection again when it was lost, so that a restarted database needs no restarted board.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from storage.records import CannotOpen, Unavailable

T = TypeVar("T")
if TYPE_CHECKING:
    Database = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
    Link = asyncpg.Connection[asyncpg.Record]

PAGE_READERS = 2
CONNECT_SECONDS = 3.0
"""How long opening a connection, or waiting for a free one, may take before it counts as a fault."""
READ_SECONDS = 5.0
WRITE_SECONDS = 10.0
"""For what is long and rare, such as removing all that a spammer wrote; posts have READ_SECONDS."""
TURN_SECONDS = 2.0
"""How long to wait for one's turn to write, and how long a transaction may be left lying: a node that is paused in
the middle of one loses it, and holds nobody up for longer."""
CHANNEL = "longboard"
FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, EOFError)
"""What can go wrong with a database on the way or by itself; TimeoutError is an OSError."""
POOLED = (
    "this address leads to a connection pooler such as PgBouncer (in transaction mode, it seems), "
    "through which neither LISTEN nor time limits work; give Longboard the address of PostgreSQL itself"
)


def settings(seconds: float) -> dict[str, str]:
    """For each connection's session, in PostgreSQL's own words."""
    turn = str(round(1000 * TURN_SECONDS))
    return {
        "application_name": "longboard",
        "search_path": "longboard",
        "statement_timeout": str(round(1000 * seconds)),
        "lock_timeout": turn,
        "idle_in_transaction_session_timeout": turn,
        "synchronous_commit": "on",  # what is answered is on disk, whatever the database's own default
        "jit": "off",  # compiling would take longer than these statements do
        "plan_cache_mode": "force_custom_plan",  # how to search depends on how common the words are
    }


async def connect(url: str, seconds: float = READ_SECONDS) -> "Link":
    """A connection outside of the pools. Raises one of FAULTS."""
    return await asyncpg.connect(
        url, timeout=CONNECT_SECONDS, command_timeout=seconds + 1, server_settings=settings(seconds)
    )


def pool(url: str, size: int, seconds: float) -> "Pool":
    """Connections that are opened when they are needed, and again when they were lost."""
    return asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=seconds + 1,  # the database ends it first, unless it can't be reached any more
        server_settings=settings(seconds),
        connection_class=Connection,
    )


class Connection(asyncpg.Connection):
    def get_reset_query(self) -> str:
        """Nothing: no connection here ever changes its session, so a trip to the database is saved each time."""
        return ""


@contextlib.asynccontextmanager
async def faults_as_unavailable() -> AsyncIterator[None]:
    try:
        yield
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError):
        raise  # that is not the database's fault, and will be so next time
    except FAULTS as error:
        raise Unavailable(reason(error)) from error


def reason(error: BaseException) -> str:
    """The error in one line, without the values that PostgreSQL may put into its details."""
    if isinstance(error, TimeoutError):
        return "the database did not answer in time"
    return str(error.args[0] if error.args else error).splitlines()[0] or type(error).__name__


def why_not(error: BaseException) -> CannotOpen:
    """In the operator's words. The address is not shown: it has the password in it."""
    said = reason(error)
    if "startup parameter" in said or "prepared statement" in said:
        return CannotOpen(f"{POOLED} ({said})")
    return CannotOpen(f"PostgreSQL, as named by DATABASE_URL, can't be used: {said}")


class Reader:
    """Connections for reading; each read is one function, and sees one moment of the database if it is one statement."""

    def __init__(self, connections: "Pool") -> None:
        self._connections = connections

    async def read(self, function: "Callable[..., Awaitable[T]]", *arguments: Any) -> T:
        """Returns function(connection, *arguments). Raises Unavailable."""
        async with faults_as_unavailable(), self._connections.acquire(timeout=CONNECT_SECONDS) as db:
            return await function(db, *arguments)

    async def read_at_one_moment(self, function: "Callable[..., Awaitable[T]]", *arguments: Any) -> T:
        """The same for a function of several statements."""
        async with (
            faults_as_unavailable(),
            self._connections.acquire(timeout=CONNECT_SECONDS) as db,
            db.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await function(db, *arguments)

    async def close(self) -> None:
        await close(self._connections)


async def close(connections: "Pool") -> None:
    """In order if the database plays along, else at once."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await connections.close()
    except (*FAULTS, asyncio.CancelledError):
        connections.terminate()
