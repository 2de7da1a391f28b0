"""The stream of a connection that the fast path has released to Tornado, and may resume."""

import asyncio
import math
from collections.abc import Callable

from net.connections import Connections
from net.fast_path.connection import FastConnection
from net.fast_path.memo import KnownRequest
from net.streams import Refusals, ServedStream


class ReleasedStream(ServedStream):
    """It begins with the bytes that the fast path has read."""

    deadline = math.inf
    """By the monotonic clock: until when the next poll may be parked, if it was parked before. Its handler takes that."""

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
        """What was read last: most often one whole request."""
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
        """Gives the connection back to the fast path, if it can. For the handler of a poll that has just answered."""
        self._resume(self, known)

    def take_unread(self) -> bytes:
        """Returns what has arrived and Tornado has not used. From now on nothing more is read."""
        self._is_over = True
        reading = asyncio.ensure_future(self.read_bytes(self.max_buffer_size, partial=True))
        return (reading.result() if reading.done() else b"") + self._unread
