"""The queue for hashing passwords: bounded, and fair between networks.

Known clients come first. Then the waiting networks take turns, so that the first request of another network comes next,
however many requests a crowd has in the queue. In a full queue, a new request with an earlier turn replaces the last.
"""

import asyncio
import dataclasses
from typing import NamedTuple

from board.networks import with_networks

WAITING_MAX = 100
"""The most hashes that run or wait: about four seconds of work. Known clients have as many places again."""
MOST_OF_KNOWN = 5
"""Places for the known browsers and programs of one account."""
MOST_OF = (10, 20, 40)
"""Places for one address and for the wider networks that it is in: enough for a class that signs up together."""


class BusyError(Exception):
    """Too many passwords are being hashed."""


class Asker(NamedTuple):
    """The client that needs a hash: its address as limits count it, and the account to which it is known, if any."""

    address: str = ""
    """Empty if addresses are not counted."""
    known: str = ""

    @property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """Its account, or its networks from the narrowest to the widest, each with how many may wait."""
        if self.known:
            return ((self.known, MOST_OF_KNOWN),)
        if not self.address:
            return (("", WAITING_MAX),)
        return with_networks(self.address, *MOST_OF)

    @property
    def crowd(self) -> str:
        """The name of the group that takes turns as one."""
        return self.groups[-1][0]


ANYBODY = Asker()


@dataclasses.dataclass(eq=False, slots=True)
class Turn:
    asker: Asker
    round: int
    """Its place in the queue. In each round, each crowd has one turn."""
    comes: "asyncio.Future[None]"


class Turns:
    def __init__(self) -> None:
        self._waiting: list[Turn] = []
        self._is_taken = False
        self._round = 0
        self._is_closed = False

    def __len__(self) -> int:
        """How many hashes run or wait."""
        return len(self._waiting) + self._is_taken

    async def begin(self, asker: Asker) -> None:
        """Waits for a turn, which the caller must end with end(). Raises BusyError."""
        if self._is_closed:
            raise BusyError
        if not self._is_taken:
            self._is_taken = True
            return
        turn = Turn(asker, self._round_for(asker), asyncio.get_running_loop().create_future())
        self._make_room(turn)
        self._waiting.append(turn)
        try:
            await turn.comes
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif turn.comes.done() and not turn.comes.cancelled() and turn.comes.exception() is None:
                self.end()  # its turn had just come
            raise

    def end(self) -> None:
        """Starts the next turn."""
        self._waiting = [turn for turn in self._waiting if not turn.comes.done()]  # some have just been cancelled
        if not self._waiting:
            self._is_taken = False
            return
        turn = min(self._waiting, key=lambda turn: (not turn.asker.known, turn.round))
        self._waiting.remove(turn)
        if not turn.asker.known:
            self._round = turn.round
        turn.comes.set_result(None)

    def close(self) -> None:
        """Refuses all waiting and all later requests with BusyError."""
        self._is_closed = True
        while self._waiting:
            self._refuse(self._waiting[0])

    def _round_for(self, asker: Asker) -> int:
        """Returns the first round in which the asker's crowd has no turn yet."""
        return max([self._round, *(turn.round for turn in self._like(asker) if turn.asker.crowd == asker.crowd)]) + 1

    def _like(self, asker: Asker) -> list[Turn]:
        return [turn for turn in self._waiting if bool(turn.asker.known) == bool(asker.known)]

    def _make_room(self, new: Turn) -> None:
        """Raises BusyError if there is no room for the new turn. May refuse a waiting one instead."""
        for name, most in new.asker.groups:
            if sum((name, most) in turn.asker.groups for turn in self._like(new.asker)) >= most:
                raise BusyError
        others = self._like(new.asker)
        if len(others) + 1 >= WAITING_MAX:
            last = max(others, key=lambda turn: turn.round)
            if last.round <= new.round:
                raise BusyError
            self._refuse(last)

    def _refuse(self, turn: Turn) -> None:
        self._waiting.remove(turn)
        if not turn.comes.done():
            turn.comes.set_exception(BusyError())
