"""Tells parked polls of the other boards, in ticks: at fixed times, if there is something to tell.

So no client can tell by the time at which it hears of one board whether something has happened on another.
"""

import asyncio
import math
import time

from board.answering import LOOKS, SLICE_SECONDS, Answering
from board.scopes import GUESTS
from board.waiter import ParkedGroup, Waiter

TELLS_PER_SECOND = 2000
"""Polls that are told, at most: some hundredths of a core."""
TICK_SECONDS = 1.0
"""The shortest time between two ticks."""
UNSURE_SECONDS = 0.05
"""How long a tick waits for the newest message of a board that everyone may read, which is being read."""
LOOKS_FOR_WORD = 500
"""Polls that are looked at before the clock is checked again, if there is nothing to tell them."""


def pause_for(parked: int) -> float:
    """Returns the seconds between two ticks: doubled until few enough are told in a second. The ticks of the longer
    pauses are then among those of the shorter ones, so a change of the pause brings no two of them together.
    """
    pause = TICK_SECONDS
    while parked > pause * TELLS_PER_SECOND:
        pause *= 2
    return pause


class Ticks(Answering):
    _ticking: asyncio.TimerHandle | asyncio.Task[None] | None = None
    """The tick that is due or under way."""

    def drain(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        super().drain()

    def request_tick(self) -> None:
        """Has parked polls told if there is something to tell."""
        if self._ticking is None and not self.draining and self.directory.last_word > self.others.latest:
            loop = asyncio.get_running_loop()
            pause = pause_for(self.parked)
            self._ticking = loop.call_at(math.ceil(loop.time() / pause) * pause, self._begin_tick)

    @property
    def waits(self) -> bool:
        """Whether it is too early to tell. For other boards nobody waits, as that would tell of them: those who may read
        them are told to read the list.
        """
        return any(board.may_be_read(GUESTS) for board in self.directory.unsure)

    def _begin_tick(self) -> None:
        loop = asyncio.get_running_loop()
        if self.waits:
            self._ticking = loop.call_later(UNSURE_SECONDS, self._begin_tick)
        else:
            self._ticking = loop.create_task(self.tick())

    async def tick(self) -> None:
        """Tells all parked polls that want to hear of the other boards, and for which there is something."""
        self.others.begin()
        try:
            for group in [group for group in self._polls.groups() if group.hears]:
                await self._tell_all(group, list(group))
            self.others.told = self.others.latest
        finally:
            self._ticking = None
        self.request_tick()

    async def _tell_all(self, group: ParkedGroup, waiters: list[Waiter]) -> None:
        until = time.monotonic() + SLICE_SECONDS
        while waiters:
            told = self._tell_some(group, waiters)
            if (told and group.kind.runs_handler) or time.monotonic() > until:
                await asyncio.sleep(0)
                until = time.monotonic() + SLICE_SECONDS

    def _tell_some(self, group: ParkedGroup, waiters: list[Waiter]) -> int:
        """Takes some from the end of the list. Those with the same word get the same bytes. Returns how many were told."""
        told: dict[bytes, list[Waiter]] = {}
        count = 0
        for _ in range(LOOKS_FOR_WORD):
            if not waiters or count >= LOOKS:
                break
            waiter = waiters.pop()
            if waiter.parked is group and waiter.scope is not None:
                word = self.others.word(self.others.told, group.board, waiter.scope, waiter.account_id)
                if word is not None:
                    told.setdefault(word, []).append(waiter)
                    count += 1
        if told:
            reply = group.board.empty(group.cursor)
            for word, ones in told.items():
                self._polls.answer_some(group, ones, self.others.join(reply, word))
        return count
