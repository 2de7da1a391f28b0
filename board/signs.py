"""Finds where a text may be cut: between what people read as one sign, however many code points it has.

This is the part of the rules for grapheme clusters (https://www.unicode.org/reports/tr29/) that cutting needs. In doubt
two signs stay together, which makes a shortened text one sign shorter. A library would add its own tables to a process
that already has Unicode's.
"""

import re
import unicodedata

JOINER = "\u200d"
MOST_BACK = 64
"""The most code points of one sign. Longer ones are abuse, and are cut."""
MOST_HALVES = 400
"""The most halves of flags in a row that are counted to find the pairs."""
VIRAMA = 9
"""The combining class of a sign that joins two Indic consonants."""


def joins(text: str, at: int) -> bool:
    """Whether the character at this place belongs to the sign before it."""
    before, c = text[at - 1], text[at]
    if c < "\u0300":
        return False
    return (
        unicodedata.category(c)[0] == "M"
        or c in "\u200c\u200d\uff9e\uff9f"
        or before == JOINER
        or "\U0001f3fb" <= c <= "\U0001f3ff"  # skin colours
        or "\U000e0020" <= c <= "\U000e007f"  # tags, in the flags of regions
        or "\u1160" <= c <= "\u11ff"  # the rest of a Korean syllable
        or "\ud7b0" <= c <= "\ud7fb"
        or (is_half_flag(c) and halves_before(text, at) % 2 == 1)
        or (unicodedata.combining(before) == VIRAMA and unicodedata.category(c) == "Lo")
    )


def is_half_flag(c: str) -> bool:
    return "\U0001f1e6" <= c <= "\U0001f1ff"


def halves_before(text: str, at: int) -> int:
    start = at
    while start and at - start < MOST_HALVES and is_half_flag(text[start - 1]):
        start -= 1
    return at - start


def place_to_cut(text: str, at: int) -> int:
    """Returns the last place between two signs that is not after `at`."""
    for place in range(at, max(at - MOST_BACK, 0), -1):
        if place >= len(text) or not joins(text, place):
            return place
    return 0 if at < MOST_BACK else at


def beginning(text: str, most: int) -> str:
    """Returns the whole signs among the first `most` code points, or part of the first one if it is longer."""
    return text[: place_to_cut(text, most) or most]


def next_place_to_cut(text: str, at: int) -> int:
    """Returns the first place between two signs that is not before `at`."""
    for place in range(at, min(at + MOST_BACK, len(text))):
        if place == 0 or not joins(text, place):
            return place
    return min(at + MOST_BACK, len(text))


def first_sign(text: str) -> str:
    return text[: next_place_to_cut(text, 1)]


def initials(name: str) -> str:
    """Returns the first letters of the first and the last word of a name, or its first character if it has no letters.

    static/js/message.js does the same, so this goes by code points.
    """
    words = re.findall(r"[^\W_]\S*", name) or [name]
    return "".join(word[:1].upper() for word in (words[:1] + words[1:][-1:]))
