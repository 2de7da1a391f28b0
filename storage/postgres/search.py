"""Searching messages in PostgreSQL: a tsvector beside each message, with a GIN index over all.

The words come from storage/words.py; PostgreSQL cuts and stems nothing, so every engine finds the same.
"""

import asyncio
from typing import TYPE_CHECKING

from storage.postgres.rows import COLUMNS, Engine, to_message
from storage.records import Found, Unavailable
from storage.words import Phrase, phrases, words

if TYPE_CHECKING:
    from storage.postgres.connection import Database

SECONDS = 2.0
"""How long a search may take."""
MAX_WAITING = 20
"""Searches that may wait for their turn: only one runs at a time, so that pages always have a connection left."""


class Search(Engine):
    _searching: int = 0
    _turn: asyncio.Lock

    async def search(self, query: str, before: int | None, limit: int) -> Found:
        wanted = phrases(query)
        if not wanted:
            return Found([], False, True)
        if self._searching >= MAX_WAITING:
            raise Unavailable(f"{MAX_WAITING} searches are waiting already")
        self._searching += 1
        try:
            async with self._turn:
                return await self._reader.read(read_found, wanted, before, limit)
        finally:
            self._searching -= 1


def to_vector(body: str) -> str:
    """The words of a message and where they stand, as PostgreSQL writes a tsvector.

    It keeps places up to 16,383, and 255 of one word: what goes beyond is found by its words, not as a phrase.
    """
    return " ".join(f"{quoted(word)}:{place}" for place, word in enumerate(words(body), 1))


def to_query(wanted: list[Phrase]) -> str:
    """In the language of tsquery: `'low' <-> 'tide' & 'at':*`."""
    return " & ".join(
        " <-> ".join(map(quoted, phrase.words)) + (":*" if phrase.is_beginning else "") for phrase in wanted
    )


def quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


async def read_found(db: "Database", wanted: list[Phrase], before: int | None, limit: int) -> Found:
    where, values = ("AND id < $3", [before]) if before is not None else ("", [])
    rows = await db.fetch(
        f"SELECT {COLUMNS} FROM messages WHERE search @@ $1::text::tsquery {where} ORDER BY id DESC LIMIT $2",
        to_query(wanted),
        limit + 1,
        *values,
        timeout=SECONDS,
    )
    return Found([to_message(row) for row in rows[:limit]], len(rows) > limit, is_complete=True)
