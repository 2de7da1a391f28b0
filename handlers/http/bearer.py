"""The tokens in a request's headers. Other values there belong to a proxy or a gateway on the way."""

import base64
import binascii
import re

from tornado.httputil import HTTPServerRequest

from board.credentials import TOKEN_PREFIX

BEARER = re.compile(r"bearer +(\S.*)", re.IGNORECASE)
WRAPPED = re.compile(rf"""(?:^|["'<{{\[(\s:=]){TOKEN_PREFIX}""")
"""One of our tokens in quotes, after a name or in JSON: it was not copied out of a reply correctly."""
OTHER_HEADERS = ("X-Api-Key", "X-Auth-Token", "Private-Token")
OTHER_PARAMETERS = ("access_token", "token", "api_key")
"""Where other services take their tokens. People send ours there by mistake."""
HEADERS = frozenset(("Authorization", *OTHER_HEADERS))


def may_have_token(request: HTTPServerRequest) -> bool:
    """Whether the request has any place for a token. Nearly all requests of browsers have none."""
    return bool(request.query_arguments) or not HEADERS.isdisjoint(request.headers)


def bearers(request: HTTPServerRequest) -> list[str]:
    """The values sent as `Authorization: Bearer …`; a proxy may have added another such header."""
    parts = request.headers.get("Authorization", "").split(",")  # several headers are joined; no token has a comma
    found = [BEARER.fullmatch(part.strip()) for part in parts]
    return [match[1] for match in found if match]


def our_token(request: HTTPServerRequest) -> str | None:
    """Returns a value that looks like one of our tokens, valid or not, from the right place; None if there is none."""
    return next((secret for secret in bearers(request) if secret.startswith(TOKEN_PREFIX)), None)


def is_misplaced(request: HTTPServerRequest) -> bool:
    """Whether a value that looks like one of our tokens was sent in a place where it would be ignored."""
    values = [request.headers.get(name, "") for name in OTHER_HEADERS]
    for part in request.headers.get("Authorization", "").split(","):
        scheme, _, rest = part.strip().partition(" ")
        values += [scheme, rest.strip(), *(basic(rest) if scheme.lower() == "basic" else ())]
    for name in OTHER_PARAMETERS:
        values += [value.decode("latin1") for value in request.query_arguments.get(name, ())]
    wrapped = any(WRAPPED.search(value) for value in bearers(request))
    return wrapped or any(value.startswith(TOKEN_PREFIX) for value in values)


def basic(text: str) -> list[str]:
    """Returns the name and password of `Authorization: Basic …` (RFC 7617), or nothing if it is malformed."""
    try:
        name, _, password = base64.b64decode(text.strip(), validate=True).decode("latin1").partition(":")
    except (binascii.Error, ValueError):
        return []
    return [name, password]
