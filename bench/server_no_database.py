"""Longboard, but messages are kept in a list and nowhere else. This shows what everything else costs.

The rest of storage is SQLite's own, so this stays the same application when more is stored. Posting and delivering a
message never touch SQLite.
"""

import dataclasses
import time
from collections.abc import Sequence

import server
from storage.errors import CannotOpenError
from storage.records import FIRST_BOARD, GUEST, NAMELESS, Asker, Author, Changes, Guest, Head, Message, Page, Snapshot
from storage.sqlite import SQLite


class NoDatabase(SQLite):
    """A new board that is lost at its end. It has posts only, no keys and no edits."""

    head: Head
    kept: list[Message]

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
        seq = self.head.seq + 1
        self.head = dataclasses.replace(self.head, seq=seq)
        message = Message(seq, seq, author, body, time.time_ns() // 1_000_000, None, reply_to, guest_name=guest.name)
        self.kept.append(message)
        await self._announce()
        return message, True

    async def changes_after(self, seq: int, limit: int) -> Changes:
        found = self.kept[seq : seq + limit]
        return Changes(self.head, found, more=len(self.kept) > seq + limit)

    async def before(self, id: int | None, limit: int, board_id: int = FIRST_BOARD, asker: Asker = GUEST) -> Page:
        end = len(self.kept) if id is None else max(id - 1, 0)
        return Page(self.kept[:end][-limit:], older=end > limit)

    async def snapshot(self, *, changes: int, page: int) -> Snapshot:
        return Snapshot(self.head, self.kept[-changes:], await self.before(None, page))


async def open_storage(url: str, **_: object) -> NoDatabase:  # a board that is not kept is not copied either
    storage = await NoDatabase.open(url.removeprefix("sqlite:///"))
    assert isinstance(storage, NoDatabase)
    storage.head = (await SQLite.snapshot(storage, changes=0, page=0)).head
    storage.kept = []
    if storage.head.seq:
        raise CannotOpenError("this server starts on a fresh database only")
    return storage


if __name__ == "__main__":
    vars(server)["open_storage"] = open_storage
    server.main()
