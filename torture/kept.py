"""Reads from the database, when the servers have ended, what it has of the boards beside the first."""

from storage import Storage, open_storage
from storage.listing import Listed
from storage.records import OPERATOR, Snapshot
from torture.history import History
from torture.rights import Kept, Place

PAGE = 200


async def read_kept(url: str, first: History, places: list[Place]) -> None:
    """Gives the first board its pinned message, and each place what is kept of it. A board is known by its name."""
    by_name = {place.name: place for place in places}
    storage = await open_storage(url, create=False)
    try:
        first.pinned = pinned_id(await storage.snapshot(changes=0, page=1))
        for one in (await storage.listing(0)).boards:
            place = by_name[one.name]
            place.kept = await read_board(storage, one)
            place.history.board = place.kept.messages
            place.history.pinned = pinned_id(await storage.snapshot_on(one.id, OPERATOR, changes=0, page=1))
    finally:
        await storage.close()


def pinned_id(snapshot: Snapshot) -> int | None:
    return snapshot.pinned.id if snapshot.pinned else None


async def read_board(storage: Storage, one: Listed) -> Kept:
    messages: list[tuple[int, str]] = []
    before = None
    while True:
        page = await storage.before(before, PAGE, one.id, OPERATOR)
        messages[:0] = [(message.id, message.body or "") for message in page.messages]
        if not page.older:
            break
        before = page.messages[0].id
    invited = await storage.invited(one.id, OPERATOR, 0, PAGE)
    names = frozenset(account.username for account in invited)
    return Kept(messages, one.read_by, one.write_by, names, one.slug, one.archived_at is not None)
