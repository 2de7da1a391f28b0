"""Whether what is posted would get to disk: tried with a write, at most once a second, whoever asks."""

import asyncio
import time

from storage import Storage
from storage.records import Unavailable

EVERY_SECONDS = 1
MOST_SECONDS = 5
"""A write that takes longer is as good as none."""


class Ready:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._trying: asyncio.Task[bool] | None = None
        self._tried_at = 0.0

    async def is_so(self) -> bool:
        """Everyone who asks within a second gets the same answer."""
        now = time.monotonic()
        if self._trying is None or (self._trying.done() and now - self._tried_at >= EVERY_SECONDS):
            self._trying, self._tried_at = asyncio.create_task(self._try()), now
        done, _ = await asyncio.wait([self._trying], timeout=MOST_SECONDS)
        return bool(done) and self._trying.result()

    async def _try(self) -> bool:
        try:
            await self._storage.probe()
        except Unavailable:
            return False
        return True
