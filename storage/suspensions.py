"""Kept when the identity of a suspended account, or the account, is deleted: enough to recognise it, and no more.

Each row has its own salt, so that it stays valid after a restore, a move and an import, and nobody can look up in it
who was suspended.
"""

import dataclasses
import hashlib
import hmac
import secrets

from storage.records import DAY_MS

SUSPENSION_DAYS = 365
"""How long a row is kept."""


@dataclasses.dataclass(frozen=True, slots=True)
class Suspension:
    """A row of the table `suspensions`: salted hashes of the Facebook id and of the username."""

    salt: bytes
    identity_hash: bytes
    username_hash: bytes
    until: int

    @classmethod
    def of(cls, app_id: str, facebook_id: str, username: str, now: int) -> "Suspension":
        salt = secrets.token_bytes(16)
        return cls(
            salt,
            hashed(salt, identity_text(app_id, facebook_id)),
            hashed(salt, username_text(username)),
            now + SUSPENSION_DAYS * DAY_MS,
        )

    def is_identity(self, app_id: str, facebook_id: str) -> bool:
        return hmac.compare_digest(self.identity_hash, hashed(self.salt, identity_text(app_id, facebook_id)))

    def is_username(self, username: str) -> bool:
        return hmac.compare_digest(self.username_hash, hashed(self.salt, username_text(username)))


def identity_text(app_id: str, facebook_id: str) -> str:
    return f"identity\0{app_id}\0{facebook_id}"


def username_text(username: str) -> str:
    return f"username\0{username}"


def hashed(salt: bytes, text: str) -> bytes:
    return hmac.digest(salt, text.encode(errors="replace"), hashlib.sha256)
