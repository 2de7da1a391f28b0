"""What is kept: the Storage protocol, which reads as a table of contents, and the way to open one.

An engine is a plain class that has these methods; `tests/test_storage.py` holds every engine to them.
Engines differ in nothing that can be seen from above, so nothing above knows which one it has.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from storage.counters import Writing
from storage.opening import open_storage
from storage.people import People
from storage.records import (
    Account,
    AuditEntry,
    Author,
    Changes,
    Found,
    Import,
    Message,
    Page,
    Snapshot,
)
from storage.stats import Stats


class Storage(People, Protocol):
    """Every method may raise UnavailableError. What a method returned from a write is on disk.

    Accounts, their credentials and identities are the half that stands in people.py.
    """

    # --- the board as a whole
    async def close(self) -> None: ...
    async def secret(self) -> bytes:
        """32 bytes made with the database: they sign what the server hands out and takes back."""

    async def use_once(self, hash: bytes, until: int) -> None:
        """Notes that something signed was used; it need not be remembered after `until`. Raises LinkGoneError if it was."""

    async def probe(self) -> None:
        """Writes as much as a long message to disk, and removes it again."""

    async def times(self) -> tuple[int | None, list[int]]:
        """The database's clock, if it has one; and the newest times in it, of each kind of row."""

    def writing(self) -> Writing: ...
    async def stats(self) -> Stats: ...
    async def watch(self, on_commit: Callable[[], Awaitable[bool]]) -> None:
        """Calls `on_commit` whenever something was committed, by any process. Runs until cancelled.

        `on_commit` returns whether it could read what there was; if not, it is called again soon.
        """

    # --- messages
    # `credential` is that of the request; the methods that take it raise OutdatedError if it has ended.
    async def append(
        self,
        author: Author | None,
        body: str,
        key: str | None,
        address: str | None = None,
        credential: int | None = None,
    ) -> tuple[Message, bool]:
        """Posts, and says whether it did: a key that its author has used before gives the first one's message.

        The name is the account's at the moment of the commit, whatever `author` has. Raises KeyReusedError if the first
        post has other words, and NotAllowedError for a suspended account or, for a guest, a blocked address.
        """

    async def edit(
        self, id: int, body: str, by: int | None = None, began_from: int | None = None, *, credential: int | None = None
    ) -> Message:
        """`by` is the account that wrote it; None is the board itself.

        `began_from` is the `changed_at` that its author saw: a message that was edited after that is left as it is.
        If it has these words already, nothing is done. Raises NotFoundError, NotAuthorError, NotAllowedError, EditConflictError.
        """

    async def delete(
        self, id: int, by: int | None = None, *, moderates: bool = False, credential: int | None = None
    ) -> Message:
        """Takes the words out for good, for its author, or the board itself (None).

        With `moderates`, for any moderator, too; that is logged with it. Raises NotFoundError, NotAuthorError, NotAllowedError.
        """

    async def message(self, id: int) -> Message:
        """Raises NotFoundError."""

    async def before(self, id: int | None, limit: int) -> Page:
        """The messages before this one; before None, the newest. Says whether there are older ones."""

    async def after(self, id: int, limit: int) -> Page:
        """The messages after this one. Says whether there are newer ones."""

    async def search(self, query: str, before: int | None, limit: int) -> Found:
        """The newest messages (before this one) that have all words and "quoted phrases" of the query.

        Both are cut by storage/words.py. Whatever the query, it is no error; with no words in it, nothing is found.
        Raises UnavailableError if it takes too long.
        """

    async def changes_after(self, seq: int, limit: int) -> Changes:
        """For deliver(), in whose way nothing else ever stands."""

    async def changes_page(self, seq: int, limit: int) -> Changes:
        """The same, for a client that is far behind."""

    async def snapshot(self, *, changes: int, page: int) -> Snapshot:
        """The messages among the last so many changes (no older than the floor), and the newest page."""

    async def import_messages(self, messages: Sequence[Import]) -> int:
        """Posts them in order, all or none, each key once; returns how many were new."""

    # --- moderation: the actor is a moderator, or None for the one at the command line; all of it is logged.
    # Each raises NotAllowedError if the actor is no moderator any more.
    async def set_role(self, actor: Account | None, username: str, role: str) -> None:
        """Raises NotFoundError."""

    async def suspend(self, actor: Account | None, username: str, *, credential: int | None = None) -> None:
        """Ends all SIGN_INS. Raises NotFoundError, and IsModeratorError except at the command line."""

    async def restore(self, actor: Account | None, username: str, *, credential: int | None = None) -> None:
        """Also ends the suspension of a deleted account. Raises NotFoundError."""

    async def block_address(
        self,
        actor: Account | None,
        message_id: int,
        until: int,
        own_address: str | None = None,
        *,
        credential: int | None = None,
    ) -> None:
        """The address that a message came from. Raises NotFoundError, also where it has been forgotten.

        Raises OwnAddressError if the actor comes from there, too: behind a proxy that says nothing, everyone does.
        """

    async def remove_all(
        self,
        actor: Account | None,
        message_id: int,
        own_address: str | None = None,
        *,
        credential: int | None = None,
    ) -> int:
        """All messages of one message's author, or of a guest's address. Raises the floor.

        More than REMOVED_AT_ONCE are removed in several transactions, so that posts get turns in between: the newest
        first, this one last. The log's line is written with the first. After an interruption, the same call continues.

        Raises NotFoundError, OwnAddressError, and IsModeratorError unless it is done at the command line.
        """

    async def log(self, actor: Account | None, action: str, target: str) -> None: ...
    async def audit(self, before: int | None, limit: int) -> list[AuditEntry]:
        """The newest first."""

    async def forget(self, sessions_before: int, tokens_before: int, bots_before: int = 0) -> None:
        """Housekeeping: deletes credentials last used before these times, old links, blocks and rows of suspensions,
        addresses after 30 days, codes of deletions after two years.
        """

    async def scrub(self) -> None:
        """Housekeeping: what deletions and edits have left in the database's own files goes, as far as the engine can.

        Never holds up a post for longer than a fraction of a second.
        """


__all__ = ["Storage", "open_storage"]
