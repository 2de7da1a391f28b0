"""Accounts in PostgreSQL, and the one-time links that lead to them."""

from typing import TYPE_CHECKING

from storage.postgres.moderation import delete_newest, note, raise_floor
from storage.postgres.rights import check_in_force, end_ways_in
from storage.postgres.rows import ACCOUNT, Engine, account_by, count, look_again, plain
from storage.postgres.suspensions import is_reserved
from storage.records import DELETED_NAME, Account, LinkGone, NotFound, Password, Taken
from storage.ways_in import LINK_USED, OWN_ACTIONS, SIGN_INS, WAYS_IN

if TYPE_CHECKING:
    from storage.postgres.connection import Database


class Accounts(Engine):
    async def create_account(
        self, username: str, name: str, password: Password, invite: bytes | None = None
    ) -> Account:
        async def unit(db: "Database") -> Account:
            if await is_taken(db, username):
                raise Taken(username)
            if invite is not None:
                await use_link(db, "invite", invite)
            return await add_account(db, username, name, password)

        return await self._writer.write(unit)

    async def account(self, username: str) -> Account:
        return await self._reader.read(find, "username", username)

    async def account_of(self, id: int) -> Account:
        return await self._reader.read(find, "id", id)

    async def moderators(self) -> list[Account]:
        async def read(db: "Database") -> list[Account]:
            return [Account(*row) for row in await db.fetch(f"SELECT {ACCOUNT} FROM accounts WHERE role = 'moderator'")]

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
        async def unit(db: "Database") -> None:
            await check_in_force(db, account_id, keep, old)
            await replace_password(db, account_id, password)
            await end_ways_in(db, account_id, ways=WAYS_IN if unlink else SIGN_INS, keep=keep)
            if hash is not None:
                await db.execute("UPDATE credentials SET hash = $1 WHERE id = $2", hash, keep)

        await self._writer.write(unit)

    async def upgrade_password(self, account_id: int, old: Password, new: Password) -> bool:
        update = "UPDATE accounts SET password = $1 WHERE id = $2 AND password = $3"

        async def unit(db: "Database") -> bool:
            return bool(count(await db.execute(update, new.hash, account_id, old.hash)))

        return await self._writer.write(unit)

    async def set_name(self, account_id: int, name: str, credential: int | None = None) -> None:
        async def unit(db: "Database") -> None:
            await check_in_force(db, account_id, credential)
            await db.execute("UPDATE accounts SET name = $1 WHERE id = $2", name, account_id)
            await look_again(db, account_id)

        await self._writer.write(unit)

    async def set_username(self, account_id: int, username: str, credential: int | None = None) -> None:
        async def unit(db: "Database") -> None:
            await check_in_force(db, account_id, credential)
            if await is_taken(db, username, but_by=account_id):
                raise Taken(username)
            await db.execute("UPDATE accounts SET username = $1 WHERE id = $2", username, account_id)
            await look_again(db, account_id)

        await self._writer.write(unit)

    async def delete_account(
        self, account_id: int, *, keep_messages: bool, password: Password | None = None, credential: int | None = None
    ) -> None:
        async def unit(db: "Database") -> None:
            await check_in_force(db, account_id, credential, password)
            await remove_account(db, account_id, keep_messages=keep_messages)

        async def thin_out(db: "Database") -> bool:
            await check_in_force(db, account_id, credential, password)
            removed = await delete_newest(db, "author_id = $1", account_id)
            if removed:
                await raise_floor(db)
            return bool(removed)

        while not keep_messages and await self._writer.write(thin_out):
            pass  # then the account is deleted together with the rest
        await self._writer.write(unit)

    async def create_link(self, kind: str, hash: bytes, account_id: int | None, expires_at: int) -> None:
        async def unit(db: "Database") -> None:
            await db.execute("INSERT INTO links VALUES ($1, $2, $3, $4)", hash, kind, account_id, expires_at)

        await self._writer.write(unit)

    async def link(self, kind: str, hash: bytes) -> Account | None:
        return await self._reader.read(read_link, kind, hash)

    async def use_password_link(self, hash: bytes, password: Password, *, keep_identity: bool = False) -> Account:
        async def unit(db: "Database") -> Account:
            account_id = await use_link(db, "password", hash)
            assert account_id is not None
            await replace_password(db, account_id, password)
            await end_ways_in(db, account_id, ways=SIGN_INS if keep_identity else WAYS_IN)
            account = await find(db, "id", account_id)
            await note(db, account, LINK_USED, account.username)
            return account

        return await self._writer.write(unit)


