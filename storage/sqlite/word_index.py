"""The words of messages in SQLite: FTS5 tables, changed in the transactions that change messages. search.py finds them.

The index is cut into parts by the number of the message, and each part is a separate FTS5 table. A search goes from
the newest part back until it has found enough. So:
- A deleted word disappears from the file, with any version of SQLite. FTS5 itself only notes a deletion, and keeps the
  word until some merge; here the part is merged immediately, in a few milliseconds, because it is small.
- A board from before there was an index gets it part by part, the newest first, while it runs.
- The time that a search takes is checked between parts, and within a part that takes long.
The tables are contentless, so removing a message requires giving FTS5 the same words with which it was added. If
another version of words.py has cut them, the part is made again first.

The messages of boards beside the first have other parts: a process of the last release knows only the others, and
would make them again without those words.
"""

import contextlib
import dataclasses
import heapq
import itertools
import sqlite3
import sys
from collections.abc import Collection, Iterable, Iterator

from storage.records import FIRST_BOARD
from storage.rows import messages_in
from storage.sqlite.connection import Database
from storage.words import VERSION, mark_of, words

Indexed = tuple[int, str, int]
"""A message's id and body, and its board."""


@dataclasses.dataclass(frozen=True, slots=True)
class Index:
    """The words of one table of messages: how the names of its parts begin, the table that lists these, and SQL for the
    board of a message.
    """

    messages: str
    words: str
    parts: str
    board_id: str

    @property
    def of_part(self) -> str:
        return f"SELECT id, body, {self.board_id} FROM {self.messages} WHERE id >= ? AND id < ? AND body IS NOT NULL"


OF_FIRST = Index("messages", "words", "search_parts", str(FIRST_BOARD))
OF_OTHERS = Index("posts", "post_words", "post_parts", "board_id")
IDS_IN_A_PART = 16_384
"""Numbers in one part. Merging it takes 5 ms, making it 0.2 s, and searching it 5 µs if it lacks the word."""


