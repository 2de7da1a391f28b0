"""The page of a board beside the first, and the form that posts there."""

from handlers.boards.front import LivePage, State
from handlers.boards.on_board import OnBoard
from handlers.http.base import Page
from handlers.http.place import THE_FIRST, Place, home_of, place_asked, place_of
from handlers.messages.api import Add
from handlers.messages.search import SearchPage
from storage.records import FIRST_BOARD, Found


class BoardPage(OnBoard, LivePage):
    """As the first board's. A page under an old slug is moved, and so is one without the slash at its end; a board that
    the viewer may not read does not exist.
    """

    async def prepare(self) -> None:
        await super().prepare()
        if self.counts_as_reading:
            self.site.limits.reading.check(self.caller.key)

    @property
    def counts_as_reading(self) -> bool:
        """As of the first board's page, once the board is found."""
        return self.found is not None and super().counts_as_reading

    async def get(self, slug: str) -> None:
        home = home_of(self.board.slug)
        if self.request.path == home:
            self.place = self.live_place
            await self.show()
        else:
            self.redirect(home + (f"?{self.request.query}" if self.request.query else ""))

    async def state(self) -> State:
        """Reads the board's row from storage as well, because memory has no rules. Both are of the same state of the row."""
        while True:
            rights = self.board.rights
            self.place = await place_of_slug(self, self.board.slug)
            state = await super().state()
            if self.board.rights == rights:
                return state


class BoardAdd(Add):
    """The page with only the form of a board beside the first, and where that board's forms are posted."""

    async def prepare(self) -> None:
        self.place = place_asked(self.path_args[0])  # so that words that are refused are not posted elsewhere
        await super().prepare()

    async def get(self, slug: str) -> None:  # type: ignore[override]
        self.place = await place_of_slug(self, slug)
        super().get()


class BoardSearch(OnBoard, SearchPage):
    """A search on a board beside the first."""

    async def get(self, slug: str) -> None:  # type: ignore[override]
        self.place = self.live_place
        await super().get()

    async def find(self, query: str, before: int | None, limit: int) -> Found:
        return await self.site.search(self.caller, query, before, limit, self.board.id)


async def place_of_slug(handler: Page, slug: str) -> Place:
    """Raises DeniedError."""
    board = await handler.site.board(handler.caller, slug)
    if board.id == FIRST_BOARD:
        return THE_FIRST
    return place_of(board, handler.site.secret, manages=handler.site.may_manage(handler.caller, board))
