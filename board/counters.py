"""What this process has counted since its start. These are plain numbers, because every poll updates them."""

import collections
import dataclasses

from storage.counters import Histogram, seconds


@dataclasses.dataclass(slots=True)
class Counters:
    parked: int = 0
    delivered: int = 0
    """Parked polls that were answered with news."""
    repeated: int = 0
    """Polls that were known by their bytes and not parsed."""
    resets: int = 0
    turned_away: int = 0
    """Polls that could not be parked because there was no room."""
    wakes: Histogram = dataclasses.field(default_factory=seconds)
    """Seconds from the start of a read to the answer of the last parked poll, for each time that there was news."""
    requests: collections.Counter[tuple[str, int]] = dataclasses.field(default_factory=collections.Counter)
    """By method and status. Repeated polls are not included."""
    refused: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    """By the code of the error."""
