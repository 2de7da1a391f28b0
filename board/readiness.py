"""Checks whether the board can be read, and whether posts reach the disk. All requests share one check.

A write is tried now and then, and the results of real writes count, too.
"""

import asyncio
import time

from storage import Storage
from storage.errors import UnavailableError

KEPT_SECONDS = 3
"""How long a good result is reused for a monitor, unless a write fails."""
STRANGERS_SECONDS = 10
"""How long it is reused for everybody else, so that nobody can keep the disk busy by asking."""
EVERY_SECONDS = 1
"""How often the check is repeated while it fails."""
MOST_SECONDS = 5
"""A write that takes longer counts as failed."""
BEYOND = 2**63 - 1
"""A number that no change has."""


class Readiness:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._trying: asyncio.Task[bool] | None = None
        self._tried_at = 0.0
        self._reading: asyncio.Task[bool] | None = None

    async def can_read(self) -> bool:
        """Reads as deliver() does, so that readers of pages don't delay it. Only one check runs at a time."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(self._reading)

    async def _read(self) -> bool:
        try:
            await self._storage.changes_after(BEYOND, 1)
        except UnavailableError:
            return False
        return True

    async def check(self, *, for_monitor: bool) -> bool:
        """Whether posts reach the disk. Agrees with the answers to posts: False if the last write failed."""
        now = time.monotonic()
        if self._trying is None or (
            self._trying.done() and now - self._tried_at >= self._pause(self._trying, for_monitor)
        ):
            self._trying, self._tried_at = asyncio.create_task(self._try()), now
        done, _ = await asyncio.wait([self._trying], timeout=MOST_SECONDS)
        return bool(done) and self._trying.result() and not self._storage.writing().is_failing

    def _pause(self, tried: "asyncio.Task[bool]", for_monitor: bool) -> int:
        if not tried.result() or self._storage.writing().is_failing:
            return EVERY_SECONDS
        return KEPT_SECONDS if for_monitor else STRANGERS_SECONDS

    async def _try(self) -> bool:
        try:
            await self._storage.probe()
        except UnavailableError:
            return False
        return True
