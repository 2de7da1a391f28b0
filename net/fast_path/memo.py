"""The memo of known requests: which bytes mean which poll.

A page's next poll has the same bytes as its last one, except the number in the cursor. Tornado has parsed them once,
and a handler has validated and authorised them; doing that again would be nearly all that a delivery costs. So the bytes
after the cursor are kept, once for the whole server, with what they mean: a request with the same bytes around a cursor
means the same on every connection. net/fast_path/path.py has the connections.
"""

import asyncio
import collections
import dataclasses
import math
import re
import time
from collections.abc import Iterable
from typing import NamedTuple

from tornado.httputil import format_timestamp

from board.answering import NO_ROOM
from board.credentials import Credentials
from board.cursor import Cursor
from board.live_board import LiveBoard
from board.others import Hears
from board.scopes import Scopes
from board.waiters import WaiterList
from net.fast_path.known import HEADS, OTHERS, KnownRequest, split_poll

PLAIN_VALUE = re.compile(rb"[!-~ ]{0,200}(?=\r\n[!-~\r])")
"""A value on one line, without anything that Tornado might refuse. Tornado must see all other values."""
REQUESTS_MAX = 10_000
"""The most known requests, about 2 KB each. The least recently used one is forgotten first."""
BYTES_MAX = 32 * 1024 * 1024
"""The most bytes of all known requests together, because clients may send longer ones. Those of 10,000 members behind a
proxy fit: of clients that poll in turns, a memo that is too small by a few knows none.
"""


def is_in_memory(board: LiveBoard, seq: int) -> bool:
    """Whether the changes after this number are there; none are missing after the last."""
    return seq == board.seq or (board.recent is not None and board.recent.start <= seq)


def size_of(key: tuple[bytes, bytes], request: KnownRequest) -> int:
    """Returns the bytes in memory: those around the cursor, those after it in a second form if headers vary, and a whole
    request.
    """
    head, plain = key
    return 2 * (len(head) + len(request.tail)) + (len(plain) if plain is not request.tail else 0)


class Verdict(NamedTuple):
    """What is to be done with a poll that is known."""

    known: KnownRequest
    news: bytes | None
    """The reply to send at once. Without one the client has all changes, and the poll is parked."""


@dataclasses.dataclass(slots=True)
class Packet:
    """A reply as it is sent."""

    body: bytes
    draining: bool
    closes: bool
    """Whether the connection is closed after it."""
    data: bytes


NO_PACKET = Packet(b"", False, False, b"")


