"""Recognises images."""

import re

SIGNATURES = {
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}


def kind_of_image(content: bytes) -> str | None:
    """Returns `image/…` by the first bytes, never by what a server calls it, or None if this is not a picture."""
    return next((kind for kind, pattern in SIGNATURES.items() if pattern.match(content)), None)
