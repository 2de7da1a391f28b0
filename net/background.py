"""Tasks that run as long as the server does."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

log = logging.getLogger("longboard")

AGAIN_SECONDS = 1
"""Before a task that ended by a fault is started again."""
Task = Callable[[], Awaitable[None]]


@contextlib.asynccontextmanager
async def background(tasks: Mapping[str, Task]) -> AsyncIterator[None]:
    """Runs these while the block runs."""
    running = [asyncio.create_task(keep_going(name, task)) for name, task in tasks.items()]
    try:
        yield
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def keep_going(name: str, task: Task) -> None:
    """Runs a task that should never end, and again if it did: without it, a server that looks well would miss something."""
    while True:
        try:
            await task()
            log.error("%s ended; beginning it again.", name)
        except Exception:
            log.exception("%s failed; beginning it again.", name)
        await asyncio.sleep(AGAIN_SECONDS)
