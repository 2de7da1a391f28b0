"""Who may try how often: token buckets, one for each key (an address, an account), in bounded memory."""

import collections
import time
from collections.abc import Callable

MAX_KEYS = 50_000
"""Keys remembered by one limit; the one unused for longest is forgotten first, which only helps its owner."""


class Limit:
    """`burst` tries at once, then one every `seconds`."""

    def __init__(self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._seconds = seconds
        self._clock = clock
        self._full_at: collections.OrderedDict[str, float] = collections.OrderedDict()
        """For each key, when its bucket will be full again."""

    def take(self, key: str) -> float:
        """Counts a try and returns 0, or returns for how many seconds to wait and counts nothing."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now) + self._seconds
        too_early = full_at - now - self._burst * self._seconds
        if too_early > 1e-9:
            return too_early
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > MAX_KEYS:
            self._full_at.popitem(last=False)
        return 0.0
