"""What the trusted proxy says of a request: headers that a setting names, read from the right, where it wrote itself.

What stands further left anybody can claim.
"""

import re
from collections.abc import Iterator

from tornado.httputil import HTTPHeaders

PAIR = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^",;\s]*)\s*')
"""One `for=192.0.2.60` or `for="[2001:db8::1]:4711"` (RFC 7239, 4), after which comes a comma, a semicolon or the end."""


def entry(headers: HTTPHeaders, setting: str, parameter: str) -> str:
    """What a header like `X-Forwarded-For`, or `X-Forwarded-For:2` for the second entry from the right, says.

    Of `Forwarded` it is the parameter's value. Empty where there is none.
    """
    name, _, hops = setting.partition(":")
    header = headers.get(name, "")
    if name.lower() == "forwarded":
        entries = [element.get(parameter, "") for element in parse_forwarded(header)] or [""]
    else:
        entries = header.split(",")
    return entries[-min(int(hops or 1), len(entries))].strip()


def parse_forwarded(header: str) -> list[dict[str, str]]:
    """The elements of a Forwarded header; none at all if it is not one: half of it may be somebody else's claim."""
    elements: list[dict[str, str]] = [{}]
    for name, value, end in _pairs(header):
        if name is None:
            return []
        elements[-1][name] = value
        if end == ",":
            elements.append({})
    return elements


def _pairs(header: str) -> Iterator[tuple[str | None, str, str]]:
    """Each name, its value, and what follows it. The name is None where there is no pair."""
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
