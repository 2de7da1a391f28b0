"""Checks what comes from Facebook: the signed requests that it sends, and the bytes that should be a picture."""

import base64
import binascii
import dataclasses
import hashlib
import hmac
import json
import re

from board.text import BadTextError

ID = re.compile("[0-9]{1,32}", re.ASCII)
"""An app-scoped id. Any other text is not accepted as one, whatever an answer contains."""
LONGEST_REQUEST = 8192
SIGNATURES = {
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}


@dataclasses.dataclass(frozen=True)
class SignedRequest:
    """Which person it is about, and when Facebook made it, in seconds since 1970, if it says so."""

    facebook_id: str
    issued_at: int | None


def read_signed_request(text: str, secret: str) -> SignedRequest:
    """Returns what Facebook says about a person. Raises BadTextError.

    https://developers.facebook.com/docs/facebook-login/guides/advanced/existing-system (signed_request)
    """
    payload = verified_payload(text, secret)
    id, issued_at = payload.get("user_id"), payload.get("issued_at")
    id = str(id) if type(id) is int else id  # it comes as a string; a bare number would mean the same
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise bad_request("it names nobody")
    return SignedRequest(id, issued_at if type(issued_at) is int and 0 < issued_at < 2**40 else None)


def verified_payload(text: str, secret: str) -> dict[str, object]:
    """Returns the JSON object inside `signature.payload`. The signature is checked before anything in it is read.

    Raises BadTextError.
    """
    signature, dot, payload = text.partition(".")
    if not dot or len(text) > LONGEST_REQUEST or not payload.isascii():
        raise bad_request("it has no signature")
    expected = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(unbase64(signature), expected):
        raise bad_request("its signature is wrong")
    try:
        value = json.loads(unbase64(payload).decode())
    except (ValueError, RecursionError):
        raise bad_request("it is not JSON") from None
    if not isinstance(value, dict) or str(value.get("algorithm", "")).upper() != "HMAC-SHA256":
        raise bad_request("it is not signed by HMAC-SHA256")
    return value


def unbase64(text: str) -> bytes:
    """Decodes base64 for URLs, without the padding (RFC 4648, 5). Raises BadTextError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
    except (binascii.Error, ValueError):
        raise bad_request("it is not base64") from None


def bad_request(why: str) -> BadTextError:
    return BadTextError("bad_signed_request", f"This is no signed request of Facebook's for this app: {why}.")


def kind_of_image(content: bytes) -> str | None:
    """Returns `image/…` by the first bytes, never by what a server calls it, or None if this is not a picture."""
    return next((kind for kind, pattern in SIGNATURES.items() if pattern.match(content)), None)
