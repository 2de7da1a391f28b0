"""The cursor: `<epoch>-<seq>`, the last change that a client has. The client owns it and need not read it."""

import re
from typing import NamedTuple

FORM = re.compile(r"([0-9a-z]{1,16})-(0|[1-9][0-9]{0,17})", re.ASCII)


class Cursor(NamedTuple):
    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"


NO_CURSOR = Cursor("", 0)
"""One that no board gives: a poll with it is answered with a reset."""


def parse_cursor(text: str) -> Cursor | None:
    """Returns None if the text is not a cursor."""
    match = FORM.fullmatch(text)
    return Cursor(match[1], int(match[2])) if match else None
