"""The cost of comparing a password with its hash: each try to sign in pays it, and all other tries wait for it."""

import re

COSTS = re.compile(r"(?:sha1:)?\$argon2[a-z]*(?:\$v=\d+)?\$m=(\d+),t=(\d+),p=(\d+)\$([^$]*)\$([^$]*)", re.ASCII)
KILOBYTES, PASSES, LANES = 65_536, 4, 4
"""The highest allowed parameters m, t and p of Argon2: the defaults of RFC 9106 (section 4) and of libraries. Ours are
19456, 2 and 1."""
CHARACTERS = 128
"""The greatest length of a salt, and of a hash, in base64; ours have 22 and 43 characters."""


def costs_too_much(hash: str) -> bool:
    """False for a hash of another form: it costs nothing, because nobody can sign in with it."""
    match = COSTS.fullmatch(hash)
    if match is None:
        return False
    kilobytes, passes, lanes = (int(number[:20]) for number in match.groups()[:3])
    too_long = max(len(match[4]), len(match[5])) > CHARACTERS
    return kilobytes > KILOBYTES or passes > PASSES or lanes > LANES or too_long
