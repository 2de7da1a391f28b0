"""Bounded requests to another site."""

import contextlib
import functools
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from board.turns import BusyError

CONNECT_SECONDS = 5
ANSWER_SECONDS = 7
"""For all requests of one visit, so that people learn within 8 s what went wrong."""
FILE_SECONDS = 3
ANSWER_BYTES = 64 * 1024
"""The answers have some hundred bytes. Tornado's client accepts 100 MB by default."""
FILE_BYTES = 256 * 1024
FILE_HOPS = 3
AT_ONCE = 50
"""Visits that may wait for the site at once. Further ones are told to try again later."""


class Outgoing:
    """The clients for one site."""

    def __init__(self) -> None:
        self._waiting = 0

    @functools.cached_property
    def _answers(self) -> SimpleAsyncHTTPClient:
        return bounded_client(ANSWER_BYTES)

    @functools.cached_property
    def _files(self) -> SimpleAsyncHTTPClient:
        return bounded_client(FILE_BYTES)

    @contextlib.contextmanager
    def visit(self) -> Iterator["Visit"]:
        """Context for the requests of one visit. Raises BusyError if too many already wait for the site."""
        if self._waiting >= AT_ONCE:
            raise BusyError
        self._waiting += 1
        try:
            yield Visit(self._answers, self._files)
        finally:
            self._waiting -= 1


class Visit:
    """One use of the clients. Its requests run one after the other and share the seconds.

    It doesn't use asyncio.timeout: Tornado reports the exception of a cancelled fetch as an error.
    """

    def __init__(self, answers: SimpleAsyncHTTPClient, files: SimpleAsyncHTTPClient) -> None:
        self._answers, self._files = answers, files
        self._deadline = time.monotonic() + ANSWER_SECONDS

    async def fetch(self, url: str, raise_error: bool = True, **options: Any) -> HTTPResponse:
        """Takes the options of Tornado's HTTPRequest. Raises TimeoutError or HTTPClientError."""
        return await fetch_until(self._deadline, self._answers, url, raise_error, options)

    async def file(self, url: str, is_allowed: Callable[[str], bool]) -> bytes:
        """Returns what is at the address. It, and each that a redirect leads to, must be allowed.

        Raises ValueError, TimeoutError or HTTPClientError.
        """
        deadline = min(self._deadline, time.monotonic() + FILE_SECONDS)
        for _ in range(FILE_HOPS):
            if not is_allowed(url):
                raise ValueError("a file elsewhere")
            response = await fetch_until(deadline, self._files, url, False, {})
            if response.code not in (301, 302, 303, 307, 308):
                response.rethrow()
                return response.body
            url = urllib.parse.urljoin(url, response.headers["Location"])
        raise ValueError("too many redirects")


async def fetch_until(
    deadline: float, client: SimpleAsyncHTTPClient, url: str, raise_error: bool, options: dict[str, Any]
) -> HTTPResponse:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    request = HTTPRequest(url, request_timeout=left, connect_timeout=min(left, CONNECT_SECONDS), **options)
    return await client.fetch(request, raise_error)


def bounded_client(most_bytes: int) -> SimpleAsyncHTTPClient:
    # Uncompressed, so that the limit counts the bytes that arrive.
    defaults = {
        "follow_redirects": False,
        "decompress_response": False,
        "user_agent": "Longboard",
    }
    return SimpleAsyncHTTPClient(
        force_instance=True, defaults=defaults, max_clients=AT_ONCE, max_body_size=most_bytes, max_header_size=16 * 1024
    )
