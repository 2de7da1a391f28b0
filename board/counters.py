"""What this process has counted since its start: plain numbers, because they are counted on the way of every poll."""

import collections
import dataclasses

from storage.counters import Histogram, seconds


@dataclasses.dataclass(slots=True)
class Counters:
    parked: int = 0
    delivered: int = 0
    """FutureWaiter polls that were answered with news."""
    repeated: int = 0
    """Polls that were known by their bytes and not parsed."""
    resets: int = 0
    turned_away: int = 0
    """Polls that could not be parked, as there was no room."""
    wakes: Histogram = dataclasses.field(default_factory=seconds)
    """Seconds from looking for news to the last parked poll's answer, for each time that there was some."""
    requests: collections.Counter[tuple[str, int]] = dataclasses.field(default_factory=collections.Counter)
    """By method and status; repeated polls are not among them."""
    refused: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    """By the error's code."""
