"""Usernames and names of accounts: which are allowed, and which are free."""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator

from board.signs import beginning
from board.text import NOT_TEXT, BadTextError, is_visible, tidy
from storage.records import DELETED_NAME, Account

USERNAME = re.compile(r"[a-z0-9_]{3,32}", re.ASCII)
NAME_LENGTH = 50


UNNAMED = "Member"
"""Shown if no better name is known."""
RESERVED = ("guest", "administrator", DELETED_NAME)
"""Names that the board itself uses for people."""


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


def clean_name(text: str) -> str:
    """Returns the name that others see: in any script, on one line. Raises BadTextError."""
    name = " ".join(tidy(text).split())
    if not is_visible(name) or len(name) > NAME_LENGTH:
        raise BadTextError("bad_name", f"A name has 1 to {NAME_LENGTH} characters that can be seen.")
    return name


def is_free(name: str, title: str, moderators: Iterable[Account]) -> bool:
    """Whether a new name is neither the board's nor a moderator's, ignoring case and width."""
    taken = {*RESERVED, title, *(known for account in moderators for known in (account.name, account.username))}
    return fold_name(name) not in map(fold_name, taken)


def check_is_free(name: str, title: str, moderators: Iterable[Account]) -> None:
    """Raises BadTextError for a new name that is the board's or a moderator's."""
    if not is_free(name, title, moderators):
        raise BadTextError("name_reserved", "This is the name of a moderator, or of the board. Please take another.")


def fold_name(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


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
    name = beginning(" ".join(tidy(NOT_TEXT.sub("", text)).split()), NAME_LENGTH).rstrip()
    return name if is_visible(name) else UNNAMED
