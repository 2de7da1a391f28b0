"""Checks imported rows as strictly as posts: otherwise the board could not show them.

Text is cleaned as in posting. Everything else that is wrong is refused.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from board.account_names import NAME_LENGTH, USERNAME
from board.images import kind_of_image
from board.slugs import SLUG
from board.text import BODY_MAX, NOT_TEXT, tidy
from board.wire import LAST_MS
from storage.costs import CHARACTERS, KILOBYTES, LANES, PASSES, costs_too_much
from storage.mentions import MOST_MENTIONS
from storage.records import FIRST_BOARD, ORDERS, REACTIONS, READERS, WRITERS
from storage.tables import EXPORTED

Row = Mapping[str, object]
MOST_NUMBER = 10**18 - 1
"""The greatest number of an id or a change: the greatest that a cursor may have."""
PICTURE_BYTES = 256 * 1024
HASH = re.compile(r"(?:sha1:)?\$argon2id\$v=19\$m=\d{1,6},t=\d{1,2},p=[1-9]\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+", re.ASCII)


def whole(least: int, most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value

    return check


def plain(most: int, pattern: str = r"[^\0\ud800-\udfff]*", *, what: str = "text") -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or len(value) > most or not re.fullmatch(pattern, value, re.DOTALL):
            raise ValueError(f"must be {what} of at most {most} characters")
        return value

    return check


def body(value: Any) -> str:
    text = tidy(words(value))
    if not 0 < len(text) <= BODY_MAX:
        raise ValueError(f"must have 1 to {BODY_MAX} characters that can be kept")
    return text


def name(value: Any) -> str:
    text = " ".join(tidy(words(value)).split())
    if not 0 < len(text) <= NAME_LENGTH:
        raise ValueError(f"must have 1 to {NAME_LENGTH} characters")
    return text


def words(value: Any) -> str:
    if not isinstance(value, str) or NOT_TEXT.search(value):
        raise ValueError("must be text, with no NUL in it")
    return value


def password(value: Any) -> str:
    if not isinstance(value, str) or not HASH.fullmatch(value):
        raise ValueError("must be a hash as Longboard makes them")
    if costs_too_much(value):
        raise ValueError(
            f"may have at most m={KILOBYTES}, t={PASSES}, p={LANES} and {CHARACTERS} characters of each part"
        )
    return value


def octets(least: int, most: int) -> Callable[[Any], bytes]:
    def check(value: Any) -> bytes:
        if not isinstance(value, bytes) or not least <= len(value) <= most:
            raise ValueError(f"must be {least} to {most} bytes")
        return value

    return check


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


CHECKS: dict[str, Callable[[Any], Any]] = {
    "number": whole(1, MOST_NUMBER),
    "time": whole(0, LAST_MS),
    "name": name,
    "username": plain(32, USERNAME.pattern, what="a username: small letters, digits and _"),
    "role": plain(9, "member|moderator", what="member or moderator"),
    "password": password,
    "flag": flag,
    "text": plain(1000),
    "title": plain(100),
    "slug": plain(40, SLUG.pattern, what="a slug: small letters, digits and hyphens between them"),
    "readers": plain(9, "|".join(READERS), what="everyone, members or invited"),
    "writers": plain(10, "|".join(WRITERS), what="guests, members or moderators"),
    "order": plain(6, "|".join(ORDERS), what="newest or oldest"),
    "reaction": plain(20, "|".join(REACTIONS), what="a kind of reaction"),
    "mentions": plain(400, rf"(;(0|[1-9]\d{{0,17}})){{1,{MOST_MENTIONS + 1}}};", what="ids between semicolons"),
    "body": body,
    "ascii": plain(100, "[ -~]+", what="ASCII"),
    "provider": plain(30, "[a-z][a-z0-9_]*", what="small letters, digits and _"),
    "subject": plain(255, "[ -~]+", what="ASCII"),
    "address": plain(64, "[!-~]+", what="ASCII"),
    "octets": octets(1, 64),
    "picture": octets(1, PICTURE_BYTES),
    "picture_kind": plain(20, "image/(png|jpeg|gif|webp)", what="a kind of picture"),
}
"""The rule for each kind of column in storage/tables.py that is exported."""


def checked(table: str, row: Row) -> Row:
    """Returns the row to store. Raises ValueError, which names the column."""
    kept: dict[str, object] = {}
    for column in EXPORTED[table].columns:
        value = row[column.name]
        try:
            kept[column.name] = None if value is None and column.null else CHECKS[column.kind](value)
        except ValueError as error:
            raise ValueError(f"{column.name} of {table} {error}") from None
    check_together(table, kept)
    return kept


def check_together(table: str, row: Row) -> None:
    """Checks columns against each other. Raises ValueError."""
    if table in ("messages", "posts") and int(str(row["seq"])) < int(str(row["id"])):
        raise ValueError(f"seq of {table} must not be below id, the change that posted it")
    if table in ("messages", "posts") and row["reply_to"] and int(str(row["reply_to"])) >= int(str(row["id"])):
        raise ValueError(f"reply_to of {table} must be below id: there was a message to reply to")
    if table == "boards" and row["id"] == FIRST_BOARD:
        raise ValueError("id of boards must not be that of the first board, which has no row")
    if table == "identities":
        picture = row["picture"]
        kind = kind_of_image(picture) if isinstance(picture, bytes) else None
        if kind != row["picture_kind"]:
            raise ValueError("picture of identities must be what picture_kind says")
