"""The connection on which a repeated poll is known (see handlers/repeat.py), and the server that has such connections."""

import asyncio
import re
import socket
import time
import weakref
from typing import Any

from tornado.ioloop import IOLoop
from tornado.iostream import IOStream

from board.cursor import Cursor
from board.waiter import Ended, Waiter
from board.waiters import NO_ROOM
from handlers.asking import parse_address
from handlers.repeat import POLL, Repeat, Repeats
from handlers.slow_readers import PatientServer

MOST_HELD = 64 * 1024
"""Bytes that a client may send behind a parked poll before it is cut off."""
IDLE_TICK = 2
"""Seconds between looks for connections that have been idle for too long."""
READ_BYTES = 4096
"""Read at once. Tornado's own 64 KB would be filled with zeros for each poll of 700 bytes."""
END = b"\r\n\r\n"


class RepeatStream(IOStream):
    """A connection that answers known polls itself. To the waiter list it is the future of the poll it has parked."""

    def __init__(self, connection: socket.socket, address: str, repeats: Repeats, **options: Any) -> None:
        super().__init__(connection, read_chunk_size=READ_BYTES, **options)
        self.tail: bytes | None = None
        """What followed the cursor in the request that Tornado is reading, if that was a poll and all that came.

        None in any doubt: a handler's word on one request must never be taken for another.
        """
        self.idle_since: float | None = None
        self._address = address
        self._repeats = repeats
        self._repeat: Repeat | None = None
        """The last that came on this connection: most likely also the next."""
        self._waiter: Waiter | None = None
        self._asked = b""
        self._held = b""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way: a client may be cut off that says nothing for long, or never finishes."""
        return self._waiter is None and self._read_regex is not None

    # --- reading

    def _handle_events(self, fd: Any, events: int) -> None:
        """What the loop calls. Tornado's way from here to a read alone costs more than all that a known poll needs."""
        if events == IOLoop.READ and not self._held and self.is_between_requests and self._take_poll():
            return
        super()._handle_events(fd, events)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """What Tornado calls for more bytes, at last also when it begins to wait for the next request."""
        if self._waiter is not None:
            return self._hold()
        if not self._held and self.is_between_requests and self._take_poll():
            return None
        if self._held:
            return self._take_held(buf)
        count = super().read_from_fd(buf)
        if count:
            self.tail = None  # these bytes were not looked at here
        return count

    @property
    def is_between_requests(self) -> bool:
        """Whether Tornado waits for a request, has nothing of it yet, and has sent all of the last reply."""
        return (
            self._read_regex is not None
            and self._waiter is None
            and self._read_buffer_size == 0
            and not self._write_buffer
        )

    def _take_poll(self) -> bool:
        """Reads once: whether it was a known poll, or nothing. Other bytes are held for Tornado."""
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            return False  # Tornado meets it again, and closes the connection in its own way
        self.idle_since = None
        repeat = self._repeat
        if repeat is not None and self._repeats.is_next(repeat, data):
            self._park(self._repeats.waiters.recent.cursor, repeat, data)
            return True
        match = POLL.match(data)
        whole = match is not None and data.find(END) == len(data) - len(END)
        self.tail = data[match.end() :] if match and whole else None
        if match and self.tail and self._answer(match, self.tail, data):
            return True
        self._held = data
        return False

    def _answer(self, match: re.Match[bytes], tail: bytes, data: bytes) -> bool:
        """Answers or parks the poll, if it is known and can be served from memory."""
        repeats = self._repeats
        epoch, seq = match[1], int(match[2])
        if not repeats.serves(epoch, seq) or (repeat := repeats.find(tail)) is None:
            return False
        self._repeat = repeat
        repeats.expect(repeat, data, match.start(1), tail)
        recent = repeats.waiters.recent
        self._park(recent.cursor if seq == recent.seq else Cursor(recent.epoch, seq), repeat, data)
        return True

    def _park(self, cursor: Cursor, repeat: Repeat, data: bytes) -> None:
        """Parks the poll, or answers it if there is news, or no room."""
        account_id = repeat.account.id if repeat.account else None
        address = repeat.address or self._address
        reply = self._repeats.waiters.poll(cursor, repeat.wait, account_id, address, self)
        self._repeats.waiters.tally.repeated += 1
        if isinstance(reply, Waiter):
            self._waiter, self._asked = reply, data
        else:
            self._send(self._repeats.packet(reply))
            if reply.endswith(NO_ROOM):
                self._close_when_sent()

    def _hold(self) -> int | None:
        """What comes behind a parked poll waits for its turn; 0 closes the connection."""
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return None
        self._held, self.tail = self._held + data, None
        return None if data and len(self._held) <= MOST_HELD else 0

    def _take_held(self, buf: bytearray | memoryview) -> int:
        count = min(len(self._held), len(buf))
        buf[:count] = self._held[:count]
        self._held = self._held[count:]
        return count

    def _go_on(self) -> None:
        """Gives what was held to Tornado, as if it had come now."""
        if not self.closed() and self._held and self._waiter is None:
            self._handle_events(self.fileno(), IOLoop.READ)

    # --- what a waiter's future does

    def done(self) -> bool:
        return self._waiter is None

    def set_result(self, reply: bytes | Ended) -> None:
        asked, self._waiter, self._asked = self._asked, None, b""
        if reply is Ended.ASK_AGAIN:  # Tornado and the handler see who is asking, as they did the first time
            self._held, self.tail = asked + self._held, None
        elif isinstance(reply, bytes):
            self._send(self._repeats.packet(reply))
        if self._held and not self.closed():
            asyncio.get_running_loop().call_soon(self._go_on)

    def _send(self, packet: bytes) -> None:
        """At once where the system takes it; what it does not take goes through Tornado's buffer."""
        try:
            sent = self.socket.send(packet)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.close(exc_info=error)
            return
        if sent < len(packet):
            self.write(packet[sent:])
        if self._repeats.waiters.draining:
            self._close_when_sent()

    def _close_when_sent(self) -> None:
        if self.writing():
            asyncio.get_running_loop().call_later(0.02, self._close_when_sent)
        else:
            self.close()

    def close_fd(self) -> None:
        if self._waiter is not None:
            self._repeats.waiters.leave(self._waiter)
        self._held = b""
        super().close_fd()


class RepeatServer(PatientServer):
    """Tornado's server, with connections that know repeated polls."""

    def initialize(  # type: ignore[override]
        self, application: Any, *, repeats: Repeats, idle_seconds: float, **options: Any
    ) -> None:
        super().initialize(application, **options)
        self.conn_params.header_timeout = None  # to Tornado, a connection that only repeats itself looks idle
        self._repeats = repeats
        self._idle_seconds = idle_seconds
        self._streams: weakref.WeakSet[RepeatStream] = weakref.WeakSet()

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        name = parse_address(address[0] if isinstance(address, tuple) else "") or "unknown"
        stream = RepeatStream(connection, name, self._repeats, max_buffer_size=self.max_buffer_size)
        self._streams.add(stream)
        self.handle_stream(stream, address)

    async def close_idle(self) -> None:
        """Cuts off who says nothing for long, or never ends a request; never returns."""
        while True:
            await asyncio.sleep(IDLE_TICK)
            now = time.monotonic()
            for stream in list(self._streams):
                if not stream.is_idle:
                    stream.idle_since = None
                elif stream.idle_since is None:
                    stream.idle_since = now
                elif now - stream.idle_since > self._idle_seconds:
                    stream.close()
