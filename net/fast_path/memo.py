"""The memo of known requests: which bytes mean which poll.

A page's next poll has the same bytes as its last one, except the number in the cursor. Tornado has parsed them once,
and a handler has validated and authorised them; doing that again would be nearly all that a delivery costs. So the bytes
after the cursor are kept, once for the whole server, with what they mean: a request with the same bytes around a cursor
means the same on every connection. net/fast_path/path.py has the connections.
"""

import asyncio
import collections
import dataclasses
import re
import time
from collections.abc import Iterable
from typing import NamedTuple

from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest, format_timestamp, parse_request_start_line

from board.credentials import Credentials
from board.cursor import Cursor
from board.recent import Recent
from board.waiters import NO_ROOM, WaiterList
from storage.records import Account

HEADS = frozenset((b"GET /get?after=", b"GET /api/v1/messages?after="))
POLL = re.compile(b"(?:%s)([0-9a-z]{1,16})-(0|[1-9][0-9]{0,17})(?=[& ])" % b"|".join(map(re.escape, HEADS)))
END = b"\r\n\r\n"
PLAIN_VALUE = re.compile(rb"[!-~ ]{0,200}(?=\r\n[!-~\r])")
"""A value on one line, without anything that Tornado might refuse. Tornado must see all other values."""
REQUESTS_MAX = 10_000
"""The most known requests, about 2 KB each. The least recently used one is forgotten first."""
BYTES_MAX = 16 * 1024 * 1024
"""The most bytes of all known requests together, because clients may send longer ones."""


@dataclasses.dataclass(slots=True)
class KnownRequest:
    """What the bytes around a cursor mean, according to Tornado and a handler."""

    head: bytes
    tail: bytes = dataclasses.field(compare=False)
    """Requests that mean the same may differ in headers that a proxy sets for each."""
    wait: float
    secret_hash: bytes | None
    counts_as_use: bool
    account: Account | None
    address: str | None
    """From the header of the trusted proxy; None without one."""
    cursor: Cursor | None = dataclasses.field(default=None, compare=False)
    """The newest cursor when `next` was made."""
    next: bytes = dataclasses.field(default=b"", compare=False)
    """The whole request with that cursor: what a client that has all changes will send."""

    def move_to(self, recent: Recent) -> None:
        if self.cursor is not recent.cursor:
            self.cursor, self.next = recent.cursor, self.head + recent.cursor_bytes + self.tail


@dataclasses.dataclass(slots=True)
class PollBytes:
    """A poll in three parts: before its cursor, the cursor, and after it."""

    head: bytes
    epoch: str
    seq: int
    tail: bytes


def split_poll(data: bytes) -> PollBytes | None:
    """Returns None if this is not exactly one poll of a kind that may be known."""
    match = POLL.match(data)
    if match is None or data.find(END) != len(data) - len(END):
        return None
    return PollBytes(data[: match.start(1)], match[1].decode(), int(match[2]), data[match.end() :])


def means(data: bytes, request: HTTPServerRequest) -> bool:
    """Whether these bytes, and no others, are the request that Tornado has read.

    Packets may be cut anywhere, so the last packet of a request may look like another request: the meaning of one
    request must never be taken for that of another.
    """
    if b"\n\n" in data:  # Tornado also accepts this as the end of a head
        return False
    line, _, lines = data.removesuffix(END).decode("latin1").partition("\r\n")
    try:
        start, headers = parse_request_start_line(line), HTTPHeaders.parse(lines)
    except HTTPInputError:
        return False
    same_start = (start.method, start.path, start.version) == (request.method, request.uri, request.version)
    return same_start and list(headers.get_all()) == list(request.headers.get_all())


def size_of(tail: bytes, request: KnownRequest) -> int:
    """Returns the bytes in memory: those after the cursor, in two forms, and a whole request."""
    return len(tail) + 2 * len(request.tail)


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
        headers: Iterable[tuple[str, str]],
        varying: Iterable[str],
    ) -> None:
        self.waiters = waiters
        self._credentials = credentials
        self._known: collections.OrderedDict[bytes, KnownRequest] = collections.OrderedDict()
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
        tail = self.plain(request.tail)
        known = self._known.get(tail)
        if known == request:
            self._known.move_to_end(tail)
            return known
        self._forget_known(tail)
        self._known[tail] = request
        self._size += size_of(tail, request)
        while len(self._known) > REQUESTS_MAX or self._size > BYTES_MAX:
            self._forget_known(next(iter(self._known)))
        return request

    def _forget_known(self, tail: bytes) -> None:
        if request := self._known.pop(tail, None):
            self._size -= size_of(tail, request)

    def classify(self, data: bytes) -> Verdict | None:
        """Returns what is to be done with these bytes. It touches memory only: it has no socket, and never waits.

        None if only Tornado and a handler can tell: the bytes are not known, a token or session has to be looked up
        again, or memory can't serve the poll. A known request ends with the only empty line in it, so nothing can
        follow it.
        """
        recent = self.waiters.recent
        head, _, tail = data.partition(recent.cursor_bytes)  # most clients have all changes
        seq = recent.seq
        if head not in HEADS:
            poll = split_poll(data)
            if poll is None or poll.epoch != recent.epoch or not recent.start <= poll.seq <= recent.seq:
                return None
            seq, tail = poll.seq, poll.tail
        tail = self.plain(tail)
        known = self._known.get(tail)
        if known is None or self.waiters.draining:
            return None
        if not self.is_valid(known):
            self._forget_known(tail)
            return None
        self._known.move_to_end(tail)
        known.move_to(recent)
        return Verdict(known, recent.after(seq) if seq < recent.seq else None)

    def is_valid(self, request: KnownRequest) -> bool:
        """Whether its token or session is known to be valid, and its account unchanged. Counts as a use of it."""
        if request.secret_hash is None:
            return True
        credential = self._credentials.recall(request.secret_hash, use=request.counts_as_use)
        return credential is not None and credential.account == request.account

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
