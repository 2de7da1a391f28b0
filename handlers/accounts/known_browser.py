"""The cookies of known browsers: those in which an account's owner has signed in by password.

A cookie is sent only to /signin, and lets nobody in. But this browser's tries at the password are counted separately
and hashed first, so that guessing elsewhere can't lock the owner out. A new password invalidates the cookie.
docs/decisions/0013-security.md says why.
"""

import zlib

from board.account_names import fold_username
from board.site.sign_in import KnownBrowser
from handlers.http.authentication import Authentication

PATH = "/signin"
KNOWN_DAYS = 180
SLOTS = 8
"""Cookies that one browser can have. The hash of the username chooses the slot."""


def read_browser(handler: Authentication, username: str) -> KnownBrowser | None:
    """Returns what the cookie says that belongs to this username, as it was typed."""
    name = cookie_name(handler, fold_username(username))
    value = handler.get_signed_cookie(name, max_age_days=KNOWN_DAYS, min_version=2)
    parts = value.decode().split(" ") if value else []
    return KnownBrowser(*parts) if len(parts) == 3 else None


def remember_browser(handler: Authentication, username: str, browser: KnownBrowser) -> None:
    handler.set_signed_cookie(
        cookie_name(handler, username),
        " ".join(browser),
        expires_days=None,
        max_age=KNOWN_DAYS * 86_400,
        path=PATH,
        httponly=True,
        secure=handler.is_secure,
        samesite="Strict",
    )


def forget_browser(handler: Authentication, username: str) -> None:
    handler.clear_cookie(cookie_name(handler, username), path=PATH, httponly=True, secure=handler.is_secure)


def cookie_name(handler: Authentication, username: str) -> str:
    name = handler.cookie_name.replace("__Host-", "__Secure-")  # __Host- is for Path=/ only (RFC 6265bis)
    return f"{name}-known-{zlib.crc32(username.encode(errors='replace')) % SLOTS}"
