"""Facebook ids linked to accounts, in PostgreSQL, with their pictures; and what may be used only once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import asyncpg

from storage.postgres.accounts import add_account, is_taken, remove_account, use_link
from storage.postgres.moderation import note, raise_floor
from storage.postgres.rights import check_in_force, end_identity, revoke
from storage.postgres.rows import ACCOUNT, Engine, count, look_again
from storage.postgres.suspensions import check_identity
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
from storage.ways_in import LINKED

if TYPE_CHECKING:
    from storage.postgres.connection import Database

SELECT = (
    "SELECT identities.id, app_id, facebook_id, identities.name, identities.created_at, notice_at, "
    f"{ACCOUNT} FROM identities JOIN accounts ON accounts.id = account_id"
)


class Identities(Engine):
    async def use_once(self, hash: bytes, until: int) -> None:
        async def unit(db: "Database") -> None:
            if not count(await db.execute("INSERT INTO used VALUES ($1, $2) ON CONFLICT DO NOTHING", hash, until)):
                raise LinkGone("used")

        await self._writer.write(unit)

    async def identity(self, app_id: str, facebook_id: str) -> Identity:
        return await self._reader.read(find, app_id, facebook_id)

    async def identity_of(self, account_id: int) -> Identity:
        return await self._reader.read(find_of, account_id)

    async def create_identity(
        self, account_id: int, app_id: str, facebook_id: str, name: str, credential: int | None = None
    ) -> Identity:
        async def unit(db: "Database") -> Identity:
            await check_in_force(db, account_id, credential)
            by_key = await identity_by_key(db, app_id, facebook_id)
            by_account = await identity_by_account(db, account_id)
            if by_key != by_account:
                raise IdentityTaken(facebook_id)
            if by_key is not None:
                return by_key
            await check_identity(db, app_id, facebook_id)
            await insert(db, account_id, app_id, facebook_id, name)
            await db.execute("UPDATE identities SET notice_at = created_at WHERE account_id = $1", account_id)
            made = await find_of(db, account_id)
            await note(db, made.account, LINKED, made.account.username)
            return made

        return await self._writer.write(unit)

    async def dismiss_notice(self, account_id: int) -> None:
        async def unit(db: "Database") -> None:
            await db.execute("UPDATE identities SET notice_at = NULL WHERE account_id = $1", account_id)

        await self._writer.write(unit)

    async def create_account_with_identity(
        self, app_id: str, facebook_id: str, name: str, usernames: Sequence[str], invite: bytes | None = None
    ) -> Identity:
        async def unit(db: "Database") -> Identity:
            if known := await identity_by_key(db, app_id, facebook_id):  # made meanwhile, in another tab
                return known
            await check_identity(db, app_id, facebook_id)
            if invite is not None:
                await use_link(db, "invite", invite)
            for username in usernames:
                if not await is_taken(db, username):
                    account = await add_account(db, username, name, Password(None))
                    await insert(db, account.id, app_id, facebook_id, name)
                    return await find(db, app_id, facebook_id)
            raise Taken(name)

        return await self._writer.write(unit)

    async def rename_identity(self, id: int, name: str) -> None:
        async def unit(db: "Database") -> None:
            row = await db.fetchrow("SELECT account_id, name FROM identities WHERE id = $1", id)
            if row is None or row[1] == name:
                return
            await db.execute("UPDATE identities SET name = $1 WHERE id = $2", name, id)
            await db.execute("UPDATE accounts SET name = $1 WHERE id = $2 AND name = $3", name, *row)
            await look_again(db, row[0])

        await self._writer.write(unit)

    async def unlink_identity(self, account_id: int, keep: int | None = None, password: Password | None = None) -> None:
        async def unit(db: "Database") -> None:
            await check_in_force(db, account_id, keep, password)
            if not await has_password(db, account_id):
                raise LastWayIn(f"account {account_id}")
            await end_identity(db, account_id, keep)

        await self._writer.write(unit)

    async def set_picture(self, identity_id: int, picture: Picture | None) -> None:
        values = (picture.kind, picture.content) if picture else (None, None)

        async def unit(db: "Database") -> None:
            await db.execute(
                "UPDATE identities SET picture_kind = $2, picture = $3 WHERE id = $1", identity_id, *values
            )

        await self._writer.write(unit)

    async def picture(self, account_id: int) -> Picture:
        return await self._reader.read(read_picture, account_id)

    async def deauthorize_identity(self, app_id: str, facebook_id: str, before: int) -> None:
        async def unit(db: "Database") -> None:
            if known := await identity_by_key(db, app_id, facebook_id):
                await revoke(db, "account_id = $1 AND by_facebook AND created_at < $2", known.account.id, before)

        await self._writer.write(unit)

    async def erase_identity(self, app_id: str, facebook_id: str, before: int, code: str) -> None:
        async def unit(db: "Database") -> None:
            await db.execute("INSERT INTO erasures VALUES ($1, now_ms()) ON CONFLICT DO NOTHING", code)
            known = await identity_by_key(db, app_id, facebook_id)
            if known and known.created_at < before:
                await erase(db, known)

        await self._writer.write(unit)

    async def erased_at(self, code: str) -> int:
        return await self._reader.read(read_erased_at, code)


def to_identity(row: "asyncpg.Record | None") -> Identity | None:
    if row is None:
        return None
    id, app_id, facebook_id, name, created_at, notice_at = row[:6]
    return Identity(id, Account(*row[6:]), app_id, facebook_id, name, created_at, notice_at)


async def identity_by_key(db: "Database", app_id: str, facebook_id: str) -> Identity | None:
    return to_identity(await db.fetchrow(f"{SELECT} WHERE app_id = $1 AND facebook_id = $2", app_id, facebook_id))


async def identity_by_account(db: "Database", account_id: int) -> Identity | None:
    return to_identity(await db.fetchrow(f"{SELECT} WHERE account_id = $1", account_id))


async def find(db: "Database", app_id: str, facebook_id: str) -> Identity:
    if known := await identity_by_key(db, app_id, facebook_id):
        return known
    raise NotFound("identity")


async def find_of(db: "Database", account_id: int) -> Identity:
    if known := await identity_by_account(db, account_id):
        return known
    raise NotFound("identity")


async def insert(db: "Database", account_id: int, app_id: str, facebook_id: str, name: str) -> None:
    await db.execute(
        "INSERT INTO identities (account_id, app_id, facebook_id, name, created_at) VALUES ($1, $2, $3, $4, now_ms())",
        account_id,
        app_id,
        facebook_id,
        name,
    )


async def has_password(db: "Database", account_id: int) -> bool:
    return bool(await db.fetchval("SELECT password IS NOT NULL FROM accounts WHERE id = $1", account_id))


async def erase(db: "Database", identity: Identity) -> None:
    """Everything that Facebook gave. Earlier names of Facebook's may stand under old messages: they go as well."""
    account = identity.account
    if not await has_password(db, account.id):
        await remove_account(db, account.id, keep_messages=True)
        return
    await end_identity(db, account.id)
    name = account.username if account.name == identity.name else account.name
    await db.execute("UPDATE accounts SET name = $1 WHERE id = $2", name, account.id)
    await look_again(db, account.id)
    rename = "UPDATE messages SET author_name = $1 WHERE author_id = $2 AND body IS NOT NULL AND author_name <> $1"
    if count(await db.execute(rename, name, account.id)):
        await raise_floor(db)


async def read_picture(db: "Database", account_id: int) -> Picture:
    row = await db.fetchrow(
        "SELECT picture_kind, picture FROM identities WHERE account_id = $1 AND picture IS NOT NULL", account_id
    )
    if row is None:
        raise NotFound("picture")
    return Picture(*row)


async def read_erased_at(db: "Database", code: str) -> int:
    at: int | None = await db.fetchval("SELECT at FROM erasures WHERE code = $1", code)
    if at is None:
        raise NotFound("erasure")
    return at
