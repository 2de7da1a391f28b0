"""Backs up and restores a board in a SQLite file."""

import argparse

from admin.numbers import counted
from settings import Settings
from storage.errors import CannotOpenError
from storage.sqlite import backup


def path_of(settings: Settings) -> str:
    """Returns the path of the file. Raises CannotOpenError for a board on another engine."""
    scheme, _, path = settings.database_url.partition(":///")
    if scheme != "sqlite":
        raise CannotOpenError("this board is on PostgreSQL, which has its own tools: pg_dump and pg_restore")
    return path


async def back_up(settings: Settings, options: argparse.Namespace) -> None:
    counts = backup.back_up(path_of(settings), options.file)
    print(f"Backed up and compared: {described(counts)}. {options.file} holds all secrets of the board.")


async def restore(settings: Settings, options: argparse.Namespace) -> None:
    path = path_of(settings)
    counts, aside = backup.restore(path, options.file, replace=options.replace)
    print(f"Restored: {described(counts)}. Everybody has to sign in again; bots' tokens are as they were then.")
    if aside:
        print(f"The board that was there is now {aside}.")


def described(counts: dict[str, int]) -> str:
    return f"{counted(counts['messages'], 'messages')} (deleted ones too), {counted(counts['accounts'], 'accounts')}"
