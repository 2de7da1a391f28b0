"""Messages in PostgreSQL: posting, changing and reading them. All SQL about messages is here, or in its migration."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import asyncpg

from storage.audit import of_message
from storage.keys import fingerprint_of
from storage.postgres.moderation import author_of, note
from storage.postgres.rights import check_active, check_in_force, check_moderates
from storage.postgres.rows import COLUMNS, Engine, account_by, to_message
from storage.postgres.search import to_vector, vector
from storage.postgres.writer import Post, post
from storage.records import (
    Author,
    Changes,
    Head,
    Import,
    KeyReused,
    Message,
    NotAllowed,
    NotFound,
    NotYours,
    Outdated,
    Page,
    Snapshot,
)

if TYPE_CHECKING:
    from storage.postgres.connection import Database

EDIT = "body = $3, search = $4::text::tsvector, edited_at = now_ms()"
BLANK = "body = NULL, search = NULL, author_name = NULL, edited_at = NULL, fingerprint = NULL, address = NULL"
"""The fingerprint goes too: short words could be guessed by it. Author and key stay, so that a late retry doesn't
bring the message back."""


class Messages(Engine):
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
        return to_posted(await self._writer.post(post))

    async def edit(
        self, id: int, body: str, by: int | None = None, began_from: int | None = None, *, credential: int | None = None
    ) -> Message:
        words = await vector(body)

        async def unit(db: "Database") -> Message:
            await check_may_change(db, id, by, credential)
            if began_from is not None and (now := await read_message(db, id)).has_already(body, began_from):
                return now
            return await change(db, id, EDIT, body, words)

        return await self._writer.write(unit)

    async def delete(
        self, id: int, by: int | None = None, *, moderates: bool = False, credential: int | None = None
    ) -> Message:
        async def unit(db: "Database") -> Message:
            if await check_may_change(db, id, by, credential, moderates=moderates):
                await note(db, await account_by(db, "id", by), "delete", of_message(id, await author_of(db, id)))
            return await change(db, id, BLANK)

        return await self._writer.write(unit)

    async def message(self, id: int) -> Message:
        return await self._reader.read(read_message, id)

    async def before(self, id: int | None, limit: int) -> Page:
        return await self._reader.read(read_page, id, limit)

    async def after(self, id: int, limit: int) -> Page:
        return await self._reader.read(read_page_after, id, limit)

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

        return await self._writer.write(unit)


def to_posted(row: "asyncpg.Record") -> tuple[Message, bool]:
    """The message of a post, and whether it is new. Raises KeyReused, NotAllowed or Outdated."""
    outcome, *columns = row
    if outcome == "key_reused":
        raise KeyReused("key")
    if outcome == "outdated":
        raise Outdated("credential")
    if outcome == "not_allowed":
        raise NotAllowed("author")
    return to_message(columns), outcome == "posted"


async def check_may_change(
    db: "Database", id: int, by: int | None, credential: int | None, *, moderates: bool = False
) -> bool:
    """Checks again, in the same transaction; returns whether it is moderation.

    Raises NotFound, NotYours, NotAllowed, Outdated.
    """
    if by is None:
        return False
    author = (await read_message(db, id)).author
    is_author = author is not None and author.id == by
    if not is_author and not moderates:
        raise NotYours(f"message {id}")
    await check_active(db, by)
    await check_in_force(db, by, credential)
    if not is_author:
        await check_moderates(db, by)
    return not is_author


async def change(db: "Database", id: int, assignments: str, *values: object) -> Message:
    """Gives a message its next state and the next number. Raises NotFound, also for a deleted one."""
    seq = await db.fetchval("UPDATE board SET seq = seq + 1 RETURNING seq")
    row = await db.fetchrow(
        f"UPDATE messages SET seq = $1, {assignments} WHERE id = $2 AND body IS NOT NULL RETURNING {COLUMNS}",
        seq,
        id,
        *values,
    )
    if row is None:
        raise NotFound(f"message {id}")
    return to_message(row)


async def read_message(db: "Database", id: int) -> Message:
    row = await db.fetchrow(f"SELECT {COLUMNS} FROM messages WHERE id = $1 AND body IS NOT NULL", id)
    if row is None:
        raise NotFound(f"message {id}")
    return to_message(row)


async def read_page(db: "Database", before: int | None, limit: int) -> Page:
    where, values = ("AND id < $2", [before]) if before is not None else ("", [])
    rows = await db.fetch(
        f"SELECT {COLUMNS} FROM messages WHERE body IS NOT NULL {where} ORDER BY id DESC LIMIT $1", limit + 1, *values
    )
    return Page([to_message(row) for row in reversed(rows[:limit])], older=len(rows) > limit)


async def read_page_after(db: "Database", after: int, limit: int) -> Page:
    rows = await db.fetch(
        f"SELECT {COLUMNS} FROM messages WHERE body IS NOT NULL AND id > $1 ORDER BY id LIMIT $2", after, limit + 1
    )
    return Page([to_message(row) for row in rows[:limit]], older=False, newer=len(rows) > limit)


async def read_changes(db: "Database", seq: int, limit: int) -> Changes:
    """Where the board stands and what changed, in one statement: one moment, and one trip for each change."""
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
    return Snapshot(head, newest.messages, await read_page(db, None, page))
