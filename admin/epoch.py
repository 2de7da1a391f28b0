"""Tells clients that the database has lost changes that they have seen, though it looks the same."""

import argparse

from settings import Settings
from storage.exchange import open_exchange


async def new_epoch(settings: Settings, options: argparse.Namespace) -> None:
    """Raises StorageError."""
    exchange = await open_exchange(settings.database_url, create=False)
    try:
        await exchange.begin_anew(keep_sessions=options.keep_sessions)
    finally:
        await exchange.close()
    print("The board has a new epoch: every page loads the board again.")
    if not options.keep_sessions:
        print("Everybody has to sign in again; bots' tokens are as they were. Restart the board if it was running.")
