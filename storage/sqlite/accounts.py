"""Accounts in SQLite, and the one-time links that lead to them."""

import sqlite3

from storage.records import DELETED_NAME, Account, LinkGone, NotFound, Password, Taken
from storage.sqlite.connection import Engine
from storage.sqlite.moderation import delete_messages, delete_newest, note, raise_floor
from storage.sqlite.rights import check_in_force, end_ways_in
from storage.sqlite.rows import ACCOUNT, account_by, look_again, now_ms
from storage.sqlite.suspensions import is_reserved
from storage.ways_in import LINK_USED, OWN_ACTIONS, SIGN_INS, WAYS_IN


class Accounts(Engine):
    async def create_account(
        self, username: str, name: str, password: Password, invite: bytes | None = None
    ) -> Account:
        def unit(db: sqlite3.Connection) -> Account:
            if is_taken(db, username):
                raise Taken(username)
            if invite is not None:
                use_link(db, "invite", invite)
            return add_account(db, username, name, password)

        return await self._writer.write(unit)

    async def account(self, username: str) -> Account:
        return await self._reader.read(find, "username", username)

    async def account_of(self, id: int) -> Account:
        return await self._reader.read(find, "id", id)

    async def moderators(self) -> list[Account]:
        def read(db: sqlite3.Connection) -> list[Account]:
            return [Account(*row) for row in db.execute(f"SELECT {ACCOUNT} FROM accounts WHERE role = 'moderator'")]

        return await self._reader.read(read)

    async def has_tutorial_account(self, tutorial_name: str) -> bool:
        return await self._reader.read(has_tutorial_name, tutorial_name)

    async def password(self, username: str) -> tuple[Account | None, Password]:
        return await self._reader.read(read_password, username)

    async def set_password(
        self,
        account_id: int,
        password: Password,
        *,
        old: Password,
        keep: int | None = None,
        hash: bytes | None = None,
        unlink: bool = False,
    ) -> None:
        def unit(db: sqlite3.Connection) -> None:
            check_in_force(db, account_id, keep, old)
            replace_password(db, account_id, password)
            end_ways_in(db, account_id, ways=WAYS_IN if unlink else SIGN_INS, keep=keep)
            if hash is not None:
                db.execute("UPDATE credentials SET hash = ? WHERE id = ?", (hash, keep))

        await self._writer.write(unit)

    async def upgrade_password(self, account_id: int, old: Password, new: Password) -> bool:
        def unit(db: sqlite3.Connection) -> bool:
            values = (new.hash, account_id, old.hash)
            return bool(db.execute("UPDATE accounts SET password = ? WHERE id = ? AND password = ?", values).rowcount)

        return await self._writer.write(unit)

    async def set_name(self, account_id: int, name: str, credential: int | None = None) -> None:
        def unit(db: sqlite3.Connection) -> None:
            check_in_force(db, account_id, credential)
            db.execute("UPDATE accounts SET name = ? WHERE id = ?", (name, account_id))
            look_again(db, account_id)

        await self._writer.write(unit)

    async def set_username(self, account_id: int, username: str, credential: int | None = None) -> None:
        def unit(db: sqlite3.Connection) -> None:
            check_in_force(db, account_id, credential)
            if is_taken(db, username, but_by=account_id):
                raise Taken(username)
            db.execute("UPDATE accounts SET username = ? WHERE id = ?", (username, account_id))
            look_again(db, account_id)

        await self._writer.write(unit)

    async def delete_account(
        self, account_id: int, *, keep_messages: bool, password: Password | None = None, credential: int | None = None
    ) -> None:
        def unit(db: sqlite3.Connection) -> None:
            check_in_force(db, account_id, credential, password)
            remove_account(db, account_id, keep_messages=keep_messages)

        def thin_out(db: sqlite3.Connection) -> bool:
            check_in_force(db, account_id, credential, password)
            removed = delete_newest(db, "author_id = ?", account_id)
            if removed:
                raise_floor(db)
            return bool(removed)

        while not keep_messages and await self._writer.write(thin_out):
            pass  # then the account is deleted together with the rest
        await self._writer.write(unit)

    async def create_link(self, kind: str, hash: bytes, account_id: int | None, expires_at: int) -> None:
        def unit(db: sqlite3.Connection) -> None:
            db.execute("INSERT INTO links VALUES (?, ?, ?, ?)", (hash, kind, account_id, expires_at))

        await self._writer.write(unit)

    async def link(self, kind: str, hash: bytes) -> Account | None:
        return await self._reader.read(read_link, kind, hash)

    async def use_password_link(self, hash: bytes, password: Password, *, keep_identity: bool = False) -> Account:
        def unit(db: sqlite3.Connection) -> Account:
            account_id = use_link(db, "password", hash)
            assert account_id is not None
            replace_password(db, account_id, password)
            end_ways_in(db, account_id, ways=SIGN_INS if keep_identity else WAYS_IN)
            account = find(db, "id", account_id)
            note(db, account, LINK_USED, account.username)
            return account

        return await self._writer.write(unit)


