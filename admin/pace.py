"""How imports write: in small steps, so that a running server gets its turn."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from storage.errors import UnavailableError

TRIES = 10


async def patiently(write: Callable[[], Awaitable[int]]) -> int:
    """Returns how many rows were new. It pauses for as long as writing took, also if that only found known rows.

    Raises UnavailableError when none of TRIES succeeded.
    """
    for left in reversed(range(TRIES)):
        began = time.monotonic()
        try:
            new = await write()
        except UnavailableError:
            if not left:
                raise
            await asyncio.sleep(0.5)
        else:
            await asyncio.sleep(time.monotonic() - began)
            return new
    raise AssertionError("not reached")
