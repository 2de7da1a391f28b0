"""Prints how much there is of everything."""

import argparse

from board.wire import iso
from settings import Settings
from storage import open_storage
from storage.stats import Stats


async def stats(settings: Settings, options: argparse.Namespace) -> None:
    storage = await open_storage(settings.database_url, create=False, for_reading=True)
    try:
        found = await storage.stats()
    finally:
        await storage.close()
    for name, value in described(found).items():
        print(f"{name:<24}{value}")


def described(found: Stats) -> dict[str, str | int]:
    return {
        "messages": found.messages,
        "deleted messages": found.deleted,
        "of the last day": found.last_day,
        "oldest": iso(found.oldest) if found.oldest is not None else "none",
        "newest": iso(found.newest) if found.newest is not None else "none",
        "accounts": found.accounts,
        "moderators": found.moderators,
        "suspended": found.suspended,
        "linked identities": found.identities,
        "sessions": found.sessions,
        "tokens from signing in": found.tokens,
        "bots' tokens": found.bots,
        "last change": found.seq,
        "size in bytes": found.bytes,
    }
