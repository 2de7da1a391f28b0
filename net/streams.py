"""Tornado's stream, with replies to malformed requests. It is counted among the connections.

Tornado answers bytes that are not HTTP with a bare 400, and does not answer a head that is too long. Here both get an
answer in the shape of all errors. A client that is still sending could not read it if the connection were closed at
once, because the system discards what was sent if unread bytes are left (RFC 9112, 9.6). So the rest is read for a
while, and discarded.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable
from typing import Any, NamedTuple

from tornado.iostream import IOStream, UnsatisfiableReadError

from net.connections import Connections, Group, Wait

READ_BYTES = 4096
"""Bytes read at once. A browser's poll has about 700. Tornado's 64 KB would be filled with zeros for each request."""
HEAD_BYTES = 16 * 1024
CHUNKS = 16
"""Chunks of a body that are read in one turn: some dozen microseconds."""
LINGER_SECONDS = 30
"""For clients that still send after the last reply. It is as long as a body may take."""
BARE = b"HTTP/1.1 400 Bad Request\r\n\r\n"
"""Tornado's reply to what it can't parse, before it closes the connection."""


class Refusals(NamedTuple):
    """Whole replies to requests that no handler gets. Their connections are closed."""

    bad_request: bytes
    long_head: bytes


class ServedStream(IOStream):
    """A connection that Tornado serves."""

    lingers = False
    """Whether bytes that its client still sends after the last reply are read."""
    _unread = b""
    """Bytes that the fast path has read and Tornado has not."""

    def __init__(self, connection: socket.socket, connections: Connections, refusals: Refusals, **options: Any) -> None:
        super().__init__(connection, read_chunk_size=READ_BYTES, **options)
        self.connections = connections
        connections.served.add(self)
        self.group: Group | None = None
        self.wait = Wait.FIRST
        self.since = time.monotonic()
        self.held = 0
        self._refusals = refusals
        self._came = 0
        """Bytes of the request that is arriving."""
        self._chunks = 0
        """How many chunks it has begun to read."""
        self._is_kept = True
        self._is_at_work = False

    # --- requests

    def begins(self) -> None:
        """Called when the next request may arrive."""
        self._is_at_work = False
        self._came = 0
        if self.writing():  # a reply that the fast path began to send
            return
        if self.wait is not Wait.FIRST:
            self.wait, self.since = Wait.NEXT, time.monotonic()
        if self.held or self._unread:
            self._holds(0)

    def has_head(self, *, is_whole: bool, is_kept: bool = True) -> None:
        """Called when the head of a request has arrived, and its body if `is_whole`. The rest is kept if `is_kept`."""
        self._is_at_work = True
        self._is_kept = is_kept
        if not is_whole and self.wait is not Wait.BODY:
            self.since = time.monotonic()
        self.wait = Wait.NOTHING if is_whole else Wait.BODY
        if self.held and (is_whole or not is_kept):
            self._holds(0)

    @property
    def is_unfinished(self) -> bool:
        """Whether part of a request has arrived, but not all of it."""
        return not self.closed() and (self.wait is Wait.BODY or (self.wait is not Wait.NOTHING and self._came > 0))

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        count = super().read_from_fd(buf)
        if count and (self.wait is Wait.BODY or not self._is_at_work):
            self._came += count
            if self._came > READ_BYTES and self._is_kept:
                self._holds(self._came)
        return count

    def read_until(self, delimiter: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """Tornado uses this only to read the size of a chunk."""
        is_in_turn = self._chunks % CHUNKS
        self._chunks += 1
        return super().read_until(delimiter, max_bytes) if is_in_turn else self._read_in_turn(delimiter, max_bytes)

    async def _read_in_turn(self, delimiter: bytes, max_bytes: int | None) -> bytes:
        """Lets one connection at a time continue: many with tiny chunks would keep the loop from everybody else."""
        async with self.connections.turns.turn():
            pass
        return await super().read_until(delimiter, max_bytes)

    def write(self, data: bytes | memoryview) -> "asyncio.Future[None]":
        if data == BARE:
            data, self.lingers = self._refusals.bad_request, True
        sent = super().write(data)
        if not sent.done() and not self.closed():
            self.wait, self.since = Wait.READER, time.monotonic()
            self._holds(self.held + len(data))
            sent.add_done_callback(self._when_sent)
        return sent

    def _when_sent(self, sent: "asyncio.Future[None]") -> None:
        if not self.closed() and not self.writing():
            self._holds(0)
            if self.wait is Wait.READER:
                self.wait = Wait.NOTHING if self._is_at_work else Wait.NEXT

    def _holds(self, count: int) -> None:
        if len(self._unread) > READ_BYTES:
            count += len(self._unread)
        change, self.held = count - self.held, count
        if change:
            self.connections.hold(self, change)

    # --- closing

    def drop(self) -> None:
        self.lingers = False
        self.close()

    def close(self, exc_info: Any = False) -> None:
        if not self.closed():
            if isinstance(exc_info, UnsatisfiableReadError):
                self._refuse_long_head()
            if self.lingers and not self.writing():
                Lingering.take_over(self)
        super().close(exc_info)
        if self.error is not None:
            # The traceback's frames, and their callers, would keep the unsent bytes until the next garbage collection.
            self.error.__traceback__ = None

    def _refuse_long_head(self) -> None:
        """No other reply is being sent, because the last request had been answered when this one was read."""
        try:
            self.socket.send(self._refusals.long_head)
        except OSError:
            return
        self.lingers = True

    def close_fd(self) -> None:
        self.connections.leave(self)
        self.held = 0
        super().close_fd()


class Lingering:
    """A connection that has had its last reply and whose client still sends. The bytes are read and discarded."""

    wait = Wait.BODY
    held = 0

    def __init__(self, connection: socket.socket, stream: ServedStream) -> None:
        self.group: Group | None = None
        self.since = time.monotonic()
        self._connections = stream.connections
        self._socket = connection
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket.fileno(), self._on_ready)
        self._timer = loop.call_later(LINGER_SECONDS, self.drop)

    @classmethod
    def take_over(cls, stream: ServedStream) -> None:
        """Duplicates the descriptor, because the stream closes its own. Does nothing without a free one or a client."""
        if stream.group is None:
            return
        try:
            connection = stream.socket.dup()
        except OSError:
            return
        try:
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            connection.close()
            return
        lingering = cls(connection, stream)
        stream.connections.join(lingering, stream.group)
        stream.connections.lingering.add(lingering)

    def _on_ready(self) -> None:
        try:
            if self._socket.recv(64 * 1024):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.drop()

    def drop(self) -> None:
        self._timer.cancel()
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        self._connections.leave(self)
        self._connections.lingering.discard(self)
