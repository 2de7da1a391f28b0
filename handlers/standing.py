"""A connection in the lot (handlers/lot.py), and the poll that it has parked, if it has."""

import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from board.waiter import Ended, Waiter
from handlers.connections import Group, Wait
from handlers.repeat import Repeat

if TYPE_CHECKING:
    from handlers.lot import Lot

SLACK_SECONDS = 4
"""How much too early `said_at` may be for a connection that has polled."""


class Standing(Waiter):
    __slots__ = ("asked", "group", "held", "host", "lot", "repeat", "said_at", "socket")

    def __init__(self, lot: "Lot", connection: socket.socket, host: str) -> None:
        super().__init__(None, host)
        self.host = host
        self.lot = lot
        self.socket = connection
        self.said_at = time.monotonic()
        """When it came, or was last active: up to two of the server's ticks too early."""
        self.repeat: Repeat | None = None
        """Its last request, which it will most likely send again."""
        self.asked = b""
        self.group: Group | None = None
        self.held = 0
        """Bytes that have arrived after its poll."""

    @property
    def wait(self) -> Wait:
        if self.parked is not None:
            return Wait.NOTHING
        return Wait.NEXT if self.repeat is not None else Wait.FIRST

    @property
    def since(self) -> float:
        """At least `said_at`: one that polls is silent only between polls, and must not seem older than a new one."""
        return self.said_at if self.repeat is None else self.said_at + SLACK_SECONDS

    def drop(self) -> None:
        self.lot.drop(self)

    def asks(self, repeat: Repeat) -> None:
        self.repeat = repeat
        self.account_id = repeat.account.id if repeat.account else None
        self.address = repeat.address or self.host

    def resolve(self, reply: bytes | Ended, seconds: float = 0) -> None:
        if isinstance(reply, bytes):
            self.lot.send([self], reply)
        elif reply is Ended.ASK_AGAIN:  # Tornado and a handler authenticate it, as the first time
            self.lot.hand_over(self, self.asked, seconds)

    @classmethod
    def resolve_all(cls, waiters: Sequence["Standing"], reply: bytes) -> None:  # type: ignore[override]
        waiters[0].lot.send(waiters, reply)
