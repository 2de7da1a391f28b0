"""Sessions and tokens in SQLite: found by the hash of their secret."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

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
from storage.sqlite.connection import Engine
from storage.sqlite.rights import check_allowed, check_in_force, end_ways_in, revoke
from storage.sqlite.rows import ACCOUNT, now_ms
from storage.ways_in import SIGN_INS

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
        def unit(db: sqlite3.Connection) -> Credential:
            check_allowed(db, account_id, None)
            is_by_facebook = check_in_force(db, account_id, by, password) or by_facebook
            if is_by_facebook and not has_identity(db, account_id, identity_id):
                raise Outdated(f"the identity of account {account_id}")
            if replaces is not None:
                revoke(db, "hash = ?", replaces)
            now = now_ms()
            make_room(db, account_id, kind)
            db.execute(
                "INSERT INTO credentials (account_id, kind, hash, name, created_at, last_used_at, by_facebook) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (account_id, kind, hash, name, now, now, is_by_facebook),
            )
            return read_credential(db, hash)

        return await self._writer.write(unit)

    async def credential(self, hash: bytes) -> Credential:
        return await self._reader.read(read_credential, hash)

    async def credentials(self, account_id: int) -> list[Credential]:
        return await self._reader.read(read_credentials, account_id)

    async def revoke_credential(self, account_id: int, id: int, kind: str | None = None) -> None:
        def unit(db: sqlite3.Connection) -> None:
            if not revoke(db, "account_id = ? AND id = ? AND kind = ifnull(?, kind)", account_id, id, kind):
                raise NotFound(f"credential {id}")

        await self._writer.write(unit)

    async def revoke_all(self, account_id: int, keep: int | None = None) -> None:
        await self._writer.write(lambda db: end_ways_in(db, account_id, ways=SIGN_INS, keep=keep))

    async def save_uses(self, uses: Mapping[int, int]) -> None:
        def unit(db: sqlite3.Connection) -> None:
            db.executemany(
                "UPDATE credentials SET last_used_at = max(last_used_at, ?) WHERE id = ?",
                [(at, id) for id, at in uses.items()],
            )

        await self._writer.write(unit)

    async def access_changes_after(self, number: int) -> Sequence[int]:
        def read(db: sqlite3.Connection) -> list[int]:
            rows = db.execute("SELECT DISTINCT account_id FROM access_changes WHERE number > ?", (number,))
            return [account_id for (account_id,) in rows]

        return await self._changes_reader.read(read)


def to_credential(row: tuple[Any, ...]) -> Credential:
    id, kind, name, created_at, last_used_at, by_facebook = row[:6]
    return Credential(id, Account(*row[6:]), kind, name, created_at, last_used_at, bool(by_facebook))


def read_credential(db: sqlite3.Connection, hash: bytes) -> Credential:
    """Raises NotFound, also for a suspended account's."""
    row = db.execute(f"{SELECT} WHERE hash = ? AND suspended_at IS NULL", (hash,)).fetchone()
    if row is None:
        raise NotFound("credential")
    return to_credential(row)


def read_credentials(db: sqlite3.Connection, account_id: int) -> list[Credential]:
    rows = db.execute(f"{SELECT} WHERE account_id = ? ORDER BY last_used_at DESC, credentials.id DESC", (account_id,))
    return [to_credential(row) for row in rows]


def has_identity(db: sqlite3.Connection, account_id: int, id: int | None) -> bool:
    """Whether the account has this identity, or any if `id` is None."""
    found = db.execute("SELECT 1 FROM identities WHERE account_id = ?1 AND coalesce(?2, id) = id", (account_id, id))
    return found.fetchone() is not None


def make_room(db: sqlite3.Connection, account_id: int, kind: str) -> None:
    """Raises TooMany."""
    if kind == "bot":
        count = "SELECT count(*) FROM credentials WHERE account_id = ? AND kind = 'bot'"
        if db.execute(count, (account_id,)).fetchone()[0] >= MOST_BOT_TOKENS:
            raise TooMany(f"tokens of account {account_id}")
        return
    oldest = (
        "id IN (SELECT id FROM credentials WHERE account_id = ? AND kind <> 'bot' "
        "ORDER BY last_used_at DESC LIMIT -1 OFFSET ?)"
    )
    revoke(db, oldest, account_id, MOST_CREDENTIALS - 1)
