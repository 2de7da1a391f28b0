"""The commands of bin/admin. Exit status: 0 done, 1 it could not be done, 2 it was asked wrongly."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from admin import people
from admin.tutorial import import_tutorial
from settings import Settings, read_settings
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
    commands = top.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)

    def command(name: str, run: Run, help: str, more: str = "") -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}. {more}")
        added.set_defaults(run=run)
        return added

    command("invite", people.invite, "print a link with which one person can make an account")
    for name, run, help in PEOPLE:
        command(name, run, help).add_argument("username")
    log = command("audit", people.audit, "print who did what to others, the newest last")
    log.add_argument("-n", dest="number", type=int, default=100, help="how many entries (100)")
    command("migrate", people.migrate, "bring the database to this version's schema, as starting the board does too")
    command(
        "import-tutorial",
        import_tutorial,
        "bring in the messages or the users of a board made by the tutorial",
        "In order, while the server runs or not. It may be interrupted and repeated: each comes once.",
    ).add_argument("file", help="its SQLite file, such as data.db or database.db")
    return top


Run = Callable[[Settings, argparse.Namespace], Coroutine[Any, Any, None]]
PEOPLE: list[tuple[str, Run, str]] = [
    ("password", people.password, "print a link with which someone can choose a new password"),
    ("promote", people.change, "make someone a moderator"),
    ("demote", people.change, "make a moderator a member again"),
    ("suspend", people.change, "sign someone out everywhere, and for good"),
    ("restore", people.change, "undo a suspension"),
]


if __name__ == "__main__":
    main()
