"""Limits tries at passwords, recognises known browsers, and logs failures.

A browser in which somebody signs in with a password gets a cookie that is sent only to /signin. The cookie lets nobody
in. But this browser's tries are counted separately and hashed first, so that guessing elsewhere can't lock the owner
out. A new password invalidates the cookie. docs/decisions/0013-security.md says why.
"""

import secrets
import zlib

from board.account_names import USERNAME, fold_username
from board.turns import ANYBODY, Asker
from handlers.base import Base
from handlers.errors import RefusedError
from storage.records import Account, Password

PATH = "/signin"
KNOWN_DAYS = 180
SLOTS = 8
"""Known-browser cookies that one browser can have. The hash of the username chooses the slot."""


def readable(username: str) -> str:
    """Returns the username in the form that accounts have; empty if no account can have it."""
    folded = fold_username(username)
    return folded if USERNAME.fullmatch(folded) else ""


async def admit(handler: Base, username: str) -> Asker:
    """Counts a try at a password and returns the asker. Raises RefusedError."""
    limits, address = handler.board.limits, handler.client_address
    if limits is None:
        return ANYBODY
    if (known := claim(handler, username)) and not limits.guessing.take_known(known):
        account, password = await handler.board.storage.password(username)
        if account is not None and is_known(handler, account, password):
            return Asker(address, f"account {account.id}")
    if seconds := limits.guessing.take(username, address):
        handler.board.account_log.write_failure(None, address, "too_many_tries")
        raise RefusedError(429, "too_many_tries", "Too many tries. Please wait a little before the next.", seconds)
    return Asker(address)


def asker_of(handler: Base) -> Asker:
    """Returns the asker for the hash of a new password."""
    if handler.board.limits is None:
        return ANYBODY
    return Asker(handler.client_address, f"account {handler.account.id}" if handler.account else "")


def claim(handler: Base, username: str) -> str | None:
    """Returns what may make the client known to this account, before storage is read: its credential or the cookie."""
    if handler.credential is not None and handler.credential.account.username == username:
        return f"credential {handler.credential.id}"
    value = read_cookie(handler, username)
    return f"browser {value[2]}" if value else None


def is_known(handler: Base, account: Account, password: Password) -> bool:
    if handler.credential is not None and handler.credential.account.id == account.id:
        return True
    value = read_cookie(handler, account.username)
    return value is not None and value[:2] == [str(account.id), str(password.set_at)]


async def remember_browser(handler: Base, account: Account, verified: Password) -> None:
    """Makes this browser known, if the password that was just verified or set is still the account's."""
    _, password = await handler.board.storage.password(account.username)
    if password.hash == verified.hash:
        handler.set_signed_cookie(
            cookie_name(handler, account.username),
            f"{account.id} {password.set_at} {secrets.token_hex(8)}",
            expires_days=None,
            max_age=KNOWN_DAYS * 86_400,
            path=PATH,
            httponly=True,
            secure=handler.is_secure,
            samesite="Strict",
        )


def forget_browser(handler: Base, username: str) -> None:
    handler.clear_cookie(cookie_name(handler, username), path=PATH, httponly=True, secure=handler.is_secure)


def read_cookie(handler: Base, username: str) -> list[str] | None:
    """Returns the account's id, the time its password was set, and the browser's random number."""
    value = handler.get_signed_cookie(cookie_name(handler, username), max_age_days=KNOWN_DAYS, min_version=2)
    parts = value.decode().split(" ") if value else []
    return parts if len(parts) == 3 else None


def cookie_name(handler: Base, username: str) -> str:
    name = handler.cookie_name.replace("__Host-", "__Secure-")  # __Host- is for Path=/ only (RFC 6265bis)
    return f"{name}-known-{zlib.crc32(username.encode()) % SLOTS}"


def note_wrong(handler: Base, account: Account | None) -> None:
    """Counts and logs a wrong password."""
    if account is not None:
        handler.board.failures.note(account.id)
    reason = "wrong_password" if account is not None else "no_such_account"
    handler.board.account_log.write_failure(account.id if account else None, handler.client_address, reason)


def write_log(handler: Base, event: str, account_id: int, kind: str) -> None:
    handler.board.account_log.write(event, account_id, handler.client_address, kind)
