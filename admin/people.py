"""Members, invitations and moderators, from the command line."""

import argparse
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from board.account_names import clean_username
from board.audit import around_board, in_words
from board.credentials import hash_secret, new_secret
from board.site.sign_up import OWNER_LINK_MS
from board.text import BadTextError
from board.wire import iso
from commands import ADMIN
from settings import Settings
from storage import Storage, open_storage
from storage.errors import NotFoundError, StorageError
from storage.records import DAY_MS, OPERATOR, Account, Board

LINK_DAYS = 7
DONE = {
    "promote": "{} is a moderator now.",
    "demote": "{} is no longer a moderator.",
    "suspend": "{} is suspended: signed out everywhere, and can't sign in or post.",
    "unsuspend": "{} may sign in again.",
}


@asynccontextmanager
async def opened(settings: Settings, *, for_reading: bool = False) -> AsyncIterator[Storage]:
    storage = await open_storage(settings.database_url, create=False, for_reading=for_reading)
    try:
        yield storage
    finally:
        await storage.close()


async def find(storage: Storage, username: str) -> Account:
    """Returns the account. Raises StorageError with words for the operator."""
    try:
        return await storage.account(clean_username(username))
    except (StorageError, BadTextError):
        raise StorageError(f"there is no account {username}") from None


async def invite(settings: Settings, options: argparse.Namespace) -> None:
    async with opened(settings) as storage:
        await print_link(settings, storage, "invite", None)


async def owner(settings: Settings, options: argparse.Namespace) -> None:
    async with opened(settings) as storage:
        if moderators := await storage.moderators():
            raise StorageError(f"{moderators[0].username} is a moderator already; {ADMIN} promote makes others")
        await print_link(settings, storage, "invite", None, "moderator")


async def password(settings: Settings, options: argparse.Namespace) -> None:
    if not settings.passwords:
        raise StorageError("with PASSWORDS=off, no link for a new password works")
    async with opened(settings) as storage:
        account = await find(storage, options.username)
        await print_link(settings, storage, "password", account)
        await storage.log(None, "new password link", account.username)


async def print_link(
    settings: Settings, storage: Storage, kind: str, account: Account | None, role: str = "member"
) -> None:
    """Prints a link that works once, within a week, or within an hour if it makes a moderator."""
    secret, now_ms = new_secret(), time.time_ns() // 1_000_000
    expires_at = now_ms + (LINK_DAYS * DAY_MS if role == "member" else OWNER_LINK_MS)
    await storage.create_link(kind, hash_secret(secret), account.id if account else None, expires_at, role)
    path = "/password" if kind == "password" else "/signup" if role == "member" else "/signup?owner"
    until = iso(expires_at)[:10] if role == "member" else f"{iso(expires_at)[:16]}Z"
    print(f"{settings.origin}{path}#{secret}\nThe link works once, until {until}.")
    if not settings.public_url:
        print(
            "It leads to ADDRESS and PORT, as PUBLIC_URL is not set. If the board is elsewhere, give this command the "
            "server's settings, or --public-url=https://… before its name; the link stays good."
        )


async def change(settings: Settings, options: argparse.Namespace) -> None:
    """Runs promote, demote, suspend and unsuspend."""
    async with opened(settings) as storage:
        if options.command == "unsuspend":
            print(DONE["unsuspend"].format(await unsuspend(storage, options.username)))
            return
        account = await find(storage, options.username)
        match options.command:
            case "promote":
                await storage.set_role(None, account.username, "moderator")
            case "demote":
                await storage.set_role(None, account.username, "member")
            case "suspend":
                await storage.suspend(None, account.username)
    print(DONE[options.command].format(account.username))


async def unsuspend(storage: Storage, username: str) -> str:
    """Also ends the suspension of an account that was deleted while suspended.

    Raises StorageError with words for the operator.
    """
    try:
        folded = clean_username(username)
        await storage.restore(None, folded)
    except (NotFoundError, BadTextError):
        raise StorageError(f"there is no account {username}") from None
    return folded


async def audit(settings: Settings, options: argparse.Namespace) -> None:
    async with opened(settings, for_reading=True) as storage:
        entries = await storage.audit(None, options.number, OPERATOR)
        ids = {entry.board_id for entry in entries if entry.board_id is not None}
        boards = {id: await there(storage, id) for id in ids}
        for entry in reversed(entries):
            name = called(boards.get(entry.board_id or 0), entry.board_name)
            words = name.join(around_board(entry)) if name else in_words(entry)
            print(f"{iso(entry.at)}  {entry.actor_name:<20} {words}")


async def there(storage: Storage, board_id: int) -> Board | None:
    """Returns None if the board is deleted."""
    try:
        return await storage.board_of(board_id, OPERATOR)
    except NotFoundError:
        return None


def called(board: Board | None, then: str | None) -> str:
    """Returns what a board is called, as `boards` lists it, and what it was called when an entry was written, if known; or
    nothing.
    """
    if board is None:
        return then or ""
    return f"{board.slug} ({board.name if then in (None, board.name) else f'{then}, now {board.name}'})"
