"""Moves a board from SQLite to PostgreSQL: all that is kept, counted and compared row by row.

The target gets everything in one transaction, its epoch last. So a move that breaks off has changed nothing, and can
be repeated. If it broke off between the target's commit and the mark in the source, repeating it only sets the mark.
"""

import argparse
import sys
from contextlib import aclosing
from typing import Any

from tqdm import tqdm

from admin.numbers import counted
from settings import Settings
from storage import open_storage
from storage.errors import StorageError
from storage.moving import TABLES
from storage.postgres.arriving import Arriving
from storage.postgres.connection import faults_as_unavailable
from storage.sqlite.leaving import Leaving

NAMED = {
    "access_changes": "access changes",
    "failed_tries": "counts of failed tries",
    "used": "used links",
    "audit": "audit entries",
}
"""What rows are called in tables whose names do not say it."""
MISMATCH = "what has arrived differs from what was sent, in table {}; nothing was kept. Please report this"


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
    source = await Leaving.open(source_url.removeprefix("sqlite:///"))
    try:
        target = await Arriving.open(target_url)
        try:
            async with faults_as_unavailable():
                with source.faults_in_words():
                    await move_all(source, target)
        finally:
            await target.close()
    finally:
        source.close()
    where = "--to" if options.target else "DATABASE_URL_TO"
    print(f"The board has moved to {target.name}. Start it with DATABASE_URL set to what {where} was; pages go on.")


async def move_all(source: Leaving, target: Arriving) -> None:
    counts = {table: source.count(table) for table in TABLES}
    with tqdm(total=2 * sum(counts.values()), unit=" rows", disable=None, file=sys.stderr) as bar:
        async with target:
            has_arrived = await target.board() == source.board()
            if not has_arrived:
                await target.check_empty()
                for table in TABLES:
                    for rows in source.rows(table):
                        await target.put(table, rows)
                        bar.update(len(rows))
            for table in TABLES:
                await compare(source, target, table, bar)
            if not has_arrived:
                await target.become(source.board(), source.last_ids())
    source.mark_as_moved(target.name)
    print(", ".join(counted(count, NAMED.get(table, table)) for table, count in counts.items() if count) + ".")


async def compare(source: Leaving, target: Arriving, table: str, bar: "tqdm[Any]") -> None:
    """Raises StorageError unless both have the same rows."""
    async with aclosing(target.rows(table)) as arrived:
        for rows in source.rows(table):
            for row in rows:
                if await anext(arrived, None) != row:
                    raise StorageError(MISMATCH.format(table))
            bar.update(len(rows))
        if await anext(arrived, None) is not None:
            raise StorageError(MISMATCH.format(table))
