"""Finds accounts of a database whose password has a hash that costs too much: see storage/costs.py."""

import sqlite3

from commands import ADMIN
from storage.costs import costs_too_much
from storage.errors import StorageError

HASHES = "SELECT CAST(username AS BLOB), CAST(password AS BLOB) FROM accounts WHERE password IS NOT NULL ORDER BY id"
MOST_NAMED = 5


def check_hashes(db: sqlite3.Connection, path: str) -> None:
    """`db` has passed check_shape(). Raises StorageError."""
    if names := costly_accounts(db):
        raise StorageError(
            f"{path} has hashes of passwords that would hold up everybody's sign-in, of {', '.join(names)}: set "
            f"accounts.password to NULL there with sqlite3; afterwards, {ADMIN} password makes links for a new one"
        )


def costly_accounts(db: sqlite3.Connection) -> list[str]:
    """Returns the usernames of the first few."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'accounts'").fetchone():  # an older board
        return []
    rows = db.execute(HASHES)
    found = (
        ascii(name.decode(errors="replace")) for name, hash in rows if costs_too_much(hash.decode(errors="replace"))
    )
    return [name for name, _ in zip(found, range(MOST_NAMED), strict=False)]
