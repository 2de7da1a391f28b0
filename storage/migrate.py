"""Which migrations an engine has: numbered files, only ever added to. How to run them is the engine's business."""

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
    """All of one engine's, in order; their numbers run from 1 with none missing."""
    found: list[Migration] = []
    for path in sorted((FOLDER / engine).glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", path.name)
        assert match and int(match[1]) == len(found) + 1, f"{path} is out of order"
        found.append(Migration(int(match[1]), match[2], path.read_text("utf-8")))
    return found
