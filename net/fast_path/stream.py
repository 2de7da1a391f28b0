"""The stream of a connection that the fast path has released to Tornado, and may resume."""

import asyncio
import math
from collections.abc import Callable

from net.connections import Connections
from net.fast_path.connection import FastConnection
from net.fast_path.known import KnownRequest
from net.streams import Refusals, ServedStream


class ReleasedStream(ServedStream):
    """Its first bytes are those that the fast path has read."""

    deadline = math.inf
    """Until when the next poll may be parked if it was parked before, by the monotonic clock. Its handler uses it."""

    def __init__(
        self,
        one: FastConnection,
        unread: bytes,
        connections: Connections,
        refusals: Refusals,
        max_buffer_size: int | None,
        resume: Callable[["ReleasedStream", KnownRequest], None],
    ) -> None:
        super().__init__(one.socket, connections, refusals, max_buffer_size=max_buffer_size)
        self.wait = one.wait
        self._unread = unread
        self.connections.move(one, self)
        self._resume = resume
        self.host = one.host
        self.last_read = b""
        """The bytes that were read last: usually one whole request."""
        self._is_over = False

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        if self._is_over:
            return None
        count: int | None
        if self._unread:
            count = min(len(self._unread), len(buf))
            buf[:count] = self._unread[:count]
            self._unread = self._unread[count:]
            self._came += count
        else:
            count = super().read_from_fd(buf)
        if count:
            self.last_read = bytes(buf[:count])
        return count

    def resume(self, known: KnownRequest) -> None:
        """Returns the connection to the fast path, if possible. The handler of a poll calls this after its answer."""
        self._resume(self, known)

    def take_unread(self) -> bytes:
        """Returns the bytes that have arrived and that Tornado has not used. Nothing more is read from then on."""
        self._is_over = True
        reading = asyncio.ensure_future(self.read_bytes(self.max_buffer_size, partial=True))
        return (reading.result() if reading.done() else b"") + self._unread
