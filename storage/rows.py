"""Makes records of rows, and has the SQL that several nouns share."""

from collections.abc import Iterable
from typing import Any

from storage.records import DELETED_NAME, Account, Author, Message
from storage.tx import Tx

ACCOUNT = "accounts.id, username, accounts.name, role, accounts.created_at, suspended_at"
"""The columns of Account."""
COLUMNS = "id, seq, author_id, author_name, body, created_at, edited_at"
"""The columns of a message, as to_message() takes them."""


def to_message(row: Iterable[Any]) -> Message:
    id, seq, author_id, author_name, body, created_at, edited_at = row
    author = None if author_id is None else Author(author_id, author_name or "")
    return Message(id, seq, author, body, created_at, edited_at)


async def note_access_change(tx: Tx, account_id: int) -> None:
    """Makes every process read this account again, and authenticate its parked polls again."""
    row = await tx.one("UPDATE board SET access = access + 1 RETURNING access")
    assert row is not None
    tx.has_news = True
    insert = "INSERT INTO access_changes (number, account_id, at) VALUES ($1, $2, now_ms())"
    await tx.run(insert, row[0], account_id)


async def account_by(tx: Tx, column: str, value: object) -> Account | None:
    row = await tx.one(f"SELECT {ACCOUNT} FROM accounts WHERE {column} = $1", value)
    return Account(*row) if row else None


async def raise_floor(tx: Tx) -> None:
    """Called after a bulk change: every client must replace what it shows."""
    tx.has_news = True
    await tx.run("UPDATE board SET seq = seq + 1, floor = seq + 1")


async def note(tx: Tx, actor: Account | None, action: str, target: str) -> None:
    """Writes an entry to the audit log."""
    await tx.run(
        "INSERT INTO audit (at, actor_id, actor_name, action, target) VALUES (now_ms(), $1, $2, $3, $4)",
        actor and actor.id,
        actor.username if actor else "command line",
        action,
        target,
    )


async def author_of(tx: Tx, message_id: int) -> str:
    """Returns the username of a message's author, as the audit log shows it."""
    row = await tx.one("SELECT author_id FROM messages WHERE id = $1", message_id)
    if row is None or row[0] is None:
        return "a guest"
    author = await account_by(tx, "id", row[0])
    return author.username if author else DELETED_NAME
