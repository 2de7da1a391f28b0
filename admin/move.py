"""Moves a board from SQLite to PostgreSQL: all that is kept, counted and compared row by row.

The target gets everything in one transaction, its epoch last. So a move that breaks off has changed nothing, and can
be repeated. If it broke off between the target's commit and the mark in the source, repeating it only sets the mark.
"""

import argparse
import sys
from collections.abc import Mapping
from contextlib import aclosing

from tqdm import tqdm

from admin.numbers import counted
from settings import Settings
from storage import open_storage
from storage.errors import StorageError
from storage.postgres.transfer import PostgreSQLTransfer
from storage.sqlite.transfer import SQLiteTransfer
from storage.tables import TABLES

NAMED = {
    "access_changes": "access changes",
    "failed_tries": "counts of failed tries",
    "hooks": "incoming webhooks",
    "used": "used links",
    "audit": "audit entries",
    "slugs": "short names of boards",
    "posts": "messages of other boards",
    "marks": "read marks",
}
"""What rows are called in tables whose names do not say it."""


async def migrate(settings: Settings, options: argparse.Namespace) -> None:
    """Opens the database, which migrates it; several may do so at once.

    Run this before new servers start, such as in a release phase.
    """
    if settings.disk_is_wiped:
        print("Nothing to do: the database will be a new file on the dyno's own disk.")
        return
    await (await open_storage(settings.database_url)).close()
    print("The database is ready.")


async def move(settings: Settings, options: argparse.Namespace) -> None:
    """Raises StorageError."""
    source_url = options.source or settings.database_url
    target_url = options.target or options.variables.get("DATABASE_URL_TO", "")
    if not target_url:
        raise StorageError("DATABASE_URL_TO is not set: it says where the board moves to, postgres://…")
    if not source_url.startswith("sqlite:///") or not target_url.startswith(("postgres://", "postgresql://")):
        raise StorageError("a board moves from DATABASE_URL=sqlite:///file.db to DATABASE_URL_TO=postgres://…")
    async with (
        aclosing(await SQLiteTransfer.open_alone(source_url.removeprefix("sqlite:///"))) as source,
        aclosing(await PostgreSQLTransfer.open(target_url, is_long=True)) as target,
    ):
        counts = await source.write(lambda _: move_all(source, target))
    print(", ".join(counted(count, NAMED.get(table, table)) for table, count in counts.items() if count) + ".")
    where = "--to" if options.target else "DATABASE_URL_TO"
    print(f"The board has moved to {target.name}. Start it with DATABASE_URL set to what {where} was; pages go on.")


async def move_all(source: SQLiteTransfer, target: PostgreSQLTransfer) -> Mapping[str, int]:
    """Returns how many rows of each table there are."""
    position = await source.position(TABLES)
    with tqdm(total=2 * sum(position.counts.values()), unit=" rows", disable=None, file=sys.stderr) as bar:
        await target.receive(source, position, bar.update)
    await source.mark_as_moved(target.name)
    return position.counts
