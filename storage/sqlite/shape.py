"""Compares a database's schema with that of our migrations: a foreign trigger or view could delete or hide posts."""

import contextlib
import re
import sqlite3

from storage.errors import CannotOpenError
from storage.migrate import migrations
from storage.sqlite.database_file import why_not
from storage.sqlite.schema import MOVED, check_is_ours, version_of
from storage.sqlite.word_index import make_part

TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\w+|[^\w\s]""")
PART_TABLE = re.compile(r"(words|post_words)_(0|[1-9][0-9]{0,13})")
FIRST_WITH_PARTS = {"words": 4, "post_words": 10}
"""The first version of the schema that has such parts of an index for searching."""
OPTIONAL = (MOVED, "CREATE TABLE sqlite_stat1(tbl,idx,stat)", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)")
"""Tables that a board may have: a mark that it was moved, and what ANALYZE makes."""
NAMED = 5
"""How many differences are named."""
Objects = dict[tuple[str, str], tuple[str, tuple[str, ...]]]
"""Maps kind and name of an object to the table that it belongs to, and to its SQL without comments and blanks."""


def check_shape(db: sqlite3.Connection, path: str) -> None:
    """Raises CannotOpenError for a database that is not ours, or whose schema differs from that of its version."""
    try:
        check_is_ours(db, path)
        found = differences(db)
    except sqlite3.Error as error:
        raise CannotOpenError(why_not(path, error)) from error
    if found:
        raise CannotOpenError(
            f"{path} is not as Longboard makes a database, and may do harm: {described(found)}. "
            "Remove first what you have added yourself"
        )


def described(found: list[str]) -> str:
    more = f", and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more


def differences(db: sqlite3.Connection) -> list[str]:
    """Describes the differences. A schema of an older version has none; one of a newer version can't be compared."""
    version = version_of(db)
    known = migrations("sqlite")
    if version > len(known):
        return []
    there = objects(db)
    with contextlib.closing(sqlite3.connect(":memory:")) as model:
        for migration in known[: max(0, version)]:
            model.executescript(migration.sql)
        needed = objects(model)
        make_parts(model, there, version)
        allowed = objects(model)
    for sql in OPTIONAL:
        name = re.split(r"\W+", sql)[2]
        allowed["table", name] = (name, tokens(sql))
    foreign = [f"it has the {kind} {readable(name)}" for kind, name in there if (kind, name) not in allowed]
    lost = [f"it lacks the {kind} {name}" for kind, name in needed if (kind, name) not in there]
    other = [
        f"its {kind} {name} is another"
        for kind, name in there
        if there[kind, name] != allowed.get((kind, name), there[kind, name])
    ]
    encoding = db.execute("PRAGMA encoding").fetchone()[0]
    return foreign + lost + other + ([] if encoding == "UTF-8" else [f"its encoding is {encoding}"])


def make_parts(model: sqlite3.Connection, there: Objects, version: int) -> None:
    for kind, name in there:
        if kind == "table" and (match := PART_TABLE.fullmatch(name)) and version >= FIRST_WITH_PARTS[match[1]]:
            make_part(model, name)


def objects(db: sqlite3.Connection) -> Objects:
    rows = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()
    return {(kind, name): (table, tokens(sql or "")) for kind, name, table, sql in rows}


def tokens(sql: str) -> tuple[str, ...]:
    return tuple(token for token in TOKEN.findall(sql) if not token.startswith("--"))


def readable(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name[:60])
