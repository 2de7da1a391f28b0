"""How the text of each setting is read: parsers, which raise ValueError with what they expect."""

import contextlib
import ipaddress
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

Parser = Callable[[str], Any]


def whole(least: int, most: int) -> Parser:
    def parse(text: str) -> int:
        digits = text.lstrip("0") or text[-1:]  # Python itself refuses to read thousands of digits
        if not (text.isascii() and text.isdigit() and len(digits) < 19 and least <= int(digits) <= most):
            raise ValueError(f"a whole number from {least} to {most}")
        return int(digits)

    return parse


def one_of(*choices: str) -> Parser:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(" or ".join(choices))
        return text

    return parse


def switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError("on or off")
    return text == "on"


def line(most: int) -> Parser:
    def parse(text: str) -> str:
        if not text.strip() or not text.isprintable() or len(text) > most:
            raise ValueError(f"one line of 1 to {most} characters")
        return text.strip()

    return parse


def line_or_none(most: int) -> Parser:
    return lambda text: line(most)(text) if text else ""


def database_url(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme in ("postgres", "postgresql") and rest and text.isprintable():
        return text
    if scheme != "sqlite" or not rest.startswith("/") or rest.endswith("/") or "\0" in rest or "?" in rest:
        raise ValueError("postgres://… or sqlite:///file.db, with four slashes for an absolute path")
    if rest.rpartition("/")[2] == ":memory:":
        raise ValueError("the address of a file: a board in memory would end with its process")
    return text


def with_tls(url: str) -> str:
    """Adds sslmode=require to a PostgreSQL address, unless it says something about TLS or names this machine."""
    try:
        parts = urllib.parse.urlsplit(url)
        names = urllib.parse.parse_qs(parts.query, keep_blank_values=True).keys()
    except ValueError:  # storage reports what is wrong with it
        return url
    is_elsewhere = parts.hostname is not None and not is_loopback(parts.hostname)
    if parts.scheme == "sqlite" or not is_elsewhere or names & {"ssl", "sslmode", "channel_binding"}:
        return url
    return f"{url}{'&' if parts.query else '?'}sslmode=require"


def origin(text: str) -> str:
    """`https://board.example.org`, with no path, as a browser sends it in Origin: in small letters and without the
    default port. Empty means not set.
    """
    if not text:
        return ""
    if not text.isascii():
        raise ValueError("in ASCII, as a browser sends it: https://xn--bcher-kva.example for https://bücher.example")
    match = ORIGIN.fullmatch(text.lower())
    if not match:
        raise ValueError("http:// or https:// and a host, with no path, such as https://board.example.org")
    scheme, host, port = match[1], match[2], int(match[3] or ORIGIN_PORTS[match[1]])
    if not 0 < port < 65536:
        raise ValueError("an address with a port from 1 to 65535, or with none")
    return f"{scheme}://{host}" + ("" if port == ORIGIN_PORTS[scheme] else f":{port}")


ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,9}))?/?")
ORIGIN_PORTS = {"http": 80, "https": 443}


def origins(text: str) -> tuple[str, ...]:
    """`https://a.example, https://b.example:8443`, each as origin() returns it: of other sites, so with https; http is
    for this machine only, where one tries it out. Empty means none.

    No `*`, which would let any page frame ours, and no IPv6 address, which a Content-Security-Policy can't name. CORS could,
    but two settings with the same form have the same rules.
    """
    found = []
    for one in text.replace(",", " ").split():
        name = origin(one)
        parts = urllib.parse.urlsplit(name)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise ValueError(
                "origins with https://, such as https://blog.example.org: http:// is for this machine only"
            )
        if "[" in name or not HOST.fullmatch(parts.hostname or ""):
            raise ValueError("origins by the names of hosts or by IPv4 addresses, such as https://blog.example.org")
        found.append(name)
    if len(set(found)) > ORIGINS_MAX:
        raise ValueError(f"at most {ORIGINS_MAX} origins")
    return tuple(dict.fromkeys(found))


def origins_or_all(text: str) -> tuple[str, ...]:
    """The same, or `*` alone for any page."""
    if text.strip() == "*":
        return ("*",)
    try:
        return origins(text)
    except ValueError as expected:
        raise ValueError(f"* alone, or {expected}") from None


ORIGINS_MAX = 50
"""They are in a header of each page that may be framed."""
HOST = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*")


def app_secret(text: str) -> str:
    if not re.fullmatch(r"[!-~]{16,128}|", text):
        raise ValueError("the app secret of Facebook's dashboard: 32 letters and digits")
    return text


def matching(pattern: str, expected: str) -> Parser:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(expected)
        return text

    return parse


def loopback(text: str) -> str:
    """`http://127.0.0.1:8090`: only this machine, because the app secret is sent there. Empty means not set."""
    with contextlib.suppress(ValueError):
        url = origin(text)
        if not url or (url.startswith("http://") and is_loopback(urllib.parse.urlsplit(url).hostname or "")):
            return url
    raise ValueError("http:// and an address of this machine, such as http://127.0.0.1:8090")


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def paragraphs(text: str) -> str:
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text) or len(text) > 50_000:
        raise ValueError("plain text of at most 50000 characters, with empty lines between its paragraphs")
    return text.strip()


def trusted_header(text: str) -> str:
    """`X-Forwarded-For`, or `X-Forwarded-For:2` for the second entry from the right, behind two proxies."""
    if not re.fullmatch(r"[A-Za-z0-9-]+(:[1-9])?|", text):
        raise ValueError("a header's name, such as X-Forwarded-For, or X-Forwarded-For:2 behind two proxies")
    return text


def header_names(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]*( *, *[A-Za-z0-9-]+)*", text):
        raise ValueError("names of headers with commas between them")
    meaningful = {"authorization", "cookie", "host", "connection", "content-length", "transfer-encoding", "expect"}
    if meaningful & {name.strip().lower() for name in text.split(",")}:
        raise ValueError("headers that mean nothing here, so no " + ", ".join(sorted(meaningful)))
    return text
