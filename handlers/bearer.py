"""The tokens in a request's headers. Anything else there belongs to a proxy or a gateway on the way."""

import base64
import binascii
import re

from tornado.httputil import HTTPServerRequest

from board.credentials import TOKEN_PREFIX

BEARER = re.compile(r"bearer +(\S.*)", re.IGNORECASE)
WRAPPED = re.compile(rf"""(?:^|["'<{{\[(\s:=]){TOKEN_PREFIX}""")
"""A token of ours in quotes, after a name or in JSON: cut out of an answer wrongly."""
OTHER_HEADERS = ("X-Api-Key", "X-Auth-Token", "Private-Token")
OTHER_PARAMETERS = ("access_token", "token", "api_key")
"""Where other services take their tokens, so that people send ours there by mistake."""
HEADERS = frozenset(("Authorization", *OTHER_HEADERS))


def may_have_token(request: HTTPServerRequest) -> bool:
    """Whether there is any place for a token in it. Nearly all requests of browsers have none."""
    return bool(request.query_arguments) or not HEADERS.isdisjoint(request.headers)


def bearers(request: HTTPServerRequest) -> list[str]:
    """The values sent as `Authorization: Bearer …`; a proxy may have added another such header."""
    parts = request.headers.get("Authorization", "").split(",")  # several headers come as one; no token has a comma
    found = [BEARER.fullmatch(part.strip()) for part in parts]
    return [match[1] for match in found if match]


def our_token(request: HTTPServerRequest) -> str | None:
    """A value with the form of our tokens, right or wrong, in the right place."""
    return next((secret for secret in bearers(request) if secret.startswith(TOKEN_PREFIX)), None)


def is_misplaced(request: HTTPServerRequest) -> bool:
    """Whether a value with the form of our tokens was sent in a place where it would be ignored."""
    values = [request.headers.get(name, "") for name in OTHER_HEADERS]
    for part in request.headers.get("Authorization", "").split(","):
        scheme, _, rest = part.strip().partition(" ")
        values += [scheme, rest.strip(), *(basic(rest) if scheme.lower() == "basic" else ())]
    for name in OTHER_PARAMETERS:
        values += [value.decode("latin1") for value in request.query_arguments.get(name, ())]
    wrapped = any(WRAPPED.search(value) for value in bearers(request))
    return wrapped or any(value.startswith(TOKEN_PREFIX) for value in values)


def basic(text: str) -> list[str]:
    """The name and the password of `Authorization: Basic …` (RFC 7617)."""
    try:
        name, _, password = base64.b64decode(text.strip(), validate=True).decode("latin1").partition(":")
    except (binascii.Error, ValueError):
        return []
    return [name, password]
