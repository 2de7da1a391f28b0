"""What people may be called."""

import re

from board.text import BadText, is_visible, tidy

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
