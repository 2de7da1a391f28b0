"""What a client accepts: the lists of Accept and Accept-Encoding, read as RFC 9110 (12.4.2, 12.5) says."""

import functools
import re
from collections.abc import Sequence

HEADER_KEPT_MAX = 200
"""Longer headers are not cached. Browsers send about 30 characters in Accept-Encoding and about 150 in Accept."""

WEIGHT = re.compile(r"[0-9](\.[0-9]{0,9})?")


def qualities(header: str) -> dict[str, float]:
    """Returns the weight of each element of a list, from 0 (refused) to 1. A malformed weight counts as 0."""
    found = {}
    for item in header.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        weights = [value.replace(" ", "")[2:] for value in parameters if value.replace(" ", "").startswith("q=")]
        weight = weights[0] if weights else "1"
        found[name] = min(float(weight), 1.0) if WEIGHT.fullmatch(weight) else 0.0
    return found


def preferred(header: str, offered: Sequence[str]) -> str | None:
    """Returns the media type that this Accept prefers; of equals one that it names, then the first one offered.

    Returns None if it takes none of them.
    """
    welcome = qualities(header or "*/*")

    def weight(offer: str) -> tuple[float, bool]:
        kinds = (offer, f"{offer.partition('/')[0]}/*", "*/*")
        return next((welcome[kind] for kind in kinds if kind in welcome), 0.0), offer in welcome

    best = max(offered, key=weight)
    return best if weight(best)[0] > 0 else None


def takes_gzip(header: str) -> bool:
    """Whether this Accept-Encoding accepts gzip: `gzip`, or `*` if gzip is not named; not with `q=0`."""
    return _remembered_gzip(header) if len(header) <= HEADER_KEPT_MAX else _takes_gzip(header)


def _takes_gzip(header: str) -> bool:
    welcome = qualities(header)
    return welcome.get("gzip", welcome.get("x-gzip", welcome.get("*", 0.0))) > 0


_remembered_gzip = functools.lru_cache(256)(_takes_gzip)


def wants_json(header: str) -> bool:
    """Whether this Accept names JSON and prefers it to a page."""
    if "json" not in header.lower():  # nearly all requests for pages end here
        return False
    return _remembered_json(header) if len(header) <= HEADER_KEPT_MAX else _wants_json(header)


def _wants_json(header: str) -> bool:
    welcome = qualities(header)
    page = welcome.get("text/html", welcome.get("text/*", 0.0))
    return welcome.get("application/json", 0.0) > page


_remembered_json = functools.lru_cache(256)(_wants_json)
