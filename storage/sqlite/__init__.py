"""SQLite behind the Storage protocol: one writer, and separate readers for pages, deliver() and searches."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Awaitable, Callable

from storage import Storage
from storage.counters import Writing
from storage.errors import UnavailableError
from storage.sqlite.about import ABOUT_ITS_MESSAGE, JOIN_LAST
from storage.sqlite.connection import Reader, Writer, connect
from storage.sqlite.database_file import is_frozen
from storage.sqlite.messages import Messages
from storage.sqlite.parting import OpenFiles
from storage.sqlite.schema import check_schema, migrate, pragma
from storage.sqlite.search import Search
from storage.sqlite.word_index import indexing
from storage.stats import Stats, statement
from storage.times import NEWEST

TICK = 0.5
"""Seconds between checks for what other processes wrote: an import, bin/admin, a server that is being replaced."""


PROBE_BYTES = 32 * 1024
"""More than the longest message takes, with its words in the index, at the default MESSAGE_LENGTH."""


class SQLite(Messages, Search, Storage):
    _about_its_message = ABOUT_ITS_MESSAGE
    _join_last = JOIN_LAST

    def __init__(
        self,
        path: str,
        files: OpenFiles | None,
        writer: Writer,
        reader: Reader,
        changes_reader: Reader,
        search_reader: Reader,
    ) -> None:
        self._files = files
        self._writer = writer
        self._reader = reader
        self._changes_reader = changes_reader
        self._search_reader = search_reader
        self._path = path
        self._opening = asyncio.Lock()

    @classmethod
    async def open(cls, path: str, *, for_reading: bool = False, is_served: bool = False) -> "SQLite":
        """Raises CannotOpenError. With `for_reading`, the disk may be read-only. `is_served` is as for migrate()."""
        frozen = for_reading and is_frozen(path)
        opened = [await connect(path, read_only=frozen)]
        try:
            await opened[0].run(check_schema if frozen else migrate, path, is_served)
            files = None if frozen else OpenFiles(path)
            for _ in range(3):
                opened.append(await connect(path, read_only=True))
        except BaseException:
            for connection in opened:
                await connection.close()
            raise
        writer = Writer(opened[0], indexing, files.check if files else lambda: None)
        storage = cls(path, files, writer, *map(Reader, opened[1:]))
        if not frozen:
            storage.start_indexing()
        return storage

    async def close(self) -> None:
        await self.stop_indexing()
        await self._search_reader.close()
        if self._wide_search_reader is not None:
            await self._wide_search_reader.close()
        await self._reader.close()
        await self._changes_reader.close()
        await self._writer.close()

    async def secret(self) -> bytes:
        return await self._reader.read(read_secret)

    async def scrub(self) -> None:
        """Empties the write-ahead log. In the database, secure_delete has overwritten the words (database_file.py)."""
        await self._writer.empty_log()

    async def probe(self) -> None:
        await self._writer.write(write_and_undo)

    async def times(self) -> tuple[int | None, list[int]]:
        return None, await self._reader.read(lambda db: [at for (at,) in db.execute(NEWEST) if at is not None])

    def writing(self) -> Writing:
        return Writing(self._writer.waiting, self._writer.batches, self._writer.posts, self._writer.is_failing)

    async def stats(self) -> Stats:
        size = "(SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)"
        return await self._reader.read(lambda db: Stats(*db.execute(statement(size)).fetchone()))

    async def alone(self, work: Callable[[], Awaitable[None]]) -> None:
        from storage.sqlite.alone import alone  # few boards need it

        await alone(self._path, work)

    async def watch(self, on_commit: Callable[[], Awaitable[bool]]) -> None:
        seen = None
        while True:
            with contextlib.suppress(UnavailableError):  # it is logged, and the open files can still be read
                if self._files:
                    await asyncio.to_thread(self._files.check)
            try:
                version = await self._changes_reader.read(data_version)
            except UnavailableError:
                version = None  # the next check will find out
            if version != seen and await on_commit():
                seen = version
            await asyncio.sleep(TICK)


def write_and_undo(db: sqlite3.Connection) -> None:
    """Writes as much as a long message and removes it, in one commit: removed data is overwritten, so all of its pages
    are written. A single page might still fit into the log when a message doesn't.
    """
    row = os.urandom(PROBE_BYTES)
    db.execute("INSERT INTO used (hash, until) VALUES (?, 0)", (row,))
    db.execute("DELETE FROM used WHERE hash = ?", (row,))
    db.execute("UPDATE board SET seq = seq")


def read_secret(db: sqlite3.Connection) -> bytes:
    secret: bytes = db.execute("SELECT secret FROM board").fetchone()[0]
    return secret


def data_version(db: sqlite3.Connection) -> int:
    """Returns a number that changes when another connection has committed (PRAGMA data_version)."""
    return pragma(db, "data_version")