@contextlib.contextmanager
def indexing(db: Database) -> Iterator[None]:
    """Surrounds each of the writer's transactions: at its end, adds all messages posted in it to the index together.

    FTS5 collects words in memory, and writes them before any statement that may have to be undone. Adding one post
    after the other would take a write for each, which would be most of what a post costs.
    """
    db.new_from = db.execute("SELECT seq FROM board").fetchone()[0] + 1
    try:
        yield
        rows = db.execute(NEW, (db.new_from,)).fetchall()
        for part, those in itertools.groupby(rows, lambda row: (index_of(row[2]), row[0] // IDS_IN_A_PART)):
            ensure(db, *part)
            put_in(db, *part, those)
    finally:
        db.new_from = sys.maxsize


NEW = (
    f"SELECT id, body, {FIRST_BOARD} FROM messages WHERE id >= ?1 AND body IS NOT NULL "
    "UNION ALL SELECT id, body, board_id FROM posts WHERE id >= ?1 AND body IS NOT NULL ORDER BY id"
)


def index_of(board_id: int) -> Index:
    return OF_FIRST if board_id == FIRST_BOARD else OF_OTHERS


def first_new(db: sqlite3.Connection) -> int:
    """Returns the number from which on messages are not in the index yet, because indexing() will add them."""
    return db.new_from if isinstance(db, Database) else sys.maxsize


def index(db: sqlite3.Connection, id: int, body: str, board_id: int) -> None:
    """Adds one message to the index after it was inserted, where indexing() does not do it."""
    of_board, number = index_of(board_id), id // IDS_IN_A_PART
    if is_current(db, of_board, number):
        put_in(db, of_board, number, [(id, body, board_id)])
    else:
        ensure(db, of_board, number)  # adds this message as well


def reindex(db: sqlite3.Connection, before: Iterable[Indexed], after: Iterable[Indexed] = ()) -> None:
    """Removes those of `before`, with every trace of their words, and adds those of `after`.

    The messages themselves have changed already.
    """
    parts: dict[tuple[Index, int], tuple[list[Indexed], list[Indexed]]] = {}
    end = first_new(db)
    for side, messages in enumerate((before, after)):
        for one in messages:
            if one[0] < end:
                parts.setdefault((index_of(one[2]), one[0] // IDS_IN_A_PART), ([], []))[side].append(one)
    for (of_board, number), (gone, come) in parts.items():
        if not is_current(db, of_board, number):
            ensure(db, of_board, number)
            continue
        name = f"{of_board.words}_{number}"
        db.executemany(f"INSERT INTO {name} ({name}, rowid, words) VALUES ('delete', ?, ?)", with_words(gone))
        put_in(db, of_board, number, come)
        db.execute(f"INSERT INTO {name} ({name}) VALUES ('optimize')")


def put_in(db: sqlite3.Connection, index: Index, number: int, messages: Iterable[Indexed]) -> None:
    db.executemany(f"INSERT INTO {index.words}_{number} (rowid, words) VALUES (?, ?)", with_words(messages))


def with_words(messages: Iterable[Indexed]) -> Iterator[tuple[int, str]]:
    """Yields (id, words) of each message that has words. Others are never added."""
    for id, body, board_id in messages:
        mark = mark_of(board_id)
        if text := " ".join([mark + word for word in words(body)] if mark else words(body)):
            yield id, text


def is_current(db: sqlite3.Connection, index: Index, number: int) -> bool:
    row = db.execute(f"SELECT cut_by FROM {index.parts} WHERE number = ?", (number,)).fetchone()
    return row is not None and row[0] == VERSION


def ensure(db: sqlite3.Connection, index: Index, number: int) -> None:
    """Makes this part from the messages as they are now, unless it exists and is current."""
    if is_current(db, index, number):
        return
    name = f"{index.words}_{number}"
    db.execute(f"DROP TABLE IF EXISTS {name}")
    make_part(db, name)
    between = (number * IDS_IN_A_PART, min((number + 1) * IDS_IN_A_PART, first_new(db)))
    put_in(db, index, number, db.execute(index.of_part, between))
    db.execute(f"INSERT INTO {name} ({name}) VALUES ('optimize')")
    db.execute(
        f"INSERT INTO {index.parts} (number, cut_by) VALUES (?, ?) ON CONFLICT DO UPDATE SET cut_by = excluded.cut_by",
        (number, VERSION),
    )


def make_part(db: sqlite3.Connection, name: str) -> None:
    # This tokenizer takes everything beyond ASCII for letters, so it leaves each of our words as it is.
    options = "content = '', columnsize = 0, tokenize = 'ascii'"
    db.execute(f"CREATE VIRTUAL TABLE {name} USING fts5 (words, {options})")


def read_missing(db: sqlite3.Connection) -> tuple[Index, int] | None:
    """Returns the newest part that has messages and no current index; those of the first board come first."""
    for index in (OF_FIRST, OF_OTHERS):
        current = {row[0] for row in db.execute(f"SELECT number FROM {index.parts} WHERE cut_by = ?", (VERSION,))}
        for number in parts_with_messages(db, index):
            if number not in current:
                return index, number
    return None


def parts_back(
    db: sqlite3.Connection, indexes: Collection[Index], before: int | None
) -> Iterator[tuple[int, dict[Index, bool]]]:
    """Yields the numbers of the parts, the newest first; with the indexes that have messages there, and whether each has
    its words.
    """
    made = {index: {row[0] for row in db.execute(f"SELECT number FROM {index.parts}")} for index in indexes}
    parts = (zip(parts_with_messages(db, index, before), itertools.repeat(index)) for index in indexes)
    newest_first = heapq.merge(*parts, key=lambda part: part[0], reverse=True)
    for number, those in itertools.groupby(newest_first, lambda part: part[0]):
        yield number, {index: number in made[index] for _, index in those}


def has_messages(db: sqlite3.Connection, board_id: int, number: int) -> bool:
    """Whether the board has messages in this part. This takes less than to look for a word there."""
    where = f"{messages_in(board_id)} AND id >= $2 AND id < $3".replace("$", "?")
    between = (number * IDS_IN_A_PART, (number + 1) * IDS_IN_A_PART)
    return db.execute(f"SELECT {where} LIMIT 1", (board_id, *between)).fetchone() is not None


def parts_with_messages(db: sqlite3.Connection, index: Index, before: int | None = None) -> Iterator[int]:
    """Yields the numbers of the parts, the newest first."""
    number = None if before is None else (before - 1) // IDS_IN_A_PART
    while True:
        where, values = ("WHERE id < ?", ((number + 1) * IDS_IN_A_PART,)) if number is not None else ("", ())
        newest = db.execute(f"SELECT max(id) FROM {index.messages} {where}", values).fetchone()[0]
        if newest is None:
            return
        number = newest // IDS_IN_A_PART
        yield number
        number -= 1
