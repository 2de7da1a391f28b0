"""What a board consists of when it moves from one engine to another: its tables, column by column."""

from collections.abc import Sequence

TABLES: dict[str, Sequence[str]] = {
    "accounts": (
        "id", "username", "name", "role", "password", "tutorial_name", "created_at", "suspended_at", "password_at",
    ),
    "messages": (
        "id", "seq", "author_id", "author_name", "body", "created_at", "edited_at", "key", "fingerprint", "address",
    ),
    "credentials": (
        "id", "account_id", "kind", "hash", "name", "created_at", "last_used_at", "by_facebook",
    ),
    "access_changes": ("number", "account_id", "at"),
    "links": ("hash", "kind", "account_id", "expires_at"),
    "blocks": ("address", "until"),
    "audit": ("id", "at", "actor_id", "actor_name", "action", "target"),
    "identities": (
        "id", "account_id", "app_id", "facebook_id", "name", "picture_kind", "picture", "created_at", "notice_at",
    ),
    "failed_tries": ("account_id", "since", "earlier"),
    "used": ("hash", "until"),
    "erasures": ("code", "at"),
    "suspensions": ("salt", "identity_hash", "username_hash", "until"),
}  # fmt: skip
"""In an order in which nothing refers to what comes later. The first column is the key. A search index is not moved
but made anew."""
COUNTED = ("accounts", "credentials", "audit", "identities")
"""Tables whose ids are given once, also if the row with the highest is gone."""
BOARD = ("epoch", "seq", "floor", "secret", "access")
"""The one row of the table `board`; with its epoch, a database becomes the board that clients know."""
