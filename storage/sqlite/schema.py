"""Brings a SQLite file to this version's schema, one transaction for each migration."""

import sqlite3
from collections.abc import Iterator

from storage.migrate import Migration, migrations
from storage.records import CannotOpen

APPLICATION_ID = 0x4C6F6E67  # "Long": marks the file as ours (PRAGMA application_id)


def migrate(db: sqlite3.Connection, path: str) -> None:
    """Raises CannotOpen for a database that is not ours, or is from a newer Longboard."""
    known = migrations("sqlite")
    if not db.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone():
        raise CannotOpen("the SQLite of this Python has no FTS5, which the board's search needs; use another Python")
    try:
        for migration in known:
            apply(db, migration)
        version, ours = version_of(db), pragma(db, "application_id") == APPLICATION_ID
        moved_to = read_moved(db)
    except sqlite3.DatabaseError as error:
        raise CannotOpen(f"the database {path} can't be used: {error}") from error
    if not ours:
        raise CannotOpen(
            f"{path} is a database, but not Longboard's; "
            "a tutorial's board is brought in with bin/admin import-tutorial"
        )
    if version > len(known):
        raise CannotOpen(
            f"the database {path} is from a newer Longboard (its schema is {version}, this one knows {len(known)}); "
            "update Longboard, or use another DATABASE_URL"
        )

    if moved_to is not None:
        raise CannotOpen(
            f"the board in {path} was moved to PostgreSQL ({moved_to}), and goes on there: set DATABASE_URL to that. "
            f"To go back to what it was then: sqlite3 {path} 'DROP TABLE moved'"
        )


def read_moved(db: sqlite3.Connection) -> str | None:
    """Where leaving.py says that the board has gone."""
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
    """The file's statements, one by one: executescript would commit on its own."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    assert not statement.strip(), "the migration ends in the middle of a statement"
