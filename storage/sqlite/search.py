"""Searches messages in SQLite with FTS5. The words come from storage/words.py; FTS5 only keeps and finds them.

The index is cut into parts by the number of the message, and each part is a separate FTS5 table. A search goes from
the newest part back until it has found enough. So:
- A deleted word disappears from the file, with any version of SQLite. FTS5 itself only notes a deletion, and keeps the
  word until some merge; here the part is merged immediately, in a few milliseconds, because it is small.
- A board from before there was an index gets it part by part, the newest first, while it runs.
- The time that a search takes is checked between parts, and within a part that takes long.
The tables are contentless, so removing a message requires giving FTS5 the same words with which it was added. If
another version of words.py has cut them, the part is made again first.
"""

import asyncio
import contextlib
import itertools
import logging
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator

from storage.errors import SearchBusyError, UnavailableError
from storage.records import Found, Message
from storage.rows import COLUMNS, to_message
from storage.sqlite.connection import Database, Reader, Writer
from storage.words import VERSION, Phrase, phrases, words

log = logging.getLogger("longboard")

IDS_IN_A_PART = 16_384
"""Numbers in one part. Merging it takes 5 ms, making it 0.2 s, and searching it 5 µs if it lacks the word."""
SEARCH_SECONDS = 2.0
"""How long a search may take before it ends with what it has found."""
STEPS = 1000
"""Steps of SQLite's virtual machine between two looks at the clock: a few milliseconds where words are frequent."""
RETRY_SECONDS = 30
"""After how long indexing continues, if the disk is full or another process holds the database."""
SEARCHES_WAITING_MAX = 20
"""Searches that may wait for their turn. They share one reader."""


