"""Rows for suspended accounts whose identity was deleted, in PostgreSQL (see storage/suspensions.py)."""

from typing import TYPE_CHECKING

from storage.records import NotAllowed
from storage.suspensions import Suspension

if TYPE_CHECKING:
    from storage.postgres.connection import Database


async def remember_suspension(db: "Database", account_id: int) -> None:
    """Called before the identity of an account is deleted; does nothing if the account is not suspended."""
    row = await db.fetchrow(
        "SELECT app_id, facebook_id, username, now_ms() FROM identities JOIN accounts ON accounts.id = account_id "
        "WHERE account_id = $1 AND suspended_at IS NOT NULL",
        account_id,
    )
    if row is not None:
        note = Suspension.of(*row)
        await db.execute(
            "INSERT INTO suspensions (salt, identity_hash, username_hash, until) VALUES ($1, $2, $3, $4)",
            note.salt,
            note.identity_hash,
            note.username_hash,
            note.until,
        )


async def suspensions(db: "Database") -> list[Suspension]:
    rows = await db.fetch("SELECT salt, identity_hash, username_hash, until FROM suspensions WHERE until > now_ms()")
    return [Suspension(*row) for row in rows]


async def check_identity(db: "Database", app_id: str, facebook_id: str) -> None:
    """Raises NotAllowed for an identity that was deleted while its account was suspended."""
    if any(note.is_identity(app_id, facebook_id) for note in await suspensions(db)):
        raise NotAllowed("identity")


async def is_reserved(db: "Database", username: str) -> bool:
    """Whether a suspended account had this username: nobody else may take it and be mistaken for that person."""
    return any(note.is_username(username) for note in await suspensions(db))


async def forgive(db: "Database", username: str) -> int:
    """Ends the suspension of a deleted account; returns how many rows there were."""
    salts = [note.salt for note in await suspensions(db) if note.is_username(username)]
    await db.execute("DELETE FROM suspensions WHERE salt = ANY($1::bytea[])", salts)
    return len(salts)
