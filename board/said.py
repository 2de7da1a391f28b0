"""Words for people that are put into another language only where they are shown.

Everything that is not a page has them in English: replies to programs, the log, the command line.
"""

import functools
from collections.abc import Iterable
from typing import Any


class Said(str):
    """A text in English, with what it was made from: the msgid, and the values of its placeholders."""

    msgid: str
    many: str | None = None
    """The msgid for more than one."""
    number: int = 1
    values: dict[str, Any]


def said(msgid: str, **values: Any) -> Said:
    """Returns the text for a msgid, such as `said("%(name)s must be 1 or more.", name=name)`. A value may be another such
    text. Without values, the msgid is the text.
    """
    made = Said(msgid % values if values else msgid)
    made.msgid, made.values = msgid, values
    return made


def said_of(msgid: str, many: str, n: int, **values: Any) -> Said:
    """Returns the text for a number of things, which is the value `n`, too."""
    made = Said((msgid if n == 1 else many) % {"n": n, **values})
    made.msgid, made.many, made.number, made.values = msgid, many, n, {"n": n, **values}
    return made


def either(names: Iterable[str]) -> str:
    """Returns the names with "or" between them."""
    return functools.reduce(lambda these, other: said("%(these)s or %(other)s", these=these, other=other), names)


def together(names: Iterable[str]) -> str:
    """Returns the names with "and" between them."""
    return functools.reduce(lambda these, other: said("%(these)s and %(other)s", these=these, other=other), names)


def msgid(text: str) -> str:
    """Marks a text for the catalogue that is translated later."""
    return text


def msgids(one: str, many: str) -> tuple[str, str]:
    """Marks both texts for a number of things."""
    return one, many
