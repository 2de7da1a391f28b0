"""What people may be called."""

import itertools
import re
import unicodedata
from collections.abc import Iterator

from board.signs import beginning
from board.text import NOT_TEXT, BadText, is_visible, tidy

USERNAME = re.compile(r"[a-z0-9_]{3,32}", re.ASCII)
NAME_LENGTH = 50


def clean_username(text: str) -> str:
    """Folded: Ada and ada are the same. Only ASCII, so that nobody looks like somebody else. Raises BadText."""
    username = text.lower() if text.isascii() else text
    if not USERNAME.fullmatch(username):
        raise BadText("bad_username", "A username has 3 to 32 of the letters a to z, digits and _.")
    return username


def clean_name(text: str) -> str:
    """The name that others see: in any script, on one line. Raises BadText."""
    name = " ".join(tidy(text).split())
    if not is_visible(name) or len(name) > NAME_LENGTH:
        raise BadText("bad_name", f"A name has 1 to {NAME_LENGTH} characters that can be seen.")
    return name


def usernames(name: str) -> Iterator[str]:
    """Usernames for somebody who is called so elsewhere, the nearest first; without end."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub("[^a-z0-9]+", "_", plain).strip("_")[:28].rstrip("_")
    base = base if len(base) >= 3 else f"member_{base}".rstrip("_")
    yield base
    for number in itertools.count(2):
        yield f"{base[: 31 - len(str(number))]}_{number}"


def name_from_elsewhere(text: object) -> str:
    """The name that somebody has elsewhere, made fit for here; whatever it is, it gives a name."""
    if not isinstance(text, str):
        return "Member"
    name = beginning(" ".join(tidy(NOT_TEXT.sub("", text)).split()), NAME_LENGTH).rstrip()
    return name if is_visible(name) else "Member"
