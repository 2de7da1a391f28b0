"""Decides what a message may contain. Nothing else does. board/markup.py says what of it is more than plain text."""

import re
import unicodedata

from board.errors import DeniedError
from board.said import said
from storage.invisible import INVISIBLE, IS_INVISIBLE

MARKS_IN_A_ROW = 8
"""More combining marks than any script stacks on one letter. Further marks only cover other people's lines."""

BODY_MAX = 100_000
"""The most characters of a message, whatever MESSAGE_LENGTH says."""

NOT_TEXT = re.compile("[\0\ud800-\udfff]")
NEWLINES = re.compile("\r\n|[\r\u2028\u2029]")
# C0 and C1 controls except newline and tab, and the bidi overrides and isolates, which could turn the text around
# them. The marks LRM, RLM and ALM stay, as does the joiner that many scripts and emoji need.
DROPPED = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]")
EMPTY_LINE = f"(?:[^\\S\n]|[{INVISIBLE}])*\n"
FIRST_EMPTY_LINES = re.compile(rf"\A(?:{EMPTY_LINE})+")
MOST_EMPTY_LINES = 2
"""The most empty lines in a row, also in code. More would only push away what others wrote."""
TOO_MANY_EMPTY_LINES = re.compile(rf"\n(?:{EMPTY_LINE}){{{MOST_EMPTY_LINES + 1},}}")


class BadTextError(DeniedError):
    """Text that is not allowed."""


def clean(text: str, limit: int) -> str:
    """Returns the text as it is stored: at most `limit` code points. Raises BadTextError."""
    text = tidy(text)
    if not is_visible(text):
        raise BadTextError("body_empty", "There is nothing in this message to read. Write something first.")
    if len(text) > limit:
        raise BadTextError(
            "body_too_long",
            said("A message may have %(most)s characters; this one has %(n)s.", most=limit, n=len(text)),
        )
    return text


def tidy(text: str) -> str:
    """Removes what no message may contain. Raises BadTextError for NUL and lone surrogates."""
    if NOT_TEXT.search(text):
        raise BadTextError("body_not_text", "This is not text: it has a NUL or half of a character in it.")
    text = DROPPED.sub("", NEWLINES.sub("\n", text))
    text = FIRST_EMPTY_LINES.sub("", cap_marks(text).rstrip())  # the indent of the first line stays
    return TOO_MANY_EMPTY_LINES.sub("\n" * (MOST_EMPTY_LINES + 1), text)


def is_visible(text: str) -> bool:
    """Whether a reader would see anything besides white space, marks and characters known to be invisible."""
    return any(
        unicodedata.category(c) not in ("Zs", "Zl", "Zp", "Mn", "Mc", "Me", "Cc", "Cf", "Cs") for c in text
        if not IS_INVISIBLE.match(c)
    )  # fmt: skip


def cap_marks(text: str) -> str:
    if text.isascii():
        return text
    kept, run = [], 0
    for c in text:
        run = run + 1 if unicodedata.category(c) in ("Mn", "Me") else 0
        if run <= MARKS_IN_A_ROW:
            kept.append(c)
    return "".join(kept)
