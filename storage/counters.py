"""Counters of what storage does: plain numbers, which are read when somebody asks for the metrics."""

import bisect
import dataclasses


class Histogram:
    """Counts values by size, and adds them up."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, *bounds: float) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """How many values were above the previous bound and at most this one; the last, those above all bounds."""
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.sum += value


def seconds() -> Histogram:
    return Histogram(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclasses.dataclass(frozen=True)
class Writing:
    """The state of the writer."""

    waiting: int
    """Writes that wait for their turn."""
    batches: Histogram
    """How many writes were committed together."""
    posts: Histogram
    """Seconds until a post was on disk."""
    is_failing: bool
    """Whether the last writes failed through no fault of their own: the next ones may succeed."""
