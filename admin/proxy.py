"""Checks what stands in front of a running board, by requests from where browsers are."""

import http.client
import ipaddress
import json
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

from setting_values import is_loopback
from settings import Settings
from storage.new_files import in_words

CLAIMS = ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Fly-Client-IP", "CF-Connecting-IP", "True-Client-IP")
CLAIMED = "203.0.113.77"
"""An address for documentation (RFC 5737), which nobody has."""
STRANGER = "somewhere-else.invalid"
PAGE = "/api/v1/messages?limit=1"
REDIRECTS = (301, 302, 303, 307, 308)
SLACK = 2.0
"""Seconds that the round trip may take."""
COMPRESSED = "gzip, deflate, br, zstd"
"""The Accept-Encoding that browsers send."""
Finding = tuple[bool | None, str]
"""A result (None if it was not checked), and the words that describe it."""


class Reply:
    def __init__(self, reply: http.client.HTTPResponse, seconds: float, ends: tuple[str, str]) -> None:
        self.status, self.headers, self.body = reply.status, reply.headers, reply.read(10_000_000)
        self.seconds = seconds
        self.own, self.peer = ends
        """The addresses of both ends of the connection."""

    def json(self) -> dict[str, object]:
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def ask(
    url: str, path: str, headers: Mapping[str, str], seconds: float, *, encodings: str = "identity", source: str = ""
) -> Reply:
    """`source` is the local address to connect from. Raises OSError or HTTPException."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds, source_address=(source, 0) if source else None)
    began = time.monotonic()
    try:
        connection.connect()
        ends = (connection.sock.getsockname()[0], connection.sock.getpeername()[0])
        connection.request("GET", path, headers={"Accept-Encoding": encodings, "Accept": "application/json", **headers})
        reply = connection.getresponse()
        return Reply(reply, time.monotonic() - began, ends)
    finally:
        connection.close()


def check(url: str, settings: Settings) -> Iterator[Finding]:
    """Takes as long as a poll is held."""
    try:
        token = {"Authorization": f"Bearer {settings.metrics_token}"} if settings.metrics_token else {}
        health = ask(url, "/healthz", token, 30)
        yield health.status == 200, f"{url}/healthz answers {health.status}"
        if health.status != 200:
            return
        if "status" not in health.json():
            yield False, f"{url}/healthz does not answer as a board does: it is another server, or a proxy rewrites it"
            return
        yield from check_headers(url, settings, health)
        yield from check_names(url, settings)
        yield from check_address(url, token, health)
        yield from check_polls(url, settings, health.json().get("cursor"))
    except (OSError, http.client.HTTPException) as error:
        yield False, f"{url} can't be reached, or broke off: {in_words(error)}"


def check_headers(url: str, settings: Settings, reply: Reply) -> Iterator[Finding]:
    same = settings.public_url == url
    if not settings.public_url and is_loopback(urllib.parse.urlsplit(url).hostname or ""):
        yield True, "PUBLIC_URL is not set, and need not be for an address of this machine"
    else:
        said = "that address" if same else settings.public_url or "not set"
        yield same, f"PUBLIC_URL is {said}" + ("" if same else f", and should be {url}")
    kept = reply.headers.get("X-Content-Type-Options") == "nosniff" and "Content-Security-Policy" in reply.headers
    yield kept, f"the board's headers {'come through' if kept else 'are changed on the way'}"
    if url.startswith("https:"):
        yield "Strict-Transport-Security" in reply.headers, "browsers are told to stay with https"
    if date := reply.headers.get("Date"):
        off = abs(time.time() - parsedate_to_datetime(date).timestamp())
        yield off < 30, f"its clock and this one's are {off:.0f} s apart"


def check_names(url: str, settings: Settings) -> Iterator[Finding]:
    """Whether the board is shown at its own name, and at no other."""
    page = ask(url, "/", {}, 30)
    circles = page.status in REDIRECTS and page.headers.get("Location", "").rstrip("/") == url
    if circles:
        yield False, f"{url}/ redirects to itself: the proxy doesn't pass on the Host that browsers send"
    if settings.public_url:
        answers = is_served(url, PAGE, {"Host": STRANGER})
        yield not answers, f"at a name that is not its own, the board is {'shown' if answers else 'not shown'}"
    if url.startswith("https:") and urllib.parse.urlsplit(url).port is None:
        yield check_plain_http(url)


def check_plain_http(url: str) -> Finding:
    plain = url.replace("https:", "http:", 1)
    if any(is_served(plain, path, {}) for path in ("/", PAGE)):
        return False, f"{plain} serves the board unencrypted: let the proxy redirect it, or set SCHEME_HEADER"
    return True, f"{plain} does not serve the board unencrypted"


def is_served(url: str, path: str, headers: Mapping[str, str]) -> bool:
    """Whether the board answers there, or asks for a sign-in."""
    try:
        reply = ask(url, path, headers, 30)
    except (OSError, http.client.HTTPException):
        return False
    return reply.status in (200, 401)


def check_address(url: str, token: Mapping[str, str], health: Reply) -> Iterator[Finding]:
    mine = health.json().get("client")
    if not isinstance(mine, str):
        yield None, "whether clients can claim another address: set the board's METRICS_TOKEN to check that"
        return
    for name in CLAIMS:
        value = f"for={CLAIMED}" if name == "Forwarded" else CLAIMED
        seen = ask(url, "/healthz", {**token, name: value}, 30).json().get("client")
        if seen == CLAIMED:
            yield False, f"clients can claim any address with {name}: CLIENT_HEADER must name one that the proxy sets"
            return
    seen = ask(url, "/healthz", {**token, "Connection": ", ".join(("close", *CLAIMS))}, 30).json().get("client")
    if isinstance(seen, str) and seen != mine:  # RFC 9110, 7.6.1: a proxy removes what is named there
        yield (
            False,
            "clients can hide their address: the proxy must drop their Connection before it sets its own headers",
        )
        return
    yield True, "clients can't claim another address"
    is_mine = is_client(url, token, mine, health)
    words = {
        True: "which is its own",
        False: "which is the proxy's: all clients share one limit. CLIENT_HEADER must name the header that it sets",
        None: "which may be its address behind NAT; that can't be checked from here",
    }
    yield is_mine, f"this machine is seen as {mine}, {words[is_mine]}"


def is_client(url: str, token: Mapping[str, str], seen: str, health: Reply) -> bool | None:
    """Whether limits see the client's address, and not a proxy's; None if that can't be known."""
    try:
        network = ipaddress.ip_network(seen, strict=False)  # IPv6 addresses are counted by /64
    except ValueError:
        return False
    own, peer = ipaddress.ip_address(health.own), ipaddress.ip_address(health.peer)
    if own in network:
        return is_another_seen(url, token, seen) if own.is_loopback else True
    if network.is_loopback or peer in network or (peer.is_global and not network.is_global):
        return False
    return None


