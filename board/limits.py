"""Who may try how often: token buckets, one for each key (an address, an account), in bounded memory."""

import collections
import itertools
import time
from collections.abc import Callable

MAX_KEYS = 50_000
"""Keys remembered by one limit; the one unused for longest is forgotten first, which only helps its owner."""
TIDIED = 2
"""Keys whose bucket is full again, and that are forgotten for it, at each try."""


class Limit:
    """`burst` tries at once, then one every `seconds`."""

    def __init__(self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._seconds = seconds
        self._clock = clock
        self._full_at: collections.OrderedDict[str, float] = collections.OrderedDict()
        """For each key, when its bucket will be full again."""

    def __len__(self) -> int:
        return len(self._full_at)

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
        self._tidy(now)
        return 0.0

    def _tidy(self, now: float) -> None:
        """A full bucket is as good as none: memory comes back when a crowd has gone."""
        for key, full_at in list(itertools.islice(self._full_at.items(), TIDIED)):
            if full_at <= now:
                del self._full_at[key]


class Limits:
    """All limits of one process. They are roomy, as a school or an office may share one address.

    Signing in is counted for each username from each address, so that guessing at somebody's password from
    elsewhere never locks them out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.posting = Limit(60, 1, clock)
        """By account; by address for guests."""
        self.posting_from = Limit(300, 0.2, clock)
        """By address, whoever posts."""
        self.reading = Limit(60, 0.2, clock)
        """Whatever is read from storage or made for the one who asks, by account; by address for guests."""
        self.searching = Limit(30, 1, clock)
        """By account; by address for guests."""
        self.deleting = Limit(60, 1, clock)
        """One's own messages, by account: each wakes every page."""
        self.sign_in = Limit(10, 30, clock)
        """By username and address."""
        self.sign_in_from = Limit(100, 3, clock)
        """By address."""
        self.sign_up_from = Limit(20, 180, clock)
        """By address."""
        self.changing = Limit(20, 60, clock)
        """Names and tokens, by account: each is written down, and a name makes every page look again."""
