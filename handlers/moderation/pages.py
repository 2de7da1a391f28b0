"""What moderators do on the page of a message, and the audit log."""

from board.audit import around_board, in_words
from handlers.boards.rail import alike
from handlers.http.base import Page
from handlers.http.errors import RefusedError
from handlers.messages.api import parse_id
from handlers.messages.rendering import Rendering

BLOCK_DAYS = {"1": 1, "7": 7, "30": 30}


class Moderate(Page):
    """A moderator's actions on the author of a message: suspend, block, remove."""

    for_whom = "moderators"

    async def post(self, id: str) -> None:
        message_id = parse_id(id)
        match self.form("act"):
            case "suspend" | "unsuspend" as act:
                await self.site.change_suspension(self.caller, message_id, act)
            case "block":
                await self.site.block_source(self.caller, message_id, BLOCK_DAYS.get(self.form("days") or "", 1))
            case "remove":
                await self.site.remove_all(self.caller, message_id)
            case _:
                raise RefusedError(400, "bad_field", "“act” must be suspend, unsuspend, block or remove.")
        self.is_done = True
        self.redirect("/audit", status=303)


class AuditLog(Rendering):
    for_whom = "moderators"

    async def get(self) -> None:
        before = self.whole_number("before")
        entries, older = await self.site.audit(self.caller, before)
        scope = await self.site.scope_of(self.caller)
        boards = {board.id: board.row for board in self.site.boards_by_id({one.board_id for one in entries}, scope)}
        self.render(
            "audit.html",
            entries=entries,
            older=older,
            before=before,
            boards=boards,
            alike=alike(self.site, scope),
            in_words=in_words,
            around_board=around_board,
        )
