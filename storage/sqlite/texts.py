"""Finds texts that are not UTF-8. A failing disk or another program may leave some, and the error that Python's sqlite3
raises for them does not name the row, but shows the text.
"""

import contextlib
import sqlite3
from collections.abc import Iterator

from commands import ADMIN
from storage.errors import UnavailableError

NO_UTF8 = "Could not decode to UTF-8"
"""How sqlite3's error begins: a sqlite3.OperationalError without a code."""
TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' AND rootpage > 0"
"""All tables but virtual ones, which have no root page."""
MOST_NAMED = 5


@contextlib.contextmanager
def faults_in_words(db: sqlite3.Connection) -> Iterator[None]:
    """Turns each fault of SQLite into UnavailableError."""
    try:
        yield
    except sqlite3.Error as error:
        raise UnavailableError(explained(db, error)) from None


def explained(db: sqlite3.Connection, error: Exception) -> str:
    """Returns the error, or names the row with a text that is not UTF-8. A server's connection looks only once."""
    if not str(error).startswith(NO_UTF8):
        return str(error)
    if not (words := getattr(db, "damage", "")):
        words = next(iter(damaged_texts(db, most=1)), "a text is not UTF-8")
        words += f"; {ADMIN} doctor names all such texts. Restore a backup, or correct them with sqlite3"
        if hasattr(db, "damage"):
            db.damage = words
    return words


def damaged_texts(db: sqlite3.Connection, most: int = MOST_NAMED) -> list[str]:
    """Describes the first of them."""
    found: list[str] = []
    factory, db.text_factory = db.text_factory, bytes
    try:
        for (table,) in db.execute(TABLES).fetchall():
            found += damaged_in(db, table.decode(), most - len(found))
            if len(found) >= most:
                break
    finally:
        db.text_factory = factory
    return found


def damaged_in(db: sqlite3.Connection, table: str, most: int) -> list[str]:
    """`table` is one of ours, or has passed check_shape()."""
    info = db.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall()
    texts = [name.decode() for name, kind in info if kind == b"TEXT"]
    found: list[str] = []
    if not texts:
        return found
    key = info[0][0].decode()
    for row in db.execute(f'SELECT "{key}", {", ".join(texts)} FROM "{table}"'):
        for column, value in zip(texts, row[1:], strict=True):
            if isinstance(value, bytes) and not is_utf8(value):
                found.append(f"{column} of {table}, {key} {shown(row[0])}, is not UTF-8")
                if len(found) >= most:
                    return found
    return found


def is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def shown(key: object) -> str:
    return ascii(key)[1:] if isinstance(key, bytes) else str(key)