def is_another_seen(url: str, token: Mapping[str, str], seen: str) -> bool | None:
    """On one machine, client and proxy have the same address, so this asks again from another one."""
    try:
        other = ask(url, "/healthz", token, 30, source="127.0.0.2").json().get("client")
    except OSError:  # some systems have no such address
        return None
    return other != seen


def check_polls(url: str, settings: Settings, cursor: object) -> Iterator[Finding]:
    if not isinstance(cursor, str):
        yield None, "polls: on a members' board this needs METRICS_TOKEN"
        return
    newest = ask(url, NEWEST, {}, 30, encodings=COMPRESSED)
    if newest.status == 401:
        yield None, "polls: they are for members"
        return
    yield from check_reply(newest)
    short = ask(url, f"/get?after={cursor}&wait=1", {}, 30)
    if short.json().get("messages") == []:
        prompt = 0.9 <= short.seconds <= 1.25 + SLACK
        yield prompt, f"a poll of 1 s took {short.seconds:.1f} s" + ("" if prompt else ": replies are delayed")
    else:
        yield None, f"whether replies are delayed: a poll of 1 s was answered {short.status}, or there were changes"
    wait = settings.poll_seconds
    poll = ask(url, f"/get?after={short.json().get('cursor', cursor)}&wait={wait}", {}, wait + 30)
    if poll.status == 200 and (poll.json().get("messages") or "retry_ms" in poll.json()):
        yield None, "whether a poll is held for long enough: there were changes"
        return
    held = poll.status == 200 and wait - 0.1 <= poll.seconds <= wait + 0.25 + SLACK
    words = "" if held else ": the proxy's time-out must be longer than POLL_SECONDS, here and on the board"
    yield held, f"a poll of {wait} s ended after {poll.seconds:.1f} s with {poll.status}{words}"


NEWEST = "/get?after=00000000-0&wait=0"
"""Its reply has the whole newest page: proxies may leave small replies uncompressed."""


def check_reply(reply: Reply) -> Iterator[Finding]:
    plain = "Content-Encoding" not in reply.headers
    yield plain, f"polls are {'not ' if plain else ''}compressed on the way"
    fresh = reply.headers.get("Cache-Control") == "no-store" and "Age" not in reply.headers
    yield fresh, f"polls {'are not' if fresh else 'may be'} cached on the way"
