"""Messages in SQLite: posting, changing and reading them. All SQL about messages is here."""

import sqlite3
from collections.abc import Sequence

from storage.audit import of_message
from storage.keys import fingerprint_of
from storage.records import Author, Changes, Head, Import, KeyReused, Message, NotFound, NotYours, Page, Snapshot
from storage.sqlite.connection import Engine
from storage.sqlite.moderation import author_of, note
from storage.sqlite.rights import check_allowed, check_in_force, check_moderates
from storage.sqlite.rows import COLUMNS, account_by, now_ms, to_message
from storage.sqlite.search import reindex


class Messages(Engine):
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
            account = check_allowed(db, author.id if author else None, address)
            named = Author(account.id, account.name) if account else None
            if named is not None:
                check_in_force(db, named.id, credential)
            return insert(db, named, body, now_ms(), key, fingerprint, address), True

        return await self._writer.write(unit)

    async def edit(
        self, id: int, body: str, by: int | None = None, began_from: int | None = None, *, credential: int | None = None
    ) -> Message:
        def unit(db: sqlite3.Connection) -> Message:
            check_may_change(db, id, by, credential)
            if began_from is not None and (now := read_message(db, id)).has_already(body, began_from):
                return now
            return change(db, id, "body = ?, edited_at = ?", body, now_ms())

        return await self._writer.write(unit)

    async def delete(
        self, id: int, by: int | None = None, *, moderates: bool = False, credential: int | None = None
    ) -> Message:
        # The fingerprint goes too: short words could be guessed by it. Author and key stay, so that a late
        # retry doesn't bring the message back.
        blank = "body = NULL, author_name = NULL, edited_at = NULL, fingerprint = NULL, address = NULL"

        def unit(db: sqlite3.Connection) -> Message:
            if check_may_change(db, id, by, credential, moderates=moderates):
                note(db, account_by(db, "id", by), "delete", of_message(id, author_of(db, id)))
            return change(db, id, blank)

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

        return await self._writer.write(unit)


def next_seq(db: sqlite3.Connection) -> int:
    db.execute("UPDATE board SET seq = seq + 1")  # with RETURNING it took three times as long (a table in between)
    seq: int = db.execute("SELECT seq FROM board").fetchone()[0]
    return seq


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
    """What this author has posted with this key. Raises KeyReused if it was something else."""
    row = db.execute(
        f"SELECT {COLUMNS}, fingerprint FROM messages WHERE ifnull(author_id, 0) = ? AND key = ?",
        (author.id if author else 0, key),
    ).fetchone()
    if row is None:
        return None
    if row[-1] is not None and row[-1] != fingerprint:
        raise KeyReused(key)
    return to_message(row[:-1])


def check_may_change(
    db: sqlite3.Connection, id: int, by: int | None, credential: int | None, *, moderates: bool = False
) -> bool:
    """Checks again, in the same transaction; returns whether it is moderation.

    Raises NotFound, NotYours, NotAllowed, Outdated.
    """
    if by is None:
        return False
    author = read_message(db, id).author
    is_author = author is not None and author.id == by
    if not is_author and not moderates:
        raise NotYours(f"message {id}")
    check_allowed(db, by, None)
    check_in_force(db, by, credential)
    if not is_author:
        check_moderates(db, by)
    return not is_author


def change(db: sqlite3.Connection, id: int, assignments: str, *values: object) -> Message:
    """Gives a message its next state and the next number. Raises NotFound, also for a deleted one."""
    before = read_message(db, id)
    row = db.execute(
        f"UPDATE messages SET seq = ?, {assignments} WHERE id = ? AND body IS NOT NULL RETURNING {COLUMNS}",
        (next_seq(db), *values, id),
    ).fetchone()
    after = to_message(row)
    reindex(db, [(id, before.body or "")], [] if after.body is None else [(id, after.body)])
    return after


def read_head(db: sqlite3.Connection) -> Head:
    return Head(*db.execute("SELECT epoch, seq, floor, access FROM board").fetchone())


def read_message(db: sqlite3.Connection, id: int) -> Message:
    row = db.execute(f"SELECT {COLUMNS} FROM messages WHERE id = ? AND body IS NOT NULL", (id,)).fetchone()
    if row is None:
        raise NotFound(f"message {id}")
    return to_message(row)


def read_page(db: sqlite3.Connection, before: int | None, limit: int) -> Page:
    where, values = ("AND id < ?", [before]) if before is not None else ("", [])
    rows = db.execute(
        f"SELECT {COLUMNS} FROM messages WHERE body IS NOT NULL {where} ORDER BY id DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    return Page([to_message(row) for row in reversed(rows[:limit])], older=len(rows) > limit)


def read_page_after(db: sqlite3.Connection, after: int, limit: int) -> Page:
    rows = db.execute(
        f"SELECT {COLUMNS} FROM messages WHERE body IS NOT NULL AND id > ? ORDER BY id LIMIT ?", (after, limit + 1)
    ).fetchall()
    return Page([to_message(row) for row in rows[:limit]], older=False, newer=len(rows) > limit)


def read_changes(db: sqlite3.Connection, seq: int, limit: int) -> Changes:
    rows = db.execute(f"SELECT {COLUMNS} FROM messages WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit + 1)).fetchall()
    return Changes(read_head(db), [to_message(row) for row in rows[:limit]], more=len(rows) > limit)


def read_snapshot(db: sqlite3.Connection, changes: int, page: int) -> Snapshot:
    head = read_head(db)
    newest = read_changes(db, max(head.floor, head.seq - changes), changes)
    return Snapshot(head, newest.messages, read_page(db, None, page))
