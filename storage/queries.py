"""Reads what is searched for: words (words.py), and conditions such as `from:ada`, which become SQL here."""

import datetime
import re
from typing import NamedTuple

from storage.errors import BadDateError
from storage.records import FIRST_BOARD
from storage.words import PARTS, Phrase, phrases

CONDITION = re.compile(r"from:@?(\w{3,32})|(before|after):(\S+)|has:(link)", re.IGNORECASE | re.ASCII)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
GUESTS = "guests"
"""Stands for all guests, behind `from:`."""
SCHEME, WWW = "http", "www"
"""A message with a link has a word that begins with the first, or the second as a word."""


class Conditions(NamedTuple):
    """What messages have to fulfil besides their words. Times are in milliseconds."""

    author: str | None = None
    """A username, or GUESTS."""
    before: int | None = None
    since: int | None = None
    has_link: bool = False

    @property
    def number(self) -> int:
        return sum(one != unset for one, unset in zip(self, ANY, strict=True))


ANY = Conditions()


class Query(NamedTuple):
    phrases: list[Phrase]
    only: Conditions

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not self.phrases and self.only == ANY

    @property
    def has_words(self) -> bool:
        """Whether a message is found by words that it has: links have such ones."""
        return bool(self.phrases) or self.only.has_link


def parse(text: str) -> Query:
    """Reads a query. What is in quotes, or no condition that is known here, is looked for as words; of two conditions of one
    kind, the last one counts. Raises BadDateError.
    """
    only, words = ANY, text
    for part in PARTS.finditer(text):
        if part[2] and (found := CONDITION.fullmatch(part[2])):
            only = with_one(only, *found.groups())
            words = words[: part.start()] + " " * len(part[0]) + words[part.end() :]
    return Query(phrases(words), only)


def with_one(only: Conditions, author: str | None, side: str | None, day: str | None, link: str | None) -> Conditions:
    if author:
        return only._replace(author=author.lower())
    if link or not (side and day):
        return only._replace(has_link=True)
    begin, end = bounds_of(day)
    return only._replace(before=begin) if side.lower() == "before" else only._replace(since=end)


def bounds_of(text: str) -> tuple[int, int]:
    """Returns when a day begins and ends, in UTC. Raises BadDateError."""
    try:
        if not DAY.fullmatch(text):
            raise ValueError
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise BadDateError(text) from None
    begin = (day - datetime.date(1970, 1, 1)).days * 86_400_000
    return begin, begin + 86_400_000


def sql_of(only: Conditions, board_id: int, place: int) -> tuple[str, list[object]]:
    """Returns conditions on a message of this board, each with AND before it, and the values of their parameters, of which
    this is the first.
    """
    found, values = [], list[object]()
    if only.author == GUESTS:
        found.append("author_id IS NULL")
    elif only.author is not None:
        # Not by the index of authors, which other boards share: the time that it takes would tell of those.
        column = "author_id" if board_id == FIRST_BOARD else "author_id + 0"
        found.append(f"{column} = (SELECT accounts.id FROM accounts WHERE username = ${place})")
        values.append(only.author)
    for time, comparison in ((only.before, "<"), (only.since, ">=")):
        if time is not None:
            found.append(f"created_at {comparison} ${place + len(values)}")
            values.append(time)
    if only.has_link:
        found.append("(body LIKE '%://%' OR lower(body) LIKE '%www.%')")
    return "".join(f" AND {one}" for one in found), values