async def add_account(db: "Database", username: str, name: str, password: Password) -> Account:
    row = await db.fetchrow(
        "INSERT INTO accounts (username, name, password, tutorial_name, created_at, password_at) "
        "SELECT $1, $2, $3, $4, now, CASE WHEN $3::text IS NULL THEN NULL ELSE now END FROM now_ms() AS now "
        f"RETURNING {ACCOUNT}",
        username,
        name,
        password.hash,
        password.tutorial_name,
    )
    assert row is not None
    return Account(*row)


async def remove_account(db: "Database", account_id: int, *, keep_messages: bool) -> None:
    await end_ways_in(db, account_id)
    await db.execute("DELETE FROM accounts WHERE id = $1", account_id)
    await db.execute("DELETE FROM audit WHERE actor_id = $1 AND action = ANY($2::text[])", account_id, OWN_ACTIONS)
    if keep_messages:
        rename = "UPDATE messages SET author_name = $1, address = NULL WHERE author_id = $2 AND body IS NOT NULL"
        changed = await db.execute(rename, DELETED_NAME, account_id)
    else:
        changed = await db.execute("DELETE FROM messages WHERE author_id = $1", account_id)
    if count(changed):
        await raise_floor(db)


async def is_taken(db: "Database", username: str, but_by: int | None = None) -> bool:
    """Whether another account has it, or had it when it was deleted while suspended."""
    holder = await account_by(db, "username", username)
    return holder.id != but_by if holder else await is_reserved(db, username)


async def find(db: "Database", column: str, value: object) -> Account:
    account = await account_by(db, column, value)
    if account is None:
        raise NotFound(f"account {value}")
    return account


async def has_tutorial_name(db: "Database", tutorial_name: str) -> bool:
    return await db.fetchrow("SELECT 1 FROM accounts WHERE tutorial_name = $1", plain(tutorial_name)) is not None


async def read_password(db: "Database", username: str) -> tuple[Account | None, Password]:
    select = f"SELECT {ACCOUNT}, password, tutorial_name, password_at FROM accounts WHERE username = $1"
    row = await db.fetchrow(select, plain(username))
    return (Account(*row[:-3]), Password(*row[-3:])) if row else (None, Password(None))


async def replace_password(db: "Database", account_id: int, password: Password) -> None:
    update = "UPDATE accounts SET password = $1, password_at = now_ms() WHERE id = $2"
    await db.execute(update, password.hash, account_id)


async def read_link(db: "Database", kind: str, hash: bytes) -> Account | None:
    """Whose link it is; an invitation is nobody's. Raises LinkGone."""
    row = await db.fetchrow(
        f"SELECT {ACCOUNT} FROM links LEFT JOIN accounts ON accounts.id = account_id "
        "WHERE hash = $1 AND kind = $2 AND expires_at > now_ms()",
        hash,
        kind,
    )
    if row is None:
        raise LinkGone(kind)
    return Account(*row) if row[0] is not None else None


async def use_link(db: "Database", kind: str, hash: bytes) -> int | None:
    row = await db.fetchrow(
        "DELETE FROM links WHERE hash = $1 AND kind = $2 AND expires_at > now_ms() RETURNING account_id", hash, kind
    )
    if row is None:
        raise LinkGone(kind)
    account_id: int | None = row[0]
    return account_id
