"""A client of streams that shows every byte, for both formats."""

import json
import socket

from tests.support.patience import PATIENCE

SSE, NDJSON = "text/event-stream", "application/x-ndjson"


class Stream:
    """A stream on a separate connection. `accept` is the Accept header; `source` the client's address; `said` all that
    came behind the head. With a `minor` of 0 the request is of HTTP/1.0, which a proxy answers without chunks. For one
    that is `slow`, or `reads` not even the head, the system keeps a few kilobytes, and not megabytes."""

    def __init__(self, server, query="", accept=SSE, headers="", source="127.0.0.1", reads=True, slow=False, minor=1):
        self.connection = socket.socket()
        if slow or not reads:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.connection.settimeout(PATIENCE)
        self.connection.bind((source, 0))
        self.connection.connect(("127.0.0.1", server.port))
        self.unread, self.said, self.retry_ms = b"", b"", None
        self.connection.sendall(
            f"GET /api/v1/stream{query} HTTP/1.{minor}\r\nHost: 127.0.0.1:{server.port}\r\nAccept: {accept}\r\n{headers}\r\n".encode()
        )
        if not reads:
            return
        lines = self.until(b"\r\n\r\n").decode().split("\r\n")
        self.said = self.unread
        self.status = int(lines[0].split()[1])
        self.headers = {name.lower(): value for name, value in (line.split(": ") for line in lines[1:] if line)}
        self.is_sse = self.headers["content-type"].startswith(SSE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def until(self, end):
        """The next bytes up to this end, and with it."""
        while end not in self.unread:
            if not (data := self.connection.recv(65536)):
                raise EOFError(self.unread)
            self.unread += data
            self.said += data
        part, _, self.unread = self.unread.partition(end)
        return part + end

    def reply(self):
        """The next event's reply, without how many watch; comments are skipped."""
        id = None
        while (line := self.until(b"\n").decode()) != "\n":
            if not self.is_sse:
                reply = json.loads(line)
                break
            name, _, value = line.removesuffix("\n").partition(":")
            if name == "retry":
                self.retry_ms = int(value)
            elif name == "id":
                id = value.strip()
            elif name == "data":
                reply = json.loads(value)
        assert not self.is_sse or reply["cursor"] == id
        reply.pop("watching", None)
        return reply

    def bodies(self):
        return [message.get("body") for message in self.reply()["messages"]]

    def has_ended(self):
        """Whether nothing more comes; waits for the end."""
        if not self.unread:
            try:
                self.unread = self.connection.recv(65536)
            except ConnectionResetError:
                return True
        return self.unread == b""
