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
from board.waiters import NO_ROOM
from storage.records import Account

POLL = re.compile(rb"GET /(?:get|api/v1/messages)\?after=([0-9a-z]{1,16})-(0|[1-9][0-9]{0,17})(?=[& ])")
END = b"\r\n\r\n"
MOST_REPEATS = 10_000
"""Different requests that are remembered, each some 600 bytes; the one that was learned first is forgotten first."""


@dataclasses.dataclass(slots=True, eq=False)
class Repeat:
    """What some bytes behind a cursor came to mean when Tornado and a handler had read them."""

    wait: float
    secret_hash: bytes | None
    counts_as_use: bool
    account: Account | None
    address: str | None
    """As the trusted proxy's header says; without one, the connection's."""
    cursor: Cursor | None = None
    """The newest, when `next` was made."""
    next: bytes = b""
    """The whole request that asks for what comes after it: what a client that has everything will send."""


@dataclasses.dataclass(slots=True)
class PollBytes:
    """A poll, cut into what is before its cursor, the cursor, and what follows."""

    head: bytes
    epoch: str
    seq: int
    tail: bytes

    def with_cursor(self, cursor: Cursor) -> bytes:
        return self.head + str(cursor).encode() + self.tail


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
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        names = b"|".join(re.escape(name.encode()) for name in varying)
        # Only plain values on one line: what Tornado might refuse must get that far.
        pattern = rb"\r\n(?:" + names + rb"): [!-~ ]{0,200}(?=\r\n[!-~\r])"
        self._varying = re.compile(pattern, re.IGNORECASE) if names else None
        self._packet = NO_PACKET

    def plain(self, tail: bytes) -> bytes:
        """The bytes without the headers that a proxy makes anew for each request."""
        return self._varying.sub(b"", tail) if self._varying else tail

    def remember(self, tail: bytes, repeat: Repeat) -> None:
        self._known[self.plain(tail)] = repeat
        if len(self._known) > MOST_REPEATS:
            self._known.popitem(last=False)

    def find(self, tail: bytes) -> Repeat | None:
        """None for bytes that are not known, or whose token or session has to be looked up again."""
        repeat = self._known.get(tail)
        if repeat is None:
            tail = self.plain(tail)
            repeat = self._known.get(tail)
            if repeat is None:
                return None
        if not self.is_still(repeat):
            del self._known[tail]
            return None
        return repeat

    def is_still(self, repeat: Repeat) -> bool:
        """Whether its token or session is known to be alive, and its account unchanged; counts as its use."""
        if repeat.secret_hash is None:
            return True
        credential = self._credentials.recall(repeat.secret_hash, use=repeat.counts_as_use)
        return credential is not None and credential.account == repeat.account

    def serves(self, poll: PollBytes) -> bool:
        """Whether memory has all that such a poll may need."""
        recent = self.waiters.recent
        in_memory = poll.epoch == recent.epoch and recent.start <= poll.seq <= recent.seq
        return in_memory and not self.waiters.draining

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
        asyncio.get_running_loop().call_later(1, self._forget, self._packet)
        return self._packet

    def _forget(self, packet: Packet) -> None:
        """Its Date is over."""
        if self._packet is packet:
            self._packet = NO_PACKET
