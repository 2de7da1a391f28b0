"""The list of boards beside the messages. A site with one board has none."""

import dataclasses
from collections.abc import Iterable

from board.live_board import LiveBoard
from board.scopes import Scope
from board.site import Site
from board.site.boards import BOARDS_AT_ONCE
from storage.records import FIRST_BOARD, Board


@dataclasses.dataclass(frozen=True, slots=True)
class Rail:
    boards: list[Board]
    """Of those that the viewer may read, the first, and others by their names; archived ones at the end."""
    live: list[LiveBoard]
    """The same but for the first, as memory has them."""
    others: int
    """The change up to which the page has word of the other boards."""
    may_make: bool

    def may_be_read(self, scope: Scope) -> bool:
        """Whether an asker may still read all of them."""
        return all(board.may_be_read(scope) for board in self.live)


def rail_of(site: Site, scope: Scope, *, may_make: bool) -> Rail | None:
    live = site.waiters.directory.listed(scope, BOARDS_AT_ONCE)
    if not live:
        return None
    boards = in_order([site.first_board, *(board.row for board in live if board.row)])
    # The site's last change would tell of boards that the viewer may not read.
    return Rail(boards, live, max(board.news for board in live), may_make)


def in_order(boards: Iterable[Board]) -> list[Board]:
    """As static/js/rail.js orders them."""
    return sorted(boards, key=lambda one: (one.id != FIRST_BOARD, one.archived_at is not None, one.name.casefold()))
