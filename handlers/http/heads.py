"""Decides by a request's head, before its body is read: refusals, OPTIONS, and the host of an absolute URL.

So a refused body is never kept, and the client is told at once. docs/decisions/0010-connections.md says more.
"""

import sys
from collections.abc import Sequence
from typing import Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.web import _HandlerDelegate

from handlers.http.addresses import NotFoundPage
from handlers.http.base import Base, allowed_methods
from handlers.http.cors import PREFLIGHT, cors_headers
from net.streams import READ_BYTES, ServedStream

BODILESS = ("GET", "HEAD", "OPTIONS")
"""Methods whose bodies have no meaning (RFC 9110, 9.3). The bodies are read and discarded."""


def localize(request: HTTPServerRequest) -> None:
    """`GET http://host/path` requests /path of that host, whatever Host says (RFC 9112, 3.2.2)."""
    uri = request.uri or ""
    scheme, found, rest = uri.partition("://")
    if not found or scheme.lower() not in ("http", "https"):
        return
    host, slash, path = rest.partition("/")
    host, query, tail = host.partition("?")  # http://host?query
    request.uri = slash + path if slash and not query else "/" + query + tail + slash + path
    request.path, _, request.query = request.uri.partition("?")
    request.host = host
    request.headers["Host"] = host


class Options(Base):
    """OPTIONS: the methods allowed at an address, for everyone. Other sites are allowed nothing, except to read what is
    shared with those in CORS_FROM.
    """

    for_whom = "anyone"

    def initialize(self, methods: Sequence[str], allows_cors: bool = False) -> None:
        self.methods = methods
        self.allows_cors = allows_cors

    async def prepare(self) -> None:
        self.context.under_way.add(self)

    async def options(self, *arguments: str) -> None:
        self.set_status(204)
        self.set_header("Allow", ", ".join(self.methods))
        if self.allows_cors:
            self.allow_reading()
        self.finish()

    def allow_reading(self) -> None:
        """Answers what a browser asks before a script's request (https://fetch.spec.whatwg.org/#cors-preflight-fetch)."""
        headers = cors_headers(self.config, self.request.headers.get("Origin"))
        if "Access-Control-Allow-Origin" in headers:
            headers |= PREFLIGHT
        for name, value in headers.items():
            self.set_header(name, value)


class Headed(HTTPMessageDelegate):
    """A request with a body. Its handler runs as soon as the reply can be decided."""

    def __init__(self, request: HTTPServerRequest, delegate: _HandlerDelegate, most: int) -> None:
        self._request = request
        self._delegate = delegate
        self._most = most
        self._connection = cast(HTTP1Connection, request.connection)
        self._stream = cast(ServedStream, self._connection.stream)
        self._is_answered = False
        self._is_kept = request.method not in BODILESS

    def headers_received(self, start_line: Any, headers: Any) -> None:
        kind = self._delegate.handler_class
        is_small = 0 < self._length() <= READ_BYTES  # it has probably arrived, so the connection can stay open
        if kind is NotFoundPage or self._request.method not in allowed_methods(kind):
            if not is_small:
                self._answer(is_too_large=False)
        elif self._length() > self._most and self._is_kept:
            self._answer(is_too_large=True)
        elif self._is_kept and "Content-Length" not in self._request.headers:
            self._connection.set_max_body_size(sys.maxsize)  # data_received() counts what is in chunks
        self._stream.has_head(is_whole=False, is_kept=self._is_kept and not self._is_answered)

    def _length(self) -> int:
        text = self._request.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0

    def _answer(self, *, is_too_large: bool) -> None:
        """Runs the handler without the body, and continues to read if the client still sends it."""
        self._is_answered = True
        self._connection.set_max_body_size(sys.maxsize)
        self._connection._disconnect_on_finish = True
        if self._request.headers.pop("Expect", "").lower() != "100-continue":  # a client that expects 100 sends no body
            self._stream.lingers = True
        self._delegate.execute()
        cast(Base, self._delegate.handler).is_too_large = is_too_large  # the handler runs after this function

    def data_received(self, chunk: bytes) -> None:
        if self._is_answered or not self._is_kept:
            return
        self._delegate.data_received(chunk)
        if len(self._delegate.chunks) > self._most:  # chunked, without a length in the head
            self._delegate.chunks.clear()
            self._answer(is_too_large=True)
            self._stream.has_head(is_whole=False, is_kept=False)

    def finish(self) -> None:
        self._stream.has_head(is_whole=True)
        self._stream.lingers = False
        if not self._is_answered:
            self._delegate.finish()

    def on_connection_close(self) -> None:
        if not self._is_answered:
            self._delegate.on_connection_close()
