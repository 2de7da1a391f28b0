"""Messages in PostgreSQL: posting them, and reading changes. Posting is a function of the database (migrations)."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import asyncpg

from storage.errors import KeyReusedError, NotAllowedError, OutdatedError
from storage.keys import fingerprint_of
from storage.messages import StoredMessages, read_page
from storage.postgres.search import to_vector, vector
from storage.postgres.tx import PostgreSQLTx
from storage.postgres.units import Units
from storage.postgres.writer import Post, post
from storage.records import Author, Changes, Head, Import, Message, Snapshot
from storage.rows import COLUMNS, to_message

if TYPE_CHECKING:
    from storage.postgres.connection import Database


class Messages(Units, StoredMessages):
    async def append(
        self,
        author: Author | None,
        body: str,
        key: str | None,
        address: str | None = None,
        credential: int | None = None,
    ) -> tuple[Message, bool]:
        author_id, fingerprint = author.id if author else None, fingerprint_of(key, body)
        post = Post(author_id, credential, body, await vector(body), key, fingerprint, address)
        began = time.monotonic()
        message, is_new = to_posted(await self._writer.post(post))
        self._writer.posts.add(time.monotonic() - began)
        await self._announce()  # for a retry, too: its answer promises that the board shows the message
        return message, is_new

    async def changes_after(self, seq: int, limit: int) -> Changes:
        return await self._changes_reader.read(read_changes, seq, limit)

    async def changes_page(self, seq: int, limit: int) -> Changes:
        return await self._reader.read(read_changes, seq, limit)

    async def snapshot(self, *, changes: int, page: int) -> Snapshot:
        return await self._changes_reader.read_at_one_moment(read_snapshot, changes, page)

    async def import_messages(self, messages: Sequence[Import]) -> int:
        posts = [
            Post(
                None,
                None,
                one.body,
                to_vector(one.body),
                one.key,
                fingerprint_of(one.key, one.body),
                None,
                one.created_at,
            )
            for one in messages
        ]

        async def unit(db: "Database") -> int:
            return sum(is_new for _, is_new in map(to_posted, await post(db, posts)))

        new = await self._writer.write(unit)
        if new:
            await self._announce()
        return new


def to_posted(row: "asyncpg.Record") -> tuple[Message, bool]:
    """Returns the message of a post, and whether it is new. Raises KeyReusedError, NotAllowedError or OutdatedError."""
    outcome, *columns = row
    if outcome == "key_reused":
        raise KeyReusedError("key")
    if outcome == "outdated":
        raise OutdatedError("credential")
    if outcome == "not_allowed":
        raise NotAllowedError("author")
    return to_message(columns), outcome == "posted"


async def read_changes(db: "Database", seq: int, limit: int) -> Changes:
    """Reads the board's position and the changes in one statement: at one moment, with one round trip per change."""
    rows = await db.fetch(
        f"SELECT epoch, board.seq, floor, access, newer.* FROM board LEFT JOIN LATERAL "
        f"(SELECT {COLUMNS} FROM messages WHERE seq > $1 ORDER BY seq LIMIT $2) AS newer ON true ORDER BY newer.seq",
        seq,
        limit + 1,
    )
    messages = [to_message(row[4:]) for row in rows[:limit] if row[4] is not None]
    return Changes(Head(*rows[0][:4]), messages, more=len(rows) > limit)


async def read_snapshot(db: "Database", changes: int, page: int) -> Snapshot:
    head = (await read_changes(db, 0, 0)).head
    newest = await read_changes(db, max(head.floor, head.seq - changes), changes)
    return Snapshot(head, newest.messages, await read_page(PostgreSQLTx(db), None, page))
