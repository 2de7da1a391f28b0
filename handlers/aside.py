"""Work that would hold the loop: done in turns on it, or on a thread beside it, one piece after the other.

However many requests there are, everything else gets a turn between two pieces: polls, posts, probes.
"""

import asyncio
import concurrent.futures
import contextlib
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

from handlers.errors import Refused

S = TypeVar("S")
T = TypeVar("T")

TURN_BYTES = 16 * 1024
"""Of one turn: about a millisecond's work."""

MOST_WAITING = 100
"""Pieces of work that may wait for a thread."""
GZIP = 31
"""zlib's `wbits` for the format of RFC 1952."""


class Turns:
    """Work on the loop that takes up to some milliseconds: one piece, then the loop handles other events."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self._lock:
            yield
            await asyncio.sleep(0)  # the loop handles other events before the next turn

    async def each(self, make: Callable[[S], bytes], things: Sequence[S]) -> list[bytes]:
        """Makes one result of each thing, several in one turn."""
        made: list[bytes] = []
        while len(made) < len(things):
            async with self.turn():
                size = 0
                while len(made) < len(things) and size < TURN_BYTES:
                    made.append(make(things[len(made)]))
                    size += len(made[-1])
        return made


class Aside:
    """A separate thread. What it runs should be short, or release the interpreter's lock."""

    def __init__(self, name: str) -> None:
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting = 0

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Raises Refused if too many calls wait already."""
        if self._waiting >= MOST_WAITING:
            raise Refused(503, "busy", "Many people are reading just now. Please try again in a moment.", 5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
        finally:
            self._waiting -= 1


def gzipped(data: bytes) -> bytes:
    """zlib releases the interpreter's lock while it works."""
    return zlib.compress(data, 6, GZIP)
