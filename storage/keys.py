"""How storage remembers the words that were posted with a key; the same in every engine."""

import hashlib


def fingerprint_of(key: str | None, body: str) -> bytes | None:
    """Returns the hash of a key and its words: a retry must have the same. None without a key."""
    return None if key is None else hashlib.sha256(f"{key}\0{body}".encode()).digest()
