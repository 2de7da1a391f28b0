"""The commands of bin/admin. Exit status: 0 done, 1 it could not be done, 2 the arguments were wrong."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from admin import copies, doctor, exchange, move, people, stats
from admin.boards import add_boards
from admin.epoch import new_epoch
from admin.tutorial import import_tutorial
from commands import ADMIN, SERVE
from setting_names import OneLineParser
from setting_places import make_folder
from setting_values import origin
from settings import Settings, add_flags, settings_from, variables
from storage.errors import StorageError
from storage.new_files import in_words
from version import VERSION


def main() -> None:
    options = parser().parse_args()
    options.variables, options.odd = variables(options.env_file)
    settings = settings_from(vars(options), options.variables)
    if options.run is not doctor.doctor:  # which prints a line for each itself
        for odd in options.odd:
            print(f"{ADMIN}: {odd.words}", file=sys.stderr)
    if options.run in (copies.restore, exchange.bring_in, move.migrate):  # the ones that may begin a board
        make_folder(settings.database_url)
    try:
        asyncio.run(options.run(settings, options))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has ended; Python would complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (StorageError, OSError) as error:
        sys.exit(f"{ADMIN}: {in_words(error)}")
    except KeyboardInterrupt:
        sys.exit(130)


def parser() -> argparse.ArgumentParser:
    top = OneLineParser(
        prog=ADMIN,
        description="Looks after a board. DATABASE_URL says which. If the server was started with flags, put the same "
        f"flags before the command: each flag of {SERVE} is taken here, too.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"Longboard {VERSION}")
    top.add_argument("--env-file", metavar="FILE", help="settings, read as systemd reads an EnvironmentFile")
    top.add_argument(
        "--database-url", metavar="URL", help="instead of the setting DATABASE_URL, which other users can't see"
    )
    add_flags(top, but=["database_url"], is_listed=False)
    add_commands(top)
    return top


def add_commands(top: argparse.ArgumentParser) -> None:
    commands = top.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)

    def command(name: str, run: Run, help: str, more: str = "") -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}. {more}")
        added.set_defaults(run=run)
        return added

    command("owner", people.owner, "print a link with which one person makes the first moderator's account")
    command("invite", people.invite, "print a link with which one person can make an account")
    for name, run, help in PEOPLE:
        command(name, run, help).add_argument("username")
    log = command("audit", people.audit, "print who did what to others, the newest last")
    log.add_argument("-n", dest="number", type=number, default=100, help="how many entries (100)")
    add_boards(command)
    add_copies(command)
    command("stats", stats.stats, "print how much there is of everything")
    checks = command(
        "doctor",
        doctor.doctor,
        "look whether all is well: settings, database, disk, clock, limits",
        "With a URL also what stands in front of the running board, which takes as long as a poll is held. "
        "Set METRICS_TOKEN as the board has it, and it can tell whether clients can claim another address. "
        "Status 1 if something is wrong.",
    )
    checks.add_argument(
        "url", nargs="?", type=url, help="where browsers find the board, such as https://board.example.org"
    )
    add_database(command)
    command(
        "import-tutorial",
        import_tutorial,
        "bring in the messages or the users of a board made by the tutorial",
        "In order, while the server runs or not. It may be interrupted and repeated: each comes once.",
    ).add_argument("file", help="its SQLite file, such as data.db or database.db")


def add_database(command: Callable[..., argparse.ArgumentParser]) -> None:
    command("migrate", move.migrate, "bring the database to this version's schema, as starting the board does too")
    epoch = command(
        "new-epoch",
        new_epoch,
        "after the database was restored, or failed over to a copy that lacks something: have every page load again",
        "Without this, clients mistake reused numbers for changes that they know. Everybody is signed out, so that "
        "nothing that was revoked since becomes valid again; only bots keep the tokens in that copy.",
    )
    epoch.add_argument(
        "--keep-sessions", action="store_true", help="sign nobody out: after a fail-over that lost only seconds"
    )
    moving = command(
        "move",
        move.move,
        "move a stopped board from SQLite to PostgreSQL: from DATABASE_URL to DATABASE_URL_TO",
        "Copies everything, counts and compares it; open pages go on. It may be interrupted and repeated. "
        "Give the addresses as settings or in --env-file: other users can see a command's arguments.",
    )
    moving.add_argument(
        "--from", dest="source", metavar="URL", help="instead of DATABASE_URL, for example sqlite:///board.db"
    )
    moving.add_argument(
        "--to", dest="target", metavar="URL", help="instead of DATABASE_URL_TO: an empty database, postgres://…"
    )


def add_copies(command: Callable[..., argparse.ArgumentParser]) -> None:
    backup = command(
        "backup",
        copies.back_up,
        "copy a board in a SQLite file, while it runs or not",
        "The copy is opened, checked and compared with the board before it gets its name.",
    )
    backup.add_argument("file", help="a new file for the copy")
    restore = command(
        "restore",
        copies.restore,
        "put a backup in the place of a board that is stopped",
        "Open pages notice by its new epoch. Everybody is signed out, but bots keep their tokens of then.",
    )
    restore.add_argument("file", help="the backup; it stays as it is")
    restore.add_argument("--replace", action="store_true", help="put a board that is there already aside")
    command(
        "export",
        exchange.export,
        "write the whole board as JSON Lines, while it runs or not",
        "With password hashes, without sessions, tokens and links.",
    ).add_argument("file", help="a new file, or - for standard output, to pipe it into gzip or ssh")
    command(
        "import",
        exchange.bring_in,
        "bring in an export: into a new board, or once more into the same one",
        "It may be interrupted and repeated: each row comes once. What differs from the export is never overwritten.",
    ).add_argument("file", help="what export wrote, or - for standard input")


def number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError("a whole number from 1 to 999999999")
    return int(text)


def url(text: str) -> str:
    try:
        return origin(text)
    except ValueError as expected:
        raise argparse.ArgumentTypeError(f"must be {expected}") from None


Run = Callable[[Settings, argparse.Namespace], Coroutine[Any, Any, None]]
PEOPLE: list[tuple[str, Run, str]] = [
    ("password", people.password, "print a link with which someone can choose a new password"),
    ("promote", people.change, "make someone a moderator"),
    ("demote", people.change, "make a moderator a member again"),
    ("suspend", people.change, "sign someone out everywhere, and for good"),
    ("unsuspend", people.change, "undo a suspension"),
]


if __name__ == "__main__":
    main()
