"""Runs work that would block the loop on a separate thread, one piece after the other."""

import asyncio
import concurrent.futures
import zlib
from collections.abc import Callable
from typing import TypeVar

from handlers.http.errors import RefusedError

T = TypeVar("T")

MOST_WAITING = 100
"""Pieces of work that may wait for a thread or run on it."""
GZIP = 31
"""zlib's `wbits` for the format of RFC 1952."""


class Aside:
    """A separate thread. The functions that it runs should be short, or release the interpreter's lock."""

    def __init__(self, name: str) -> None:
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting = 0

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Runs the function on the thread. Raises RefusedError if too many calls are already waiting."""
        if self._waiting >= MOST_WAITING:
            raise RefusedError(503, "busy", "Many people are reading just now. Please try again in a moment.", 5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
        finally:
            self._waiting -= 1


def gzipped(data: bytes) -> bytes:
    """Compresses as gzip. zlib releases the interpreter's lock while it works."""
    return zlib.compress(data, 6, GZIP)
