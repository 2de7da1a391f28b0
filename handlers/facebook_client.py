"""Authentication Facebook, within bounds: where it is, the clients that ask, and what went wrong, in words without secrets."""

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
"""For all that a sign-in asks of Facebook, so that whoever waits reads what went wrong within 8 s."""
PICTURE_SECONDS = 3
ANSWER_BYTES = 64 * 1024
"""What is asked for has some hundred; Tornado's default client would take 100 MB."""
PICTURE_BYTES = 256 * 1024
PICTURE_HOPS = 3
AT_ONCE = 50
"""Sign-ins that may wait for Facebook; further ones are told to come back."""
PICTURE_HOSTS = re.compile(r"([a-z0-9-]+\.)*(facebook\.com|fbcdn\.net|fbsbx\.com)")


class FacebookClient:
    """Facebook, or the fake one: `site` has the dialog, `graph` the API, both with their version."""

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
        """All that one sign-in asks. Raises BusyError where too many wait for Facebook already."""
        if self._waiting >= AT_ONCE:
            raise BusyError
        self._waiting += 1
        try:
            yield Visit(self._answers, ANSWER_SECONDS)
        finally:
            self._waiting -= 1

    async def picture(self, url: str, visit: "Visit") -> Picture | None:
        """The picture at this address, or None for whatever reason: nobody is kept out for want of one."""
        try:
            content = await self._fetch_picture(url, Visit(self._pictures, min(visit.seconds_left, PICTURE_SECONDS)))
        except Exception:  # as many reasons as there are ways in which a server can misbehave
            return None
        kind = kind_of_image(content)
        return Picture(kind, content) if kind else None

    async def _fetch_picture(self, url: str, visit: "Visit") -> bytes:
        """Raises ValueError, TimeoutError or HTTPClientError. Each hop has to lead to Facebook."""
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
        """Whether this is where Facebook has its pictures, and nowhere else."""
        parts = urllib.parse.urlsplit(url)
        if self._fake:
            return f"{parts.scheme}://{parts.netloc}" == self._fake
        return parts.scheme == "https" and PICTURE_HOSTS.fullmatch(parts.netloc) is not None


class Visit:
    """One sign-in's use of a client: what it asks, one after the other, shares the seconds.

    No asyncio.timeout: Tornado reports the exception of a fetch that was cancelled as an error.
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
    # Uncompressed, so that what arrives is what is counted.
    defaults = {
        "follow_redirects": False,
        "decompress_response": False,
        "user_agent": "Longboard",
    }
    return SimpleAsyncHTTPClient(
        force_instance=True, defaults=defaults, max_clients=AT_ONCE, max_body_size=most_bytes, max_header_size=16 * 1024
    )


def describe(error: BaseException) -> str:
    """What the operator may read. Never the error's own words, address or body: the app secret and the code are there.

    Codes are explained at https://developers.facebook.com/docs/graph-api/guides/error-handling
    """
    if not isinstance(error, HTTPClientError):
        return type(error).__name__
    if error.response is None or error.code == 599:
        return f"no answer ({type(error).__name__})"
    return " ".join([f"HTTP {error.code}", *error_codes(error.response.body or b"")])


def error_codes(body: bytes) -> list[str]:
    """Facebook's own numbers of an error, and the name under which it can look it up."""
    try:
        error = json.loads(body)["error"]
        numbers = {name: error.get(name) for name in ("code", "error_subcode", "fbtrace_id")}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ["without Facebook's JSON"]
    return [f"{name}={value}" for name, value in numbers.items() if re.fullmatch(r"[\w-]{1,40}", str(value or ""))]
