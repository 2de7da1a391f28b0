"""Messages in SQLite: posting them, and reading changes."""

import sqlite3
import time
from collections.abc import Sequence

from storage.asking import check_may_read, check_may_write
from storage.errors import KeyReusedError, NoSuchMessageError
from storage.guests import check_address, check_name_is_free, keep_secret
from storage.keys import fingerprint_of
from storage.mentions import resolve
from storage.messages import StoredMessages
from storage.reading import BEFORE_NEWEST, read_page, read_pinned
from storage.records import (
    FIRST_BOARD,
    GUEST,
    NAMELESS,
    Account,
    Asker,
    Author,
    Changes,
    Guest,
    Head,
    Import,
    Message,
    Snapshot,
)
from storage.rights import check_active, check_in_force
from storage.rows import BESIDE, COLUMNS, WRITTEN, ids_in, messages_in, to_author, to_message
from storage.sqlite.database_file import now_ms
from storage.sqlite.tx import SQLiteTx, finish, next_seq, numbered
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
        board_id: int = FIRST_BOARD,
        reply_to: int | None = None,
        guest: Guest = NAMELESS,
        mentioned: Sequence[str] = (),
    ) -> tuple[Message, bool]:
        fingerprint = fingerprint_of(key, body, reply_to)
        asker = Asker(author.id, credential) if author else GUEST

        def unit(db: sqlite3.Connection) -> tuple[Message, bool]:
            board = None if board_id == FIRST_BOARD else finish(check_may_read(SQLiteTx(db), board_id, asker))
            if key is not None and (first := posted_with(db, author, key, fingerprint, board_id)):
                return first, False
            account = finish(check_author(SQLiteTx(db), author.id, credential)) if author else None
            if account is None:
                finish(check_address(SQLiteTx(db), address))
            if board is not None:
                check_may_write(board, account)
            if reply_to is not None:
                check_is_there(db, board_id, reply_to)
            check_name_is_free(guest)
            named = Author(account.id, account.name) if account else None
            mentions = finish(resolve(SQLiteTx(db), mentioned, author and author.id, board_id)) if mentioned else None
            there = board_id, reply_to, None if account else guest.name, mentions
            message = insert(db, named, body, now_ms(), key, fingerprint, address, *there)
            if account is None and guest.secret_hash is not None:
                finish(keep_secret(SQLiteTx(db), message, guest.secret_hash))
            return message, True

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


async def check_author(tx: Tx, account_id: int, credential: int | None) -> Account:
    """Returns the author's account as it is now. Raises NotAllowedError and OutdatedError."""
    account = await check_active(tx, account_id)
    await check_in_force(tx, account_id, credential)
    return account


def check_is_there(db: sqlite3.Connection, board_id: int, id: int) -> None:
    """Raises NoSuchMessageError for what can't be replied to on this board."""
    select = f"SELECT {messages_in(board_id)} AND id = $2 AND body IS NOT NULL"
    if not db.execute(numbered(select), (board_id, id)).fetchone():
        raise NoSuchMessageError(f"message {id}")


def insert(
    db: sqlite3.Connection,
    author: Author | None,
    body: str,
    created_at: int,
    key: str | None,
    fingerprint: bytes | None,
    address: str | None = None,
    board_id: int = FIRST_BOARD,
    reply_to: int | None = None,
    guest_name: str | None = None,
    mentions: str | None = None,
) -> Message:
    seq = next_seq(db)
    author_id, author_name = (author.id, author.name) if author else (None, guest_name)
    row = (seq, seq, author_id, author_name, body, created_at, reply_to, mentions, key, fingerprint, address)
    sql, values = (INSERT, row) if board_id == FIRST_BOARD else (INSERT_ELSEWHERE, (*row, board_id))
    if author is None:
        db.execute(sql, values)
    else:
        (beside,) = db.execute(f"{sql} RETURNING {BESIDE}", values).fetchone()
        author = to_author(author.id, author.name, beside)
    return Message(seq, seq, author, body, created_at, None, reply_to, board_id, (), guest_name, ids_in(mentions))


INSERT = f"INSERT INTO messages ({WRITTEN}, key, fingerprint, address) VALUES (?, ?, ?, ?, ?, ?, NULL, ?, NULL, ?, NULL, ?, ?, ?)"
INSERT_ELSEWHERE = f"INSERT INTO posts ({WRITTEN}, key, fingerprint, address, board_id) VALUES (?, ?, ?, ?, ?, ?, NULL, ?, NULL, ?, NULL, ?, ?, ?, ?)"


def posted_with(
    db: sqlite3.Connection, author: Author | None, key: str, fingerprint: bytes | None, board_id: int = FIRST_BOARD
) -> Message | None:
    """Returns what this author has posted with this key on the board. Raises KeyReusedError if it had other words."""
    select = f"SELECT fingerprint, {messages_in(board_id)} AND ifnull(author_id, 0) = $2 AND key = $3"
    row = db.execute(numbered(select), (board_id, author.id if author else 0, key)).fetchone()
    if row is None:
        return None
    if row[0] is not None and row[0] != fingerprint:
        raise KeyReusedError(key)
    return to_message(row[1:])


def read_head(db: sqlite3.Connection) -> Head:
    """Returns the first board's position: changes of others don't move it."""
    return Head(*db.execute(HEAD).fetchone())


HEAD = "SELECT epoch, max(floor, ifnull((SELECT max(seq) FROM messages), 0)), floor, access, boards FROM board"


def read_changes(db: sqlite3.Connection, seq: int, limit: int) -> Changes:
    rows = db.execute(f"SELECT {COLUMNS} FROM messages WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit + 1)).fetchall()
    return Changes(read_head(db), [to_message(row) for row in rows[:limit]], more=len(rows) > limit)


def read_snapshot(db: sqlite3.Connection, changes: int, page: int) -> Snapshot:
    head = read_head(db)
    before = db.execute(numbered(BEFORE_NEWEST), (head.floor, changes)).fetchone()
    start = before[0] if before else head.floor
    newest = read_changes(db, start, changes)
    tx = SQLiteTx(db)
    return Snapshot(
        head, newest.messages, finish(read_page(tx, None, page)), start, finish(read_pinned(tx, FIRST_BOARD))
    )
