"""/get: the poll of pages, for each board. The tutorial's pages have their own."""

from board.others import Hears
from handlers.boards.on_board import OnBoard
from handlers.boards.polls import Poll
from handlers.boards.tutorial import tutorial_poll


class Get(Poll):
    async def get(self, *slug: str) -> None:
        if self.board.is_first and self.query("t") is not None and self.query("after") is None:
            await tutorial_poll(self)
            return
        cursor, wait = self.after(), self.wait()
        self.whole_number("others")  # a wrong one is refused also where there is no cursor, and so no word of others
        reply = await (self.newest() if cursor is None else self.poll(cursor, wait))
        if reply is not None:
            self.write_bytes(reply)

    async def hears(self) -> Hears | None:
        after = self.whole_number("others")
        return None if after is None else Hears(after, await self.site.scope_of(self.caller))


class BoardGet(OnBoard, Get):
    """The same for the board whose slug is in the path."""
