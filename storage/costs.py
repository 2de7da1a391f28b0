"""What it costs to compare a password with its hash: each try to sign in pays it, and all others wait for it."""

import re

COSTS = re.compile(r"(?:sha1:)?\$argon2[a-z]*(?:\$v=\d+)?\$m=(\d+),t=(\d+),p=(\d+)\$([^$]*)\$([^$]*)", re.ASCII)
KILOBYTES, PASSES, LANES = 65_536, 4, 4
"""Argon2's parameters m, t, p at most: what RFC 9106 (section 4) and libraries use by default; ours are 19456, 2 and 1."""
CHARACTERS = 128
"""Of a salt, and of a hash, in base64, at most; ours have 22 and 43."""


def costs_too_much(hash: str) -> bool:
    """A hash of another form costs nothing: nobody can sign in with it."""
    match = COSTS.fullmatch(hash)
    if match is None:
        return False
    kilobytes, passes, lanes = (int(number[:20]) for number in match.groups()[:3])
    too_long = max(len(match[4]), len(match[5])) > CHARACTERS
    return kilobytes > KILOBYTES or passes > PASSES or lanes > LANES or too_long
