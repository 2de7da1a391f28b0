"""Sites of many boards, made by storage itself, as people would have made them one by one."""

import asyncio
import pathlib
from collections.abc import Awaitable, Iterable
from typing import Any

from board.credentials import hash_secret, new_session
from storage import Storage, open_storage
from storage.records import FIRST_BOARD, Board, Password

AT_ONCE = 256
"""Calls of storage at a time, which share a commit."""


async def together(calls: Iterable[Awaitable[Any]]) -> list[Any]:
    """Awaits many calls, some at a time, and returns what they return."""
    results: list[Any] = []
    waiting = list(calls)
    while waiting:
        some, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        results += await asyncio.gather(*some)
    return results


async def open_site(folder: pathlib.Path) -> Storage:
    return await open_storage(f"sqlite:///{folder}/board.db")


async def make_boards(storage: Storage, count: int, messages: int = 0) -> list[Board]:
    """Makes boards for everyone, each with so many messages."""
    made = await together(storage.create_board(None, f"board-{n}", f"Board {n}") for n in range(count))
    await write(storage, [board.id for board in made for _ in range(messages)])
    return made


async def write(storage: Storage, board_ids: Iterable[int] = (FIRST_BOARD,)) -> None:
    """Writes a message on each of these boards."""
    await together(storage.append(None, f"Message {n}", None, board_id=id) for n, id in enumerate(board_ids))


async def make_members(storage: Storage, count: int, with_boards: int = 0) -> list[str]:
    """Makes members, and for so many of them a board of the invited that they own. Returns the cookies of their sessions."""
    accounts = await together(storage.create_account(f"member{n}", f"Member {n}", Password(None)) for n in range(count))
    await together(
        storage.create_board(account, "", "Mine", read_by="invited", most_owned=1) for account in accounts[:with_boards]
    )
    site_secret = await storage.secret()
    secrets = [new_session(site_secret) for _ in accounts]
    await together(
        storage.create_credential(account.id, "session", hash_secret(secret), "A browser")
        for account, secret in zip(accounts, secrets, strict=True)
    )
    return [f"Cookie: longboard={secret}\r\n" for secret in secrets]
