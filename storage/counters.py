"""Counters of what storage does: plain numbers, which metrics read when they are asked for."""

import bisect
import dataclasses


class Histogram:
    """How many values were at most each bound, and their sum."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, *bounds: float) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """Of values between a bound and the one before; the last of those above all."""
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.sum += value


def seconds() -> Histogram:
    return Histogram(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclasses.dataclass(frozen=True)
class Writing:
    """How the writer is doing."""

    waiting: int
    """Writes that wait for their turn."""
    batches: Histogram
    """Writes that were committed together."""
    posts: Histogram
    """Seconds until a post was on disk."""
    is_failing: bool
    """Whether the last writes failed by no fault of their own: the next ones may succeed."""
