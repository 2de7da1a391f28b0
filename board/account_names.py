"""Usernames and names of accounts: which are allowed, and which are free."""

import itertools
import re
import unicodedata
from collections.abc import Iterator

from board.joiners import without_unneeded
from board.said import said
from board.signs import beginning
from board.text import NOT_TEXT, BadTextError, is_visible, tidy
from storage.names import SIGN, has_sign

USERNAME = re.compile(r"[a-z0-9_]{3,32}", re.ASCII)
NAME_LENGTH = 50


UNNAMED = "Member"
"""Shown if no better name is known."""


def fold_username(text: str) -> str:
    """Returns the username for comparison: without capitals, and without the blank that a phone's keyboard adds."""
    username = text.strip()
    return username.lower() if username.isascii() else username


def clean_username(text: str) -> str:
    """Returns the folded username. It is ASCII only, so that no username looks like another. Raises BadTextError."""
    username = fold_username(text)
    if not USERNAME.fullmatch(username):
        raise BadTextError("bad_username", "A username has 3 to 32 of the letters a to z, digits and _.")
    return username


def clean_name(text: str, kept: str | None = None) -> str:
    """Returns the name that others see: in any script, on one line. An account may keep the name that it has. Raises
    BadTextError.
    """
    name = clean_label(text)
    if name != kept and has_sign(name):
        raise BadTextError("bad_name", said("A name has no %(sign)s: that stands before usernames.", sign=SIGN))
    return name


def clean_label(text: str) -> str:
    """Returns the name of something that is not a person: on one line. Raises BadTextError."""
    name = tidy_name(text)
    if not is_visible(name) or len(name) > NAME_LENGTH:
        raise BadTextError("bad_name", said("A name has 1 to %(most)s characters that can be seen.", most=NAME_LENGTH))
    return name


def tidy_name(text: str) -> str:
    """Returns the name on one line, without what nobody sees. Marks on both sides of that are one row afterwards."""
    return " ".join(tidy(without_unneeded(tidy(text))).split())


def usernames(name: str) -> Iterator[str]:
    """Yields usernames for a name from another site, the most similar first, without end."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub("[^a-z0-9]+", "_", plain).strip("_")[:28].rstrip("_")
    base = base if len(base) >= 3 else f"member_{base}".rstrip("_")
    yield base
    for number in itertools.count(2):
        yield f"{base[: 31 - len(str(number))]}_{number}"


def name_from_elsewhere(text: object) -> str:
    """Turns a name from another site into one that is valid here. Always returns a name, whatever it is given."""
    if not isinstance(text, str):
        return UNNAMED
    name = tidy_name(beginning(tidy_name(NOT_TEXT.sub("", text)), NAME_LENGTH))
    return name if is_visible(name) else UNNAMED
