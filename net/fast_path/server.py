"""Tornado's server behind the fast path: it serves the connections that the fast path can't."""

import asyncio
import math
import select
import socket
import time
from typing import Any

from net.fast_path.connection import FastConnection
from net.fast_path.memo import RequestMemo
from net.fast_path.path import FastPath
from net.fast_path.stream import ReleasedStream
from net.server import Server, host_of


def make_server(application: Any, *, memo: RequestMemo | None, **options: Any) -> Server:
    """Uses the fast path if there is a memo and epoll. macOS has no epoll; there, Tornado reads all requests."""
    if memo is None or not hasattr(select, "epoll"):
        return Server(application, **options)
    return FastServer(application, memo=memo, **options)


class FastServer(Server):
    def initialize(self, *arguments: Any, memo: RequestMemo, **options: Any) -> None:  # type: ignore[override]
        super().initialize(*arguments, **options)
        self.path = FastPath(memo, self)

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        host = host_of(address)
        self.connections.enter(self.path.add(connection, host), host)

    def adopt(self, one: FastConnection, unread: bytes, deadline: float = math.inf) -> None:
        """Lets Tornado serve the connection, beginning with the bytes read. Its first poll ends at the deadline."""
        stream = self._stream(one, unread)
        stream.deadline = deadline
        self._serve(stream)

    def send_slowly(self, one: FastConnection, packet: bytes, unread: bytes, *, closes: bool) -> None:
        """Sends what the system did not take at once. Then Tornado serves the connection, or it is closed."""
        stream = self._stream(one, unread)
        sending = asyncio.ensure_future(stream.write(packet))
        self.under_way.add(stream)
        sending.add_done_callback(lambda sent: self._when_sent(stream, sent, closes))
        if not closes:
            self._serve(stream)

    def _stream(self, one: FastConnection, unread: bytes) -> ReleasedStream:
        return ReleasedStream(one, unread, self.connections, self.refusals, self.max_buffer_size, self.path.resume)

    def _when_sent(self, stream: ReleasedStream, sent: "asyncio.Future[None]", closes: bool) -> None:
        self.under_way.discard(stream)
        if not sent.cancelled():
            sent.exception()  # the client has left
        if closes:
            stream.close()

    def _serve(self, stream: ReleasedStream) -> None:
        if stream.closed():  # a write has found that its client has left
            return
        try:
            address = stream.socket.getpeername()
        except OSError:  # its client has left since
            stream.close()
            return
        self.handle_stream(stream, address)

    def tick(self) -> None:
        """Closes idle connections of the fast path. Tornado closes those that it serves itself."""
        self.path.now = time.monotonic()
        self.path.close_idle(self.conn_params.header_timeout or math.inf)
        super().tick()

    async def close_all_connections(self) -> None:
        self.path.close()
        await super().close_all_connections()
