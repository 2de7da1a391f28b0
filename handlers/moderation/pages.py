"""What moderators do on the page of a message, and the audit log."""

from board.audit import around_board, in_words
from handlers.boards.rail import WithBoards
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


class AuditLog(WithBoards, Rendering):
    for_whom = "moderators"

    async def get(self) -> None:
        before = self.whole_number("before")
        entries, older = await self.site.audit(self.caller, before)
        found = self.site.boards_by_id((entry.board_id for entry in entries), self.scope)
        boards = {board.id: board.row for board in found if board.row}
        of_others = (one.board_id for one in entries if one.actor_id != self.caller.asker.account_id)
        self.judge({board.id for board in self.site.in_memory(of_others)} | boards.keys())  # not one's own old deeds
        self.render(
            "audit.html",
            entries=entries,
            older=older,
            before=before,
            boards=boards,
            alike=self.site.alike(boards.values(), self.scope),
            in_words=in_words,
            around_board=around_board,
        )
