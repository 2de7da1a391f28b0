"""Sessions and tokens in PostgreSQL: found by the hash of their secret."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import asyncpg

from storage.postgres.rights import check_active, check_in_force, end_ways_in, revoke
from storage.postgres.rows import ACCOUNT, Engine
from storage.records import (
    MOST_BOT_TOKENS,
    MOST_CREDENTIALS,
    Account,
    Credential,
    NotFound,
    Outdated,
    Password,
    TooMany,
)
from storage.ways_in import SIGN_INS

if TYPE_CHECKING:
    from storage.postgres.connection import Database

SELECT = (
    "SELECT credentials.id, kind, credentials.name, credentials.created_at, last_used_at, "
    f"by_facebook, {ACCOUNT} FROM credentials JOIN accounts ON accounts.id = account_id"
)


class Credentials(Engine):
    async def create_credential(
        self,
        account_id: int,
        kind: str,
        hash: bytes,
        name: str,
        replaces: bytes | None = None,
        *,
        by_facebook: bool = False,
        identity_id: int | None = None,
        password: Password | None = None,
        by: int | None = None,
    ) -> Credential:
        async def unit(db: "Database") -> Credential:
            await check_active(db, account_id)
            is_by_facebook = await check_in_force(db, account_id, by, password) or by_facebook
            if is_by_facebook and not await has_identity(db, account_id, identity_id):
                raise Outdated(f"the identity of account {account_id}")
            if replaces is not None:
                await revoke(db, "hash = $1", replaces)
            await make_room(db, account_id, kind)
            await db.execute(
                "INSERT INTO credentials (account_id, kind, hash, name, created_at, last_used_at, by_facebook) "
                "SELECT $1, $2, $3, $4, now, now, $5 FROM now_ms() AS now",
                account_id,
                kind,
                hash,
                name,
                is_by_facebook,
            )
            return await read_credential(db, hash)

        return await self._writer.write(unit)

    async def credential(self, hash: bytes) -> Credential:
        return await self._reader.read(read_credential, hash)

    async def credentials(self, account_id: int) -> list[Credential]:
        return await self._reader.read(read_credentials, account_id)

    async def revoke_credential(self, account_id: int, id: int, kind: str | None = None) -> None:
        async def unit(db: "Database") -> None:
            if not await revoke(db, "account_id = $1 AND id = $2 AND kind = coalesce($3, kind)", account_id, id, kind):
                raise NotFound(f"credential {id}")

        await self._writer.write(unit)

    async def revoke_all(self, account_id: int, keep: int | None = None) -> None:
        await self._writer.write(lambda db: end_ways_in(db, account_id, ways=SIGN_INS, keep=keep))

    async def save_uses(self, uses: Mapping[int, int]) -> None:
        async def unit(db: "Database") -> None:
            await db.execute(
                "UPDATE credentials SET last_used_at = greatest(last_used_at, at) "
                "FROM unnest($1::bigint[], $2::bigint[]) AS uses (used_id, at) WHERE id = used_id",
                list(uses),
                list(uses.values()),
            )

        await self._writer.write(unit)

    async def access_changes_after(self, number: int) -> Sequence[int]:
        async def read(db: "Database") -> list[int]:
            rows = await db.fetch("SELECT DISTINCT account_id FROM access_changes WHERE number > $1", number)
            return [account_id for (account_id,) in rows]

        return await self._changes_reader.read(read)


def to_credential(row: "asyncpg.Record") -> Credential:
    id, kind, name, created_at, last_used_at, by_facebook = row[:6]
    return Credential(id, Account(*row[6:]), kind, name, created_at, last_used_at, by_facebook)


async def read_credential(db: "Database", hash: bytes) -> Credential:
    """Raises NotFound, also for a suspended account's."""
    row = await db.fetchrow(f"{SELECT} WHERE hash = $1 AND suspended_at IS NULL", hash)
    if row is None:
        raise NotFound("credential")
    return to_credential(row)


async def read_credentials(db: "Database", account_id: int) -> list[Credential]:
    rows = await db.fetch(f"{SELECT} WHERE account_id = $1 ORDER BY last_used_at DESC, credentials.id DESC", account_id)
    return [to_credential(row) for row in rows]


async def has_identity(db: "Database", account_id: int, id: int | None) -> bool:
    """Whether the account has this identity, or any if `id` is None."""
    found = "SELECT 1 FROM identities WHERE account_id = $1 AND coalesce($2::bigint, id) = id"
    return await db.fetchrow(found, account_id, id) is not None


async def make_room(db: "Database", account_id: int, kind: str) -> None:
    """Raises TooMany."""
    if kind == "bot":
        bots = "SELECT count(*) FROM credentials WHERE account_id = $1 AND kind = 'bot'"
        if await db.fetchval(bots, account_id) >= MOST_BOT_TOKENS:
            raise TooMany(f"tokens of account {account_id}")
        return
    oldest = (
        "id IN (SELECT id FROM credentials WHERE account_id = $1 AND kind <> 'bot' "
        "ORDER BY last_used_at DESC OFFSET $2)"
    )
    await revoke(db, oldest, account_id, MOST_CREDENTIALS - 1)
