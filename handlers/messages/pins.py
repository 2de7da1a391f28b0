"""The pinned message of a board: the API's calls, and the form on a message's page."""

from handlers.boards.on_board import OnMessage
from handlers.http.base import Page
from handlers.messages.api import Placed, check_is_still, parse_id


class ApiPin(Placed):
    async def put(self, id: str) -> None:
        await self.pin(id)

    async def delete(self, id: str) -> None:
        await self.pin(id, ends=True)

    async def pin(self, id: str, *, ends: bool = False) -> None:
        check_is_still(self, self.query("as"))
        message = await self.site.pin(self.caller, parse_id(id), ends=ends)
        await self.find_board_when_done(message)
        self.write_placed(message)


class Pin(OnMessage, Page):
    """The form on a message's page. With the field `remove`, the message is no longer pinned."""

    async def post(self, id: str) -> None:
        check_is_still(self, self.form("as"))
        message = await self.site.pin(self.caller, parse_id(id), ends=self.form("remove") is not None)
        self.is_done = True
        self.redirect(f"/m/{message.id}", status=303)
