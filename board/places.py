"""The places of parked polls: who stands in which row, and whether there is room for more."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence

from board.cursor import Cursor
from board.waiter import TICKS, Row, W, Waiter


class Places:
    """`most_per_address` of 0 is no limit; `time_is_over` is called with a row when its tick has come."""

    def __init__(self, most: int, most_per_address: int, time_is_over: Callable[[Row], None]) -> None:
        self.taken = 0
        self._most = most
        self._most_per_address = most_per_address
        self._time_is_over = time_is_over
        self._by_address: dict[str, int] = {}
        self._rows: dict[tuple[type[Waiter], Cursor, int], Row] = {}

    def rows(self) -> list[Row]:
        return list(self._rows.values())

    def all(self) -> list[Waiter]:
        return [waiter for row in self._rows.values() for waiter in row]

    def take(self, waiters: Sequence[W], cursor: Cursor, wait: float) -> Sequence[W]:
        """Parks these, all of one class, for so many seconds; gives back those for whom there is no room."""
        refused: Sequence[W] = ()
        if self._most_per_address or self.taken + len(waiters) > self._most:
            waiters, refused = self._divide(waiters)
        if waiters:
            row = self._row(type(waiters[0]), cursor, math.ceil((time.monotonic() + wait) * TICKS))
            row |= dict.fromkeys(waiters)
            for waiter in waiters:
                waiter.row = row
            self.taken += len(waiters)
        return refused

    def _divide(self, waiters: Sequence[W]) -> tuple[Sequence[W], Sequence[W]]:
        """Those for whom there is room, also at their address, and those for whom there is none."""
        room: list[W] = []
        refused: list[W] = []
        for waiter in waiters:
            from_there = self._by_address.get(waiter.address, 0)
            is_full = self.taken + len(room) >= self._most
            if is_full or (self._most_per_address and from_there >= self._most_per_address):
                refused.append(waiter)
                continue
            room.append(waiter)
            if self._most_per_address:
                self._by_address[waiter.address] = from_there + 1
        return room, refused

    def _row(self, kind: type[Waiter], cursor: Cursor, tick: int) -> Row:
        row = self._rows.get((kind, cursor, tick))
        if row is None:
            row = self._rows[kind, cursor, tick] = Row(kind, cursor, tick)
            row.timer = asyncio.get_running_loop().call_at(row.ends_at, self._time_is_over, row)
        return row

    def give_up(self, waiter: Waiter) -> Row | None:
        """The row in which it stood, if it did."""
        row = waiter.row
        if row is not None:
            del row[waiter]
            self._left([waiter])
        return row

    def give_up_some(self, row: Row, most: int) -> list[Waiter]:
        """So many of this row, or all of them; with its last poll the row goes, too."""
        waiters = [row.popitem()[0] for _ in range(min(most, len(row)))]
        self._left(waiters)
        if not row and row.timer is not None:
            row.timer.cancel()
            row.timer = None
            del self._rows[row.kind, row.cursor, row.tick]
        return waiters

    def _left(self, waiters: list[Waiter]) -> None:
        self.taken -= len(waiters)
        for waiter in waiters:
            waiter.row = None
            if self._most_per_address:
                left = self._by_address[waiter.address] - 1
                if left:
                    self._by_address[waiter.address] = left
                else:
                    del self._by_address[waiter.address]
