"""What deliver() keeps in memory of all boards beside the first, and of whom they are open to."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

from storage.asking import BOARD, to_board
from storage.records import Board, Head
from storage.rows import epoch_of
from storage.tx import Nouns, Tx

WITHOUT_RULES = BOARD.replace(" rules,", " '' AS rules,")
"""Rules may be long, and are read when they are shown."""

LATELY_MS, LATELY_MAX = 86_400_000, 10_000
"""How old an invitation may be, and how many are looked at, for a server that starts to tell of it."""


class Listed(NamedTuple):
    """A board beside the first, as it is listed for deliver(): without rules."""

    board: Board
    has_ended: bool
    seq: int
    """Its last change."""
    newest: int
    """The id of its newest message that is not deleted, or 0."""
    author_id: int | None
    """The account that wrote that message."""
    old_slugs: Sequence[str]
    """Those that it had before, and that still lead to it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """Boards at one moment. The head's last change is that of the whole site."""

    head: Head
    boards: list[Listed]
    epoch_of: Callable[[int], str]
    """Returns the epoch of a board beside the first, by its id. Most are never asked for."""


class Newest(NamedTuple):
    """The newest message of a board that is not deleted, with the account that wrote it."""

    id: int
    seq: int
    author_id: int | None


class Listings(Nouns):
    async def listing(self, after: int) -> Listing:
        """Returns the boards whose rows have changed after this number; with 0, all that are there: at one moment."""
        return await self._read_at_one_moment(read_listing, after)

    async def newest_on(self, board_id: int) -> tuple[Head, Newest | None]:
        """Returns the newest message of a board that is not the first, and the site's position at that moment."""
        return await self._read_for_delivery(read_newest_on, board_id)

    async def invited_lately(self) -> list[int]:
        """Returns the accounts with invitations that were made in the last day: of the newest ones."""
        return await self._read(read_invited_lately)

    async def boards_open_to(self, account_id: int) -> frozenset[int]:
        """Returns the boards that the account owns, and those to which it has an invitation."""
        return await self._read(read_open_boards, account_id)


LIVING = "FROM posts WHERE board_id = {} AND body IS NOT NULL ORDER BY id DESC LIMIT 1"
LIVING_THERE = LIVING.format("boards.id")
LISTED = (
    f"SELECT {WITHOUT_RULES}, deleted_at, "
    "(SELECT seq FROM posts WHERE board_id = boards.id ORDER BY seq DESC LIMIT 1), "
    f"(SELECT id {LIVING_THERE}), (SELECT author_id {LIVING_THERE}) FROM boards WHERE "
)
OLD_SLUGS = (
    "SELECT slugs.slug, board_id FROM boards JOIN slugs ON board_id = boards.id "
    "WHERE NOT ended AND slugs.slug <> boards.slug AND "
)


async def read_listing(tx: Tx, after: int) -> Listing:
    site = await tx.one("SELECT epoch, seq, floor, access, boards, secret FROM board")
    assert site is not None
    *head, secret = site
    which, values = ("changed > $1", [after]) if after else ("deleted_at IS NULL", [])
    old: dict[int, list[str]] = {}
    for slug, board_id in await tx.all(OLD_SLUGS + which, *values):
        old.setdefault(board_id, []).append(slug)
    boards = []
    for row in await tx.all(LISTED + which, *values):
        board = to_board(row[:-4])
        deleted_at, last, newest, author_id = row[-4:]
        seq = board.floor if last is None or last < board.floor else last
        boards.append(Listed(board, deleted_at is not None, seq, newest or 0, author_id, old.get(board.id, ())))
    return Listing(Head(*head), boards, functools.partial(epoch_of, secret, head[0]))


async def read_newest_on(tx: Tx, board_id: int) -> tuple[Head, Newest | None]:
    row = await tx.one(
        "SELECT epoch, board.seq, floor, access, boards, newest.* FROM board LEFT JOIN "
        f"(SELECT id, seq, author_id {LIVING.format('$1')}) AS newest ON true",
        board_id,
    )
    assert row is not None
    columns = tuple(row)
    return Head(*columns[:5]), None if columns[5] is None else Newest(*columns[5:])


async def read_invited_lately(tx: Tx) -> list[int]:
    newest = f"(SELECT coalesce(max(id), 0) - {LATELY_MAX} FROM invitations)"
    rows = await tx.all(
        f"SELECT DISTINCT account_id FROM invitations WHERE id > {newest} AND at > now_ms() - {LATELY_MS}"
    )
    return [account_id for (account_id,) in rows]


async def read_open_boards(tx: Tx, account_id: int) -> frozenset[int]:
    rows = await tx.all(
        "SELECT board_id FROM invitations WHERE account_id = $1 "
        "UNION SELECT id FROM boards WHERE owner_id = $1 AND deleted_at IS NULL",
        account_id,
    )
    return frozenset(board_id for (board_id,) in rows)
