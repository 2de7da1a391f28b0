"""Searches messages in SQLite with FTS5. The words come from storage/words.py; FTS5 only keeps and finds them
(word_index.py).
"""

import asyncio
import functools
import logging
import sqlite3
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from storage.asking import read_readable
from storage.errors import CannotOpenError, SearchBusyError, SearchTooLongError, UnavailableError
from storage.queries import ANY, SCHEME, WWW, Conditions, Query, parse, sql_of
from storage.records import FIRST_BOARD, GUEST, Asker, Found, Message
from storage.rows import messages_in, newest, to_message
from storage.sqlite.connection import Reader, Writer, connect
from storage.sqlite.parting import OpenFiles
from storage.sqlite.tx import SQLiteTx, finish, numbered
from storage.sqlite.word_index import ensure, has_messages, index_of, parts_back, read_missing
from storage.words import Phrase, mark_of

log = logging.getLogger("longboard")

SEARCH_SECONDS = 2.0
"""How long a search may take before it ends with what it has found."""
STEPS = 1000
"""Steps of SQLite's virtual machine between two looks at the clock: a few milliseconds where words are frequent."""
RETRY_SECONDS = 30
"""After how long indexing continues, if the disk is full or another process holds the database."""
SEARCHES_WAITING_MAX = 20
"""Searches in one board that may wait for their turn, and as many in several. Each of the two share a reader, so that a
search in one board waits for none in a hundred."""


