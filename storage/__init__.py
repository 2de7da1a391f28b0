"""The Storage protocol, which says what a board keeps, and the functions that open one: open_storage(), and
open_transfer() for the rows of a whole board.

Storage has the nouns, each in a separate file, and the methods that each engine implements in its own way.
`tests/storage/test_storage.py` checks both engines against the docstrings. Code above storage sees no difference between them.
"""

import abc
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from storage.about import About
from storage.accounts import Accounts
from storage.boards import Boards
from storage.counters import Writing
from storage.credentials import Credentials
from storage.errors import CannotOpenError
from storage.failed_tries import FailedTriesOf
from storage.guests import Guests
from storage.hook_posts import HookPosts
from storage.hooks import Hooks
from storage.housekeeping import Housekeeping
from storage.identities import Identities
from storage.invitations import Invitations
from storage.links import Links
from storage.listing import Listings
from storage.marks import ReadMarks
from storage.mentions import Mentions
from storage.messages import StoredMessages
from storage.moderation import Moderation
from storage.owners import Owners
from storage.pictures import Pictures
from storage.pins import Pins
from storage.reactions import Reactions
from storage.records import (
    FIRST_BOARD,
    GUEST,
    NAMELESS,
    Asker,
    Author,
    Changes,
    Found,
    Guest,
    Import,
    Message,
    Snapshot,
)
from storage.replies import Replies
from storage.stats import Stats
from storage.webhook_log import WebhookLog
from storage.webhooks import Webhooks

if TYPE_CHECKING:
    from storage.transfer import Transfer


class Storage(
    StoredMessages, Guests, Reactions, Replies, Mentions, Pins, Boards, Listings, Invitations, Owners, ReadMarks,
    Accounts, Links, Credentials, Identities, Pictures, FailedTriesOf, Moderation, Housekeeping, About,
    Hooks, HookPosts, Webhooks, WebhookLog,
):  # fmt: skip
    """Every method may raise UnavailableError. When a writing method returns, what it wrote is on disk.

    `credential` is the id of the request's credential; the methods that take it raise OutdatedError if it has ended.
    """

    tasks: Mapping[str, Callable[[], Awaitable[None]]] = {}
    """What must run while a server has the board open, by names in the log."""
    copied_at: Callable[[], float | None] = staticmethod(lambda: None)
    """Returns when the newest copy of the board was made, in seconds since 1970; 0.0 if there is none; None if no copies
    are kept, or that is not known yet."""

    # --- the board as a whole
    @abc.abstractmethod
    async def close(self) -> None: ...

    @abc.abstractmethod
    async def secret(self) -> bytes:
        """Returns 32 bytes, made with the database. The server signs with them what it hands out and takes back."""

    @abc.abstractmethod
    async def probe(self) -> None:
        """Writes as much as a long message to disk, and removes it again."""

    @abc.abstractmethod
    async def times(self) -> tuple[int | None, list[int]]:
        """Returns the time of the database's clock, if it has one, and the newest time of each kind of row."""

    @abc.abstractmethod
    def writing(self) -> Writing: ...

    @abc.abstractmethod
    async def stats(self) -> Stats: ...

    @abc.abstractmethod
    async def watch(self, on_commit: Callable[[], Awaitable[bool]]) -> None:
        """Calls `on_commit` whenever any process has committed something. Runs until cancelled.

        `on_commit` returns whether it could read the news; if not, it is called again soon.
        """

    @abc.abstractmethod
    async def alone(self, work: Callable[[], Awaitable[None]]) -> None:
        """Runs `work` in at most one process that has this database, and in another one soon after that has ended, is
        paused or can't reach the database any more: then its work is cancelled. Returns when the work does; raises what it raises.
        """

    # --- messages: what each engine does in its own way
    @abc.abstractmethod
    async def append(
        self,
        author: Author | None,
        body: str,
        key: str | None,
        address: str | None = None,
        credential: int | None = None,
        board_id: int = FIRST_BOARD,
        reply_to: int | None = None,
        guest: Guest = NAMELESS,
        mentioned: Sequence[str] = (),
    ) -> tuple[Message, bool]:
        """Posts, and returns the message and True. For a key that its author has used on this board: that first message
        and False.

        The message gets the account's name at the time of the commit, not the one in `author`, and the ids of the
        accounts with the usernames `mentioned`. `guest` is what a guest says with it; of a message that was posted
        before, its first post counts. Raises NotFoundError for a board that the author may not read, KeyReusedError if
        the first post has other words or is another reply, and NotAllowedError for a suspended account and a guest with
        a blocked address; for those who may only read this board ArchivedError, MembersOnlyError or ModeratorsOnlyError;
        and then NoSuchMessageError if the message that it replies to is not on this board, or was deleted, and
        NameReservedError for a guest's name that is refused.
        """

    async def search(
        self, query: str, before: int | None, limit: int, board_id: int = FIRST_BOARD, asker: Asker = GUEST
    ) -> Found:
        """Searches one board. Raises what search_in() does."""
        return await self.search_in([board_id], query, before, limit, asker)

    @abc.abstractmethod
    async def search_in(
        self, board_ids: Collection[int], query: str, before: int | None, limit: int, asker: Asker
    ) -> Found:
        """Returns the newest messages (before this one) that have all words and "quoted phrases" of the query, and
        fulfil its conditions (storage/queries.py), on those of these boards that the asker may read: all of one moment.
        It is quicker if boards with newer messages come first.

        storage/words.py cuts messages and query into words. A query with neither finds nothing. Raises BadDateError,
        UnavailableError if it takes too long, and NotFoundError if the asker may read none of the boards.
        """

    @abc.abstractmethod
    async def changes_after(self, seq: int, limit: int) -> Changes:
        """Returns the changes after `seq` on the first board, for deliver(): on the connection on which nothing else delays it."""

    @abc.abstractmethod
    async def changes_page(self, seq: int, limit: int) -> Changes:
        """Returns the same, for a client that is far behind: on a connection for pages."""

    @abc.abstractmethod
    async def snapshot(self, *, changes: int, page: int) -> Snapshot:
        """Returns the messages of the last `changes` changes, none older than the floor, and the newest page: those of
        the first board.
        """

    @abc.abstractmethod
    async def import_messages(self, messages: Sequence[Import]) -> int:
        """Posts all of them in order, or none; each key is posted only once. Returns how many were new."""

    @abc.abstractmethod
    async def scrub(self) -> None:
        """Housekeeping: removes what deletions and edits have left in the database's files, as far as the engine can.

        Never delays a post by more than a fraction of a second.
        """


