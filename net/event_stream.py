"""A stream: a poll that stays. Its replies go out as events, and it is parked again after each, without a request.

Here is what each stream has, and its two formats. net/event_streams.py serves all of them.
"""

import abc
import random
import socket
import time
from collections.abc import Sequence
from typing import ClassVar, Protocol

from board.cursor import Cursor
from board.waiter import Ended, Waiter
from net.connections import Group, Wait

STREAM_SECONDS = 900
"""A stream ends after this time at most. Its client comes back: it is authenticated again, and may reach another server."""
RETRY_MS = 1000
"""After how many ms a client comes back, at least. retry() adds up to twice as much, so that not all come at once."""
LINE_ENDS = {"\x85": b"\\u0085", "\u2028": b"\\u2028", "\u2029": b"\\u2029"}
"""Characters of JSON that some clients take for the end of a line, with their escapes."""


class Streams(Protocol):
    """What a stream needs from those who serve it."""

    def answer(self, ones: Sequence["EventStream"], reply: bytes) -> None: ...
    def drop(self, one: "EventStream") -> None: ...
    def doubt(self, one: "EventStream", deadline: float) -> None: ...


class EventStream(Waiter):
    """A connection on which a stream is parked, or about to be."""

    __slots__ = ("cursor", "deadline", "ends_at", "group", "is_in_doubt", "judged_at", "secret", "socket", "streams")
    media_type: ClassVar[str]
    keep_alive: ClassVar[bytes | None] = None
    """What is sent if there is nothing new for a while; None for the reply that a poll would get then."""
    held = 0
    since = 0.0

    def __init__(
        self, streams: Streams, cursor: Cursor, account_id: int | None, address: str, secret: str | None = None
    ) -> None:
        super().__init__(account_id, address)
        self.secret = secret
        """The credential's secret; None for a guest."""
        self.is_in_doubt = False
        """Whether its client is being authenticated again."""
        self.streams = streams
        self.cursor = cursor
        """What its client has, when all that was sent has arrived."""
        self.judged_at = 0
        """The value of Credentials.changes when its client was authenticated."""
        self.deadline = 0.0
        """When its keep-alive is due, while it is in doubt, by the monotonic clock."""
        self.ends_at = time.monotonic() + STREAM_SECONDS * random.uniform(0.9, 1)  # noqa: S311 - no secret
        self.group: Group | None = None
        self.socket: socket.socket

    @property
    def wait(self) -> Wait:
        return Wait.NOTHING if self.parked is not None or self.is_in_doubt else Wait.READER

    def drop(self) -> None:
        self.streams.drop(self)

    def resolve(self, reply: bytes | Ended, deadline: float = 0) -> None:
        if isinstance(reply, bytes):
            self.streams.answer([self], reply)
        elif reply is Ended.ASK_AGAIN:
            self.streams.doubt(self, deadline)

    @classmethod
    def resolve_all(cls, waiters: Sequence["EventStream"], reply: bytes) -> None:  # type: ignore[override]
        waiters[0].streams.answer(waiters, reply)

    @classmethod
    @abc.abstractmethod
    def event(cls, cursor: Cursor, reply: bytes) -> bytes:
        """Returns a reply as it goes out."""

    @classmethod
    def retry(cls, least_ms: float) -> bytes:
        """Returns what tells a client when to come back. It goes before an event."""
        return b""


class ServerSentEvents(EventStream):
    """https://html.spec.whatwg.org/multipage/server-sent-events.html"""

    __slots__ = ()
    media_type = "text/event-stream"
    keep_alive = b":\n"
    """A comment, without an empty line: some clients make an event of each of those."""

    @classmethod
    def event(cls, cursor: Cursor, reply: bytes) -> bytes:
        return b"id: %s\ndata: %s\n\n" % (str(cursor).encode(), in_one_line(reply))

    @classmethod
    def retry(cls, least_ms: float) -> bytes:
        return b"retry: %d\n" % (least_ms * random.uniform(1, 3))  # noqa: S311 - no secret


class JsonLines(EventStream):
    """Newline-delimited JSON. It has no comments and no ids: the cursor is in each reply."""

    __slots__ = ()
    media_type = "application/x-ndjson"

    @classmethod
    def event(cls, cursor: Cursor, reply: bytes) -> bytes:
        return in_one_line(reply) + b"\n"


FORMATS: dict[str, type[EventStream]] = {kind.media_type: kind for kind in (ServerSentEvents, JsonLines)}
"""By their media types. The first is for clients that accept anything."""


def in_one_line(reply: bytes) -> bytes:
    for character, escape in LINE_ENDS.items():
        reply = reply.replace(character.encode(), escape)
    return reply
