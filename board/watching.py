"""Counts how many watch the board: the polls that are parked, seen over some seconds.

A client that was just answered has no parked poll until its next one comes. So the highest count in this window of time
and in the last one is used. Nothing is done per poll: the count is taken when a reply is encoded.
"""

import time
from collections.abc import Callable

SEEN_SECONDS = 5
"""A window of time: long enough for a slow client to poll again, short enough that a client that left is forgotten
within ten seconds."""


class Watching:
    """`parked` returns how many polls are parked at the moment."""

    def __init__(self, parked: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._parked = parked
        self._clock = clock
        self._window = 0
        self._most = 0
        self._most_before = 0

    def count(self) -> int:
        window = int(self._clock() / SEEN_SECONDS)
        if window != self._window:
            self._most_before = self._most if window == self._window + 1 else 0
            self._window, self._most = window, 0
        self._most = max(self._most, self._parked())
        return max(self._most, self._most_before)