class RequestMemo:
    """The known requests, and their replies. There is one memo for the whole server."""

    def __init__(
        self,
        waiters: WaiterList,
        credentials: Credentials,
        scopes: Scopes,
        headers: Iterable[tuple[str, str]],
        varying: Iterable[str],
    ) -> None:
        self.waiters = waiters
        self._credentials = credentials
        self._scopes = scopes
        self._known: collections.OrderedDict[tuple[bytes, bytes], KnownRequest] = collections.OrderedDict()
        """By their bytes before and after the cursor."""
        self._size = 0
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        # A set: removing the same span twice would remove what follows it.
        self._varying = {f"\r\n{name.lower()}: ".encode() for name in varying}
        self._packet = NO_PACKET
        self._forgetting: asyncio.TimerHandle | None = None

    def plain(self, tail: bytes) -> bytes:
        """Returns the bytes without the headers that a proxy sets for each request."""
        lower, spans = tail.lower(), []
        for name in self._varying:
            at = lower.find(name)
            while at >= 0:
                value = PLAIN_VALUE.match(tail, at + len(name))
                if value:
                    spans.append((at, value.end()))
                at = lower.find(name, at + len(name))
        for start, end in sorted(spans, reverse=True):
            tail = tail[:start] + tail[end:]
        return tail

    def learn(self, request: KnownRequest) -> KnownRequest:
        """Returns the shared object for this request: all connections that send it use the same one."""
        key = request.head, self.plain(request.tail)
        known = self._known.get(key)
        if known == request:
            self._known.move_to_end(key)
            return known
        self._forget_known(key)
        self._known[key] = request
        self._size += size_of(key, request)
        while len(self._known) > REQUESTS_MAX or self._size > BYTES_MAX:
            self._forget_known(next(iter(self._known)))
        return request

    def _forget_known(self, key: tuple[bytes, bytes]) -> None:
        if request := self._known.pop(key, None):
            self._size -= size_of(key, request)

    def classify(self, data: bytes) -> Verdict | None:
        """Returns what is to be done with these bytes. It touches memory only: it has no socket, and never waits.

        None if only Tornado and a handler can tell: the bytes are not known, a token or session has to be looked up
        again, or memory can't serve the poll. A known request ends with the only empty line in it, so nothing can
        follow it.
        """
        waiters, first = self.waiters, self.waiters.first
        head, _, tail = data.partition(first.cursor_bytes)  # most clients have all changes
        epoch, seq, others = first.epoch, first.seq, None
        if head not in HEADS or tail.startswith(OTHERS):
            poll = split_poll(data)
            if poll is None:
                return None
            head, epoch, seq, others, tail = poll.head, poll.epoch, poll.seq, poll.others, poll.tail
        key = head, self.plain(tail)
        known = self._known.get(key)
        if known is None or waiters.draining or known.hears != (others is not None):
            return None
        if not self.is_valid(known):
            self._forget_known(key)
            return None
        board = known.board
        cursor = board.cursor if (epoch, seq) == (board.epoch, board.seq) else Cursor(epoch, seq)
        if epoch != board.epoch or seq > board.seq or not is_in_memory(board, seq):
            return None
        self._known.move_to_end(key)
        heard = others or 0
        known.move_to(heard)
        if cursor is board.cursor and not known.hears:
            return Verdict(known, None)
        hears = Hears(heard, known.scope) if known.hears and known.scope else None
        account_id = known.account.id if known.account else None
        return Verdict(known, waiters.reply_now(cursor, board, hears, account_id))

    def is_valid(self, request: KnownRequest) -> bool:
        """Whether its client may still read its board, its token or session is known to be valid, and its account
        unchanged. Counts as a use of it.

        A session is looked up once for as long as it is trusted, because the polls of thousands of members would find
        none of what is looked at in the processor's caches.
        """
        if request.board.rights != request.rights:
            return False
        credentials = self._credentials
        if request.changes == credentials.changes and credentials.clock() < request.until:
            return True
        credential, until = None, math.inf
        if request.secret_hash is not None:
            credential = credentials.recall(request.secret_hash, use=request.counts_as_use)
            if credential is None or credential.account != request.account:
                return False
            until = 0 if request.counts_as_use else credentials.trusted_until(request.secret_hash)
        if request.scope is not None:
            if self._scopes.recall(credential) is not request.scope:
                return False
            until = min(until, self._scopes.trusted_until(credential))
        request.changes, request.until = credentials.changes, until
        return True

    def packet(self, body: bytes) -> Packet:
        """Returns the whole reply. It is made once for all clients that get the same one within a second."""
        packet = self._packet
        if packet.body is body and packet.draining is self.waiters.draining:
            return packet
        draining = self.waiters.draining
        closes = draining or body.endswith(NO_ROOM)
        date = format_timestamp(time.time())
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: {date}\r\n{self._head}"
        head += "Connection: close\r\n" if closes else ""
        data = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self._packet = Packet(body, draining, closes, data)
        if self._forgetting is not None:
            self._forgetting.cancel()
        self._forgetting = asyncio.get_running_loop().call_later(1, self._forget)
        return self._packet

    def _forget(self) -> None:
        """Drops the packet, because its Date header is no longer right."""
        self._packet, self._forgetting = NO_PACKET, None
