"""The tables of a board, column by column: what export, import, move, download, erasure and time do with each.

A backup has all of them. Download and erasure are written by hand; tests check that they do what the list says. A
test reads the schemas of both engines, and fails for a table or column that is not here.
"""

from storage.columns import Column, Table
from storage.records import ERASURE_DAYS

SUBJECT, BY_PROVIDER = "facebook_id", "by_facebook"
"""Columns that have the name of the first provider: the id that a person has at a provider, and whether a credential
comes from an identity."""

WRITTEN = (
    Column("author_id", "number", null=True),
    Column("author_name", "name", null=True, erased=True),  # without author_id: the name that a guest gave
    Column("body", "body", null=True),
    Column("created_at", "time"),
    Column("edited_at", "time", null=True),
    Column("reply_to", "number", null=True, later=True, since=3),
    Column("mentions", "mentions", null=True, later=True, since=3),
    Column("pinned_at", "time", null=True, later=True, since=3, given=False),  # what a moderator did
    Column("key", "ascii", null=True),
    Column("fingerprint", "octets", null=True, given=False),  # made of the key and the words
    Column("address", "address", null=True, erased=True),  # forgotten after ADDRESS_DAYS
)
"""The columns of a message that say who wrote what, and when."""

TABLES = {
    "accounts": Table(
        (
            Column("id", "number"),
            Column("username", "username"),
            Column("name", "name"),
            Column("role", "role"),
            Column("password", "password", null=True, given=False),  # a secret
            Column("tutorial_name", "text", null=True),
            Column("created_at", "time"),
            Column("suspended_at", "time", null=True, given=False),  # a suspended member can't sign in
            Column("password_at", "time", null=True, later=True),
            Column("bot", "flag", later=True, default=False, since=3, given=False),  # of those who can download, none is
        ),
        is_exported=True, owner="id", erasure="deleted", ends=None, unique=(("username",),), counts=True,
    ),
    "identities": Table(
        (
            Column("id", "number", given=False),
            Column("account_id", "number"),
            Column("app_id", "subject"),
            Column(SUBJECT, "subject"),
            Column("name", "name"),
            Column("picture_kind", "picture_kind", null=True),
            Column("picture", "picture", null=True),
            Column("created_at", "time"),
            Column("notice_at", "time", null=True, later=True),
            Column("provider", "provider", later=True, default="facebook"),
        ),
        is_exported=True, owner="account_id", erasure="deleted", ends=None,
        unique=(("app_id", SUBJECT), ("account_id", "provider")), counts=True,
    ),
    "messages": Table(
        (Column("id", "number"), Column("seq", "number", given=False), *WRITTEN),
        is_exported=True, owner="author_id", erasure="kept", ends=None, unique=(("seq",), ("author_id", "key")),
    ),
    "credentials": Table(
        (
            Column("id", "number"),
            Column("account_id", "number"),
            Column("kind", "text"),
            Column("hash", "octets", given=False),  # a secret
            Column("name", "text"),
            Column("created_at", "time"),
            Column("last_used_at", "time"),  # how long it may be unused is a setting
            Column(BY_PROVIDER, "flag"),
            Column("provider", "provider", given=False),  # which means something only with BY_PROVIDER
            Column("board_id", "number", null=True),
            Column("reads", "text", null=True, given=False),  # the kind says it
        ),
        is_exported=False, owner="account_id", erasure="deleted", ends=None, unique=(("hash",),), counts=True,
    ),
    "access_changes": Table(
        (Column("number", "number", given=False), Column("account_id", "number"), Column("at", "time")),
        is_exported=False, owner="account_id", erasure="kept", ends=("at", 1),
    ),
    "links": Table(
        (
            Column("hash", "octets", given=False),  # a secret
            Column("kind", "text", given=False),  # an account has only links for a new password
            Column("account_id", "number", null=True),
            Column("expires_at", "time"),
            Column("account_role", "text", given=False),  # an account has no invitations
        ),
        is_exported=False, owner="account_id", erasure="deleted", ends=("expires_at", 0),
    ),
    "failed_tries": Table(
        (Column("account_id", "number"), Column("since", "number"), Column("earlier", "number")),
        is_exported=False, owner="account_id", erasure="deleted", ends=None,
    ),
    "used": Table((Column("hash", "octets"), Column("until", "time")), is_exported=False, owner=None, erasure="kept", ends=("until", 0)),
    "blocks": Table(
        (Column("address", "address"), Column("until", "time")),
        is_exported=True, owner=None, erasure="kept", ends=("until", 0),
    ),
    "erasures": Table(
        (Column("code", "ascii"), Column("at", "time")),
        is_exported=True, owner=None, erasure="kept", ends=("at", ERASURE_DAYS),
    ),
    "suspensions": Table(
        (*(Column(name, "octets") for name in ("salt", "identity_hash", "username_hash")), Column("until", "time")),
        is_exported=True, owner=None, erasure="kept", ends=("until", 0),
    ),
    "audit": Table(
        (
            Column("id", "number", given=False),
            Column("at", "time"),
            Column("actor_id", "number", null=True),
            Column("actor_name", "name"),
            Column("action", "text"),
            Column("target", "text"),
            Column("board_id", "number", null=True, later=True, since=2),
            Column("board_name", "title", null=True, later=True, since=2, given=False),  # said of the board, not of the account
        ),
        is_exported=True, owner="actor_id", erasure="kept", ends=None, counts=True,  # but OWN_ACTIONS are deleted with the account
    ),
    "boards": Table(
        (
            Column("id", "number"),
            Column("slug", "slug"),
            Column("name", "title"),
            Column("about", "text"),
            Column("rules", "text"),
            Column("read_by", "readers"),
            Column("write_by", "writers"),
            Column("owner_id", "number", null=True, erased=True),
            Column("created_at", "time"),
            Column("archived_at", "time", null=True),
            Column("deleted_at", "time", null=True, given=False),  # a deleted one has no owner
            Column("floor", "number", given=False),
            Column("changed", "number", given=False),
            Column("reading_order", "order", later=True, default="newest", since=3),
        ),
        is_exported=True, owner="owner_id", erasure="kept", ends=None, unique=(("slug",),), since=2,
    ),
    "slugs": Table(
        (Column("slug", "slug"), Column("board_id", "number"), Column("ended", "flag")),
        is_exported=True, owner=None, erasure="kept", ends=None, since=2,  # never given to another board
    ),
    "invitations": Table(
        (Column("id", "number", given=False), Column("board_id", "number"), Column("account_id", "number"), Column("at", "time")),
        is_exported=True, owner="account_id", erasure="deleted", ends=None, unique=(("board_id", "account_id"),),
        counts=True, since=2,
    ),
    "marks": Table(
        (Column("id", "number", given=False), *(Column(name, "number") for name in ("board_id", "account_id", "last_read"))),
        is_exported=True, owner="account_id", erasure="deleted", ends=None, unique=(("board_id", "account_id"),),
        counts=True, since=2,
    ),
    "posts": Table(
        (Column("id", "number"), Column("seq", "number", given=False), Column("board_id", "number"), *WRITTEN),
        is_exported=True, owner="author_id", erasure="kept", ends=None,
        unique=(("seq",), ("author_id", "key", "board_id")), since=2,
    ),
    "reactions": Table(
        (
            Column("id", "number", given=False), Column("message_id", "number"), Column("account_id", "number"),
            Column("kind", "reaction"), Column("created_at", "time"),
        ),
        is_exported=True, owner="account_id", erasure="deleted", ends=None,  # also with its message
        unique=(("message_id", "account_id", "kind"),), counts=True, since=3,
    ),
    "guest_secrets": Table(
        (Column("message_id", "number"), Column("hash", "octets"), Column("until", "time")),
        is_exported=False, owner=None, erasure="kept", ends=("until", 0),  # also with its message
    ),
    "hooks": Table(
        (
            Column("id", "number"),
            Column("account_id", "number"),
            Column("board_id", "number"),
            Column("hash", "octets", given=False),  # a secret
            Column("made_by", "number", null=True, erased=True),
            Column("created_at", "time"),
            Column("last_used_at", "time", null=True, given=False),  # it tells of a board that its maker may have left
            Column("drops_repeats", "flag", given=False),
            Column("recent", "text", null=True, given=False),  # made of what others sent, in the last ten seconds
        ),
        is_exported=False, owner="made_by", erasure="kept", ends=None, unique=(("account_id",),), counts=True,
    ),
    "webhooks": Table(
        (
            Column("id", "number"),
            Column("board_id", "number"),
            Column("account_id", "number"),
            Column("url", "text", given=False),  # its path is often a secret
            Column("shape", "text"),
            Column("secret", "octets", given=False),
            Column("old_secret", "octets", null=True, given=False),
            Column("old_until", "time", null=True, given=False),
            Column("created_at", "time"),
            Column("revision", "number", given=False),
            Column("paused_at", "time", null=True),
            Column("ended", "text", null=True),
            Column("epoch", "text", given=False),
            *(Column(name, "number", given=False) for name in ("sent", "base", "told")),
            Column("settled_at", "time", given=False),
            *(Column(name, "number", given=False) for name in ("failures", "waited")),
            Column("next_at", "time", null=True, given=False),
            Column("succeeded_at", "time", null=True),
            Column("failed_at", "time", null=True),
            Column("error", "text", null=True),
        ),
        is_exported=False, owner="account_id", erasure="deleted", ends=None, counts=True,  # the secrets work by themselves
    ),
}  # fmt: skip
"""In this order, no row refers to one that comes later."""
EXPORTED = {name: table for name, table in TABLES.items() if table.is_exported}
BOARD = ("epoch", "seq", "floor", "secret", "access", "boards")
"""Of the one row of `board`. By its epoch, a database is the board that clients know; an export has only seq and floor."""
OF_ONE_ENGINE = {
    "sqlite": {
        "board": ("one", "compatible"),
        "accounts": ("skeleton", "apart"),
        "messages": ("reactions",),
        "posts": ("reactions",),
        "search_parts": ("number", "cut_by"),
        "post_parts": ("number", "cut_by"),
    },
    "postgres": {
        "board": ("one", "compatible", "words", "words_elsewhere"),
        "accounts": ("skeleton", "apart"),
        "messages": ("search", "reactions"),
        "posts": ("search", "reactions"),
        "migrations": ("number", "name"),
    },
}
"""Columns that never leave their engine: what is made of others, and what it says of its schema."""
