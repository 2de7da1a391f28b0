"""Messages in SQLite: posting them, and reading changes."""

import sqlite3
import time
from collections.abc import Sequence

from storage.errors import KeyReusedError, NotAllowedError
from storage.keys import fingerprint_of
from storage.messages import StoredMessages, read_page
from storage.records import Author, Changes, Head, Import, Message, Snapshot
from storage.rights import check_active, check_in_force
from storage.rows import COLUMNS, to_message
from storage.sqlite.database_file import now_ms
from storage.sqlite.tx import SQLiteTx, finish, next_seq
from storage.sqlite.units import Units
from storage.tx import Tx


class Messages(Units, StoredMessages):
    async def append(
        self,
        author: Author | None,
        body: str,
        key: str | None,
        address: str | None = None,
        credential: int | None = None,
    ) -> tuple[Message, bool]:
        fingerprint = fingerprint_of(key, body)

        def unit(db: sqlite3.Connection) -> tuple[Message, bool]:
            if key is not None and (first := posted_with(db, author, key, fingerprint)):
                return first, False
            named = None
            if author is None:
                check_guest(db, address)
            else:
                named = finish(check_author(SQLiteTx(db), author.id, credential))
            return insert(db, named, body, now_ms(), key, fingerprint, address), True

        began = time.monotonic()
        message, is_new = await self._writer.write(unit)
        self._writer.posts.add(time.monotonic() - began)
        await self._announce()  # for a retry, too: its answer promises that the board shows the message
        return message, is_new

    async def changes_after(self, seq: int, limit: int) -> Changes:
        return await self._changes_reader.read(read_changes, seq, limit)

    async def changes_page(self, seq: int, limit: int) -> Changes:
        return await self._reader.read(read_changes, seq, limit)

    async def snapshot(self, *, changes: int, page: int) -> Snapshot:
        return await self._changes_reader.read(read_snapshot, changes, page)

    async def import_messages(self, messages: Sequence[Import]) -> int:
        def unit(db: sqlite3.Connection) -> int:
            new = 0
            for one in messages:
                fingerprint = fingerprint_of(one.key, one.body)
                if not posted_with(db, None, one.key, fingerprint):
                    insert(db, None, one.body, one.created_at, one.key, fingerprint)
                    new += 1
            return new

        new = await self._writer.write(unit)
        if new:
            await self._announce()
        return new


async def check_author(tx: Tx, account_id: int, credential: int | None) -> Author:
    """Returns the author with its current name. Raises NotAllowedError and OutdatedError."""
    account = await check_active(tx, account_id)
    await check_in_force(tx, account_id, credential)
    return Author(account.id, account.name)


def check_guest(db: sqlite3.Connection, address: str | None) -> None:
    """Raises NotAllowedError for a blocked address."""
    if db.execute("SELECT 1 FROM blocks WHERE address = ? AND until > ?", (address, now_ms())).fetchone():
        raise NotAllowedError("address")


def insert(
    db: sqlite3.Connection,
    author: Author | None,
    body: str,
    created_at: int,
    key: str | None,
    fingerprint: bytes | None,
    address: str | None = None,
) -> Message:
    seq = next_seq(db)
    author_id, author_name = (author.id, author.name) if author else (None, None)
    db.execute(
        f"INSERT INTO messages ({COLUMNS}, key, fingerprint, address) VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)",
        (seq, seq, author_id, author_name, body, created_at, key, fingerprint, address),
    )
    return Message(seq, seq, author, body, created_at, None)


def posted_with(db: sqlite3.Connection, author: Author | None, key: str, fingerprint: bytes | None) -> Message | None:
    """Returns what this author has posted with this key. Raises KeyReusedError if that had other words."""
    row = db.execute(
        f"SELECT {COLUMNS}, fingerprint FROM messages WHERE ifnull(author_id, 0) = ? AND key = ?",
        (author.id if author else 0, key),
    ).fetchone()
    if row is None:
        return None
    if row[-1] is not None and row[-1] != fingerprint:
        raise KeyReusedError(key)
    return to_message(row[:-1])


def read_head(db: sqlite3.Connection) -> Head:
    return Head(*db.execute("SELECT epoch, seq, floor, access FROM board").fetchone())


def read_changes(db: sqlite3.Connection, seq: int, limit: int) -> Changes:
    rows = db.execute(f"SELECT {COLUMNS} FROM messages WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit + 1)).fetchall()
    return Changes(read_head(db), [to_message(row) for row in rows[:limit]], more=len(rows) > limit)


def read_snapshot(db: sqlite3.Connection, changes: int, page: int) -> Snapshot:
    head = read_head(db)
    newest = read_changes(db, max(head.floor, head.seq - changes), changes)
    return Snapshot(head, newest.messages, finish(read_page(SQLiteTx(db), None, page)))
