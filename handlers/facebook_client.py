"""Bounded requests to Facebook: its addresses, the HTTP clients, and descriptions of errors without secrets."""

import contextlib
import json
import re
import time
import urllib.parse
from collections.abc import Iterator

from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from board.facebook import kind_of_image
from board.turns import BusyError
from settings import Settings
from storage.records import Picture

CONNECT_SECONDS = 5
ANSWER_SECONDS = 7
"""For all requests of one sign-in to Facebook, so that people learn within 8 s what went wrong."""
PICTURE_SECONDS = 3
ANSWER_BYTES = 64 * 1024
"""The answers have some hundred bytes. Tornado's client accepts 100 MB by default."""
PICTURE_BYTES = 256 * 1024
PICTURE_HOPS = 3
AT_ONCE = 50
"""Sign-ins that may wait for Facebook at once. Further ones are told to try again later."""
PICTURE_HOSTS = re.compile(r"([a-z0-9-]+\.)*(facebook\.com|fbcdn\.net|fbsbx\.com)")


class FacebookClient:
    """Facebook, or the fake one. `site` is the dialog's address and `graph` the API's, both with their version."""

    def __init__(self, settings: Settings) -> None:
        self._fake = settings.facebook_fake
        version = settings.facebook_graph_version
        self.site = f"{self._fake or 'https://www.facebook.com'}/{version}"
        self.graph = f"{self._fake or 'https://graph.facebook.com'}/{version}"
        self._answers = bounded_client(ANSWER_BYTES)
        self._pictures = bounded_client(PICTURE_BYTES)
        self._waiting = 0

    @contextlib.contextmanager
    def visit(self) -> Iterator["Visit"]:
        """Context for all requests of one sign-in. Raises BusyError if too many sign-ins already wait for Facebook."""
        if self._waiting >= AT_ONCE:
            raise BusyError
        self._waiting += 1
        try:
            yield Visit(self._answers, ANSWER_SECONDS)
        finally:
            self._waiting -= 1

    async def picture(self, url: str, visit: "Visit") -> Picture | None:
        """Returns the picture at this address, or None if that fails: no sign-in fails for want of a picture."""
        try:
            content = await self._fetch_picture(url, Visit(self._pictures, min(visit.seconds_left, PICTURE_SECONDS)))
        except Exception:  # a server can misbehave in many ways
            return None
        kind = kind_of_image(content)
        return Picture(kind, content) if kind else None

    async def _fetch_picture(self, url: str, visit: "Visit") -> bytes:
        """Each redirect must lead to Facebook. Raises ValueError, TimeoutError or HTTPClientError."""
        for _ in range(PICTURE_HOPS):
            if not self.is_facebooks(url):
                raise ValueError("a picture elsewhere")
            response = await visit.fetch(url, raise_error=False)
            if response.code not in (301, 302, 303, 307, 308):
                response.rethrow()
                return response.body
            url = urllib.parse.urljoin(url, response.headers["Location"])
        raise ValueError("too many redirects")

    def is_facebooks(self, url: str) -> bool:
        """Whether this is an address at which Facebook keeps its pictures."""
        parts = urllib.parse.urlsplit(url)
        if self._fake:
            return f"{parts.scheme}://{parts.netloc}" == self._fake
        return parts.scheme == "https" and PICTURE_HOSTS.fullmatch(parts.netloc) is not None


class Visit:
    """One sign-in's use of a client. Its requests run one after the other and share the seconds.

    It doesn't use asyncio.timeout: Tornado reports the exception of a cancelled fetch as an error.
    """

    def __init__(self, client: SimpleAsyncHTTPClient, seconds: float) -> None:
        self._client = client
        self._deadline = time.monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        return self._deadline - time.monotonic()

    async def fetch(self, url: str, raise_error: bool = True) -> HTTPResponse:
        """Raises TimeoutError or HTTPClientError."""
        left = self.seconds_left
        if left <= 0:
            raise TimeoutError
        request = HTTPRequest(url, request_timeout=left, connect_timeout=min(left, CONNECT_SECONDS))
        return await self._client.fetch(request, raise_error)


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


def describe(error: BaseException) -> str:
    """Describes an error for the operator. It leaves out the error's own words, address and body: they contain the app
    secret and the code.

    Codes are explained at https://developers.facebook.com/docs/graph-api/guides/error-handling
    """
    if not isinstance(error, HTTPClientError):
        return type(error).__name__
    if error.response is None or error.code == 599:
        return f"no answer ({type(error).__name__})"
    return " ".join([f"HTTP {error.code}", *error_codes(error.response.body or b"")])


def error_codes(body: bytes) -> list[str]:
    """Returns Facebook's codes for an error, and the trace id by which Facebook can look it up."""
    try:
        error = json.loads(body)["error"]
        numbers = {name: error.get(name) for name in ("code", "error_subcode", "fbtrace_id")}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ["without Facebook's JSON"]
    return [f"{name}={value}" for name, value in numbers.items() if re.fullmatch(r"[\w-]{1,40}", str(value or ""))]
