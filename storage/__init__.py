"""What is kept: the Storage of a board, and the way to open one.

Storage has the nouns, each in a file of its own, and what each engine does in its own way. `tests/test_storage.py` holds
both engines to the docstrings. They differ in nothing that can be seen from above.
"""

import abc
from collections.abc import Awaitable, Callable, Sequence

from storage.about import About
from storage.accounts import Accounts
from storage.counters import Writing
from storage.credentials import Credentials
from storage.failed_tries import FailedTriesOf
from storage.identities import Identities
from storage.messages import StoredMessages
from storage.moderation import Moderation
from storage.opening import open_storage
from storage.records import Author, Changes, Found, Import, Message, Snapshot
from storage.stats import Stats


class Storage(StoredMessages, Accounts, Credentials, Identities, FailedTriesOf, Moderation, About):
    """Every method may raise UnavailableError. What a method returned from a write is on disk.

    A parameter `credential` is that of the request; the methods that take it raise OutdatedError if it has ended.
    """

    # --- the board as a whole
    @abc.abstractmethod
    async def close(self) -> None: ...

    @abc.abstractmethod
    async def secret(self) -> bytes:
        """32 bytes made with the database: they sign what the server hands out and takes back."""

    @abc.abstractmethod
    async def probe(self) -> None:
        """Writes as much as a long message to disk, and removes it again."""

    @abc.abstractmethod
    async def times(self) -> tuple[int | None, list[int]]:
        """The database's clock, if it has one; and the newest times in it, of each kind of row."""

    @abc.abstractmethod
    def writing(self) -> Writing: ...

    @abc.abstractmethod
    async def stats(self) -> Stats: ...

    @abc.abstractmethod
    async def watch(self, on_commit: Callable[[], Awaitable[bool]]) -> None:
        """Calls `on_commit` whenever something was committed, by any process. Runs until cancelled.

        `on_commit` returns whether it could read what there was; if not, it is called again soon.
        """

    # --- messages, as far as each engine has its own way
    @abc.abstractmethod
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

    @abc.abstractmethod
    async def search(self, query: str, before: int | None, limit: int) -> Found:
        """The newest messages (before this one) that have all words and "quoted phrases" of the query.

        Both are cut by storage/words.py. Whatever the query, it is no error; with no words in it, nothing is found.
        Raises UnavailableError if it takes too long.
        """

    @abc.abstractmethod
    async def changes_after(self, seq: int, limit: int) -> Changes:
        """For deliver(), in whose way nothing else ever stands."""

    @abc.abstractmethod
    async def changes_page(self, seq: int, limit: int) -> Changes:
        """The same, for a client that is far behind."""

    @abc.abstractmethod
    async def snapshot(self, *, changes: int, page: int) -> Snapshot:
        """The messages among the last so many changes (no older than the floor), and the newest page."""

    @abc.abstractmethod
    async def import_messages(self, messages: Sequence[Import]) -> int:
        """Posts them in order, all or none, each key once; returns how many were new."""

    @abc.abstractmethod
    async def scrub(self) -> None:
        """Housekeeping: what deletions and edits have left in the database's own files goes, as far as the engine can.

        Never holds up a post for longer than a fraction of a second.
        """


__all__ = ["Storage", "open_storage"]
