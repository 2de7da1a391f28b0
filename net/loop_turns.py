"""Does work that would hold the loop in short turns.

However many requests there are, the loop serves everything else between two turns: polls, posts, probes.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

S = TypeVar("S")

TURN_BYTES = 16 * 1024
"""Bytes made in one turn: about a millisecond's work."""


class LoopTurns:
    """For work that takes up to some milliseconds: after one piece of it, the loop handles other events."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self._lock:
            yield
            await asyncio.sleep(0)  # the loop handles other events before the next turn

    async def each(self, make: Callable[[S], bytes], things: Sequence[S]) -> list[bytes]:
        """Makes one result from each thing, several in one turn."""
        made: list[bytes] = []
        while len(made) < len(things):
            async with self.turn():
                size = 0
                while len(made) < len(things) and size < TURN_BYTES:
                    made.append(make(things[len(made)]))
                    size += len(made[-1])
        return made
