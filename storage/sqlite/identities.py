"""Facebook ids linked to accounts, in SQLite, with their pictures; and what may be used only once."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from storage.records import (
    Account,
    Identity,
    IdentityTaken,
    LastWayIn,
    LinkGone,
    NotFound,
    Password,
    Picture,
    Taken,
)
from storage.sqlite.accounts import add_account, is_taken, remove_account, use_link
from storage.sqlite.connection import Engine
from storage.sqlite.moderation import note, raise_floor
from storage.sqlite.rights import check_in_force, end_identity, revoke
from storage.sqlite.rows import ACCOUNT, look_again, now_ms
from storage.sqlite.suspensions import check_identity
from storage.ways_in import LINKED

SELECT = (
    "SELECT identities.id, app_id, facebook_id, identities.name, identities.created_at, notice_at, "
    f"{ACCOUNT} FROM identities JOIN accounts ON accounts.id = account_id"
)


class Identities(Engine):
    async def use_once(self, hash: bytes, until: int) -> None:
        def unit(db: sqlite3.Connection) -> None:
            if not db.execute("INSERT OR IGNORE INTO used VALUES (?, ?)", (hash, until)).rowcount:
                raise LinkGone("used")

        await self._writer.write(unit)

    async def identity(self, app_id: str, facebook_id: str) -> Identity:
        return await self._reader.read(find, app_id, facebook_id)

    async def identity_of(self, account_id: int) -> Identity:
        return await self._reader.read(find_of, account_id)

    async def create_identity(
        self, account_id: int, app_id: str, facebook_id: str, name: str, credential: int | None = None
    ) -> Identity:
        def unit(db: sqlite3.Connection) -> Identity:
            check_in_force(db, account_id, credential)
            known = identity_by_key(db, app_id, facebook_id)
            if known != identity_by_account(db, account_id):
                raise IdentityTaken(facebook_id)
            if known is not None:
                return known
            check_identity(db, app_id, facebook_id)
            insert(db, account_id, app_id, facebook_id, name)
            db.execute("UPDATE identities SET notice_at = created_at WHERE account_id = ?", (account_id,))
            made = find_of(db, account_id)
            note(db, made.account, LINKED, made.account.username)
            return made

        return await self._writer.write(unit)

    async def dismiss_notice(self, account_id: int) -> None:
        def unit(db: sqlite3.Connection) -> None:
            db.execute("UPDATE identities SET notice_at = NULL WHERE account_id = ?", (account_id,))

        await self._writer.write(unit)

    async def create_account_with_identity(
        self, app_id: str, facebook_id: str, name: str, usernames: Sequence[str], invite: bytes | None = None
    ) -> Identity:
        def unit(db: sqlite3.Connection) -> Identity:
            if known := identity_by_key(db, app_id, facebook_id):  # made meanwhile, in another tab
                return known
            check_identity(db, app_id, facebook_id)
            if invite is not None:
                use_link(db, "invite", invite)
            free = next((username for username in usernames if not is_taken(db, username)), None)
            if free is None:
                raise Taken(name)
            account = add_account(db, free, name, Password(None))
            insert(db, account.id, app_id, facebook_id, name)
            return find(db, app_id, facebook_id)

        return await self._writer.write(unit)

    async def rename_identity(self, id: int, name: str) -> None:
        def unit(db: sqlite3.Connection) -> None:
            row = db.execute("SELECT account_id, name FROM identities WHERE id = ?", (id,)).fetchone()
            if row is None or row[1] == name:
                return
            db.execute("UPDATE identities SET name = ? WHERE id = ?", (name, id))
            db.execute("UPDATE accounts SET name = ? WHERE id = ? AND name = ?", (name, *row))
            look_again(db, row[0])

        await self._writer.write(unit)

    async def unlink_identity(self, account_id: int, keep: int | None = None, password: Password | None = None) -> None:
        def unit(db: sqlite3.Connection) -> None:
            check_in_force(db, account_id, keep, password)
            if not has_password(db, account_id):
                raise LastWayIn(f"account {account_id}")
            end_identity(db, account_id, keep)

        await self._writer.write(unit)

    async def set_picture(self, identity_id: int, picture: Picture | None) -> None:
        values = (picture.kind, picture.content) if picture else (None, None)

        def unit(db: sqlite3.Connection) -> None:
            db.execute("UPDATE identities SET picture_kind = ?, picture = ? WHERE id = ?", (*values, identity_id))

        await self._writer.write(unit)

    async def picture(self, account_id: int) -> Picture:
        return await self._reader.read(read_picture, account_id)

    async def deauthorize_identity(self, app_id: str, facebook_id: str, before: int) -> None:
        def unit(db: sqlite3.Connection) -> None:
            if known := identity_by_key(db, app_id, facebook_id):
                revoke(db, "account_id = ? AND by_facebook = 1 AND created_at < ?", known.account.id, before)

        await self._writer.write(unit)

    async def erase_identity(self, app_id: str, facebook_id: str, before: int, code: str) -> None:
        def unit(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR IGNORE INTO erasures VALUES (?, ?)", (code, now_ms()))
            known = identity_by_key(db, app_id, facebook_id)
            if known and known.created_at < before:
                erase(db, known)

        await self._writer.write(unit)

    async def erased_at(self, code: str) -> int:
        def read(db: sqlite3.Connection) -> int:
            row: tuple[int] | None = db.execute("SELECT at FROM erasures WHERE code = ?", (code,)).fetchone()
            if row is None:
                raise NotFound("erasure")
            return row[0]

        return await self._reader.read(read)


def to_identity(row: tuple[Any, ...]) -> Identity:
    id, app_id, facebook_id, name, created_at, notice_at = row[:6]
    return Identity(id, Account(*row[6:]), app_id, facebook_id, name, created_at, notice_at)


def identity_by_key(db: sqlite3.Connection, app_id: str, facebook_id: str) -> Identity | None:
    row = db.execute(f"{SELECT} WHERE app_id = ? AND facebook_id = ?", (app_id, facebook_id)).fetchone()
    return to_identity(row) if row else None


def identity_by_account(db: sqlite3.Connection, account_id: int) -> Identity | None:
    row = db.execute(f"{SELECT} WHERE account_id = ?", (account_id,)).fetchone()
    return to_identity(row) if row else None


def find(db: sqlite3.Connection, app_id: str, facebook_id: str) -> Identity:
    if known := identity_by_key(db, app_id, facebook_id):
        return known
    raise NotFound("identity")


def find_of(db: sqlite3.Connection, account_id: int) -> Identity:
    if known := identity_by_account(db, account_id):
        return known
    raise NotFound("identity")


def insert(db: sqlite3.Connection, account_id: int, app_id: str, facebook_id: str, name: str) -> None:
    db.execute(
        "INSERT INTO identities (account_id, app_id, facebook_id, name, created_at) VALUES (?, ?, ?, ?, ?)",
        (account_id, app_id, facebook_id, name, now_ms()),
    )


def has_password(db: sqlite3.Connection, account_id: int) -> bool:
    row = db.execute("SELECT password IS NOT NULL FROM accounts WHERE id = ?", (account_id,)).fetchone()
    return bool(row and row[0])


def erase(db: sqlite3.Connection, identity: Identity) -> None:
    """Everything that Facebook gave. Earlier names of Facebook's may stand under old messages: they go as well."""
    account = identity.account
    if not has_password(db, account.id):
        remove_account(db, account.id, keep_messages=True)
        return
    end_identity(db, account.id)
    name = account.username if account.name == identity.name else account.name
    db.execute("UPDATE accounts SET name = ? WHERE id = ?", (name, account.id))
    look_again(db, account.id)
    rename = "UPDATE messages SET author_name = ? WHERE author_id = ? AND body IS NOT NULL AND author_name <> ?"
    if db.execute(rename, (name, account.id, name)).rowcount:
        raise_floor(db)


def read_picture(db: sqlite3.Connection, account_id: int) -> Picture:
    row = db.execute(
        "SELECT picture_kind, picture FROM identities WHERE account_id = ? AND picture IS NOT NULL", (account_id,)
    ).fetchone()
    if row is None:
        raise NotFound("picture")
    return Picture(*row)
