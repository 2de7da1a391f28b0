"""/get: the poll of pages. The tutorial's pages have their own."""

from handlers.boards.polls import Poll
from handlers.boards.tutorial import tutorial_poll


class Get(Poll):
    async def get(self) -> None:
        if self.query("t") is not None and self.query("after") is None:
            await tutorial_poll(self)
            return
        cursor, wait = self.after(), self.wait()
        if cursor is None:
            self.write_bytes(self.site.waiters.recent.newest())
            return
        reply = await self.poll(cursor, wait)
        if reply is not None:
            self.write_bytes(reply)
