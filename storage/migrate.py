"""Reads an engine's migrations: numbered files, which are only ever added to. The engine runs them."""

import dataclasses
import pathlib
import re

FOLDER = pathlib.Path(__file__).parent / "migrations"


@dataclasses.dataclass(frozen=True)
class Migration:
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
