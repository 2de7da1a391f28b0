"""Reading replies in tests."""

import json
import re
import socket

from tests.support.patience import PATIENCE


def read(reply: bytes) -> dict:
    return json.loads(reply)


def ids(reply: bytes) -> list[int]:
    return [message["id"] for message in read(reply)["messages"]]


BROWSER = "User-Agent: Browser/1.0\r\nAccept: */*\r\nConnection: keep-alive\r\n"


FIRST = 8
"""Polls that may take the ordinary way at first: one that comes while the last reply is still on its way does."""


class Wire:
    """One connection, byte by byte."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def poll(self, cursor, wait=25, headers=BROWSER, path="/get"):
        self.send(f"GET {path}?after={cursor}&wait={wait} HTTP/1.1\r\nHost: x\r\n{headers}\r\n")

    def send(self, text):
        self.socket.sendall(text.encode())

    def reply(self):
        """(status, headers, JSON) of the next reply."""
        while b"\r\n\r\n" not in self.unread:
            self.more()
        head, _, rest = self.unread.partition(b"\r\n\r\n")
        length = int(re.search(rb"Content-Length: (\d+)", head)[1])
        while len(rest) < length:
            self.more()
            rest = self.unread.partition(b"\r\n\r\n")[2]
        self.unread = rest[length:]
        return int(head[9:12]), head.decode(), json.loads(rest[:length])

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(self.unread)
        self.unread += data

    def is_closed(self):
        return self.unread == b"" and self.socket.recv(1) == b""
