"""A receiver of webhooks on this machine, which answers as a test tells it to and keeps what it got."""

import contextlib
import http.server
import json
import ssl
import threading
from collections.abc import Callable
from typing import NamedTuple

from tests.support.server import until


class Got(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, object]:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """`answer` takes what was got and the handler, and returns a status, with headers; or answers itself and returns None."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got, http.server.BaseHTTPRequestHandler], object] = lambda got, handler: 204
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got = Got(self.path, {name.lower(): text for name, text in self.headers.items()}, body)
                receiver.got.append(got)
                answer = receiver.answer(got, self)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, text in {"Content-Length": "0", **headers}.items():
                        self.send_header(name, text)
                    self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def at(self, path: str) -> list[Got]:
        return [got for got in list(self.got) if got.path == path]

    def events(self, path: str, count: int) -> list[dict[str, object]]:
        """Waits until there are so many at this path, and returns their events."""
        until(lambda: len(self.at(path)) >= count)
        return [got.event for got in self.at(path)]

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def receiving(tls=None):
    receiver = Receiver(tls)
    try:
        yield receiver
    finally:
        receiver.end()
