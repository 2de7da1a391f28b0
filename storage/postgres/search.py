"""Searches messages in PostgreSQL: a tsvector beside each message, with a GIN index over all.

The words come from storage/words.py; PostgreSQL cuts and stems nothing, so every engine finds the same.
"""

import asyncio
import collections
import contextlib
import dataclasses
import logging
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

import asyncpg

from storage.asking import read_readable
from storage.errors import SearchBusyError, SearchTooLongError, UnavailableError
from storage.marks import GREATEST
from storage.postgres.tx import PostgreSQLTx
from storage.queries import SCHEME, WWW, Query, parse, sql_of
from storage.records import FIRST_BOARD, Asker, Found, Message
from storage.rows import messages_in, newest, to_message
from storage.words import VERSION, Phrase, mark_of, words

if TYPE_CHECKING:
    from storage.postgres.connection import Database
    from storage.postgres.pools import Reader
    from storage.postgres.writer import Writer

log = logging.getLogger("longboard")

SEARCH_SECONDS = 2.0
"""How long a search may take, in however many boards."""
MESSAGES_AT_ONCE = 500
"""Messages that are cut again in one transaction: a few tenths of a second, in which other writes wait."""
MOST_WORDS = 50_000
"""Words of one message that are indexed: at most 14 bytes each where two letters are a word. A message can have more
only if MESSAGE_LENGTH is above that."""
CHARACTERS_AT_ONCE = 500
"""Characters that are split into words on the loop: half a millisecond at most."""
SEARCHES_WAITING_MAX = 20
"""Searches in one board that may wait for their turn, and as many in several. Only one runs at a time, so that pages
always have a connection left. Of those in several, only one waits among those in one board, which are shorter."""

CUT_BY = {"messages": "words", "posts": "words_elsewhere"}
"""The columns of `board` that say which version of words.py has cut the words of these tables. Nodes of the last release
know only the first.
"""


class Search:
    _reader: "Reader"
    _writer: "Writer"
    _searching: collections.Counter[bool]
    """How many wait or run, in several boards (True) or in one."""
    _turn: asyncio.Lock
    _wide_turn: asyncio.Lock
    _is_complete: bool = True
    _indexing: asyncio.Task[None] | None = None

    async def search_in(
        self, board_ids: Collection[int], query: str, before: int | None, limit: int, asker: Asker
    ) -> Found:
        wanted = parse(query)
        if wanted.is_empty:
            await self._reader.read(lambda db: read_readable(PostgreSQLTx(db), board_ids, asker))
            return Found([], False, True)
        is_wide = len(board_ids) > 1
        if self._searching[is_wide] >= SEARCHES_WAITING_MAX:
            raise SearchBusyError(f"{SEARCHES_WAITING_MAX} searches are waiting already")
        self._searching[is_wide] += 1
        try:
            async with self._wide_turn if is_wide else contextlib.nullcontext(), self._turn:
                is_one = board_ids == [FIRST_BOARD]  # which one statement reads
                read = self._reader.read if is_one else self._reader.read_at_one_moment
                found = await read(read_found, wanted, before, limit, board_ids, asker)
        finally:
            self._searching[is_wide] -= 1
        return dataclasses.replace(found, is_complete=self._is_complete)

    async def start_indexing(self) -> None:
        """Cuts again, in the background, what another version of words.py has cut. Raises UnavailableError."""
        behind = await self._reader.read(read_behind)
        self._is_complete = not behind
        if behind:
            self._indexing = asyncio.create_task(self._index_all(behind))

    async def stop_indexing(self) -> None:
        if self._indexing is not None:
            self._indexing.cancel()
            await asyncio.gather(self._indexing, return_exceptions=True)

    async def _index_all(self, tables: list[str]) -> None:
        """Indexes the newest messages first; posts get their turn in between. Several nodes may do this at once."""
        try:
            for table in tables:
                await self._index_table(table)
            self._is_complete = True
            log.info("The search index is complete.")
        except UnavailableError as error:
            log.warning("The search index is not complete; it is built again at the next start: %s", error)

    async def _index_table(self, table: str) -> None:
        before = 2**63 - 1
        while rows := await self._reader.read(read_bodies, table, before):
            began = time.monotonic()
            cut = await asyncio.to_thread(lambda rows=rows: list(map(cut_one, rows)))  # type: ignore[misc]
            await self._writer.write(lambda db, cut=cut: cut_anew(db, table, cut))  # type: ignore[misc]
            before = rows[-1][0]
            await asyncio.sleep(time.monotonic() - began)
        await self._writer.write(lambda db: db.execute(f"UPDATE board SET {CUT_BY[table]} = $1", VERSION))


