"""A node's connections to PostgreSQL, kept open in pools, and reading through them.

A node has five at most: one writes, one listens, one reads for deliver(), and two read for pages. A pool reopens a lost
connection, so a restart of the database needs no restart of the board.
"""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from storage.postgres.connection import CONNECT_SECONDS, FAULTS, connect, faults_as_unavailable, patience

T = TypeVar("T")
if TYPE_CHECKING:
    from storage.postgres.connection import Database, Link, Pool

PAGE_READERS = 2
RENEW_SECONDS = 1.0
"""All connections are reopened at most once in this time, however many posts are refused."""


class Connection(asyncpg.Connection):
    def get_reset_query(self) -> str:
        """Nothing to reset: no connection here changes its session. This saves a round trip each time."""
        return ""


class Connections:
    """A pool. It opens its connections when they are needed, and reopens those that were lost."""

    def __init__(self, url: str, size: int, seconds: float) -> None:
        self._url = url
        self.when_read_only: Callable[[], Awaitable[None]] | None = None
        """Called when the database refuses writes: another host may accept them by now."""
        self._pool: Pool = asyncpg.create_pool(
            url,
            min_size=0,
            max_size=size,
            command_timeout=seconds + 1,
            connection_class=Connection,
            connect=functools.partial(open_pooled, seconds),
        )

    @contextlib.asynccontextmanager
    async def acquire(self) -> "AsyncIterator[Database]":
        """Raises CannotOpenError or one of FAULTS."""
        try:
            async with self._pool.acquire(timeout=patience(self._url)) as db:
                yield db
        except asyncpg.ReadOnlySQLTransactionError:
            if self.when_read_only is not None:
                await self.when_read_only()
            raise

    async def open(self) -> "Connections":
        await self._pool
        return self

    async def expire(self) -> None:
        """Closes connections in use when they are returned, and all others before they are used again."""
        await self._pool.expire_connections()

    async def close(self) -> None:
        """Closes the connections properly if the database answers, otherwise immediately."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._pool.close()
        except (*FAULTS, asyncio.CancelledError):
            self._pool.terminate()


async def open_pooled(seconds: float, url: str, *, connection_class: type, record_class: type, **_: Any) -> "Link":
    """The function that asyncpg's pool calls to open a connection."""
    return await connect(url, seconds, connection_class=connection_class, record_class=record_class)


class Generation:
    """All connections of a node. Each remembers what the server said when it was opened (that it is read-only, or a
    standby). So when a write is refused for that reason, every connection is closed and reopened.
    """

    def __init__(self, *pools: Connections) -> None:
        self.pools = pools
        self.number = 0
        self._renewed_at = -RENEW_SECONDS
        for one in pools:
            one.when_read_only = self.renew

    async def renew(self) -> None:
        if time.monotonic() - self._renewed_at < RENEW_SECONDS:
            return
        self._renewed_at = time.monotonic()
        self.number += 1
        for one in self.pools:
            await one.expire()


class Reader:
    """Connections for reading. Each read is one function; it sees one moment if it is one statement."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def read(self, function: "Callable[..., Awaitable[T]]", *arguments: Any) -> T:
        """Returns the result of function(connection, *arguments). Raises UnavailableError."""
        async with faults_as_unavailable(), self._connections.acquire() as db:
            return await function(db, *arguments)

    async def read_at_one_moment(self, function: "Callable[..., Awaitable[T]]", *arguments: Any) -> T:
        """The same for a function of several statements, which all see one moment."""
        async with (
            faults_as_unavailable(),
            self._connections.acquire() as db,
            db.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await function(db, *arguments)

    async def close(self) -> None:
        await self._connections.close()
