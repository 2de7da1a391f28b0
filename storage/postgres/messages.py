"""Messages in PostgreSQL: posting them, and reading changes. Posting is a function of the database (migrations)."""

import dataclasses
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import asyncpg

from storage.errors import (
    CLOSED,
    KeyReusedError,
    NoSuchMessageError,
    NotAllowedError,
    NotFoundError,
    OutdatedError,
)
from storage.guests import check_name_is_free
from storage.keys import fingerprint_of
from storage.mentions import resolve
from storage.messages import StoredMessages
from storage.postgres.search import to_vector, vector
from storage.postgres.tx import PostgreSQLTx
from storage.postgres.units import Units
from storage.postgres.writer import Post, post
from storage.reading import BEFORE_NEWEST, read_page, read_pinned
from storage.records import FIRST_BOARD, NAMELESS, Author, Changes, Guest, Head, Import, Message, Snapshot
from storage.rows import COLUMNS, EVERYWHERE, ids_in, table_of, to_message
from storage.tx import Tx

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
        board_id: int = FIRST_BOARD,
        reply_to: int | None = None,
        guest: Guest = NAMELESS,
        mentioned: Sequence[str] = (),
    ) -> tuple[Message, bool]:
        author_id, fingerprint = author.id if author else None, fingerprint_of(key, body, reply_to)
        words = await vector(body, board_id)
        said = (guest.name, guest.secret_hash) if author is None else ()
        post = Post(author_id, credential, body, words, key, fingerprint, address, None, board_id, reply_to, *said)
        began = time.monotonic()
        if mentioned or guest.is_refused:
            message, is_new = await self._writer.write(lambda db: post_alone(db, post, guest, mentioned))
        else:
            message, is_new = to_posted(await self._writer.post(post))
        if not is_new:
            message = await self._read(read_known, message)
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


async def read_known(tx: Tx, posted: Message) -> Message:
    """Returns a message that was posted before. The functions for posting don't return all of it."""
    row = await tx.one(f"SELECT {COLUMNS}, board_id FROM {EVERYWHERE} WHERE id = $1", posted.id)
    return to_message(row) if row else posted


async def post_alone(db: "Database", one: Post, guest: Guest, mentioned: Sequence[str]) -> tuple[Message, bool]:
    """Posts, and writes whom the message mentions, in one transaction. Raises what to_posted() does, NameReservedError."""
    (row,) = await post(db, [one])
    message, is_new = to_posted(row)
    if is_new:
        check_name_is_free(guest)  # which undoes the post
    mentions = await resolve(PostgreSQLTx(db), mentioned, one.author_id, one.board_id) if is_new else None
    if mentions is not None:
        await db.execute(f"UPDATE {table_of(one.board_id)} SET mentions = $1 WHERE id = $2", mentions, message.id)
        message = dataclasses.replace(message, mentions=ids_in(mentions))
    return message, is_new


def to_posted(row: "asyncpg.Record") -> tuple[Message, bool]:
    """Returns the message of a post, and whether it is new. Raises NotFoundError, KeyReusedError, NotAllowedError,
    OutdatedError or NoSuchMessageError.
    """
    outcome, *columns = row
    if outcome == "not_found":
        raise NotFoundError("board")
    if outcome == "key_reused":
        raise KeyReusedError("key")
    if outcome == "no_such_message":
        raise NoSuchMessageError("message")
    if outcome == "outdated":
        raise OutdatedError("credential")
    if outcome == "not_allowed":
        raise NotAllowedError("author")
    if outcome in CLOSED:
        raise CLOSED[outcome]("board")
    return to_message(columns), outcome == "posted"


async def read_changes(db: "Database", seq: int, limit: int) -> Changes:
    """Reads the first board's position, which changes of others don't move, and the changes in one statement: at one
    moment, with one round trip per change.
    """
    rows = await db.fetch(
        "SELECT epoch, greatest(floor, (SELECT max(seq) FROM messages)), floor, access, boards, newer.* FROM board LEFT JOIN LATERAL "
        f"(SELECT {COLUMNS} FROM messages WHERE seq > $1 ORDER BY seq LIMIT $2) AS newer ON true ORDER BY newer.seq",
        seq,
        limit + 1,
    )
    messages = [to_message(row[5:]) for row in rows[:limit] if row[5] is not None]
    return Changes(Head(*rows[0][:5]), messages, more=len(rows) > limit)


async def read_snapshot(db: "Database", changes: int, page: int) -> Snapshot:
    head = (await read_changes(db, 0, 0)).head
    before = await db.fetch(BEFORE_NEWEST, head.floor, changes)
    start = before[0][0] if before else head.floor
    newest = await read_changes(db, start, changes)
    tx = PostgreSQLTx(db)
    return Snapshot(head, newest.messages, await read_page(tx, None, page), start, await read_pinned(tx, FIRST_BOARD))
