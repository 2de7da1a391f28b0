"""How storage remembers the words that were posted with a key; the same in every engine."""

import hashlib


def fingerprint_of(key: str | None, body: str, reply_to: int | None = None) -> bytes | None:
    """Returns the hash of a key, its words and what they reply to: a retry must have the same. None without a key.

    That of a message that is no reply is as it was in releases without replies.
    """
    target = "" if reply_to is None else f"{reply_to}\0"
    return None if key is None else hashlib.sha256(f"{target}{key}\0{body}".encode()).digest()
