"""The list of boards, as pages have it: beside the messages, or to search in another one. A site with one board has none."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from board.live_board import LiveBoard
from board.scopes import GUESTS, Scope
from board.site import Site
from board.site.boards import BOARDS_AT_ONCE
from board.slugs import folded
from handlers.http.base import Base
from handlers.http.errors import RefusedError
from storage.records import FIRST_BOARD, Board


class Rail(NamedTuple):
    boards: list[Board]
    """Of those that the viewer may read, the first, and others by their names; archived ones at the end."""
    live: list[LiveBoard]
    """The same but for the first, as memory has them."""
    others: int
    """The change up to which the page has word of the other boards."""
    may_make: bool
    same: frozenset[str]
    """The slugs of those whose names look like another's: only their addresses tell them apart."""


class WithBoards(Base):
    """What names other boards, or has their messages. Before it is sent, it is judged once more whether they are there and
    may still be read.
    """

    named: frozenset[int] = frozenset()
    """These boards, all beside the first."""
    scope = GUESTS
    """What the client may read, as it was found after the client was. It is as good as that: also an old one, which is
    believed while storage is away.
    """

    async def prepare(self) -> None:
        await super().prepare()
        self.scope = await self.site.scope_of(self.caller)

    def judge(self, ids: Iterable[int]) -> None:
        """Has these boards judged, too, if they are beside the first."""
        self.named |= set(ids) - {FIRST_BOARD}

    @property
    def is_as_judged(self) -> bool:
        return super().is_as_judged and self.site.may_be_read(self.named, self.scope)

    async def look_again(self) -> None:
        named, self.named = self.named, frozenset()  # so that a refusal is not judged by them again
        await super().look_again()
        scope = await self.site.scope_over(self.caller, named)
        if scope is None:
            self.has_ended = True
            raise RefusedError(503, "unavailable", "The boards have just changed. Please try again.", 1)
        self.named, self.scope = named, scope


class WithRail(WithBoards):
    """A page with the list of boards."""

    rail: Rail | None = None

    def show_boards(self) -> None:
        self.rail = rail_of(self.site, self.scope, may_make=self.site.may_make_boards(self.caller))
        self.named = frozenset(board.id for board in self.rail.live) if self.rail else frozenset()

    def beside(self) -> dict[str, Any]:
        """Returns the list as the template of a page needs it that is not live."""
        self.show_boards()
        return {"rail": self.rail, "current": "true"}


def rail_of(site: Site, scope: Scope, *, may_make: bool) -> Rail | None:
    live = site.waiters.directory.listed(scope, BOARDS_AT_ONCE - 1)  # and the first, as the API lists them
    if not live:
        return None
    boards = in_order([site.first_board, *(board.row for board in live if board.row)])
    return Rail(boards, live, site.waiters.directory.newest_for(scope), may_make, site.alike(boards, scope))


def in_order(boards: Iterable[Board]) -> list[Board]:
    """As static/js/rail.js orders them."""
    return sorted(
        boards,
        key=lambda one: (one.id != FIRST_BOARD, one.archived_at is not None, f"{folded(one.name)} {one.slug}"),
    )
