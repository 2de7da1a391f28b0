"""What is kept: the Storage protocol, which reads as a table of contents, and the way to open one.

An engine is a plain class that has these methods; `tests/test_storage.py` holds every engine to them.
Engines differ in nothing that can be seen from above, so nothing above knows which one it has.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from storage.records import Author, CannotOpen, Changes, Import, Message, Page, Snapshot


class Storage(Protocol):
    """Every method may raise Unavailable. What a method returned from a write is on disk."""

    # --- the board as a whole
    async def close(self) -> None: ...
    async def watch(self, moved: Callable[[], Awaitable[bool]]) -> None:
        """Calls `moved` whenever something was committed, by whichever process; never returns.

        `moved` answers whether it could read what there was; if not, it is called again soon.
        """

    # --- messages
    async def append(self, author: Author | None, body: str, key: str | None) -> tuple[Message, bool]:
        """Posts, and says whether it did: a key that its author has used before gives the first one's message.

        Raises KeyReused if that one was posted with other words.
        """

    async def edit(self, id: int, body: str) -> Message:
        """Raises NotFound."""

    async def delete(self, id: int) -> Message:
        """Takes the words out for good. Raises NotFound."""

    async def message(self, id: int) -> Message:
        """Raises NotFound."""

    async def before(self, id: int | None, limit: int) -> Page:
        """The messages before this one; before None, the newest."""

    async def changes_after(self, seq: int, limit: int) -> Changes: ...
    async def snapshot(self, *, changes: int, page: int) -> Snapshot:
        """The messages among the last so many changes (no older than the floor), and the newest page."""

    async def import_messages(self, messages: Sequence[Import]) -> int:
        """Posts them in order, all or none, each key once; returns how many were new."""


async def open_storage(url: str) -> Storage:
    """Opens (and where needed makes or migrates) the database at this DATABASE_URL. Raises CannotOpen."""
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path:
        from storage.sqlite import SQLite  # here, so that a board on another engine needn't load this one

        return await SQLite.open(path)
    raise CannotOpen(f"no storage for {scheme}: DATABASE_URL should be sqlite:///file.db")
