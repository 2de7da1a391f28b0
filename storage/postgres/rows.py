"""Small things that several nouns' SQL shares: rows as records, and the note to look at an account again."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from storage.records import Account, Author, Message

if TYPE_CHECKING:
    from storage.postgres.connection import Database, Link
    from storage.postgres.pools import Reader
    from storage.postgres.writer import Writer

ACCOUNT = "accounts.id, username, accounts.name, role, accounts.created_at, suspended_at"
COLUMNS = "id, seq, author_id, author_name, body, created_at, edited_at"
"""Of a message, as to_message takes them."""


class Engine:
    """What every noun's methods work with."""

    _writer: "Writer"
    _reader: "Reader"
    _changes_reader: "Reader"


def to_message(row: Iterable[Any]) -> Message:
    id, seq, author_id, author_name, body, created_at, edited_at = row
    author = None if author_id is None else Author(author_id, author_name or "")
    return Message(id, seq, author, body, created_at, edited_at)


async def look_again(db: "Database | Link", account_id: int) -> None:
    """Makes every node read anew what it knows of this account, and ask its parked polls who they are."""
    number = await db.fetchval("UPDATE board SET access = access + 1 RETURNING access")
    await db.execute("INSERT INTO access_changes VALUES ($1, $2, now_ms())", number, account_id)


async def account_by(db: "Database", column: str, value: object) -> Account | None:
    wanted = plain(value) if isinstance(value, str) else value
    row = await db.fetchrow(f"SELECT {ACCOUNT} FROM accounts WHERE {column} = $1", wanted)
    return Account(*row) if row else None


def count(status: str) -> int:
    """How many rows a command's status says that it changed: `DELETE 3`."""
    return int(status.rpartition(" ")[2])


def plain(text: str) -> str | None:
    """What to look for: nothing, if PostgreSQL can't keep such a text. It keeps all but NUL."""
    return None if "\0" in text else text
