"""LISTEN and NOTIFY: hears that some node has committed something. It does not hear what: the board reads that.

So notifications that are lost, doubled or late do no harm: every read continues from what the board knows, and the
board also reads after each connect and at a slow tick, even if nothing was heard.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from storage.errors import CannotOpenError
from storage.postgres.connection import CHANNEL, CONNECT_SECONDS, FAULTS, connect, reason

log = logging.getLogger("longboard")

TICK = 2.0
"""Seconds between reads when nothing was heard: for notifications that were lost, and for connections that died
silently. It costs a node one read in this time."""
RETRY_SECONDS = 0.5


async def watch(url: str, on_commit: Callable[[], Awaitable[bool]], generation: Callable[[], int] = lambda: 0) -> None:
    """Calls `on_commit` for each commit, also while no notification can be received. Runs until cancelled.

    When the generation changes, another server may be behind the address, so a new connection listens.
    """
    said = ""
    while True:
        began = time.monotonic()
        try:
            await listen(url, on_commit, generation)
        except (*FAULTS, CannotOpenError) as error:
            if time.monotonic() - began > TICK or reason(error) != said:  # once, however often it fails
                said = reason(error)
                log.warning("What other nodes post can't be heard, trying again until it can: %s", said)
        await on_commit()
        await asyncio.sleep(RETRY_SECONDS)


async def listen(url: str, on_commit: Callable[[], Awaitable[bool]], generation: Callable[[], int]) -> None:
    """Listens on a separate connection until the generation changes. Raises one of FAULTS if the connection is lost."""
    news, began = asyncio.Event(), generation()
    db = await connect(url, CONNECT_SECONDS)
    try:
        db.add_termination_listener(lambda *_: news.set())
        await db.add_listener(CHANNEL, lambda *_: news.set())
        while not db.is_closed():
            if generation() != began:
                return
            news.clear()
            done = await on_commit()
            try:
                async with asyncio.timeout(TICK if done else RETRY_SECONDS):
                    await news.wait()
            except TimeoutError:
                await db.execute("SELECT 1")  # fails if the connection is dead
        raise ConnectionResetError("the connection was lost")
    finally:
        db.terminate()
