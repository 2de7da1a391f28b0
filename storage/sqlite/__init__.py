"""SQLite behind the Storage protocol: one writer, and readers of their own for pages, deliver() and searches."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable

from storage.figures import Writing
from storage.records import Unavailable
from storage.sqlite.accounts import Accounts
from storage.sqlite.connection import Reader, Writer, connect
from storage.sqlite.credentials import Credentials
from storage.sqlite.identities import Identities
from storage.sqlite.messages import Messages
from storage.sqlite.moderation import Moderation
from storage.sqlite.schema import migrate, pragma
from storage.sqlite.search import Search, indexing
from storage.stats import Stats, statement

TICK = 0.5
"""Seconds between looks for what other processes wrote: an import, bin/admin, a server being replaced."""


class SQLite(Messages, Search, Accounts, Credentials, Identities, Moderation):
    def __init__(self, writer: Writer, reader: Reader, changes_reader: Reader, search_reader: Reader) -> None:
        self._writer = writer
        self._reader = reader
        self._changes_reader = changes_reader
        self._search_reader = search_reader

    @classmethod
    async def open(cls, path: str) -> "SQLite":
        """Raises CannotOpen."""
        connection = await connect(path, read_only=False)
        try:
            await connection.run(migrate, path)
            readers = [Reader(await connect(path, read_only=True)) for _ in range(3)]
        except BaseException:
            await connection.close()
            raise
        storage = cls(Writer(connection, indexing), *readers)
        storage.start_indexing()
        return storage

    async def close(self) -> None:
        await self.stop_indexing()
        await self._search_reader.close()
        await self._reader.close()
        await self._changes_reader.close()
        await self._writer.close()

    async def secret(self) -> bytes:
        return await self._reader.read(read_secret)

    async def scrub(self) -> None:
        """In SQLite the write-ahead log: in the database itself, secure_delete has overwritten them (connection.py)."""
        await self._writer.empty_log()

    async def probe(self) -> None:
        await self._writer.write(lambda db: db.execute("UPDATE board SET seq = seq") and None)

    def writing(self) -> Writing:
        return Writing(self._writer.waiting, self._writer.batches)

    async def stats(self) -> Stats:
        size = "(SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)"
        return await self._reader.read(lambda db: Stats(*db.execute(statement(size)).fetchone()))

    async def watch(self, moved: Callable[[], Awaitable[bool]]) -> None:
        seen = None
        while True:
            try:
                version = await self._changes_reader.read(data_version)
            except Unavailable:
                version = None  # the next look will tell
            if version != seen and await moved():
                seen = version
            await asyncio.sleep(TICK)


def read_secret(db: sqlite3.Connection) -> bytes:
    secret: bytes = db.execute("SELECT secret FROM board").fetchone()[0]
    return secret


def data_version(db: sqlite3.Connection) -> int:
    """A number that differs once any other connection has committed (PRAGMA data_version)."""
    return pragma(db, "data_version")
