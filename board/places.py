"""The places of parked polls: who stands where until when, and whether there is room for one more."""

import asyncio
import math
import time
from collections.abc import Callable

from board.waiter import Waiter

TICKS = 4
"""Deadlines are rounded up to a quarter of a second, so that polls which end together share one timer."""


class Places:
    """`most_per_address` of 0 is no limit; `time_is_over` is called with a tick when it has come."""

    def __init__(self, most: int, most_per_address: int, time_is_over: Callable[[int], None]) -> None:
        self.taken = 0
        self._most = most
        self._most_per_address = most_per_address
        self._time_is_over = time_is_over
        self._by_address: dict[str, int] = {}
        self._by_tick: dict[int, set[Waiter]] = {}
        """Each tick has one timer, as long as it stands here."""

    def all(self) -> list[Waiter]:
        return [waiter for parked in self._by_tick.values() for waiter in parked]

    def until(self, tick: int) -> list[Waiter]:
        """Those whose time is over then. When there are none, nothing is kept of that tick any more."""
        left = list(self._by_tick[tick])
        if not left:
            del self._by_tick[tick]
        return left

    @staticmethod
    def seconds_left(waiter: Waiter) -> float:
        return waiter.tick / TICKS - time.monotonic()

    def take(self, waiter: Waiter, wait: float) -> bool:
        """Parks it for so many seconds; False if there is no room, or none for its address."""
        if self.taken >= self._most:
            return False
        if self._most_per_address:
            from_there = self._by_address.get(waiter.address, 0)
            if from_there >= self._most_per_address:
                return False
            self._by_address[waiter.address] = from_there + 1
        tick = waiter.tick = math.ceil((time.monotonic() + wait) * TICKS)  # the loop's clock
        parked = self._by_tick.get(tick)
        if parked is None:
            parked = self._by_tick[tick] = set()
            asyncio.get_running_loop().call_at(tick / TICKS, self._time_is_over, tick)
        parked.add(waiter)
        self.taken += 1
        return True

    def give_up(self, waiter: Waiter) -> None:
        self._by_tick[waiter.tick].remove(waiter)
        waiter.tick = 0
        self.taken -= 1
        if self._most_per_address:
            left = self._by_address[waiter.address] - 1
            if left:
                self._by_address[waiter.address] = left
            else:
                del self._by_address[waiter.address]
