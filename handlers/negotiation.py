"""What a client takes: the lists of Accept and Accept-Encoding, read as RFC 9110 (12.4.2, 12.5) has them."""

import functools
import re

LONGEST = 200
"""Characters of a header that is remembered; browsers send some 30 in Accept-Encoding, and some 150 in Accept."""

WEIGHT = re.compile(r"[0-9](\.[0-9]{0,9})?")


def qualities(header: str) -> dict[str, float]:
    """How welcome each thing in a list is, from 0 (not at all) to 1. What can't be read counts as 0."""
    found = {}
    for item in header.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        weights = [value.replace(" ", "")[2:] for value in parameters if value.replace(" ", "").startswith("q=")]
        weight = weights[0] if weights else "1"
        found[name] = min(float(weight), 1.0) if WEIGHT.fullmatch(weight) else 0.0
    return found


def takes_gzip(header: str) -> bool:
    """Whether this Accept-Encoding takes gzip: `gzip`, or `*` where gzip is not named; not with `q=0`."""
    return _remembered(header) if len(header) <= LONGEST else _takes_gzip(header)


def _takes_gzip(header: str) -> bool:
    welcome = qualities(header)
    return welcome.get("gzip", welcome.get("x-gzip", welcome.get("*", 0.0))) > 0


_remembered = functools.lru_cache(256)(_takes_gzip)


def wants_json(header: str) -> bool:
    """Whether this Accept names JSON, and likes it better than a page."""
    if "json" not in header.lower():  # what nearly all pages are asked with
        return False
    welcome = qualities(header)
    page = welcome.get("text/html", welcome.get("text/*", 0.0))
    return welcome.get("application/json", 0.0) > page
