"""What is kept when a suspended account, or only one of its identities, is deleted: enough to recognise it, and no more.

Each row has its own salt, so that it stays valid after a restore, a move and an import, and nobody can look up
in it who was suspended.
"""

import hashlib
import hmac
import secrets
from typing import NamedTuple

from storage.errors import NotAllowedError
from storage.records import DAY_MS
from storage.tables import SUBJECT
from storage.tx import Tx

SUSPENSION_DAYS = 365
"""How long a row is kept."""


class Suspension(NamedTuple):
    """A row of the table `suspensions`: salted hashes of the identity and of the username."""

    salt: bytes
    identity_hash: bytes
    username_hash: bytes
    until: int

    @classmethod
    def of(cls, app_id: str, subject: str, username: str, now: int) -> "Suspension":
        salt = secrets.token_bytes(16)
        return cls(
            salt,
            hashed(salt, identity_text(app_id, subject)),
            hashed(salt, username_text(username)),
            now + SUSPENSION_DAYS * DAY_MS,
        )

    def is_identity(self, app_id: str, subject: str) -> bool:
        return hmac.compare_digest(self.identity_hash, hashed(self.salt, identity_text(app_id, subject)))

    def is_username(self, username: str) -> bool:
        return hmac.compare_digest(self.username_hash, hashed(self.salt, username_text(username)))


def identity_text(app_id: str, subject: str) -> str:
    return f"identity\0{app_id}\0{subject}"


def username_text(username: str) -> str:
    return f"username\0{username}"


def hashed(salt: bytes, text: str) -> bytes:
    return hmac.digest(salt, text.encode(errors="replace"), hashlib.sha256)


async def remember_suspension(tx: Tx, account_id: int, provider: str) -> None:
    """Called before an identity of an account is deleted; does nothing if the account is not suspended."""
    row = await tx.one(
        f"SELECT app_id, {SUBJECT}, username, now_ms() FROM identities JOIN accounts ON accounts.id = account_id "
        "WHERE account_id = $1 AND provider = $2 AND suspended_at IS NOT NULL",
        account_id,
        provider,
    )
    if row is not None:
        made = Suspension.of(*row)
        await tx.run(
            "INSERT INTO suspensions (salt, identity_hash, username_hash, until) VALUES ($1, $2, $3, $4)",
            made.salt,
            made.identity_hash,
            made.username_hash,
            made.until,
        )


async def suspensions(tx: Tx) -> list[Suspension]:
    rows = await tx.all(
        "SELECT salt, identity_hash, username_hash, until FROM suspensions WHERE until > (SELECT now_ms())"
    )
    return [Suspension(*row) for row in rows]


async def check_identity(tx: Tx, app_id: str, subject: str) -> None:
    """Raises NotAllowedError for an identity that was deleted while its account was suspended."""
    if any(one.is_identity(app_id, subject) for one in await suspensions(tx)):
        raise NotAllowedError("identity")


async def is_reserved(tx: Tx, username: str) -> bool:
    """Whether a suspended account had this username: nobody else may take it and be mistaken for that person."""
    return any(one.is_username(username) for one in await suspensions(tx))


async def forgive(tx: Tx, username: str) -> int:
    """Ends the suspension of a deleted account; returns how many rows there were."""
    salts = [one.salt for one in await suspensions(tx) if one.is_username(username)]
    await tx.run_many("DELETE FROM suspensions WHERE salt = $1", [(salt,) for salt in salts])
    return len(salts)