def add_account(db: sqlite3.Connection, username: str, name: str, password: Password) -> Account:
    now = now_ms()
    row = db.execute(
        "INSERT INTO accounts (username, name, password, tutorial_name, created_at, password_at) "
        f"VALUES (?, ?, ?, ?, ?, ?) RETURNING {ACCOUNT}",
        (username, name, password.hash, password.tutorial_name, now, now if password.hash else None),
    ).fetchone()
    return Account(*row)


def remove_account(db: sqlite3.Connection, account_id: int, *, keep_messages: bool) -> None:
    end_ways_in(db, account_id)
    db.execute("DELETE FROM accounts WHERE id = ?", (account_id,))
    db.execute("DELETE FROM audit WHERE actor_id = ? AND action IN (?, ?)", (account_id, *OWN_ACTIONS))
    if keep_messages:
        rename = "UPDATE messages SET author_name = ?, address = NULL WHERE author_id = ? AND body IS NOT NULL"
        changed = db.execute(rename, (DELETED_NAME, account_id)).rowcount
    else:
        changed = delete_messages(db, "author_id = ?", account_id)
    if changed:
        raise_floor(db)


def is_taken(db: sqlite3.Connection, username: str, but_by: int | None = None) -> bool:
    """Whether another account has it, or had it when it was deleted while suspended."""
    holder = account_by(db, "username", username)
    return holder.id != but_by if holder else is_reserved(db, username)


def find(db: sqlite3.Connection, column: str, value: object) -> Account:
    account = account_by(db, column, value)
    if account is None:
        raise NotFound(f"account {value}")
    return account


def has_tutorial_name(db: sqlite3.Connection, tutorial_name: str) -> bool:
    return db.execute("SELECT 1 FROM accounts WHERE tutorial_name = ?", (tutorial_name,)).fetchone() is not None


def read_password(db: sqlite3.Connection, username: str) -> tuple[Account | None, Password]:
    row = db.execute(
        f"SELECT {ACCOUNT}, password, tutorial_name, password_at FROM accounts WHERE username = ?", (username,)
    ).fetchone()
    return (Account(*row[:-3]), Password(*row[-3:])) if row else (None, Password(None))


def replace_password(db: sqlite3.Connection, account_id: int, password: Password) -> None:
    values = (password.hash, now_ms(), account_id)
    db.execute("UPDATE accounts SET password = ?, password_at = ? WHERE id = ?", values)


def read_link(db: sqlite3.Connection, kind: str, hash: bytes) -> Account | None:
    """Whose link it is; an invitation is nobody's. Raises LinkGone."""
    row = db.execute(
        "SELECT account_id FROM links WHERE hash = ? AND kind = ? AND expires_at > ?", (hash, kind, now_ms())
    ).fetchone()
    if row is None:
        raise LinkGone(kind)
    return account_by(db, "id", row[0])


def use_link(db: sqlite3.Connection, kind: str, hash: bytes) -> int | None:
    row: tuple[int | None] | None = db.execute(
        "DELETE FROM links WHERE hash = ? AND kind = ? AND expires_at > ? RETURNING account_id", (hash, kind, now_ms())
    ).fetchone()
    if row is None:
        raise LinkGone(kind)
    return row[0]
