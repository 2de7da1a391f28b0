"""The server's side of clients that take their replies too slowly: they are cut off, as what waits for them is memory."""

import asyncio
import time
import weakref
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

LOOK_SECONDS = 5
"""Between looks at the connections that still have something to be sent."""
PATIENCE_SECONDS = 30
"""How long a client may take for the next part of its reply."""
PART = 32 * 1024
"""Bytes that it must have taken by then, or all there is: 1 KB/s, which the poorest network gives."""


class PatientServer(HTTPServer):
    """Tornado's server, whose patience with slow readers is bounded."""

    def initialize(self, *arguments: Any, **options: Any) -> None:
        super().initialize(*arguments, **options)
        self._all_streams: weakref.WeakSet[IOStream] = weakref.WeakSet()

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        self._all_streams.add(stream)
        super().handle_stream(stream, address)

    async def close_slow(self) -> None:
        """Cuts off who takes too long; never returns."""
        since: weakref.WeakKeyDictionary[IOStream, tuple[float, int]] = weakref.WeakKeyDictionary()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            for stream in list(self._all_streams):
                if stream.closed() or not stream.writing():
                    since.pop(stream, None)
                    continue
                sent: int = stream._total_write_done_index
                began, before = since.setdefault(stream, (now, sent))
                if sent - before >= PART:
                    since[stream] = (now, sent)
                elif now - began >= PATIENCE_SECONDS:
                    stream.close()
