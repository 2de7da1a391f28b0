"""Small things that several nouns' SQL shares: rows as records, the time, the note to look at an account again."""

import sqlite3
import time

from storage.records import Account, Author, Message

ACCOUNT = "accounts.id, username, accounts.name, role, accounts.created_at, suspended_at"

COLUMNS = "id, seq, author_id, author_name, body, created_at, edited_at"
"""Of a message, as to_message takes them."""


def to_message(row: tuple[int, int, int | None, str | None, str | None, int, int | None]) -> Message:
    id, seq, author_id, author_name, body, created_at, edited_at = row
    author = None if author_id is None else Author(author_id, author_name or "")
    return Message(id, seq, author, body, created_at, edited_at)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def look_again(db: sqlite3.Connection, account_id: int) -> None:
    """Makes every process read anew what it knows of this account, and ask its parked polls who they are."""
    number = db.execute("UPDATE board SET access = access + 1 RETURNING access").fetchone()[0]
    db.execute("INSERT INTO access_changes VALUES (?, ?, ?)", (number, account_id, now_ms()))


def account_by(db: sqlite3.Connection, column: str, value: object) -> Account | None:
    row = db.execute(f"SELECT {ACCOUNT} FROM accounts WHERE {column} = ?", (value,)).fetchone()
    return Account(*row) if row else None
