"""What the trusted proxy says about a request, in headers that a setting names. They are read from the right, where the
proxy writes: clients can forge the entries further left.
"""

import re
from collections.abc import Iterator

from tornado.httputil import HTTPHeaders

PAIR = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^",;\s]*)\s*')
"""One `for=192.0.2.60` or `for="[2001:db8::1]:4711"` (RFC 7239, 4), then a comma, a semicolon or the end."""


def entry(headers: HTTPHeaders, setting: str, parameter: str) -> str:
    """Returns the last value of a header like `X-Forwarded-For`; for `X-Forwarded-For:2`, the second from the right.

    For `Forwarded`, it is the value of the parameter. Empty if there is none.
    """
    name, _, hops = setting.partition(":")
    header = headers.get(name, "")
    if name.lower() == "forwarded":
        entries = [element.get(parameter, "") for element in parse_forwarded(header)] or [""]
    else:
        entries = header.split(",")
    return entries[-min(int(hops or 1), len(entries))].strip()


def parse_forwarded(header: str) -> list[dict[str, str]]:
    """Returns the elements of a Forwarded header; none if it is malformed: a client may have written part of it."""
    elements: list[dict[str, str]] = [{}]
    for name, value, end in _pairs(header):
        if name is None:
            return []
        elements[-1][name] = value
        if end == ",":
            elements.append({})
    return elements


def _pairs(header: str) -> Iterator[tuple[str | None, str, str]]:
    """Yields each name, its value, and the separator after it. The name is None if this is not a pair."""
    at = 0
    while at < len(header):
        match = PAIR.match(header, at)
        if match is None or header[match.end() : match.end() + 1] not in ("", ",", ";"):
            yield None, "", ""
            return
        value = match[2]
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        yield match[1].lower(), value, header[match.end() : match.end() + 1]
        at = match.end() + 1