async def open_storage(
    url: str, *, create: bool = True, for_reading: bool = False, copies_in: str = "", copies_kept: int = 0
) -> Storage:
    """Opens the database at this DATABASE_URL, and migrates it if needed. Raises CannotOpenError.

    Each engine is imported only when it is used, so that no board loads the other one.

    If there is no board, it makes one; but without `create`, it makes no new file. `for_reading` is for commands that
    only read: the file may be on a read-only disk. `copies_in` is a folder for daily copies of a SQLite board.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and len(rest) > 1:
        from storage.sqlite import SQLite
        from storage.sqlite.database_file import must_exist

        if not create:
            must_exist(rest[1:])
        storage = await SQLite.open(rest[1:], for_reading=for_reading, is_served=True)
        if copies_in:
            from storage.sqlite.copies import Copies, CopyMaker

            maker = CopyMaker(Copies(rest[1:], copies_in, copies_kept))
            storage.tasks = {"Making copies": maker.run}
            storage.copied_at = lambda: maker.copied_at
        return storage
    if scheme in ("postgres", "postgresql"):
        from storage.postgres import PostgreSQL

        return await PostgreSQL.open(url)
    raise CannotOpenError(f"no storage for {scheme}: DATABASE_URL should be sqlite:///file.db or postgres://…")


async def open_transfer(url: str, *, create: bool) -> "Transfer":
    """Opens a connection to the board at this DATABASE_URL; with `create`, makes a board if there is none.

    Raises CannotOpenError.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        from storage.sqlite.transfer import SQLiteTransfer

        return await SQLiteTransfer.open(rest[1:], create=create)
    from storage.postgres.transfer import PostgreSQLTransfer

    return await PostgreSQLTransfer.open(url)
