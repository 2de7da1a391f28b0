"""The parked polls, in groups that are answered together, and the limits on their number."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence

from board.cursor import Cursor
from board.live_board import LiveBoard
from board.waiter import TICKS, ParkedGroup, W, Waiter

Key = tuple[type[Waiter], Cursor, int, bool]
"""What the polls of a group have alike on their board: their class, cursor and tick, and whether they hear of others."""


class ParkedPolls:
    """A `most_per_address` of 0 means no limit. `time_is_over` is called with a group when its tick has come."""

    def __init__(self, most: int, most_per_address: int, time_is_over: Callable[[ParkedGroup], None]) -> None:
        self.count = 0
        self._most = most
        self._most_per_address = most_per_address
        self._time_is_over = time_is_over
        self._by_address: dict[str, int] = {}
        self._groups: dict[LiveBoard, dict[Key, ParkedGroup]] = {}
        """Those of each board that has some, so that a change looks at those of its board only."""

    def groups(self, board: LiveBoard | None = None) -> list[ParkedGroup]:
        """Returns the groups of a board, or all."""
        several = [self._groups.get(board, {})] if board else self._groups.values()
        return [group for groups in several for group in groups.values()]

    def waiters(self) -> list[Waiter]:
        return [waiter for group in self.groups() for waiter in group]

    def park(
        self, waiters: Sequence[W], board: LiveBoard, cursor: Cursor, wait: float, *, hears: bool = False
    ) -> Sequence[W]:
        """Parks polls of one class for `wait` seconds. Returns those for which there is no room."""
        refused: Sequence[W] = ()
        if self._most_per_address or self.count + len(waiters) > self._most:
            waiters, refused = self._divide(waiters)
        if waiters:
            group = self._group(type(waiters[0]), board, cursor, math.ceil((time.monotonic() + wait) * TICKS), hears)
            group |= dict.fromkeys(waiters)
            for waiter in waiters:
                waiter.parked = group
            self.count += len(waiters)
            board.parked += len(waiters)
        return refused

    def _divide(self, waiters: Sequence[W]) -> tuple[Sequence[W], Sequence[W]]:
        """Returns the polls for which there is room, in total and for their address, and the others."""
        room: list[W] = []
        refused: list[W] = []
        for waiter in waiters:
            from_there = self._by_address.get(waiter.address, 0)
            is_full = self.count + len(room) >= self._most
            if is_full or (self._most_per_address and from_there >= self._most_per_address):
                refused.append(waiter)
                continue
            room.append(waiter)
            if self._most_per_address:
                self._by_address[waiter.address] = from_there + 1
        return room, refused

    def _group(self, kind: type[Waiter], board: LiveBoard, cursor: Cursor, tick: int, hears: bool) -> ParkedGroup:
        groups, key = self._groups.setdefault(board, {}), (kind, cursor, tick, hears)
        group = groups.get(key)
        if group is None:
            group = groups[key] = ParkedGroup(kind, board, cursor, tick, hears)
            group.timer = asyncio.get_running_loop().call_at(group.ends_at, self._time_is_over, group)
        return group

    def remove(self, waiter: Waiter) -> ParkedGroup | None:
        """Removes a poll. Returns the group in which it was parked, or None if it was not parked."""
        group = waiter.parked
        if group is not None:
            del group[waiter]
            self._removed(group, [waiter])
        return group

    def answer(self, group: ParkedGroup, most: int, reply: bytes) -> int:
        """Removes at most `most` polls of a group, and resolves them. Returns how many. Without polls, the group goes."""
        waiters = [group.popitem()[0] for _ in range(min(most, len(group)))]
        self._removed(group, waiters)
        if not group and group.timer is not None:
            group.timer.cancel()
            group.timer = None
            groups = self._groups[group.board]
            del groups[group.kind, group.cursor, group.tick, group.hears]
            if not groups:
                del self._groups[group.board]
        if waiters:
            group.kind.resolve_all(waiters, reply)
        return len(waiters)

    def answer_some(self, group: ParkedGroup, waiters: list[Waiter], reply: bytes) -> None:
        """The same for these polls of the group."""
        for waiter in waiters:
            del group[waiter]
        self._removed(group, waiters)
        group.kind.resolve_all(waiters, reply)

    def _removed(self, group: ParkedGroup, waiters: list[Waiter]) -> None:
        self.count -= len(waiters)
        group.board.parked -= len(waiters)
        for waiter in waiters:
            waiter.parked = None
            if self._most_per_address:
                left = self._by_address[waiter.address] - 1
                if left:
                    self._by_address[waiter.address] = left
                else:
                    del self._by_address[waiter.address]
