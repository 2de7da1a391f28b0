"""The headers of all replies (pages, data and files), and conditional requests."""

import datetime
import email.utils

from tornado.httputil import HTTPHeaders
from tornado.web import RequestHandler

from settings import Settings

PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
DATA_CSP = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
PAGE_HEADERS = [
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
"""For pages only. Data is nosniff JSON that may go to thousands of polls at once; these would protect nothing there."""


def default_headers(settings: Settings, csp: str) -> list[tuple[str, str]]:
    """Returns the headers that every reply has."""
    headers = [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Content-Security-Policy", csp),
        ("Cache-Control", "no-store"),
    ]
    if csp == PAGE_CSP:
        headers += PAGE_HEADERS
    if settings.public_url.startswith("https:"):
        headers.append(("Strict-Transport-Security", "max-age=31536000"))
        if csp == PAGE_CSP:  # without https, browsers ignore it and log a warning
            headers.append(("Cross-Origin-Opener-Policy", "same-origin"))
    return headers


def is_embedding(settings: Settings) -> bool:
    """Whether other sites may show boards and messages that everyone may read."""
    return bool(settings.embed_from) and settings.reading == "public"


def is_known(handler: RequestHandler, made_at: int | None) -> bool:
    """Whether the client already has this version (RFC 9110, 13.2.2: an ETag takes precedence over a time)."""
    if "If-None-Match" in handler.request.headers:
        return handler.check_etag_header()
    return made_at is not None and is_unmodified(handler.request.headers, made_at)


def is_unmodified(headers: HTTPHeaders, made_at: int) -> bool:
    """Whether If-Modified-Since is exactly this time, in seconds since 1970.

    nginx compares in the same way: a later time means that a clock was wrong, or that an older version was restored.
    """
    try:
        since = email.utils.parsedate_to_datetime(headers.get("If-Modified-Since", ""))
        if since.tzinfo is None:  # the asctime format, which is UTC as well (RFC 9110, 5.6.7)
            since = since.replace(tzinfo=datetime.UTC)
        return since.timestamp() == made_at
    except (ValueError, OverflowError):
        return False
