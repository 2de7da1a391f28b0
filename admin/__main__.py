"""The commands of bin/admin. Exit status: 0 done, 1 it could not be done, 2 it was asked wrongly."""

import argparse
import asyncio
import sys

from admin.tutorial import import_tutorial
from settings import read_settings
from storage.records import StorageError


def main() -> None:
    options = parser().parse_args()
    settings = read_settings([f"--database-url={options.database_url}"] if options.database_url else [])
    try:
        asyncio.run(options.run(settings, options))
    except (StorageError, OSError) as error:
        sys.exit(f"bin/admin: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="bin/admin", description="Looks after a board. DATABASE_URL says which.")
    top.add_argument("--database-url", metavar="URL", help="the board's database, instead of DATABASE_URL")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command = commands.add_parser(
        "import-tutorial",
        help="bring in the messages of a board made by the tutorial",
        description="Brings in the messages of a board made by the tutorial, in order, while the server runs or "
        "not. It may be interrupted and repeated: each message comes once.",
    )
    command.add_argument("file", help="its SQLite file, such as data.db")
    command.set_defaults(run=import_tutorial)
    return top


if __name__ == "__main__":
    main()
