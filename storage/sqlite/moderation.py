"""What moderators and the one at the command line do, in SQLite; each act is in the audit log with it."""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from storage.audit import of_block, of_removal
from storage.bulk import REMOVED_AT_ONCE
from storage.records import (
    ADDRESS_DAYS,
    DAY_MS,
    DELETED_NAME,
    ERASURE_DAYS,
    Account,
    AuditEntry,
    NotFound,
    OwnAddress,
)
from storage.sqlite.connection import Engine
from storage.sqlite.rights import check_in_force, check_moderates, check_no_moderator, end_ways_in
from storage.sqlite.rows import account_by, look_again, now_ms
from storage.sqlite.search import reindex
from storage.sqlite.suspensions import forgive
from storage.ways_in import SIGN_INS

T = TypeVar("T")


class Moderation(Engine):
    async def set_role(self, actor: Account | None, username: str, role: str) -> None:
        await self._act(actor, None, role, username, set_account, username, "role", role)

    async def suspend(self, actor: Account | None, username: str, *, credential: int | None = None) -> None:
        await self._act(actor, credential, "suspend", username, suspend, username, actor is not None)

    async def restore(self, actor: Account | None, username: str, *, credential: int | None = None) -> None:
        await self._act(actor, credential, "restore", username, restore, username)

    async def block_address(
        self,
        actor: Account | None,
        message_id: int,
        until: int,
        own_address: str | None = None,
        *,
        credential: int | None = None,
    ) -> None:
        def target(db: sqlite3.Connection) -> str:
            return of_block(message_id, author_of(db, message_id), until)

        await self._act(actor, credential, "block", target, block_source, message_id, until, own_address)

    async def remove_all(
        self,
        actor: Account | None,
        message_id: int,
        own_address: str | None = None,
        *,
        credential: int | None = None,
    ) -> int:
        def target(db: sqlite3.Connection) -> str:
            return of_removal(message_id, author_of(db, message_id))

        values = (message_id, own_address, actor is not None)
        removed, is_all = await self._act(actor, credential, "remove", target, remove_by_source, *values)
        while not is_all:
            more, is_all = await self._act(actor, credential, None, target, remove_by_source, *values)
            removed += more
        return removed

    async def log(self, actor: Account | None, action: str, target: str) -> None:
        await self._writer.write(lambda db: note(db, actor, action, target))

    async def audit(self, before: int | None, limit: int) -> list[AuditEntry]:
        return await self._reader.read(read_audit, before, limit)

    async def forget(self, sessions_before: int, tokens_before: int, bots_before: int = 0) -> None:
        def unit(db: sqlite3.Connection) -> None:
            for kind, before in (("session", sessions_before), ("token", tokens_before), ("bot", bots_before)):
                db.execute("DELETE FROM credentials WHERE kind = ? AND last_used_at < ?", (kind, before))
            db.execute("DELETE FROM links WHERE expires_at < ?", (now_ms(),))
            db.execute("DELETE FROM blocks WHERE until < ?", (now_ms(),))
            db.execute("DELETE FROM used WHERE until < ?", (now_ms(),))
            db.execute("DELETE FROM suspensions WHERE until < ?", (now_ms(),))
            db.execute("DELETE FROM erasures WHERE at < ?", (now_ms() - ERASURE_DAYS * DAY_MS,))
            db.execute("DELETE FROM access_changes WHERE at < ?", (now_ms() - DAY_MS,))

        await self._writer.write(unit)
        before = now_ms() - ADDRESS_DAYS * DAY_MS
        while ids := await self._reader.read(read_old_addresses, before):
            await self._writer.write(lambda db, ids=ids: forget_addresses(db, ids))  # type: ignore[misc]

    async def _act(
        self,
        actor: Account | None,
        credential: int | None,
        action: str | None,
        target: str | Callable[[sqlite3.Connection], str],
        act: Callable[..., T],
        *values: object,
    ) -> T:
        """Does it and logs it, both or neither; without an action it continues a removal that is logged already."""

        def unit(db: sqlite3.Connection) -> T:
            if actor is not None:
                check_moderates(db, actor.id)
                check_in_force(db, actor.id, credential)
            words = target if isinstance(target, str) else target(db)  # before: afterwards it may be gone
            done = act(db, *values)
            if action is not None:
                note(db, actor, action, words)
            return done

        return await self._writer.write(unit)


def note(db: sqlite3.Connection, actor: Account | None, action: str, target: str) -> None:
    """In the audit log."""
    db.execute(
        "INSERT INTO audit (at, actor_id, actor_name, action, target) VALUES (?, ?, ?, ?, ?)",
        (now_ms(), actor and actor.id, actor.username if actor else "command line", action, target),
    )


