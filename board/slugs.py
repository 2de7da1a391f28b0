"""The form of slugs, the names of boards in addresses; and what may be said of a board."""

import functools
import re
import secrets
import unicodedata
from collections.abc import Iterable

from board.said import msgid, said
from board.text import DROPPED, BadTextError, is_visible, tidy
from storage.invisible import INVISIBLE, IS_INVISIBLE

FIRST = "first"
"""What stands for the first board's slug, as that has none: it is at /."""
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
RESERVED = {"all", FIRST, "new"}
"""Words that an address may need for something else."""
WORDS = msgid("A board's short name has 1 to 40 letters of a to z, digits, and hyphens between them.")
SLUG_MAX, NAME_MAX, ABOUT_MAX, RULES_MAX = 40, 80, 200, 1000
"""Characters."""
NUMBERED_MAX = 9
"""The highest number behind a slug that was made from a name."""


NEEDED = "\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""The joiners, and what chooses between variants of a character: many scripts and emoji need them."""
UNSEEN = re.compile(f"(\U0001f3f4[\U000e0020-\U000e007f]+)|(?![{NEEDED}])[{INVISIBLE}]")
"""What a name looks the same without. The tags behind a black flag make it a region's."""
QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"'})
"""As a keyboard has them."""


def fold_slug(text: str) -> str | None:
    """Returns the slug in small letters, as people type it; None if no board can have it."""
    slug = text.lower() if text.isascii() else ""
    return slug if SLUG.fullmatch(slug) else None


def clean_slug(text: str) -> str:
    """Returns a slug for a board, in small letters. Two never look alike. Raises BadTextError."""
    slug = fold_slug(text)
    if slug is None or slug in RESERVED:
        raise BadTextError("bad_slug", WORDS)
    return slug


def clean_board_name(text: str) -> str:
    """Returns the name that people see, on one line. Raises BadTextError."""
    name = " ".join(UNSEEN.sub(r"\1", tidy(text)).split())
    if not is_visible(name) or len(name) > NAME_MAX:
        raise BadTextError(
            "bad_name", said("A board's name has 1 to %(most)s characters that can be seen.", most=NAME_MAX)
        )
    return name


def as_typed(name: str) -> str:
    """Returns a name for comparison: the same for all who type what they see, whatever their keyboard makes of it."""
    plain = IS_INVISIBLE.sub("", DROPPED.sub("", unicodedata.normalize("NFKC", name)))
    return " ".join(plain.translate(QUOTES).split())


@functools.lru_cache(16_384)  # more than there are boards
def folded(name: str) -> str:
    """Returns a name without accents and case, as static/js/rail.js makes it: by rules that both languages have."""
    if name.isascii():  # the same, and far faster
        return name.lower()
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters if not unicodedata.category(letter).startswith("M")).upper().lower()


def check_is_free(name: str, taken: Iterable[str]) -> None:
    """Raises BadTextError for a name that looks like that of the site, or of its first board."""
    if as_typed(name).casefold() in {as_typed(one).casefold() for one in taken}:
        raise BadTextError("name_reserved", "This is the name of the site, or of its first board. Please take another.")


def clean_about(text: str) -> str:
    """Returns the line about a board, which may be empty. Raises BadTextError."""
    about = " ".join(tidy(text).split())
    if len(about) > ABOUT_MAX:
        raise BadTextError(
            "about_too_long", said("The line about a board has at most %(most)s characters.", most=ABOUT_MAX)
        )
    return about


def clean_rules(text: str) -> str:
    """Returns the rules of a board, which may be empty. Raises BadTextError."""
    rules = tidy(text)
    if len(rules) > RULES_MAX:
        raise BadTextError(
            "rules_too_long", said("The rules of a board have at most %(most)s characters.", most=RULES_MAX)
        )
    return rules


def slugs_from(name: str) -> list[str]:
    """Returns slugs made from a board's name, the plainest first, and at last a random one, so that one of them is free."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    base = re.sub("[^a-z0-9]+", "-", plain).strip("-") or "board"
    ends = ["", *(f"-{number}" for number in range(2, NUMBERED_MAX + 1)), f"-{secrets.token_hex(4)}"]
    slugs = [base[: SLUG_MAX - len(end)].rstrip("-") + end for end in ends]
    return [slug for slug in slugs if slug not in RESERVED]
