"""Tells clients that the database has lost changes that they have seen, though it looks the same."""

import argparse
from contextlib import aclosing

from settings import Settings
from storage import open_transfer
from storage.transfer import start_epoch


async def new_epoch(settings: Settings, options: argparse.Namespace) -> None:
    """Raises StorageError."""
    async with aclosing(await open_transfer(settings.database_url, create=False)) as transfer:
        await transfer.write(lambda tx: start_epoch(tx, keep_sessions=options.keep_sessions))
    print("The board has a new epoch: every page loads the board again.")
    if not options.keep_sessions:
        print("Everybody has to sign in again; bots' tokens are as they were. Restart the board if it was running.")
