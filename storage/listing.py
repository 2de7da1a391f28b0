"""What deliver() keeps in memory of all boards beside the first, and of whom they are open to."""

import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

from storage.asking import BOARD
from storage.records import Board, Head
from storage.rows import epoch_of
from storage.tx import Nouns, Row, Tx

WITHOUT_RULES = "boards." + BOARD.replace("rules,", "'' AS rules,").replace(", created_at", ", boards.created_at")
"""Rules may be long, and are read when they are shown."""

LATELY_MS, LATELY_MAX = 86_400_000, 10_000
"""How old an invitation may be, and how many are looked at, for a server that starts to tell of it."""


class Listed(Board):
    """A board beside the first as it is listed for deliver(): without rules, and with its position behind its row. One
    tuple, as the database gives it, because a site that starts has one of each board.
    """

    __slots__ = ()
    __repr__ = tuple.__repr__  # that of a Board has no room for what is behind it

    @property
    def has_ended(self) -> bool:
        return self[-4] is not None

    @property
    def position(self) -> tuple[int, int, int | None]:
        """Its last change, or 0; the id of its newest message that is not deleted, or 0; the account that wrote that."""
        return self[-3:]  # type: ignore[return-value]  # which is behind what a Board has


to_listed: Callable[[Row], Listed] = functools.partial(tuple.__new__, Listed)
"""Makes one of its row."""


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """Boards at one moment. The head's last change is that of the whole site."""

    head: Head
    boards: list[Listed]
    old_slugs: dict[int, list[str]]
    """Those that boards had before, and that still lead to them, by their ids."""
    epoch_of: Callable[[int], str]
    """Returns the epoch of a board beside the first, by its id. Most are never asked for."""


class Newest(NamedTuple):
    """The newest message of a board that is not deleted, with the account that wrote it."""

    id: int
    seq: int
    author_id: int | None


class Listings(Nouns):
    _join_last: str
    """SQL: joins to each row of `boards` the row of its last change in `posts`, as `last`."""

    async def listing(self, after: int) -> Listing:
        """Returns the boards whose rows have changed after this number; with 0, all that are there: at one moment."""
        return await self._read_at_one_moment(read_listing, after, self._join_last)

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
IS_NEWEST = "last.seq = last.id AND last.body IS NOT NULL"
"""Whether a board's last change is a post that is still there: nothing else has to be looked at then."""
LISTED = (
    f"SELECT {WITHOUT_RULES}, deleted_at, coalesce(last.seq, 0), "
    f"CASE WHEN {IS_NEWEST} THEN last.id ELSE coalesce((SELECT id {LIVING_THERE}), 0) END, "
    f"CASE WHEN {IS_NEWEST} THEN last.author_id ELSE (SELECT author_id {LIVING_THERE}) END FROM boards {{}} WHERE "
)
OLD_SLUGS = (
    "SELECT slugs.slug, board_id FROM boards JOIN slugs ON board_id = boards.id "
    "WHERE NOT ended AND slugs.slug <> boards.slug AND "
)


async def read_listing(tx: Tx, after: int, join_last: str) -> Listing:
    site = await tx.one("SELECT epoch, seq, floor, access, boards, secret FROM board")
    assert site is not None
    *head, secret = site
    which, values = ("changed > $1", [after]) if after else ("deleted_at IS NULL", [])
    old: dict[int, list[str]] = {}
    for slug, board_id in await tx.all(OLD_SLUGS + which, *values):
        old.setdefault(board_id, []).append(slug)
    boards = [*map(to_listed, await tx.all(LISTED.format(join_last) + which, *values))]
    return Listing(Head(*head), boards, old, functools.partial(epoch_of, secret, head[0]))


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
