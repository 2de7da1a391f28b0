"""Small things that several nouns' SQL shares: the time, and the note that an account must be looked at again."""

import sqlite3
import time

from storage.records import Account

ACCOUNT = "accounts.id, username, accounts.name, role, accounts.created_at, suspended_at"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def look_again(db: sqlite3.Connection, account_id: int) -> None:
    """Makes every process read anew what it knows of this account, and ask its parked polls who they are."""
    number = db.execute("UPDATE board SET access = access + 1 RETURNING access").fetchone()[0]
    db.execute("INSERT INTO access_changes VALUES (?, ?, ?)", (number, account_id, now_ms()))


def account_by(db: sqlite3.Connection, column: str, value: object) -> Account | None:
    row = db.execute(f"SELECT {ACCOUNT} FROM accounts WHERE {column} = ?", (value,)).fetchone()
    return Account(*row) if row else None