class Search:
    _writer: Writer
    _search_reader: Reader
    _searching: int = 0
    _indexing: asyncio.Task[None] | None = None

    async def search(self, query: str, before: int | None, limit: int) -> Found:
        if self._searching >= SEARCHES_WAITING_MAX:
            raise SearchBusyError(f"{SEARCHES_WAITING_MAX} searches are waiting already")
        self._searching += 1
        try:
            return await self._search_reader.read(read_found, phrases(query), before, limit, SEARCH_SECONDS)
        finally:
            self._searching -= 1

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
                number = await self._search_reader.read(read_missing)
                if number is None:
                    break
                await self._writer.write(lambda db, number=number: ensure(db, number))  # type: ignore[misc]
            except UnavailableError as error:
                log.warning("The search index is not complete; it goes on in %d s: %s", RETRY_SECONDS, error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            made += 1
            await asyncio.sleep(time.monotonic() - started)
        if made > 1:
            log.info("The search index is complete: %d parts in %.0f s.", made, time.monotonic() - began)


# --- writing, inside the transactions that change messages


@contextlib.contextmanager
def indexing(db: Database) -> Iterator[None]:
    """Surrounds each of the writer's transactions: at its end, adds all messages posted in it to the index together.

    FTS5 collects words in memory, and writes them before any statement that may have to be undone. Adding one post
    after the other would take a write for each, which would be most of what a post costs.
    """
    db.new_from = db.execute("SELECT seq FROM board").fetchone()[0] + 1
    try:
        yield
        rows = db.execute("SELECT id, body FROM messages WHERE id >= ? AND body IS NOT NULL", (db.new_from,)).fetchall()
        for number, those in itertools.groupby(rows, lambda row: row[0] // IDS_IN_A_PART):  # sorted by id, the key
            ensure(db, number)
            put_in(db, number, those)
    finally:
        db.new_from = sys.maxsize


def first_new(db: sqlite3.Connection) -> int:
    """Returns the number from which on messages are not in the index yet, because indexing() will add them."""
    return db.new_from if isinstance(db, Database) else sys.maxsize


def index(db: sqlite3.Connection, id: int, body: str) -> None:
    """Adds one message to the index after it was inserted, where indexing() does not do it."""
    number = id // IDS_IN_A_PART
    if is_current(db, number):
        put_in(db, number, [(id, body)])
    else:
        ensure(db, number)  # adds this message as well


def reindex(db: sqlite3.Connection, before: Iterable[tuple[int, str]], after: Iterable[tuple[int, str]] = ()) -> None:
    """Removes the (id, body) of `before`, with every trace of their words, and adds those of `after`.

    The messages themselves have changed already.
    """
    parts: dict[int, tuple[list[tuple[int, str]], list[tuple[int, str]]]] = {}
    end = first_new(db)
    for side, pairs in enumerate((before, after)):
        for id, body in pairs:
            if id < end:
                parts.setdefault(id // IDS_IN_A_PART, ([], []))[side].append((id, body))
    for number, (gone, come) in parts.items():
        if not is_current(db, number):
            ensure(db, number)
            continue
        name = f"words_{number}"
        db.executemany(f"INSERT INTO {name} ({name}, rowid, words) VALUES ('delete', ?, ?)", with_words(gone))
        put_in(db, number, come)
        db.execute(f"INSERT INTO {name} ({name}) VALUES ('optimize')")


def put_in(db: sqlite3.Connection, number: int, messages: Iterable[tuple[int, str]]) -> None:
    db.executemany(f"INSERT INTO words_{number} (rowid, words) VALUES (?, ?)", with_words(messages))


def with_words(messages: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yields (id, words) of each message that has words. Others are never added."""
    return ((id, text) for id, body in messages if (text := " ".join(words(body))))


def is_current(db: sqlite3.Connection, number: int) -> bool:
    row = db.execute("SELECT cut_by FROM search_parts WHERE number = ?", (number,)).fetchone()
    return row is not None and row[0] == VERSION


def ensure(db: sqlite3.Connection, number: int) -> None:
    """Makes this part from the messages as they are now, unless it exists and is current."""
    if is_current(db, number):
        return
    name = f"words_{number}"
    db.execute(f"DROP TABLE IF EXISTS {name}")
    make_part(db, number)
    rows = db.execute(
        "SELECT id, body FROM messages WHERE id >= ? AND id < ? AND body IS NOT NULL",
        (number * IDS_IN_A_PART, min((number + 1) * IDS_IN_A_PART, first_new(db))),
    )
    put_in(db, number, rows)
    db.execute(f"INSERT INTO {name} ({name}) VALUES ('optimize')")
    db.execute(
        "INSERT INTO search_parts (number, cut_by) VALUES (?, ?) ON CONFLICT DO UPDATE SET cut_by = excluded.cut_by",
        (number, VERSION),
    )


def make_part(db: sqlite3.Connection, number: int) -> None:
    # This tokenizer takes everything beyond ASCII for letters, so it leaves each of our words as it is.
    options = "content = '', columnsize = 0, tokenize = 'ascii'"
    db.execute(f"CREATE VIRTUAL TABLE words_{number} USING fts5 (words, {options})")


# --- reading


def read_missing(db: sqlite3.Connection) -> int | None:
    """Returns the newest part that has messages and no current index."""
    current = {row[0] for row in db.execute("SELECT number FROM search_parts WHERE cut_by = ?", (VERSION,))}
    return next((number for number in parts_with_messages(db) if number not in current), None)


def parts_with_messages(db: sqlite3.Connection, before: int | None = None) -> Iterable[int]:
    """Yields the numbers of the parts, the newest first."""
    number = None if before is None else (before - 1) // IDS_IN_A_PART
    while True:
        where, values = ("WHERE id < ?", [(number + 1) * IDS_IN_A_PART]) if number is not None else ("", [])
        newest = db.execute(f"SELECT max(id) FROM messages {where}", values).fetchone()[0]
        if newest is None:
            return
        number = newest // IDS_IN_A_PART
        yield number
        number -= 1


def read_found(db: sqlite3.Connection, wanted: list[Phrase], before: int | None, limit: int, seconds: float) -> Found:
    """Raises UnavailableError if nothing was found in this time and not all parts were searched."""
    deadline = time.monotonic() + seconds
    made = {row[0] for row in db.execute("SELECT number FROM search_parts")}
    found: list[Message] = []
    is_complete, match = True, to_match(wanted)
    db.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
    try:
        for number in parts_with_messages(db, before) if wanted else ():
            if time.monotonic() > deadline:
                raise sqlite3.OperationalError("interrupted")  # as the progress handler raises it within a part
            if number in made:
                found += read_part(db, number, match, before, limit + 1 - len(found))
            else:
                is_complete = False
            if len(found) > limit:
                break
    except sqlite3.OperationalError as error:
        if time.monotonic() <= deadline:
            raise
        if not found:
            raise UnavailableError(f"a search took more than {seconds} s") from error
        return Found(found[:limit], True, is_complete)
    finally:
        db.set_progress_handler(None, STEPS)
    return Found(found[:limit], len(found) > limit, is_complete)


def read_part(db: sqlite3.Connection, number: int, match: str, before: int | None, limit: int) -> list[Message]:
    name = f"words_{number}"
    ids = db.execute(
        f"SELECT rowid FROM {name} WHERE {name} MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
        (match, (number + 1) * IDS_IN_A_PART if before is None else before, limit),
    ).fetchall()
    select = f"SELECT {COLUMNS} FROM messages WHERE id = ? AND body IS NOT NULL"
    rows = (db.execute(select, id).fetchone() for id in ids)
    return [to_message(row) for row in rows if row is not None]


def to_match(wanted: list[Phrase]) -> str:
    """Returns the phrases in FTS5's language. No word has a character with a special meaning there."""
    return " AND ".join(f'"{" ".join(phrase.words)}"{" *" if phrase.is_beginning else ""}' for phrase in wanted)
