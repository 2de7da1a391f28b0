"""The headers that every reply of ours carries, pages, data and files alike; and those that ask whether it changed."""

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
"""Pages only: in data, which is nosniff JSON and may go to thousands of polls at once, they would protect nothing."""


def default_headers(settings: Settings, csp: str) -> list[tuple[str, str]]:
    """What every reply of ours carries."""
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
        if csp == PAGE_CSP:  # without https, browsers ignore it and complain
            headers.append(("Cross-Origin-Opener-Policy", "same-origin"))
    return headers


def is_known(handler: RequestHandler, made_at: int | None) -> bool:
    """Whether the client has this already (RFC 9110, 13.2.2: an ETag goes before a time)."""
    if "If-None-Match" in handler.request.headers:
        return handler.check_etag_header()
    return made_at is not None and is_unmodified(handler.request.headers, made_at)


def is_unmodified(headers: HTTPHeaders, made_at: int) -> bool:
    """Whether If-Modified-Since is exactly this time, in seconds since 1970.

    As nginx has it: a later time means that a clock was wrong, or that something older was put back.
    """
    try:
        since = email.utils.parsedate_to_datetime(headers.get("If-Modified-Since", ""))
        if since.tzinfo is None:  # asctime's form, which is UTC as well (RFC 9110, 5.6.7)
            since = since.replace(tzinfo=datetime.UTC)
        return since.timestamp() == made_at
    except (ValueError, OverflowError):
        return False