class Search:
    _writer: Writer
    _search_reader: Reader
    _wide_search_reader: Reader | None = None
    _files: OpenFiles | None
    _path: str
    _opening: asyncio.Lock
    _indexing: asyncio.Task[None] | None = None

    async def search_in(
        self, board_ids: Collection[int], query: str, before: int | None, limit: int, asker: Asker
    ) -> Found:
        reader = self._search_reader if len(board_ids) == 1 else await self._reader_of_several()
        if reader.waiting >= SEARCHES_WAITING_MAX:
            raise SearchBusyError(f"{SEARCHES_WAITING_MAX} searches are waiting already")
        return await reader.read(read_found, parse(query), before, limit, SEARCH_SECONDS, board_ids, asker)

    async def _reader_of_several(self) -> Reader:
        """Opens it with the first such search: a site with one board has none. Raises UnavailableError."""
        async with self._opening:
            if self._wide_search_reader is None:
                if self._files is not None:
                    self._files.check()  # it has to be the file that the others have open
                try:
                    self._wide_search_reader = Reader(await connect(self._path, read_only=True))
                except CannotOpenError as error:
                    raise UnavailableError(str(error)) from error
            return self._wide_search_reader

    def start_indexing(self) -> None:
        """Makes the missing parts of the index, in the background."""
        self._indexing = asyncio.create_task(self._index_all())

    async def stop_indexing(self) -> None:
        if self._indexing is not None:
            self._indexing.cancel()
            await asyncio.gather(self._indexing, return_exceptions=True)

    async def _index_all(self) -> None:
        """Makes part by part; posts get their turn in between. Finished parts stay if the process ends."""
        began, made = time.monotonic(), 0
        while True:
            started = time.monotonic()
            try:
                part = await self._search_reader.read(read_missing)
                if part is None:
                    break
                await self._writer.write(lambda db, part=part: ensure(db, *part))  # type: ignore[misc]
            except UnavailableError as error:
                log.warning("The search index is not complete; it goes on in %d s: %s", RETRY_SECONDS, error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            made += 1
            await asyncio.sleep(time.monotonic() - started)
        if made > 1:
            log.info("The search index is complete: %d parts in %.0f s.", made, time.monotonic() - began)


def read_found(
    db: sqlite3.Connection,
    query: Query,
    before: int | None,
    limit: int,
    seconds: float,
    board_ids: Collection[int] = (FIRST_BOARD,),
    asker: Asker = GUEST,
) -> Found:
    """Raises NotFoundError if the asker may read none of these boards, and SearchTooLongError if nothing was found in
    this time and not all parts were searched.
    """
    board_ids = finish(read_readable(SQLiteTx(db), board_ids, asker))
    wanted, end = Wanted.of(query, board_ids), sys.maxsize if before is None else before
    deadline = time.monotonic() + seconds
    found: list[Message] = []
    is_complete = True
    db.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
    try:
        for number, made in parts_back(db, {index_of(id) for id in board_ids}, before) if query.has_words else ():
            there = [id for id in board_ids if made.get(index_of(id)) and has_messages(db, id, number)]
            read = functools.partial(read_in_part, db, number, wanted, end)
            found += read_each(there, limit + 1 - len(found), deadline, read)
            is_complete = is_complete and all(made.values())
            if len(found) > limit:
                break
        if not query.has_words and not query.is_empty:
            found = read_each(
                board_ids, limit + 1, deadline, functools.partial(read_by_conditions, db, query.only, end)
            )
    except sqlite3.OperationalError as error:
        if time.monotonic() <= deadline:
            raise
        if not found:
            raise SearchTooLongError(f"a search took more than {seconds} s") from error
        return Found(found[:limit], True, is_complete)
    finally:
        db.set_progress_handler(None, STEPS)
    return Found(found[:limit], len(found) > limit, is_complete)


class Wanted(NamedTuple):
    """What is searched for in a part of the index."""

    matches: dict[int, str]
    """For each board, in FTS5's language."""
    only: Conditions

    @classmethod
    def of(cls, query: Query, board_ids: Iterable[int]) -> "Wanted":
        matches = {id: to_match(query.phrases, mark_of(id)) for id in board_ids}
        if query.only.has_link:
            matches = {id: with_links(match, mark_of(id)) for id, match in matches.items()}
        return cls(matches, query.only)


def read_each(
    board_ids: Iterable[int], limit: int, deadline: float, read: Callable[[int, int, int], Iterable[Message]]
) -> list[Message]:
    """Returns the newest messages that `read` finds: of a board, after an id, at most so many. One board after the other,
    so that many words have no more lists in memory at a time than in a search on one board.
    """
    found: list[Message] = []
    for board_id in board_ids:
        if time.monotonic() > deadline:
            raise sqlite3.OperationalError("interrupted")  # as the progress handler raises it within a statement
        start = found[-1].id if len(found) == limit else 0
        found = newest([*found, *read(board_id, start, limit)], limit)
    return found


def read_in_part(
    db: sqlite3.Connection, number: int, wanted: Wanted, before: int, board_id: int, start: int, limit: int
) -> Iterator[Message]:
    """Returns messages of a board, newest first, that a part of the index has."""
    name, match = f"{index_of(board_id).words}_{number}", wanted.matches[board_id]
    if wanted.only == ANY:
        ids = db.execute(
            f"SELECT rowid FROM {name} WHERE {name} MATCH ? AND rowid < ? AND rowid > ? ORDER BY rowid DESC LIMIT ?",
            (match, before, start, limit),
        ).fetchall()
        select = numbered(f"SELECT {messages_in(board_id)} AND id = $2 AND body IS NOT NULL")
        rows = (db.execute(select, (board_id, id)).fetchone() for (id,) in ids)
        return (to_message(row) for row in rows if row is not None)
    conditions, values = sql_of(wanted.only, board_id, 6)
    having = f"id IN (SELECT rowid FROM {name} WHERE {name} MATCH $2 AND rowid < $3 AND rowid > $4)"
    return read_all(
        db, board_id, f"{having}{conditions} ORDER BY id DESC LIMIT $5", match, before, start, limit, *values
    )


def read_by_conditions(
    db: sqlite3.Connection, only: Conditions, before: int, board_id: int, start: int, limit: int
) -> Iterator[Message]:
    """Returns messages of a board, newest first, whatever words they have."""
    conditions, values = sql_of(only, board_id, 5)
    rest = f"id < $2 AND id > $3{conditions} ORDER BY id DESC LIMIT $4"
    return read_all(db, board_id, rest, before, start, limit, *values)


def read_all(db: sqlite3.Connection, board_id: int, rest: str, *values: object) -> Iterator[Message]:
    select = f"SELECT {messages_in(board_id)} AND body IS NOT NULL AND {rest}"
    return map(to_message, db.execute(numbered(select), (board_id, *values)))


def to_match(wanted: list[Phrase], mark: str) -> str:
    """Returns the phrases in FTS5's language. No word has a character with a special meaning there."""
    phrases = (" ".join(mark + word for word in phrase.words) for phrase in wanted)
    return " AND ".join(
        f'"{words}"{" *" if phrase.is_beginning else ""}' for words, phrase in zip(phrases, wanted, strict=True)
    )


def with_links(match: str, mark: str) -> str:
    """Adds to what to_match() returns that there is a link."""
    links = f'("{mark}{SCHEME}" * OR "{mark}{WWW}")'
    return f"{match} AND {links}" if match else links
