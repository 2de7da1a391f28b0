"""What stands in front of a running board, asked from where browsers are."""

import http.client
import json
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

from setting_values import origin
from settings import Settings

CLAIMS = ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Fly-Client-IP", "CF-Connecting-IP", "True-Client-IP")
CLAIMED = "203.0.113.77"
"""An address of documentation (RFC 5737), which nobody has."""
SLACK = 2.0
"""Seconds that the way there and back may take."""
Finding = tuple[bool, str]


class Reply:
    def __init__(self, status: int, headers: http.client.HTTPMessage, body: bytes, seconds: float) -> None:
        self.status, self.headers, self.body, self.seconds = status, headers, body, seconds

    def json(self) -> dict[str, object]:
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def ask(url: str, path: str, headers: Mapping[str, str], seconds: float) -> Reply:
    """Raises OSError or HTTPException."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    began = time.monotonic()
    try:
        connection.request(
            "GET", path, headers={"Accept-Encoding": "gzip, br", "Accept": "application/json", **headers}
        )
        reply = connection.getresponse()
        return Reply(reply.status, reply.headers, reply.read(10_000_000), time.monotonic() - began)
    finally:
        connection.close()


def check(url: str, settings: Settings) -> Iterator[Finding]:
    """Takes as long as a poll is held."""
    try:
        url = origin(url)
        token = {"Authorization": f"Bearer {settings.metrics_token}"} if settings.metrics_token else {}
        health = ask(url, "/healthz", token, 30)
        yield health.status == 200, f"{url}/healthz answers {health.status}"
        if health.status != 200:
            return
        yield from check_headers(url, settings, health)
        yield from check_address(url, token, health)
        yield from check_polls(url, settings, health.json().get("cursor"))
    except ValueError as expected:
        yield False, f"the URL must be {expected}"
    except (OSError, http.client.HTTPException) as error:
        yield False, f"{url} can't be reached, or broke off: {error!r}"


def check_headers(url: str, settings: Settings, reply: Reply) -> Iterator[Finding]:
    same = settings.public_url == url
    yield same, f"PUBLIC_URL is {'that address' if same else (settings.public_url or 'not set, and should be ' + url)}"
    kept = reply.headers.get("X-Content-Type-Options") == "nosniff" and "Content-Security-Policy" in reply.headers
    yield kept, f"the board's headers {'come through' if kept else 'are changed on the way'}"
    if url.startswith("https:"):
        yield "Strict-Transport-Security" in reply.headers, "browsers are told to stay with https"
    if date := reply.headers.get("Date"):
        off = abs(time.time() - parsedate_to_datetime(date).timestamp())
        yield off < 30, f"its clock and this one's are {off:.0f} s apart"


def check_address(url: str, token: Mapping[str, str], health: Reply) -> Iterator[Finding]:
    mine = health.json().get("client")
    if mine is None:
        yield True, "whether clients can claim another address was not looked at: set METRICS_TOKEN for that"
        return
    for name in CLAIMS:
        value = f"for={CLAIMED}" if name == "Forwarded" else CLAIMED
        seen = ask(url, "/healthz", {**token, name: value}, 30).json().get("client")
        if seen == CLAIMED:
            yield False, f"clients can claim any address with {name}: CLIENT_HEADER must name one that the proxy sets"
            return
    yield True, f"clients can't claim another address; this one is seen as {mine}"


def check_polls(url: str, settings: Settings, cursor: object) -> Iterator[Finding]:
    if not isinstance(cursor, str):
        yield True, "polls were not looked at: on a members' board that takes METRICS_TOKEN"
        return
    short = ask(url, f"/get?after={cursor}&wait=1", {}, 30)
    if short.status == 401:
        yield True, "polls were not looked at: they are for members"
        return
    yield from check_reply(short)
    if short.json().get("messages") == []:
        prompt = 0.9 <= short.seconds <= 1.25 + SLACK
        yield prompt, f"a poll of 1 s took {short.seconds:.1f} s" + ("" if prompt else ": replies are held up")
    wait = settings.poll_seconds
    poll = ask(url, f"/get?after={short.json().get('cursor', cursor)}&wait={wait}", {}, wait + 30)
    if poll.status == 200 and (poll.json().get("messages") or "retry_ms" in poll.json()):
        yield True, "whether a poll is held for long enough could not be seen: there was news"
        return
    held = poll.status == 200 and wait - 0.1 <= poll.seconds <= wait + 0.25 + SLACK
    words = "" if held else ": the proxy's time-out must be longer than POLL_SECONDS, here and on the board"
    yield held, f"a poll of {wait} s ended after {poll.seconds:.1f} s with {poll.status}{words}"


def check_reply(reply: Reply) -> Iterator[Finding]:
    plain = "Content-Encoding" not in reply.headers
    yield plain, f"polls are {'not ' if plain else ''}compressed on the way"
    fresh = reply.headers.get("Cache-Control") == "no-store" and "Age" not in reply.headers
    yield fresh, f"polls {'are not' if fresh else 'may be'} cached on the way"
