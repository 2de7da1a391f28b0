"""Tasks that run as long as the server does."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

log = logging.getLogger("longboard")

AGAIN_SECONDS = 1
"""Pause before a task that ended or failed is started again."""
Task = Callable[[], Awaitable[None]]


@contextlib.asynccontextmanager
async def background(tasks: Mapping[str, Task]) -> AsyncIterator[None]:
    """Runs these tasks while the block runs."""
    running = [asyncio.create_task(keep_going(name, task)) for name, task in tasks.items()]
    try:
        yield
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def keep_going(name: str, task: Task) -> None:
    """Runs a task that should never end, and restarts it if it does, because a server without it would seem well."""
    while True:
        try:
            await task()
            log.error("%s ended; beginning it again.", name)
        except Exception:
            log.exception("%s failed; beginning it again.", name)
        await asyncio.sleep(AGAIN_SECONDS)
