"""Reads an engine's migrations: numbered files, which are only ever added to. The engine runs them.

Nodes of the last release go on beside new ones, so a migration only adds; what it makes useless is removed by a later
release (docs/decisions/0016-upgrades.md).
"""

import logging
import pathlib
import re
from typing import NamedTuple

from commands import ADMIN
from storage.errors import CannotOpenError

log = logging.getLogger("longboard")

FOLDER = pathlib.Path(__file__).parent / "migrations"


class Migration(NamedTuple):
    number: int
    name: str
    sql: str


def migrations(engine: str) -> list[Migration]:
    """Returns all migrations of one engine in order. Their numbers begin with 1, and none is missing."""
    found: list[Migration] = []
    for path in sorted((FOLDER / engine).glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", path.name)
        assert match and int(match[1]) == len(found) + 1, f"{path} is out of order"
        found.append(Migration(int(match[1]), match[2], path.read_text("utf-8")))
    return found


COMPATIBLE = "SELECT coalesce(max(compatible), 9999) FROM board"
"""The oldest schema that a Longboard must know to use this database; a table board without a row is damaged, and nobody
can. Only a schema newer than ours is asked for it."""


def check_newer(database: str, version: int, known: int, compatible: int, *, is_served: bool) -> None:
    """Raises CannotOpenError for a newer schema that this Longboard can't use.

    If it can, it may serve the board, but not carry it elsewhere: it would leave behind what it doesn't know.
    """
    words = f"{database} is from a newer Longboard (its schema is {version}, this one knows {known})"
    if compatible > known:
        raise CannotOpenError(f"{words}; update Longboard, or use another DATABASE_URL")
    if not is_served:
        raise CannotOpenError(f"{words}; use {ADMIN} of that Longboard for this")
    log.warning("%s. This one can still use it.", words[0].upper() + words[1:])


def tell_of(before: int, version: int) -> None:
    """Writes to the log that an older database was migrated; a new one is none."""
    if 0 < before < version:
        log.info("The database was migrated from schema %d to %d.", before, version)


def of_schema(version: int, known: int, compatible: int) -> tuple[bool, str]:
    """Returns whether this Longboard can use the schema, and describes that for the doctor."""
    words = f"the schema is number {version}"
    if version == known:
        return True, words
    if version < known:
        return True, f"{words}; this Longboard has {known}, and migrates it at its start"
    can = "can still" if compatible <= known else "can't"
    return compatible <= known, f"{words}; this Longboard has {known}, and {can} use it"
