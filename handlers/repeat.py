"""The repeated poll is not parsed again.

A page's next poll on a connection repeats the last one byte for byte, but for the cursor's number. Tornado has parsed
those bytes once, and a handler has validated and authorised them; reading them anew is nearly all that a delivery
costs. So what follows the cursor is remembered, once for the whole server, with what it came to mean; a request that
is a cursor between the same bytes is answered or parked from here, through the same waiter list, with the same reply.

It goes this way only if the connection is idle between two requests and exactly one whole request has come, for a
cursor that memory can serve. Everything else, odd bytes above all, takes the ordinary way through Tornado, which
never sees the bytes that were dealt with here: to it, the connection was just silent.
"""

import collections
import dataclasses
import re
import time
from collections.abc import Iterable

import tornado.httputil

from board import Board
from board.cursor import Cursor
from board.waiters import NO_ROOM
from storage.records import Account

POLL = re.compile(rb"GET /(?:get|api/v1/messages)\?after=([0-9a-z]{1,16})-(0|[1-9][0-9]{0,17})(?=[& ])")
MOST_REPEATS = 10_000
"""Different requests that are remembered, each some 600 bytes; the one that was learned first is forgotten first."""


@dataclasses.dataclass(slots=True)
class Repeat:
    """What some bytes behind a cursor came to mean when Tornado and a handler had read them."""

    wait: float
    secret_hash: bytes | None
    counts_as_use: bool
    account: Account | None
    address: str | None
    """As the trusted proxy's header says; without one, the connection's."""
    expected: tuple[Cursor | None, bytes] = (None, b"")
    """The newest cursor, and the whole request that asks for what comes after it: what a client will send next."""


class Repeats:
    """The table of known requests, and the way to answer them. One for the whole server."""

    def __init__(self, board: Board, headers: Iterable[tuple[str, str]], varying: Iterable[str]) -> None:
        self.waiters = board.waiters
        self._credentials = board.credentials
        self._known: collections.OrderedDict[bytes, Repeat] = collections.OrderedDict()
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        names = b"|".join(re.escape(name.encode()) for name in varying)
        # Only plain values on one line: what Tornado might refuse must get that far.
        pattern = rb"\r\n(?:" + names + rb"): [!-~ ]{0,200}(?=\r\n[!-~\r])"
        self._varying = re.compile(pattern, re.IGNORECASE) if names else None
        self._packet: tuple[bytes, int, bool, bytes] = (b"", 0, False, b"")

    def plain(self, tail: bytes) -> bytes:
        """The bytes without the headers that a proxy makes anew for each request."""
        return self._varying.sub(b"", tail) if self._varying else tail

    def remember(self, tail: bytes, repeat: Repeat) -> None:
        self._known[self.plain(tail)] = repeat
        if len(self._known) > MOST_REPEATS:
            self._known.popitem(last=False)

    def is_next(self, repeat: Repeat, data: bytes) -> bool:
        """Whether this is the request that a client which has everything makes, byte for byte, and may make."""
        recent = self.waiters.recent
        if repeat.expected[0] is not recent.cursor or repeat.expected[1] != data or self.waiters.draining:
            return False
        return repeat.secret_hash is None or self._is_still(repeat)

    def expect(self, repeat: Repeat, data: bytes, start: int, tail: bytes) -> None:
        """Makes the next such request known by its bytes alone."""
        cursor = self.waiters.recent.cursor
        if repeat.expected[0] is not cursor:
            repeat.expected = (cursor, data[:start] + str(cursor).encode() + tail)

    def _is_still(self, repeat: Repeat) -> bool:
        """Whether its token or session is known to be alive, and its account unchanged."""
        if repeat.secret_hash is None:
            return True
        credential = self._credentials.recall(repeat.secret_hash, use=repeat.counts_as_use)
        return credential is not None and credential.account == repeat.account

    def find(self, tail: bytes) -> Repeat | None:
        """None for bytes that are not known, or whose token or session has to be looked up again."""
        repeat = self._known.get(tail)
        if repeat is None:
            tail = self.plain(tail)
            repeat = self._known.get(tail)
            if repeat is None:
                return None
        if not self._is_still(repeat):
            del self._known[tail]
            return None
        return repeat

    def serves(self, epoch: bytes, seq: int) -> bool:
        recent = self.waiters.recent
        in_memory = epoch.decode() == recent.epoch and recent.start <= seq <= recent.seq
        return in_memory and not self.waiters.draining

    def packet(self, body: bytes) -> bytes:
        """The whole reply, made once for all who get the same within a second."""
        now, closing = int(time.time()), self.waiters.draining or body.endswith(NO_ROOM)
        if self._packet[0] is not body or self._packet[1:3] != (now, closing):
            date = tornado.httputil.format_timestamp(now)
            close = "Connection: close\r\n" if closing else ""
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: {date}\r\n{self._head}{close}"
            packet = head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body
            self._packet = (body, now, closing, packet)
        return self._packet[3]
