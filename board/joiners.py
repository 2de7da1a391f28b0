"""Which invisible characters of a name stay: those that scripts and emoji need where they are. All others go.

The rules are those of UAX #31 (https://www.unicode.org/reports/tr31/, joining controls) and UTS #51 (emoji), by the properties
that Python has: letters of Arabic and Syriac join; a virama joins Indic consonants.
"""

import re
import unicodedata

from board.signs import VIRAMA
from storage.invisible import IS_INVISIBLE

REGION = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
"""The flag of a region: what follows the black flag is its code."""
KEYCAP = "\u20e3"


def without_unneeded(name: str) -> str:
    """Returns the name without the invisible characters that it needs nowhere."""
    if not IS_INVISIBLE.search(name):
        return name
    parts, at = [], 0
    for flag in REGION.finditer(name):
        parts += [without_tags(name[at : flag.start()]), flag[0]]
        at = flag.end()
    return "".join([*parts, without_tags(name[at:])])


def without_tags(text: str) -> str:
    kept = ""
    for place, c in enumerate(text):
        if not IS_INVISIBLE.match(c) or is_needed(kept, c, text[place + 1 : place + 2]):
            kept += c
    return kept


def is_needed(before: str, c: str, after: str) -> bool:
    """Whether an invisible character is needed between what stays before it and the next one."""
    last = before[-1:]
    if c == "\u200d":
        return joins_indic(last, after) or joins_emoji(before, after)
    if c == "\u200c":
        return joins_indic(last, after) or joins_arabic(before, after)
    if not last or IS_INVISIBLE.match(last):
        return False
    if "\ufe00" <= c <= "\ufe0f" and not last.isalpha():
        return after == KEYCAP if last in "0123456789#*" else is_emoji(last) or unicodedata.category(last)[0] in "SP"
    if "\ufe00" <= c <= "\ufe02" or "\U000e0100" <= c <= "\U000e01ef":
        return unicodedata.category(last) == "Lo"  # an ideograph, or a letter of some scripts of Asia
    return c in "\u180b\u180c\u180d\u180f" and "\u1820" <= last <= "\u18aa"  # Mongolian


def joins_indic(last: str, after: str) -> bool:
    return bool(last and after) and VIRAMA in (unicodedata.combining(last), unicodedata.combining(after))


def joins_arabic(before: str, after: str) -> bool:
    letters = [c for c in before if unicodedata.category(c) != "Mn"]
    return bool(letters and after) and {unicodedata.bidirectional(letters[-1]), unicodedata.bidirectional(after)} == {
        "AL"
    }


def joins_emoji(before: str, after: str) -> bool:
    base = before.rstrip("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")[-1:]
    return is_emoji(base) and is_emoji(after)


def is_emoji(c: str) -> bool:
    return bool(c) and (unicodedata.category(c) in ("So", "Cn") or c in "\u2194\u2195")
