"""Rows for suspended accounts whose identity was deleted, in SQLite (see storage/suspensions.py)."""

import sqlite3

from storage.records import NotAllowed
from storage.sqlite.rows import now_ms
from storage.suspensions import Suspension


def remember_suspension(db: sqlite3.Connection, account_id: int) -> None:
    """Called before the identity of an account is deleted; does nothing if the account is not suspended."""
    row = db.execute(
        "SELECT app_id, facebook_id, username FROM identities JOIN accounts ON accounts.id = account_id "
        "WHERE account_id = ? AND suspended_at IS NOT NULL",
        (account_id,),
    ).fetchone()
    if row is not None:
        app_id, facebook_id, username = row
        note = Suspension.of(app_id, facebook_id, username, now_ms())
        db.execute(
            "INSERT INTO suspensions (salt, identity_hash, username_hash, until) VALUES (?, ?, ?, ?)",
            (note.salt, note.identity_hash, note.username_hash, note.until),
        )


def suspensions(db: sqlite3.Connection) -> list[Suspension]:
    rows = db.execute("SELECT salt, identity_hash, username_hash, until FROM suspensions WHERE until > ?", (now_ms(),))
    return [Suspension(*row) for row in rows]


def check_identity(db: sqlite3.Connection, app_id: str, facebook_id: str) -> None:
    """Raises NotAllowed for an identity that was deleted while its account was suspended."""
    if any(note.is_identity(app_id, facebook_id) for note in suspensions(db)):
        raise NotAllowed("identity")


def is_reserved(db: sqlite3.Connection, username: str) -> bool:
    """Whether a suspended account had this username: nobody else may take it and be mistaken for that person."""
    return any(note.is_username(username) for note in suspensions(db))


def forgive(db: sqlite3.Connection, username: str) -> int:
    """Ends the suspension of a deleted account; returns how many rows there were."""
    salts = [(note.salt,) for note in suspensions(db) if note.is_username(username)]
    db.executemany("DELETE FROM suspensions WHERE salt = ?", salts)
    return len(salts)
