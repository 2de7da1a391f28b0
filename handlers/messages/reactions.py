"""Reactions: the API's, and the form on a message's page."""

from board.reactions import EMOJI
from board.wire import author_as_json
from handlers.boards.on_board import OnMessage
from handlers.boards.rail import WithBoards
from handlers.http.base import Page
from handlers.http.errors import RefusedError
from handlers.messages.api import Placed, check_is_still, parse_id

MEMBERS_AT_ONCE = 100


class ApiReaction(Placed):
    """One kind of reaction to a message: the caller's own."""

    async def put(self, id: str, kind: str) -> None:
        await self.react(id, kind)

    async def delete(self, id: str, kind: str) -> None:
        await self.react(id, kind, withdraws=True)

    async def react(self, id: str, kind: str, *, withdraws: bool = False) -> None:
        check_is_still(self, self.query("as"))
        message = await self.site.react(self.caller, parse_id(id), kind, withdraws=withdraws)
        await self.find_board_when_done(message)
        self.write_placed(message)


class ApiReactions(OnMessage):
    """Who reacted to a message."""

    allows_cors = True

    async def get(self, id: str) -> None:
        after, limit = self.whole_number("after") or 0, self.limit() or MEMBERS_AT_ONCE
        message, found, more = await self.site.reactions_to(self.caller, parse_id(id), after, limit)
        await self.find_board_of(message)
        members = [
            {**author_as_json(author), "reactions": [EMOJI[kind] for kind in kinds if kind in EMOJI]}
            for author, kinds in found
        ]
        self.write_json({"members": members, "more": more})


class ApiOwnReactions(WithBoards):
    """One's own reactions to some messages: what a page shows to all says only how many there are."""

    for_whom = "members"

    async def get(self) -> None:
        if (ids := self.ids()) is None:
            raise RefusedError(400, "bad_field", "The query “ids” is missing.")
        found = await self.site.own_reactions(self.caller, ids)
        self.judge(board_id for _, board_id, _ in found)
        own: dict[int, list[str]] = {}
        for message_id, _, kind in found:
            if kind in EMOJI:
                own.setdefault(message_id, []).append(EMOJI[kind])
        self.write_json({"messages": [{"id": id, "reactions": emojis} for id, emojis in own.items()]})


class React(OnMessage, Page):
    """The form on a message's page: a button for each kind."""

    async def post(self, id: str) -> None:
        added, removed = self.form("add"), self.form("remove")
        check_is_still(self, self.form("as"))
        kind = added or removed
        if kind is None:
            raise RefusedError(400, "bad_field", "The field “add” or “remove” with a reaction is missing.")
        message = await self.site.react(self.caller, parse_id(id), kind, withdraws=not added)
        self.is_done = True
        self.redirect(f"/m/{message.id}#reactions", status=303)
