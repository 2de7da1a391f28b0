"""Tornado's server with a lot in front of it (handlers/lot.py), and the streams of connections that go between."""

import asyncio
import math
import socket
import time
from typing import TYPE_CHECKING, Any

from handlers.lot import Lot
from handlers.repeat import Repeats
from handlers.slow_readers import PatientServer, host_of
from handlers.standing import Standing
from handlers.streams import ServedStream

if TYPE_CHECKING:
    from handlers import Application


class LotStream(ServedStream):
    """A connection that came from the lot, along with what was read there, and may go back."""

    until = math.inf
    """By the monotonic clock: how long the next poll may be parked, if it was parked before. Its handler takes that."""

    def __init__(self, one: Standing, unread: bytes, server: "LotServer") -> None:
        super().__init__(one.socket, server.connections, server.refusals, max_buffer_size=server.max_buffer_size)
        self.wait = one.wait
        self._unread = unread
        self.connections.move(one, self)
        self.lot = one.lot
        self.host = one.host
        self.last_read = b""
        """What came last: most often one whole request."""
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

    def left(self) -> bytes:
        """What has come and Tornado has not used; from now on nothing more is read."""
        self._is_over = True
        reading = asyncio.ensure_future(self.read_bytes(self.max_buffer_size, partial=True))
        return (reading.result() if reading.done() else b"") + self._unread


class LotServer(PatientServer):
    """Tornado's server, which gets the connections that the lot can't serve."""

    def initialize(  # type: ignore[override]
        self, application: "Application", *, repeats: Repeats, idle_seconds: float, **options: Any
    ) -> None:
        super().initialize(application, idle_connection_timeout=idle_seconds, **options)
        self.lot = Lot(repeats, self)
        self._under_way = application.under_way
        self._idle_seconds = idle_seconds

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        host = host_of(address)
        self.connections.enter(self.lot.stand(connection, host), host)

    def adopt(self, one: Standing, unread: bytes, seconds: float = math.inf) -> None:
        """Tornado reads on here, beginning with what was read already. The first poll has only so many seconds."""
        stream = LotStream(one, unread, self)
        stream.until = time.monotonic() + seconds
        self._serve(stream)

    def send_slowly(self, one: Standing, packet: bytes, unread: bytes, *, closes: bool) -> None:
        """Sends what the system did not take at once, as it can; then Tornado reads on, or the connection ends."""
        stream = LotStream(one, unread, self)
        sending = asyncio.ensure_future(stream.write(packet))
        self._under_way.add(stream)
        self._all_streams.add(stream)
        sending.add_done_callback(lambda sent: self._when_sent(stream, sent, closes))
        if not closes:
            self._serve(stream)

    def _when_sent(self, stream: LotStream, sent: "asyncio.Future[None]", closes: bool) -> None:
        self._under_way.discard(stream)
        if not sent.cancelled():
            sent.exception()  # the client has gone
        if closes:
            stream.close()

    def _serve(self, stream: LotStream) -> None:
        if stream.closed():  # its client has gone, as a write has found
            return
        try:
            address = stream.socket.getpeername()
        except OSError:  # it has gone meanwhile
            stream.close()
            return
        self.handle_stream(stream, address)

    def tick(self) -> None:
        """Tornado closes the idle connections that it serves itself."""
        self.lot.now = time.monotonic()
        self.lot.close_idle(self._idle_seconds)
        super().tick()

    @property
    def open_now(self) -> int:
        return len(self.lot) + super().open_now

    async def close_all_connections(self) -> None:
        self.lot.close()
        await super().close_all_connections()
