"""Searches messages in PostgreSQL: a tsvector beside each message, with a GIN index over all.

The words come from storage/words.py; PostgreSQL cuts and stems nothing, so every engine finds the same.
"""

import asyncio
import dataclasses
import logging
import time
from typing import TYPE_CHECKING

import asyncpg

from storage.errors import SearchBusyError, UnavailableError
from storage.records import Found
from storage.rows import COLUMNS, to_message
from storage.words import VERSION, Phrase, phrases, words

if TYPE_CHECKING:
    from storage.postgres.connection import Database
    from storage.postgres.pools import Reader
    from storage.postgres.writer import Writer

log = logging.getLogger("longboard")

SEARCH_SECONDS = 2.0
"""How long a search may take."""
MESSAGES_AT_ONCE = 500
"""Messages that are cut again in one transaction: a few tenths of a second, in which other writes wait."""
MOST_WORDS = 50_000
"""Words of one message that are indexed: at most 14 bytes each where two letters are a word. A message can have more
only if MESSAGE_LENGTH is above that."""
CHARACTERS_AT_ONCE = 500
"""Characters that are split into words on the loop: half a millisecond at most."""
SEARCHES_WAITING_MAX = 20
"""Searches that may wait for their turn. Only one runs at a time, so that pages always have a connection left."""


class Search:
    _reader: "Reader"
    _writer: "Writer"
    _searching: int = 0
    _turn: asyncio.Lock
    _is_complete: bool = True
    _indexing: asyncio.Task[None] | None = None

    async def search(self, query: str, before: int | None, limit: int) -> Found:
        wanted = phrases(query)
        if not wanted:
            return Found([], False, True)
        if self._searching >= SEARCHES_WAITING_MAX:
            raise SearchBusyError(f"{SEARCHES_WAITING_MAX} searches are waiting already")
        self._searching += 1
        try:
            async with self._turn:
                found = await self._reader.read(read_found, wanted, before, limit)
        finally:
            self._searching -= 1
        return dataclasses.replace(found, is_complete=self._is_complete)

    async def start_indexing(self) -> None:
        """Cuts again, in the background, what another version of words.py has cut. Raises UnavailableError."""
        self._is_complete = await self._reader.read(read_version) == VERSION
        if not self._is_complete:
            self._indexing = asyncio.create_task(self._index_all())

    async def stop_indexing(self) -> None:
        if self._indexing is not None:
            self._indexing.cancel()
            await asyncio.gather(self._indexing, return_exceptions=True)

    async def _index_all(self) -> None:
        """Indexes the newest messages first; posts get their turn in between. Several nodes may do this at once."""
        before = 2**63 - 1
        try:
            while rows := await self._reader.read(read_bodies, before):
                began = time.monotonic()
                cut = await asyncio.to_thread(lambda rows=rows: [(id, body, to_vector(body)) for id, body in rows])  # type: ignore[misc]
                await self._writer.write(lambda db, cut=cut: cut_anew(db, cut))  # type: ignore[misc]
                before = rows[-1][0]
                await asyncio.sleep(time.monotonic() - began)
            await self._writer.write(lambda db: db.execute("UPDATE board SET words = $1", VERSION))
            self._is_complete = True
            log.info("The search index is complete.")
        except UnavailableError as error:
            log.warning("The search index is not complete; it is built again at the next start: %s", error)


def to_vector(body: str) -> str:
    """Returns the words of a message and their positions, as PostgreSQL writes a tsvector.

    It stores positions up to 16,383, and 255 of one word: text beyond that is found by its words, not as a phrase. It
    accepts a megabyte of words at most (https://www.postgresql.org/docs/current/textsearch-limitations.html): what a
    message has beyond that is not found.
    """
    return " ".join(f"{quoted(word)}:{place}" for place, word in enumerate(words(body)[:MOST_WORDS], 1))


def to_query(wanted: list[Phrase]) -> str:
    """Returns the phrases as a tsquery: `'low' <-> 'tide' & 'at':*`."""
    return " & ".join(
        " <-> ".join(map(quoted, phrase.words)) + (":*" if phrase.is_beginning else "") for phrase in wanted
    )


async def vector(body: str) -> str:
    """Calls to_vector(); on a thread, if that takes longer than switching to the thread."""
    if len(body) < CHARACTERS_AT_ONCE:
        return to_vector(body)
    return await asyncio.to_thread(to_vector, body)


def quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


async def read_version(db: "Database") -> str | None:
    version: str | None = await db.fetchval("SELECT words FROM board")
    return version


async def read_bodies(db: "Database", before: int) -> list["asyncpg.Record"]:
    select = "SELECT id, body FROM messages WHERE id < $1 AND body IS NOT NULL ORDER BY id DESC LIMIT $2"
    return await db.fetch(select, before, MESSAGES_AT_ONCE)


async def cut_anew(db: "Database", cut: list[tuple[int, str, str]]) -> None:
    """Stores each vector of (id, body, vector). Skips messages that have changed since: they are indexed already."""
    await db.executemany("UPDATE messages SET search = $3::text::tsvector WHERE id = $1 AND body = $2", cut)


async def read_found(db: "Database", wanted: list[Phrase], before: int | None, limit: int) -> Found:
    where, values = ("AND id < $3", [before]) if before is not None else ("", [])
    rows = await db.fetch(
        f"SELECT {COLUMNS} FROM messages WHERE search @@ $1::text::tsquery {where} ORDER BY id DESC LIMIT $2",
        to_query(wanted),
        limit + 1,
        *values,
        timeout=SEARCH_SECONDS,
    )
    return Found([to_message(row) for row in rows[:limit]], len(rows) > limit, is_complete=True)
