"""The link with which whoever runs a new site makes the account of its first moderator.

It is signed with the secret that was made with the database, and not stored: reading the database does not give it to
anybody, and a server that starts writes nothing.
"""

import base64
import hmac

from storage.accounts import OWNER_LINK_MS


def make(secret: bytes, now_ms: int) -> str:
    """Returns the text of a link that works for OWNER_LINK_MS from now on."""
    return signed(secret, now_ms + OWNER_LINK_MS)


def is_valid(secret: bytes, text: str, now_ms: int) -> bool:
    """Whether make() has made this text, less than OWNER_LINK_MS ago. Whether there is a moderator, storage knows."""
    until = text.partition(".")[0]
    if not (until.isascii() and until.isdigit() and len(until) < 19 and now_ms < int(until)):
        return False
    return hmac.compare_digest(text.encode(errors="replace"), signed(secret, int(until)).encode())


def signed(secret: bytes, until_ms: int) -> str:
    digest = hmac.digest(secret, f"owner {until_ms}".encode(), "sha256")
    return f"{until_ms}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
