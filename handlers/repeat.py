"""The repeated poll is not parsed again: what its bytes came to mean is remembered here.

A page's next poll repeats its last one byte for byte, but for the cursor's number. Tornado has parsed those bytes
once, and a handler has validated and authorised them; reading them anew is nearly all that a delivery costs. So what
follows the cursor is remembered, once for the whole server, with what it came to mean: a request that is a cursor
between the same bytes means the same, on whichever connection it comes. handlers/lot.py has those connections.
"""

import asyncio
import collections
import dataclasses
import re
import time
from collections.abc import Iterable

from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest, format_timestamp, parse_request_start_line

from board import Board
from board.cursor import Cursor
from board.recent import Recent
from board.waiters import NO_ROOM
from storage.records import Account

HEADS = frozenset((b"GET /get?after=", b"GET /api/v1/messages?after="))
POLL = re.compile(b"(?:%s)([0-9a-z]{1,16})-(0|[1-9][0-9]{0,17})(?=[& ])" % b"|".join(map(re.escape, HEADS)))
END = b"\r\n\r\n"
PLAIN_VALUE = re.compile(rb"[!-~ ]{0,200}(?=\r\n[!-~\r])")
"""On one line, with nothing in it that Tornado might refuse: that must get so far."""
MOST_REPEATS = 10_000
"""Different requests that are remembered, about 2 KB each; the least recently used is forgotten first."""
MOST_BYTES = 16 * 1024 * 1024
"""Of all of them together: clients may send longer ones."""


@dataclasses.dataclass(slots=True)
class Repeat:
    """What some bytes around a cursor came to mean when Tornado and a handler had read them."""

    head: bytes
    tail: bytes = dataclasses.field(compare=False)
    """Those that mean the same may differ in what a proxy makes anew."""
    wait: float
    secret_hash: bytes | None
    counts_as_use: bool
    account: Account | None
    address: str | None
    """As the trusted proxy's header says; without one, the connection's."""
    cursor: Cursor | None = dataclasses.field(default=None, compare=False)
    """The newest, when `next` was made."""
    next: bytes = dataclasses.field(default=b"", compare=False)
    """The whole request that asks for what comes after it: what a client that has everything will send."""

    def move_to(self, recent: Recent) -> None:
        if self.cursor is not recent.cursor:
            self.cursor, self.next = recent.cursor, self.head + recent.cursor_bytes + self.tail


@dataclasses.dataclass(slots=True)
class PollBytes:
    """A poll, cut into what is before its cursor, the cursor, and what follows."""

    head: bytes
    epoch: str
    seq: int
    tail: bytes


def split_poll(data: bytes) -> PollBytes | None:
    """None if this is not exactly one poll of a kind that may be known."""
    match = POLL.match(data)
    if match is None or data.find(END) != len(data) - len(END):
        return None
    return PollBytes(data[: match.start(1)], match[1].decode(), int(match[2]), data[match.end() :])


def means(data: bytes, request: HTTPServerRequest) -> bool:
    """Whether these bytes, and no others, are the request that Tornado has read.

    Packets may be cut anywhere, so that the last that came looks like a request of its own and is none: what one
    request was found to mean must never be taken for another.
    """
    if b"\n\n" in data:  # for Tornado, a head may end like this, too
        return False
    line, _, lines = data.removesuffix(END).decode("latin1").partition("\r\n")
    try:
        start, headers = parse_request_start_line(line), HTTPHeaders.parse(lines)
    except HTTPInputError:
        return False
    same_start = (start.method, start.path, start.version) == (request.method, request.uri, request.version)
    return same_start and list(headers.get_all()) == list(request.headers.get_all())


def size_of(tail: bytes, repeat: Repeat) -> int:
    """Its bytes in memory: what follows the cursor, as a pattern and as it came, and a whole request."""
    return len(tail) + 2 * len(repeat.tail)


@dataclasses.dataclass(slots=True)
class Packet:
    """A reply as it goes out."""

    body: bytes
    draining: bool
    closes: bool
    """Whether the connection ends with it."""
    data: bytes


NO_PACKET = Packet(b"", False, False, b"")


class Repeats:
    """The table of known requests, and their replies. One for the whole server."""

    def __init__(self, board: Board, headers: Iterable[tuple[str, str]], varying: Iterable[str]) -> None:
        self.waiters = board.waiters
        self._credentials = board.credentials
        self._known: collections.OrderedDict[bytes, Repeat] = collections.OrderedDict()
        self._size = 0
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        # Each once: what is cut out twice takes along what follows it.
        self._varying = {f"\r\n{name.lower()}: ".encode() for name in varying}
        self._packet = NO_PACKET
        self._forgetting: asyncio.TimerHandle | None = None

    def plain(self, tail: bytes) -> bytes:
        """The bytes without the headers that a proxy makes anew for each request."""
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

    def remember(self, repeat: Repeat) -> Repeat:
        """Gives the one that is to be used: the same for all connections on which the same is asked."""
        tail = self.plain(repeat.tail)
        known = self._known.get(tail)
        if known == repeat:
            self._known.move_to_end(tail)
            return known
        self._forget_known(tail)
        self._known[tail] = repeat
        self._size += size_of(tail, repeat)
        while len(self._known) > MOST_REPEATS or self._size > MOST_BYTES:
            self._forget_known(next(iter(self._known)))
        return repeat

    def _forget_known(self, tail: bytes) -> None:
        if repeat := self._known.pop(tail, None):
            self._size -= size_of(tail, repeat)

    def find(self, data: bytes) -> tuple[Repeat, int] | None:
        """What exactly these bytes mean, and the number of their cursor.

        None for what is not known, or whose token or session has to be looked up again, and for polls that memory
        can't serve. What is known ends with the one empty line in it: nothing else need be looked for behind.
        """
        recent = self.waiters.recent
        head, _, tail = data.partition(recent.cursor_bytes)  # most have everything
        seq = recent.seq
        if head not in HEADS:
            poll = split_poll(data)
            if poll is None or poll.epoch != recent.epoch or not recent.start <= poll.seq <= recent.seq:
                return None
            seq, tail = poll.seq, poll.tail
        tail = self.plain(tail)
        repeat = self._known.get(tail)
        if repeat is None or self.waiters.draining:
            return None
        if not self.is_still(repeat):
            self._forget_known(tail)
            return None
        self._known.move_to_end(tail)
        repeat.move_to(recent)
        return repeat, seq

    def is_still(self, repeat: Repeat) -> bool:
        """Whether its token or session is known to be alive, and its account unchanged; counts as its use."""
        if repeat.secret_hash is None:
            return True
        credential = self._credentials.recall(repeat.secret_hash, use=repeat.counts_as_use)
        return credential is not None and credential.account == repeat.account

    def packet(self, body: bytes) -> Packet:
        """The whole reply, made once for all who get the same within a second."""
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
        """The Date of the packet is over."""
        self._packet, self._forgetting = NO_PACKET, None
