"""What storage/tables.py says of each table and of each of its columns."""

import dataclasses
import functools
from typing import Literal, NamedTuple

Kind = Literal[
    "number", "time", "flag", "name", "username", "role", "password", "text", "body", "ascii", "address",
    "title", "slug", "readers", "writers", "order", "reaction", "mentions", "subject", "provider", "octets", "picture", "picture_kind",
]  # fmt: skip
TYPES = {
    "number": "bigint",
    "time": "bigint",
    "flag": "boolean",
    "octets": "bytea",
    "picture": "bytea",
}
"""PostgreSQL's types of these kinds; all others are text."""


class Column(NamedTuple):
    name: str
    kind: Kind
    """admin/rows.py has the rule that imported values of each kind follow."""
    null: bool = False
    """Whether it may be NULL."""
    later: bool = False
    """Whether exports of older versions lack it."""
    default: str | int | None = None
    """What the rows of such exports get."""
    since: int = 1
    """The format of exports that begins to have it: a site without other boards than the first exports in format 1, and
    one without replies, mentions, pins and boards with the oldest message first in format 2."""
    given: bool = True
    """Whether its owner's download has it."""
    erased: bool = False
    """Whether a row that stays when its account is deleted loses it: NULL, or the name of a deleted account."""

    @property
    def type(self) -> str:
        return TYPES.get(self.kind, "text")


@dataclasses.dataclass(frozen=True)
class Table:
    columns: tuple[Column, ...]
    """All of them are moved. The first is the key."""
    is_exported: bool
    """False for secrets that work by themselves, and for what only the running board needs."""
    owner: str | None
    """The column with the account that a row is about, which is told of it in the download; None if there is none."""
    erasure: Literal["deleted", "kept"]
    """What becomes of the rows of an account that is deleted."""
    ends: tuple[str, int] | None
    """A row is deleted so many days after the time in this column."""
    unique: tuple[tuple[str, ...], ...] = ()
    """Columns whose values together only one row may have, besides the key. If they are several, NULL in the first counts
    as 0, and a row with NULL in the second may have the same values as others.
    """
    counts: bool = False
    """Whether the database itself counts the keys up. It must never give the same one to another row."""
    since: int = 1
    """As for a column. 2: there are rows only where there are boards beside the first; 3: only where there are reactions."""

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def key(self) -> str:
        return self.columns[0].name
