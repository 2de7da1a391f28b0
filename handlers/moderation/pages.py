"""What moderators do on the page of a message, and the audit log."""

from board.audit import sentence_of, target_of
from handlers.boards.rail import WithBoards
from handlers.http.base import Page
from handlers.http.errors import RefusedError
from handlers.http.language import Language
from handlers.http.sentences import Html, rich
from handlers.messages.api import parse_id
from handlers.messages.rendering import Rendering
from storage.audit import AuditEntry

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
            deed=lambda entry, board: deed(entry, board, self.language),
        )


def deed(entry: AuditEntry, board: Html | None, language: Language) -> Html:
    """Returns what was done as HTML. `board` names the board that it was done on, to those who may read it."""
    sentence, values = sentence_of(entry)
    words, parts = target_of(values["what"])
    if board is not None and "board" in parts:
        parts["board"] = board
    elif "board" in parts:
        parts["board"] = rich(language.translate("board %(id)s"), id=parts["board"].removeprefix("board "))
    what = rich(language.translate(words), **parts)
    if board is not None and "board" not in parts:
        what = rich(language.translate("%(what)s on %(board)s"), what=what, board=board)
    return rich(language.translate(sentence), **values | {"what": what})
