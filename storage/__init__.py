"""What is kept: the Storage protocol, which reads as a table of contents, and the way to open one.

An engine is a plain class that has these methods; `tests/test_storage.py` holds every engine to them.
Engines differ in nothing that can be seen from above, so nothing above knows which one it has.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from storage.records import (
    Account,
    AuditEntry,
    Author,
    CannotOpen,
    Changes,
    Credential,
    Found,
    Identity,
    Import,
    Message,
    Page,
    Password,
    Picture,
    Snapshot,
)


class Storage(Protocol):
    """Every method may raise Unavailable. What a method returned from a write is on disk."""

    # --- the board as a whole
    async def close(self) -> None: ...
    async def secret(self) -> bytes:
        """32 bytes made with the database: they sign what the server hands out and takes back."""

    async def use_once(self, hash: bytes, until: int) -> None:
        """Notes that something signed was used; it need not be remembered after `until`. Raises LinkGone if it was."""

    async def watch(self, moved: Callable[[], Awaitable[bool]]) -> None:
        """Calls `moved` whenever something was committed, by whichever process; never returns.

        `moved` answers whether it could read what there was; if not, it is called again soon.
        """

    # --- messages
    async def append(
        self, author: Author | None, body: str, key: str | None, address: str | None = None
    ) -> tuple[Message, bool]:
        """Posts, and says whether it did: a key that its author has used before gives the first one's message.

        Raises KeyReused if that one was posted with other words, and NotAllowed for a suspended account or,
        for a guest, a blocked address.
        """

    async def edit(self, id: int, body: str, by: int | None = None) -> Message:
        """`by` the account that wrote it; None is the board itself. Raises NotFound, NotYours, NotAllowed."""

    async def delete(self, id: int, by: int | None = None, *, moderates: bool = False) -> Message:
        """Takes the words out for good, for its author, or the board itself (None).

        With `moderates`, for any moderator, too; that is logged with it. Raises NotFound, NotYours, NotAllowed.
        """

    async def message(self, id: int) -> Message:
        """Raises NotFound."""

    async def before(self, id: int | None, limit: int) -> Page:
        """The messages before this one; before None, the newest."""

    async def search(self, query: str, before: int | None, limit: int) -> Found:
        """The newest messages (before this one) that have all words and "quoted phrases" of the query.

        Both are cut by storage/words.py. Whatever the query, it is no error; with no words in it, nothing is found.
        Raises Unavailable if it takes too long.
        """

    async def changes_after(self, seq: int, limit: int) -> Changes:
        """For deliver(), in whose way nothing else ever stands."""

    async def changes_page(self, seq: int, limit: int) -> Changes:
        """The same, for a client that is far behind."""

    async def snapshot(self, *, changes: int, page: int) -> Snapshot:
        """The messages among the last so many changes (no older than the floor), and the newest page."""

    async def messages_by(self, account_id: int, after: int, limit: int) -> list[Message]:
        """What an account wrote and is still there, by id."""

    async def import_messages(self, messages: Sequence[Import]) -> int:
        """Posts them in order, all or none, each key once; returns how many were new."""

    # --- accounts
    async def create_account(
        self, username: str, name: str, password: Password, invite: bytes | None = None
    ) -> Account:
        """Raises Taken, or LinkGone if the invitation was used meanwhile."""

    async def account(self, username: str) -> Account:
        """Raises NotFound."""

    async def account_of(self, id: int) -> Account:
        """Raises NotFound."""

    async def has_tutorial_account(self, tutorial_name: str) -> bool:
        """Whether this user of a tutorial's board was brought in."""

    async def password(self, username: str) -> tuple[Account | None, Password]: ...
    async def set_password(
        self, account_id: int, password: Password, *, old: Password, keep: int | None = None, hash: bytes | None = None
    ) -> None:
        """Ends all ways in but the credential to keep, whose secret is from now on the one with this hash.

        `old` is the password that was verified. Raises Outdated if it, or the credential to keep, has ended meanwhile.
        """

    async def upgrade_password(self, account_id: int, old: Password, new: Password) -> bool:
        """The same password, hashed anew; ends nothing. Says whether it did: not if it was changed meanwhile."""

    async def set_name(self, account_id: int, name: str) -> None: ...
    async def set_username(self, account_id: int, username: str) -> None:
        """Raises Taken."""

    async def delete_account(self, account_id: int, *, keep_messages: bool) -> None:
        """With its ways in; its messages go too, or stay as those of a deleted account. Raises the floor if it has any."""

    # --- one-time links, kept by their hash: `invite`, or `password` for an account
    async def create_link(self, kind: str, hash: bytes, account_id: int | None, expires_at: int) -> None: ...
    async def link(self, kind: str, hash: bytes) -> Account | None:
        """Whose it is. Raises LinkGone."""

    async def use_password_link(self, hash: bytes, password: Password) -> Account:
        """Ends all ways in. Raises LinkGone."""

    # --- credentials: sessions and tokens, kept by their hash
    async def create_credential(
        self,
        account_id: int,
        kind: str,
        hash: bytes,
        name: str,
        replaces: bytes | None = None,
        *,
        by_facebook: bool = False,
        password: Password | None = None,
        by: int | None = None,
    ) -> Credential:
        """`password` is the one that was verified for it, `by` the credential that asks for it.

        Raises Outdated if either has ended meanwhile (or the identity, by_facebook), TooMany for a bot's token beyond
        MOST_BOT_TOKENS, and NotAllowed for a suspended account.
        """

    async def credential(self, hash: bytes) -> Credential:
        """However old. Raises NotFound, also while its account is suspended."""

    async def credentials(self, account_id: int) -> list[Credential]:
        """The last used first."""

    async def revoke_credential(self, account_id: int, id: int) -> None:
        """Raises NotFound."""

    async def revoke_all(self, account_id: int, keep: int | None = None) -> object: ...
    async def save_uses(self, uses: Mapping[int, int]) -> None:
        """Credential id → when it was last used."""

    async def access_changes_after(self, number: int) -> Sequence[int]:
        """Accounts about which something changed since Head.access was this number."""

    # --- identities: the key is (app id, the id that Facebook gave the person for this app)
    async def identity(self, app_id: str, facebook_id: str) -> Identity:
        """Raises NotFound."""

    async def identity_of(self, account_id: int) -> Identity:
        """Raises NotFound."""

    async def create_identity(self, account_id: int, app_id: str, facebook_id: str, name: str) -> Identity:
        """Links; once more changes nothing. Raises IdentityTaken."""

    async def create_account_with_identity(
        self, app_id: str, facebook_id: str, name: str, usernames: Sequence[str], invite: bytes | None = None
    ) -> Identity:
        """An account without a password, under the first of the usernames that is free; or the one there is already.

        Raises Taken if none of them is free, or LinkGone if the invitation was used meanwhile.
        """

    async def rename_identity(self, id: int, name: str) -> None:
        """The person has another name at Facebook; the account follows if its name was that of Facebook."""

    async def unlink_identity(self, account_id: int, keep: int | None = None) -> None:
        """Ends the sessions that Facebook made, but the one to keep. Raises LastWayIn for an account with no password."""

    async def set_picture(self, identity_id: int, picture: Picture | None) -> None: ...
    async def picture(self, account_id: int) -> Picture:
        """Raises NotFound."""

    async def deauthorize_identity(self, app_id: str, facebook_id: str, before: int) -> None:
        """Ends the sessions that Facebook made before this time; does nothing for an unknown one."""

    async def erase_identity(self, app_id: str, facebook_id: str, before: int, code: str) -> None:
        """Removes what Facebook gave: identity, picture and name; the account too, if it has no password.

        Its messages stay, as a deleted account's or under the username. An identity made after `before` stays: the
        request was not about that one. The code is noted in any case.
        """

    async def erased_at(self, code: str) -> int:
        """When the request with this code was carried out. Raises NotFound."""

    # --- moderation: the actor is a moderator, or None for the one at the command line; all of it is logged.
    # Each raises NotAllowed if the actor is no moderator any more.
    async def set_role(self, actor: Account | None, username: str, role: str) -> None:
        """Raises NotFound."""

    async def suspend(self, actor: Account | None, username: str) -> None:
        """Raises NotFound, and IsModerator unless it is done at the command line."""

    async def restore(self, actor: Account | None, username: str) -> None:
        """Raises NotFound."""

    async def block_address(
        self, actor: Account | None, message_id: int, until: int, own_address: str | None = None
    ) -> None:
        """The address that a message came from. Raises NotFound, also where it has been forgotten.

        Raises OwnAddress if the actor comes from there, too: behind a proxy that says nothing, everyone does.
        """

    async def remove_all(self, actor: Account | None, message_id: int, own_address: str | None = None) -> int:
        """All messages of one message's author, or of a guest's address. Raises the floor.

        Raises NotFound, OwnAddress, and IsModerator unless it is done at the command line.
        """

    async def log(self, actor: Account | None, action: str, target: str) -> None: ...
    async def audit(self, before: int | None, limit: int) -> list[AuditEntry]:
        """The newest first."""

    async def forget(self, sessions_before: int, tokens_before: int) -> None:
        """Housekeeping: credentials last used before these times, old links and blocks, addresses after 30 days,
        codes of deletions after two years.
        """

    async def scrub(self) -> None:
        """Housekeeping: what deletions and edits have left in the database's own files goes, as far as the engine can.

        Never holds up a post for longer than a fraction of a second.
        """


async def open_storage(url: str) -> Storage:
    """Opens (and where needed makes or migrates) the database at this DATABASE_URL. Raises CannotOpen."""
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path:
        from storage.sqlite import SQLite  # here, so that a board on another engine needn't load this one

        return await SQLite.open(path)
    raise CannotOpen(f"no storage for {scheme}: DATABASE_URL should be sqlite:///file.db")
