"""Tornado's server, with limits on its connections: those that are silent or read too slowly are closed.

Slow readers are closed because their unsent replies are kept in memory.
"""

import asyncio
import socket
import time
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate, HTTPServerConnectionDelegate

from net.addresses import parse_address
from net.connections import Connections
from net.streams import HEAD_BYTES, Refusals, ServedStream

IDLE_SECONDS = 95
"""Longer than the 90 s for which Heroku's router keeps a connection: the router always closes it first."""
BODY_SECONDS = 30
"""For the whole body of a request, even from a slow phone."""
IDLE_TICK = 2
"""Seconds between checks for connections that have been silent for too long."""

SLOW_TICK = 5
"""Seconds between checks of the connections that have unsent bytes."""
SLOW_SECONDS = 30
"""How long a client may take for the next part of its reply."""
BYTES_TAKEN_MIN = 32 * 1024
"""Bytes that it must have taken by then, unless there are fewer: 1 KB/s, which even the poorest network gives."""


class Server(HTTPServer):
    """`under_way` has the requests and replies that a drain waits for."""

    def initialize(  # type: ignore[override]
        self,
        application: HTTPServerConnectionDelegate,
        *,
        connections: Connections,
        refusals: Refusals,
        under_way: set[object],
        max_body_size: int,
    ) -> None:
        super().initialize(
            application,
            idle_connection_timeout=IDLE_SECONDS,
            body_timeout=BODY_SECONDS,
            max_header_size=HEAD_BYTES,
            max_body_size=max_body_size,
            max_buffer_size=max_body_size + 64 * 1024,
        )
        self.connections = connections
        self.refusals = refusals
        self.under_way = under_way

    @property
    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """The tasks that must run while the server does, by their names in the log."""
        return {"Closing slow connections": self.close_slow, "Closing idle connections": self.close_idle}

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        stream = ServedStream(connection, self.connections, self.refusals, max_buffer_size=self.max_buffer_size)
        self.connections.enter(stream, host_of(address))
        self.handle_stream(stream, address)

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        request_conn.stream.begins()
        return super().start_request(server_conn, request_conn)

    @property
    def unfinished(self) -> int:
        """How many clients are in the middle of sending a request."""
        return sum(stream.is_unfinished for stream in self.connections.served)

    async def close_all_connections(self) -> None:
        for lingering in list(self.connections.lingering):
            lingering.drop()
        await super().close_all_connections()
        for stream in list(self.connections.served):  # those that send the rest of an event
            stream.close()

    async def close_idle(self) -> None:
        """Closes connections above the shares and silent ones. Runs until cancelled."""
        while True:
            await asyncio.sleep(IDLE_TICK)
            self.tick()

    def tick(self) -> None:
        self.connections.sweep()

    async def close_slow(self) -> None:
        """Closes connections that read too slowly. Runs until cancelled."""
        since: weakref.WeakKeyDictionary[ServedStream, tuple[float, int]] = weakref.WeakKeyDictionary()
        while True:
            await asyncio.sleep(SLOW_TICK)
            now = time.monotonic()
            for stream in list(self.connections.served):
                if stream.closed() or not stream.writing():
                    since.pop(stream, None)
                    continue
                sent: int = stream._total_write_done_index
                began, before = since.setdefault(stream, (now, sent))
                if sent - before >= BYTES_TAKEN_MIN:
                    since[stream] = (now, sent)
                elif now - began >= SLOW_SECONDS:
                    stream.close()


def host_of(address: Any) -> str:
    """Returns the address as limits count it, or "unknown" for a unix socket, which only a proxy uses."""
    return (parse_address(address[0]) if isinstance(address, tuple) else None) or "unknown"
