"""Brings a SQLite file to this version's schema, one transaction for each migration."""

import contextlib
import sqlite3
from collections.abc import Iterator

from commands import ADMIN
from storage.errors import CannotOpenError
from storage.migrate import COMPATIBLE, Migration, check_newer, migrations, tell_of

APPLICATION_ID = 0x4C6F6E67  # "Long": marks the file as ours (PRAGMA application_id)
MOVED = "CREATE TABLE moved (target TEXT NOT NULL, at INTEGER NOT NULL) STRICT"
"""The mark of a database that was moved."""


def migrate(db: sqlite3.Connection, path: str, is_served: bool = False) -> None:
    """Migrates the database if it is older. Serving it is possible with a newer schema, too, if that allows it.

    Raises CannotOpenError, also for a database that is not ours.
    """
    if not db.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone():
        raise CannotOpenError(
            "the SQLite of this Python has no FTS5, which the board's search needs; use another Python"
        )
    try:
        before = version_of(db)
        for migration in migrations("sqlite"):
            apply(db, migration)
        tell_of(before, version_of(db))
    except sqlite3.DatabaseError as error:
        raise CannotOpenError(f"the database {path} can't be used: {error}") from error
    check_schema(db, path, is_served)


def check_schema(db: sqlite3.Connection, path: str, is_served: bool = False) -> None:
    """Raises CannotOpenError unless it is a board that has not been moved, of a schema that can be used."""
    known = len(migrations("sqlite"))
    try:
        check_is_ours(db, path)
        version, moved_to = version_of(db), read_moved(db)
        compatible = db.execute(COMPATIBLE).fetchone()[0] if version > known else 0
    except sqlite3.DatabaseError as error:
        raise CannotOpenError(f"the database {path} can't be used: {error}") from error
    if version > known:
        check_newer(f"the database {path}", version, known, compatible, is_served=is_served)
    if version < known:
        raise CannotOpenError(
            f"the database {path} is from an older Longboard (its schema is {version}, this one's is {known}) and can't "
            "be changed where it is: make a backup of it on another disk, and ask that"
        )
    if moved_to is not None:
        raise CannotOpenError(
            f"the board in {path} was moved to PostgreSQL ({moved_to}), and goes on there: set DATABASE_URL to its address. "
            f"To go back to what it was then: sqlite3 {path} 'DROP TABLE moved'"
        )


def check_is_ours(db: sqlite3.Connection, path: str) -> None:
    """Raises CannotOpenError if the database is not ours. The error says what to do, if anything can be done."""
    if pragma(db, "application_id") == APPLICATION_ID:
        return
    if version := looks_like(db):
        raise CannotOpenError(
            f"{path} has a board's tables, but not the two marks of one: a copy by sqlite3's .dump or .clone lacks them. "
            f"{ADMIN} backup makes complete copies. To mark this one: "
            f"sqlite3 {path} 'PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}'"
        )
    raise CannotOpenError(
        f"{path} is a database, but not Longboard's; {ADMIN} import-tutorial imports a tutorial's board"
    )


def looks_like(db: sqlite3.Connection) -> int:
    """Returns the number of the last migration whose tables and columns the database has; 0 for none."""
    there, number = columns(db), 0
    with contextlib.closing(sqlite3.connect(":memory:")) as model:
        for migration in migrations("sqlite"):
            model.executescript(migration.sql)
            if columns(model) <= there:
                number = migration.number
    return number


def columns(db: sqlite3.Connection) -> set[tuple[str, str]]:
    """Returns the columns of all tables, except virtual ones, which can't be read without their module."""
    tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
    found = set()
    for (table,) in tables.fetchall():
        for (column,) in db.execute("SELECT name FROM pragma_table_info(?)", (table,)):
            found.add((table, column))
    return found


def read_moved(db: sqlite3.Connection) -> str | None:
    """Returns where the board was moved, as transfer.py noted it; None if it was not moved."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'moved'").fetchone():
        return None
    return str(db.execute("SELECT target FROM moved").fetchone()[0])


def apply(db: sqlite3.Connection, migration: Migration) -> None:
    """Applies one migration if it is the next; several processes may try at once."""
    if version_of(db) >= migration.number:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        if version_of(db) == migration.number - 1 and is_ours_or_empty(db):
            for statement in statements(migration.sql):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {migration.number}")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def is_ours_or_empty(db: sqlite3.Connection) -> bool:
    empty: bool = db.execute("SELECT count(*) = 0 FROM sqlite_schema").fetchone()[0]
    return empty or pragma(db, "application_id") == APPLICATION_ID


def version_of(db: sqlite3.Connection) -> int:
    return pragma(db, "user_version")


def pragma(db: sqlite3.Connection, name: str) -> int:
    value: int = db.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def statements(sql: str) -> Iterator[str]:
    """Yields the file's statements one by one, because executescript would commit by itself."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    assert not statement.strip(), "the migration ends in the middle of a statement"
