"""Known requests: which parts the bytes of a poll have, and what a handler found them to mean."""

import dataclasses
import re

from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest, parse_request_start_line

from board.cursor import Cursor
from board.live_board import LiveBoard
from board.scopes import Scope
from storage.records import Account

HEADS = frozenset((b"GET /get?after=", b"GET /api/v1/messages?after="))
"""How polls of the first board begin."""
SLUG = rb"[a-z0-9-]{1,40}"
OF_BOARDS = (rb"GET /b/%s/get\?after=" % SLUG, rb"GET /api/v1/boards/%s/messages\?after=" % SLUG)
OTHERS = b"&others="
NUMBER = rb"(0|[1-9][0-9]{0,17})"
POLL = re.compile(
    rb"(?:%s)([0-9a-z]{1,16})-%s(?:%s%s)?(?=[& ])"
    % (b"|".join((*map(re.escape, sorted(HEADS)), *OF_BOARDS)), NUMBER, OTHERS, NUMBER)
)
END = b"\r\n\r\n"


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
    board: LiveBoard
    rights: int = 0
    """The board's `rights` by which the client may read it."""
    scope: Scope | None = None
    """What the client may read; None if that does not matter, because the first board is all that this is about."""
    hears: bool = False
    """Whether it asks for word of the other boards."""
    cursor: Cursor | None = dataclasses.field(default=None, compare=False)
    """The newest cursor when `next` was made."""
    heard: int = dataclasses.field(default=0, compare=False)
    """How far its client had heard of the other boards then."""
    next: bytes = dataclasses.field(default=b"", compare=False)
    """The whole request with that cursor: what a client that has all changes will send."""
    until: float = dataclasses.field(default=0.0, compare=False)
    """Until when its client need not be looked up again, in seconds since 1970, unless something about an account changes."""
    changes: int = dataclasses.field(default=0, compare=False)
    """The last change of any account when it was looked up."""
    parks: tuple[LiveBoard, float, bool] = dataclasses.field(init=False, compare=False)
    """Those that have the same are parked together."""
    is_certain: bool = dataclasses.field(init=False, compare=False)
    """Whether nothing can make it invalid: a guest's poll of the first board."""

    def __post_init__(self) -> None:
        self.parks = self.board, self.wait, self.hears
        self.is_certain = self.secret_hash is None and self.board.is_first

    def move_to(self, heard: int) -> None:
        """Goes on to the board's present cursor, and to how far a client has heard of the other boards."""
        board = self.board
        if self.cursor is not board.cursor or (self.hears and self.heard != heard):
            self.cursor, self.heard = board.cursor, heard
            others = OTHERS + b"%d" % heard if self.hears else b""
            self.next = b"".join((self.head, board.cursor_bytes, others, self.tail))


@dataclasses.dataclass(slots=True)
class PollBytes:
    """A poll in three parts: before its cursor, the cursor, and after it. `others` is after the cursor, if it is sent."""

    head: bytes
    epoch: str
    seq: int
    others: int | None
    tail: bytes


def split_poll(data: bytes) -> PollBytes | None:
    """Returns None if this is not exactly one poll of a kind that may be known."""
    match = POLL.match(data)
    if match is None or data.find(END) != len(data) - len(END):
        return None
    others = int(match[3]) if match[3] else None
    return PollBytes(data[: match.start(1)], match[1].decode(), int(match[2]), others, data[match.end() :])


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
