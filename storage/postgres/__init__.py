"""PostgreSQL behind the Storage protocol: for a board with several nodes, or one whose disk is not permanent."""

import asyncio
import base64
import collections
import os
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from storage import Storage
from storage.counters import Writing
from storage.postgres import notify, scrubbing
from storage.postgres.about import ABOUT_ITS_MESSAGE, JOIN_LAST
from storage.postgres.connection import FAULTS, READ_SECONDS, WRITE_SECONDS, why_not
from storage.postgres.messages import Messages
from storage.postgres.pools import PAGE_READERS, Connections, Generation, Reader
from storage.postgres.schema import prepare
from storage.postgres.search import Search
from storage.postgres.writer import Writer
from storage.stats import Stats, statement
from storage.times import NEWEST

if TYPE_CHECKING:
    from storage.postgres.connection import Database


LOOK_SECONDS = 3600.0
"""Seconds between checks for words to remove from the database's files."""
PROBE_BYTES = 16 * 1024
"""As much as the longest message takes with the default MESSAGE_LENGTH."""


class PostgreSQL(Messages, Search, Storage):
    _about_its_message = ABOUT_ITS_MESSAGE
    _join_last = JOIN_LAST

    def __init__(
        self, url: str, generation: Generation, writer: Writer, reader: Reader, changes_reader: Reader
    ) -> None:
        self._url = url
        self._generation = generation
        self._writer = writer
        self._reader = reader
        self._changes_reader = changes_reader
        self._turn, self._wide_turn = asyncio.Lock(), asyncio.Lock()
        self._searching = collections.Counter[bool]()
        self._looked_at = -LOOK_SECONDS

    @classmethod
    async def open(cls, url: str) -> "PostgreSQL":
        """Raises CannotOpenError."""
        try:
            await prepare(url, is_served=True)
            sizes = ((1, WRITE_SECONDS), (PAGE_READERS, READ_SECONDS), (1, READ_SECONDS))
            pools = [await Connections(url, size, seconds).open() for size, seconds in sizes]
        except (*FAULTS, ValueError) as error:
            raise why_not(error) from error
        storage = cls(url, Generation(*pools), Writer(pools[0]), Reader(pools[1]), Reader(pools[2]))
        await storage.start_indexing()
        return storage

    async def close(self) -> None:
        await self.stop_indexing()
        await self._writer.close()
        await self._reader.close()
        await self._changes_reader.close()

    async def secret(self) -> bytes:
        async def read(db: "Database") -> bytes:
            secret: bytes = await db.fetchval("SELECT secret FROM board")
            return secret

        return await self._reader.read(read)

    async def scrub(self) -> None:
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        if await self._reader.read(scrubbing.is_due):
            await scrubbing.scrub(self._url)

    async def probe(self) -> None:
        await self._writer.write(write_and_undo)

    async def times(self) -> tuple[int | None, list[int]]:
        async def read(db: "Database") -> tuple[int, list[int]]:
            return await db.fetchval("SELECT now_ms()"), [at for (at,) in await db.fetch(NEWEST) if at is not None]

        return await self._reader.read(read)

    def writing(self) -> Writing:
        return Writing(self._writer.waiting, self._writer.batches, self._writer.posts, self._writer.is_failing)

    async def stats(self) -> Stats:
        async def read(db: "Database") -> Stats:
            row = await db.fetchrow(statement("pg_database_size(current_database())"))
            assert row is not None
            return Stats(*row)

        return await self._reader.read(read)

    async def alone(self, work: Callable[[], Awaitable[None]]) -> None:
        from storage.postgres.alone import alone  # few boards need it

        await alone(self._url, work)

    async def watch(self, on_commit: Callable[[], Awaitable[bool]]) -> None:
        await notify.watch(self._url, on_commit, lambda: self._generation.number)


async def write_and_undo(db: "Database") -> None:
    """Does all that a post does, undoes it, and commits: a mere change of a row would not need the room that a new
    message needs.
    """
    message = db.transaction()
    await message.start()
    await db.execute(
        "INSERT INTO messages (id, seq, body, search, created_at, key, address) "
        "VALUES (-1, -1, $1, 'probe:1', 0, 'probe', 'probe')",
        base64.b64encode(os.urandom(PROBE_BYTES)).decode(),  # compressible bytes would take less room
    )
    await message.rollback()
    await db.execute("UPDATE board SET seq = seq")
