"""The tables of a board, column by column, as they move to another engine, and as export carries them."""

import dataclasses
from collections.abc import Mapping

SUBJECT, BY_PROVIDER = "facebook_id", "by_facebook"
"""Columns that have the name of the first provider: the id that a person has at a provider, and whether a credential
comes from an identity."""


@dataclasses.dataclass(frozen=True)
class Table:
    columns: tuple[str, ...]
    """The first is the key."""
    counts: bool = False
    """Whether the database itself counts the keys up. It must never give the same one to another row."""
    is_exported: bool = True
    """False for secrets that work by themselves, and for what only the running board needs."""
    later: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    """Columns that exports of older versions lack, and what their rows get."""

    @property
    def key(self) -> str:
        return self.columns[0]


TABLES = {
    "accounts": Table(
        ("id", "username", "name", "role", "password", "tutorial_name", "created_at", "suspended_at", "password_at"),
        counts=True,
        later={"password_at": None},
    ),
    "identities": Table(
        (
            "id",
            "account_id",
            "app_id",
            SUBJECT,
            "name",
            "picture_kind",
            "picture",
            "created_at",
            "notice_at",
            "provider",
        ),
        counts=True,
        later={"notice_at": None, "provider": "facebook"},
    ),
    "messages": Table(
        ("id", "seq", "author_id", "author_name", "body", "created_at", "edited_at", "key", "fingerprint", "address")
    ),
    "credentials": Table(
        ("id", "account_id", "kind", "hash", "name", "created_at", "last_used_at", BY_PROVIDER, "provider"),
        counts=True,
        is_exported=False,
    ),
    "access_changes": Table(("number", "account_id", "at"), is_exported=False),
    "links": Table(("hash", "kind", "account_id", "expires_at"), is_exported=False),
    "failed_tries": Table(("account_id", "since", "earlier"), is_exported=False),
    "used": Table(("hash", "until"), is_exported=False),
    "blocks": Table(("address", "until")),
    "erasures": Table(("code", "at")),
    "suspensions": Table(("salt", "identity_hash", "username_hash", "until")),
    "audit": Table(("id", "at", "actor_id", "actor_name", "action", "target"), counts=True),
}
"""In this order, no row refers to one that comes later. The search index is not moved but rebuilt."""
BOARD = ("epoch", "seq", "floor", "secret", "access")
"""The columns of the one row of the table `board`. With its epoch, a database becomes the board that clients know."""
