"""A connection on the fast path (net/fast_path/path.py), and its parked poll, if it has one."""

import socket
import time
from collections.abc import Sequence
from typing import Protocol

from board.scopes import Scope
from board.waiter import Ended, Waiter
from net.connections import Group, Wait
from net.fast_path.known import KnownRequest

SLACK_SECONDS = 4
"""How much too early `active_at` may be for a connection that has polled."""


class Path(Protocol):
    """What a connection needs from its fast path."""

    def send(self, ones: Sequence["FastConnection"], body: bytes) -> None: ...
    def release(self, one: "FastConnection", data: bytes, deadline: float) -> None: ...
    def drop(self, one: "FastConnection") -> None: ...


class FastConnection(Waiter):
    __slots__ = ("active_at", "asked", "group", "heard", "held", "host", "known", "path", "socket", "told")

    def __init__(self, path: Path, connection: socket.socket, host: str) -> None:
        super().__init__(None, host)
        self.host = host
        self.path = path
        self.socket = connection
        self.active_at = time.monotonic()
        """When it was accepted or last active. May be up to two of the server's ticks too early."""
        self.known: KnownRequest | None = None
        """Its last request, which it will most likely send again."""
        self.asked = b""
        """The bytes of its last poll."""
        self.heard = 0
        """How far its client had heard of the other boards then."""
        self.told = 0
        """The change of the site up to which ticks had told when that was last compared with it."""
        self.group: Group | None = None
        self.held = 0
        """Bytes that have arrived after its poll."""

    @property
    def wait(self) -> Wait:
        if self.parked is not None:
            return Wait.NOTHING
        return Wait.NEXT if self.known is not None else Wait.FIRST

    @property
    def scope(self) -> Scope | None:
        return self.known.scope if self.known is not None else None

    @property
    def since(self) -> float:
        """Later than `active_at` for a connection that polls: it is silent only between polls, and must not seem older
        than a new one.
        """
        return self.active_at if self.known is None else self.active_at + SLACK_SECONDS

    def drop(self) -> None:
        self.path.drop(self)

    def asks(self, known: KnownRequest) -> None:
        self.known = known
        self.account_id = known.account.id if known.account else None
        self.address = known.address or self.host

    def resolve(self, reply: bytes | Ended, deadline: float = 0) -> None:
        if isinstance(reply, bytes):
            self.path.send([self], reply)
        elif reply is Ended.ASK_AGAIN:  # Tornado and a handler authenticate it again
            self.path.release(self, self.asked, deadline)

    @classmethod
    def resolve_all(cls, waiters: Sequence["FastConnection"], reply: bytes) -> None:  # type: ignore[override]
        waiters[0].path.send(waiters, reply)
