"""A parked poll: its account and address, how it takes its reply, and the group of polls that get the same reply."""

import abc
import asyncio
import enum
from collections.abc import Sequence
from typing import TypeVar

from board.cursor import Cursor
from board.live_board import LiveBoard
from board.scopes import Scope

TICKS = 4
"""Deadlines are rounded up to a quarter of a second, so that polls which end together share one timer."""


class Ended(enum.Enum):
    """Why a poll was ended without a reply."""

    GONE = "its client has gone"
    ASK_AGAIN = "something about its account has changed: authenticate it again, and poll on"


class Waiter(abc.ABC):
    """A poll that is parked or may be parked. `parked` is its group while it is parked."""

    __slots__ = ("account_id", "address", "parked")
    runs_handler = False
    """Whether a handler goes on when the poll is resolved, before anything else does."""

    def __init__(self, account_id: int | None, address: str) -> None:
        self.account_id = account_id
        self.address = address
        self.parked: ParkedGroup | None = None

    @property
    def scope(self) -> Scope | None:
        """What its client may read, if it wants to hear of the other boards."""
        return None

    @abc.abstractmethod
    def resolve(self, reply: bytes | Ended, deadline: float = 0) -> None:
        """Takes the body of the reply. Called once for each time that the poll was parked.

        After ASK_AGAIN, the poll may be parked until the deadline, by the monotonic clock.
        """

    @classmethod
    def resolve_all(cls, waiters: Sequence["Waiter"], reply: bytes) -> None:
        """Resolves many waiters of this class with the same reply."""
        for waiter in waiters:
            waiter.resolve(reply)


W = TypeVar("W", bound=Waiter)


class ParkedGroup(dict[Waiter, None]):
    """Parked polls of one class and board that have the same cursor and end at the same tick, and that all hear of the
    other boards, or none.

    All of them get the same reply, so they are parked and answered together, and each poll costs little more than an
    entry here. A dict keeps the order in which they came, which is also their order in memory. In the order of a set,
    the same sends took half as long again (bench/README.md).
    """

    def __init__(self, kind: type[Waiter], board: LiveBoard, cursor: Cursor, tick: int, hears: bool) -> None:
        super().__init__()
        self.kind = kind
        self.board = board
        self.cursor = cursor
        self.tick = tick
        self.hears = hears
        self.timer: asyncio.TimerHandle | None = None
        """Set until the group is answered as a whole, also if its polls were removed one by one before."""

    @property
    def ends_at(self) -> float:
        """By the loop's clock, which is the monotonic one."""
        return self.tick / TICKS

    @property
    def deadline(self) -> float:
        """Until when its polls may be parked again: a little before its end, so that this is rounded up to the same tick
        and a client does not see that its poll was parked twice.
        """
        return self.ends_at - 0.1 / TICKS


class FutureWaiter(Waiter):
    """A handler's poll: it awaits the future."""

    __slots__ = ("_scope", "future")
    runs_handler = True

    def __init__(self, account_id: int | None, address: str, scope: Scope | None = None) -> None:
        super().__init__(account_id, address)
        self._scope = scope
        self.future: asyncio.Future[bytes | Ended] = asyncio.get_running_loop().create_future()

    @property
    def scope(self) -> Scope | None:
        return self._scope

    def resolve(self, reply: bytes | Ended, deadline: float = 0) -> None:
        if not self.future.done():  # its client may have left in this moment
            self.future.set_result(reply)
