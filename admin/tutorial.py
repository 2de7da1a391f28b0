"""Imports a board made by the tutorial: table messages (msg_content TEXT, msg_time INTEGER, in ms)."""

import argparse
import functools
import hashlib
import os
import sqlite3
import sys
import time
import urllib.parse
from collections.abc import Iterator

from tqdm import tqdm

from admin.numbers import counted, were
from admin.pace import patiently
from admin.people import opened
from admin.tutorial_users import import_users
from board.text import BODY_MAX, is_visible, tidy
from settings import Settings
from storage import Storage
from storage.errors import StorageError
from storage.records import Import
from storage.sqlite.database_file import must_be_file

MESSAGES_AT_ONCE = 500
"""Messages in one transaction: about ten milliseconds, so that a running server can post in between."""
Row = tuple[int, object, object]


async def import_tutorial(settings: Settings, options: argparse.Namespace) -> None:
    """Imports messages, users or both: what the file has. Raises StorageError or OSError."""
    source = open_source(options.file)
    try:
        async with opened(settings) as storage:
            if has_table(source, "messages", "msg_content", "msg_time"):
                await import_messages(source, storage)
            if has_table(source, "users", "uusr", "upwd"):
                await import_users(source, storage)
    except sqlite3.Error as error:
        raise StorageError(f"{options.file} can't be read: {error}") from error
    finally:
        source.close()


async def import_messages(source: sqlite3.Connection, storage: Storage) -> None:
    new = known = blank = 0
    too_long: list[int] = []
    total = source.execute("SELECT count(*) FROM messages").fetchone()[0]
    with tqdm(total=total, unit=" messages", disable=None, file=sys.stderr) as bar:
        for rows in chunks(source):
            seen = [(row[0], message) for row in rows if (message := to_import(row))]
            messages = [message for _, message in seen if len(message.body) <= BODY_MAX]
            too_long += [rowid for rowid, message in seen if len(message.body) > BODY_MAX]
            added = await patiently(functools.partial(storage.import_messages, messages))
            new, known, blank = new + added, known + len(messages) - added, blank + len(rows) - len(seen)
            bar.update(len(rows))
    for rowid in too_long:
        print(f"The message of row {rowid} is left out: it has more than {BODY_MAX} characters.")
    print(f"{counted(new, 'messages')} brought in; {were(known)} here already, {were(blank)} blank.")


def open_source(path: str) -> sqlite3.Connection:
    must_be_file(path)
    source = sqlite3.connect(f"file:{urllib.parse.quote(os.path.abspath(path))}?mode=ro", uri=True)
    source.execute("PRAGMA trusted_schema = OFF")
    source.text_factory = lambda raw: raw.decode(errors="replace")
    try:
        if has_table(source, "messages", "msg_content", "msg_time") or has_table(source, "users", "uusr", "upwd"):
            return source
        why = "it has neither its messages nor its users"
    except sqlite3.Error as error:
        why = str(error)
    source.close()
    raise StorageError(f"{path} is not a board made by the tutorial: {why}")


def has_table(source: sqlite3.Connection, table: str, *columns: str) -> bool:
    """Whether it is a table with a rowid, as the tutorial makes it. Reading a view may take forever."""
    kind = "SELECT 1 FROM pragma_table_list WHERE schema = 'main' AND name = ? AND type = 'table' AND NOT wr"
    if not source.execute(kind, (table,)).fetchone():
        return False
    names = {row[0] for row in source.execute("SELECT name FROM pragma_table_info(?)", (table,))}
    return names.issuperset(columns)


def chunks(source: sqlite3.Connection) -> Iterator[list[Row]]:
    after = -(2**63)
    while rows := source.execute(
        "SELECT rowid, msg_content, msg_time FROM messages WHERE rowid > ? ORDER BY rowid LIMIT ?",
        (after, MESSAGES_AT_ONCE),
    ).fetchall():
        yield rows
        after = rows[-1][0]


def to_import(row: Row) -> Import | None:
    """Returns None for a message that shows nothing. The key is made from the whole row, so each is imported once."""
    rowid, content, at = row
    text = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
    body = tidy(text.replace("\0", ""))
    if not is_visible(body):
        return None
    key = hashlib.sha256(f"{rowid}\0{at}\0{text}".encode(errors="replace")).hexdigest()
    return Import(body, to_ms(at), f"tutorial-{key[:40]}")


def to_ms(at: object) -> int:
    """Returns the tutorial's time, or the current time if that makes no sense."""
    now = time.time_ns() // 1_000_000
    return at if isinstance(at, int) and 0 < at <= now else now
