"""Has one process do what only one may do: a server, and the one that replaces it, may have the same file for a while."""

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable

LOOK_SECONDS = 5.0


async def alone(path: str, work: Callable[[], Awaitable[None]]) -> None:
    """As Storage.alone() says. The lock is a file beside the database: to open and close the database itself would end
    SQLite's locks. It ends with the process, however that ends.
    """
    file = os.open(f"{path}-webhooks", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        while not is_ours(file):
            await asyncio.sleep(LOOK_SECONDS)
        await work()
    finally:
        os.close(file)


def is_ours(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