def author_of(db: sqlite3.Connection, message_id: int) -> str:
    """The username of a message's author."""
    row = db.execute("SELECT author_id FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is None or row[0] is None:
        return "a guest"
    author = account_by(db, "id", row[0])
    return author.username if author else DELETED_NAME


def raise_floor(db: sqlite3.Connection) -> None:
    """After a bulk change: every client is to replace what it shows."""
    db.execute("UPDATE board SET seq = seq + 1, floor = seq + 1")


def set_account(db: sqlite3.Connection, username: str, column: str, value: object) -> int:
    """The account's id. Raises NotFound."""
    account = account_by(db, "username", username)
    if account is None:
        raise NotFound(f"account {username}")
    db.execute(f"UPDATE accounts SET {column} = ? WHERE id = ?", (value, account.id))
    look_again(db, account.id)
    return account.id


def suspend(db: sqlite3.Connection, username: str, spares_moderators: bool) -> None:
    if spares_moderators:
        check_no_moderator(account_by(db, "username", username))
    account_id = set_account(db, username, "suspended_at", now_ms())
    end_ways_in(db, account_id, ways=SIGN_INS)


def restore(db: sqlite3.Connection, username: str) -> None:
    """Raises NotFound if there is neither the account nor a row of a deleted one that was suspended."""
    notes = forgive(db, username)
    if account_by(db, "username", username) or not notes:
        set_account(db, username, "suspended_at", None)


def source_of(db: sqlite3.Connection, message_id: int) -> tuple[int | None, str | None]:
    row: tuple[int | None, str | None] | None = db.execute(
        "SELECT author_id, address FROM messages WHERE id = ?", (message_id,)
    ).fetchone()
    if row is None or row == (None, None):
        raise NotFound(f"the author of message {message_id}")
    return row


def block_source(db: sqlite3.Connection, message_id: int, until: int, own_address: str | None) -> None:
    _, address = source_of(db, message_id)
    if address is None:
        raise NotFound(f"the address of message {message_id}")
    check_elsewhere(address, own_address)
    db.execute("INSERT INTO blocks VALUES (?, ?) ON CONFLICT DO UPDATE SET until = excluded.until", (address, until))


def check_elsewhere(address: str | None, own_address: str | None) -> None:
    """Raises OwnAddress: an address that the actor has, too, singles nobody out."""
    if address is not None and address == own_address:
        raise OwnAddress(address)


def remove_by_source(
    db: sqlite3.Connection, message_id: int, own_address: str | None, spares_moderators: bool
) -> tuple[int, bool]:
    """Removes all that this message's account has posted, or for a guest's, all that guests posted from its address.

    If there are more than REMOVED_AT_ONCE, it removes that many of the newest, and this message last: the next call
    can still name it. Returns how many, and whether it was all.
    """
    author_id, address = source_of(db, message_id)
    if author_id is None:
        check_elsewhere(address, own_address)
    elif spares_moderators:
        check_no_moderator(account_by(db, "id", author_id))
    where, value = ("author_id = ?", author_id) if author_id else ("author_id IS NULL AND address = ?", address)
    some = delete_newest(db, where, value, but=message_id)
    removed = delete_messages(db, where, value) if some is None else some
    raise_floor(db)
    return removed, some is None


def delete_newest(db: sqlite3.Connection, where: str, value: object, but: int = 0) -> int | None:
    """Removes the newest REMOVED_AT_ONCE except this one, and returns how many; None if there are not more."""
    select = f"SELECT id FROM messages WHERE {where} ORDER BY id DESC LIMIT 1 OFFSET ?"
    row = db.execute(select, (value, REMOVED_AT_ONCE)).fetchone()
    return row and delete_messages(db, f"{where} AND id > ? AND id <> ?", value, row[0], but)


def delete_messages(db: sqlite3.Connection, where: str, *values: object) -> int:
    """For good, also from the search index; how many there were."""
    rows = db.execute(f"DELETE FROM messages WHERE {where} RETURNING id, body", values).fetchall()
    reindex(db, [(id, body) for id, body in rows if body is not None])
    return len(rows)


def read_old_addresses(db: sqlite3.Connection, before: int) -> list[tuple[int]]:
    """Ids of messages from before this time that have an address, as (id,)."""
    where = "address IS NOT NULL AND created_at < ?"
    return db.execute(f"SELECT id FROM messages WHERE {where} LIMIT ?", (before, REMOVED_AT_ONCE)).fetchall()


def forget_addresses(db: sqlite3.Connection, ids: list[tuple[int]]) -> None:
    db.executemany("UPDATE messages SET address = NULL WHERE id = ?", ids)


def read_audit(db: sqlite3.Connection, before: int | None, limit: int) -> list[AuditEntry]:
    where, values = ("WHERE id < ?", [before]) if before is not None else ("", [])
    rows = db.execute(
        f"SELECT id, at, actor_id, actor_name, action, target FROM audit {where} ORDER BY id DESC LIMIT ?",
        (*values, limit),
    )
    return [AuditEntry(*row) for row in rows]