def to_vector(body: str, board_id: int = FIRST_BOARD) -> str:
    """Returns the words of a message and their positions, as PostgreSQL writes a tsvector.

    It stores positions up to 16,383, and 255 of one word: text beyond that is found by its words, not as a phrase. It
    accepts a megabyte of words at most (https://www.postgresql.org/docs/current/textsearch-limitations.html): what a
    message has beyond that is not found.
    """
    mark = mark_of(board_id)
    most = MOST_WORDS // 2 if mark else MOST_WORDS  # a mark takes as much as a short word
    return " ".join(f"{quoted(mark + word)}:{place}" for place, word in enumerate(words(body)[:most], 1))


def to_query(wanted: list[Phrase], mark: str = "") -> str:
    """Returns the phrases as a tsquery: `'low' <-> 'tide' & 'at':*`."""
    return " & ".join(
        " <-> ".join(quoted(mark + word) for word in phrase.words) + (":*" if phrase.is_beginning else "")
        for phrase in wanted
    )


def query_on(board_id: int, wanted: Query) -> list[str]:
    """Returns the words as a tsquery, or nothing if there are only conditions."""
    mark = mark_of(board_id)
    query = to_query(wanted.phrases, mark)
    return [with_links(query, mark) if wanted.only.has_link else query] if wanted.has_words else []


async def vector(body: str, board_id: int) -> str:
    """Calls to_vector(); on a thread, if that takes longer than switching to the thread."""
    if len(body) < CHARACTERS_AT_ONCE:
        return to_vector(body, board_id)
    return await asyncio.to_thread(to_vector, body, board_id)


def with_links(query: str, mark: str) -> str:
    """Adds to what to_query() returns that there is a link."""
    links = f"({quoted(mark + SCHEME)}:* | {quoted(mark + WWW)})"
    return f"{query} & {links}" if query else links


def quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


async def read_behind(db: "Database") -> list[str]:
    """Returns the tables with words that another version has cut."""
    versions = await db.fetchrow(f"SELECT {', '.join(CUT_BY.values())} FROM board") or ()
    return [table for table, version in zip(CUT_BY, versions, strict=True) if version != VERSION]


async def read_bodies(db: "Database", table: str, before: int) -> list["asyncpg.Record"]:
    board = "board_id" if table == "posts" else str(FIRST_BOARD)
    select = f"SELECT id, body, {board} FROM {table} WHERE id < $1 AND body IS NOT NULL ORDER BY id DESC LIMIT $2"
    return await db.fetch(select, before, MESSAGES_AT_ONCE)


def cut_one(row: "asyncpg.Record") -> tuple[int, str, str]:
    id, body, board_id = row
    return id, body, to_vector(body, board_id)


async def cut_anew(db: "Database", table: str, cut: list[tuple[int, str, str]]) -> None:
    """Stores each vector of (id, body, vector). Skips messages that have changed since: they are indexed already."""
    await db.executemany(f"UPDATE {table} SET search = $3::text::tsvector WHERE id = $1 AND body = $2", cut)


async def read_found(
    db: "Database", wanted: Query, before: int | None, limit: int, board_ids: Collection[int], asker: Asker
) -> Found:
    """Raises NotFoundError if the asker may read none of these boards, and SearchTooLongError."""
    tx, found, end = PostgreSQLTx(db), list[Message](), GREATEST if before is None else before
    words = "search @@ $5::text::tsquery" if wanted.has_words else "body IS NOT NULL"
    try:
        async with asyncio.timeout(SEARCH_SECONDS):
            for id in await read_readable(tx, board_ids, asker):
                query, start = query_on(id, wanted), found[limit].id if len(found) > limit else 0
                conditions, values = sql_of(wanted.only, id, 5 + len(query))
                rest = f"AND {words} AND id < $2 AND id > $3{conditions} ORDER BY id DESC LIMIT $4"
                rows = await tx.all(f"SELECT {messages_in(id)} {rest}", id, end, start, limit + 1, *query, *values)
                found = newest([*found, *map(to_message, rows)], limit + 1)
    except TimeoutError as error:
        raise SearchTooLongError(f"a search took more than {SEARCH_SECONDS} s") from error
    return Found(found[:limit], len(found) > limit, is_complete=True)
