"""The load: plain sockets watched together, requests as ready-made bytes, replies that are found by two searches.

A client library would cost more than the server that it measures.
"""

import json
import re
import selectors
import socket
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any, NamedTuple

from bench.outcome import Wrong

PATIENCE = 60
"""Seconds without any reply after which a bench gives up."""
READ = 16 * 1024
"""Bytes to read at once. For more, the system would have to find memory at the start of each read."""
STATUS = slice(9, 12)
LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n")

BROWSER = """\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36
Accept: */*
Accept-Language: en-GB,en-US;q=0.9,en;q=0.8,de;q=0.7
Accept-Encoding: gzip, deflate, br, zstd
sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="24"
sec-ch-ua-mobile: ?0
sec-ch-ua-platform: "Linux"
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Referer: http://127.0.0.1:8080/
""".replace("\n", "\r\n")
"""The headers of a page's requests, because a server has to read them too."""


class Reply(NamedTuple):
    status: int
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise Wrong(f"this is not JSON: {self.status} {self.body[:200]!r}") from None


def get(path: str, headers: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n{headers}\r\n".encode()


def post_form(path: str, fields: dict[str, str]) -> bytes:
    body = urllib.parse.urlencode(fields).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\nAccept: application/json\r\n"
    kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + kind).encode() + body


class Connection:
    """One keep-alive connection with at most one request under way. Raises Wrong for anything it did not ask for."""

    __slots__ = ("is_waiting", "sent_at", "socket", "unread")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""
        self.is_waiting = False
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.is_waiting = True
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> Reply | None:
        """Reads once. Returns the reply if it is complete, or else None."""
        data = self.socket.recv(READ)
        if not data:
            raise Wrong("the server closed a connection")
        if not self.is_waiting:
            raise Wrong(f"a reply came that nobody had asked for: {data[:200]!r}")
        self.unread += data
        return self._cut()

    def ask(self, request: bytes) -> Reply:
        self.send(request)
        return self.reply()

    def reply(self) -> Reply:
        """Waits for the reply to the request that was sent."""
        while (reply := self.receive()) is None:
            pass
        return reply

    def _cut(self) -> Reply | None:
        data = self.unread
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return None
        length = LENGTH.search(data, 0, end + 2)
        if length is None:
            raise Wrong(f"a reply has no Content-Length: {data[:end]!r}")
        missing = end + 4 + int(length[1]) - len(data)
        if missing > 0:
            return None
        if missing < 0:
            raise Wrong(f"more came than one reply: {data[missing:][:200]!r}")
        self.unread, self.is_waiting = b"", False
        return Reply(int(data[STATUS]), data[end + 4 :])


class Crowd:
    """Connections watched together."""

    def __init__(self, port: int, size: int = 0) -> None:
        self.connections: list[Connection] = []
        self._port = port
        self._selector = selectors.DefaultSelector()
        self.grow(size)

    def grow(self, size: int, port: int | None = None) -> list[Connection]:
        """Opens and returns new connections, to another port than the first ones if it is given."""
        new = [Connection(port or self._port) for _ in range(size)]
        for connection in new:
            connection.socket.setblocking(False)
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self.connections += new
        return new

    def replies(self, seconds: float) -> Iterator[tuple[Connection, Reply]]:
        """Yields the replies that have come, after waiting for `seconds` at most. Raises Wrong for unasked replies."""
        yield from self._read(self._selector.select(seconds))

    def next_replies(self) -> Iterator[tuple[Connection, Reply]]:
        """Yields the replies that come next. Raises Wrong if none comes for PATIENCE seconds."""
        ready = self._selector.select(PATIENCE)
        if not ready:
            raise Wrong(f"no reply came in {PATIENCE} s")
        yield from self._read(ready)

    def all_replies(self, count: int) -> Iterator[tuple[Connection, Reply]]:
        """Yields `count` replies, in the order in which they come."""
        while count:
            for connection, reply in self.next_replies():
                count -= 1
                yield connection, reply

    def _read(self, ready: list[tuple[selectors.SelectorKey, int]]) -> Iterator[tuple[Connection, Reply]]:
        for key, _ in ready:
            reply = key.data.receive()
            if reply is not None:
                yield key.data, reply

    def close(self) -> None:
        self._selector.close()
        for connection in self.connections:
            connection.socket.close()
