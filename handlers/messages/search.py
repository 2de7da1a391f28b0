"""Search: a page of results that needs no JavaScript, and the same for programs."""

from collections.abc import Mapping
from typing import Any

from board.highlights import Piece, excerpt
from board.recent import PAGE
from board.site import board_messages
from board.wire import as_json
from handlers.boards.rail import WithBoards, WithRail
from handlers.http.errors import RefusedError
from handlers.messages.rendering import Rendering, needs
from storage.queries import parse
from storage.records import Board, Found, Message
from storage.words import Phrase

RESULTS = 20
"""Results on one page."""
MOST_MARKED = 6
"""Words and phrases of a query that are highlighted: enough for a reader, and each must be compared with every word."""
MENDED_HERE = {"bad_date", "query_too_long"}
"""Codes of what may be wrong with a query."""
ALL = "*"
"""The parameter `board` of a search in all boards."""


class Searching(WithBoards):
    """Searches all boards that the client may read, or one."""

    found_on: Mapping[int, Board] = {}
    """After a search in all: the boards of what was found, by their ids."""
    leaves_out = False
    """Whether there are boards in which it did not look."""

    async def find_in_all(self, query: str, before: int | None, limit: int) -> Found:
        found, boards, self.leaves_out = await self.site.search_all(self.caller, query, before, limit)
        self.found_on = {board.id: board.row or self.site.first_board for board in boards}
        return found


class SearchPage(Searching, WithRail, Rendering):
    forgives_old_sessions = True

    async def get(self) -> None:
        query, before = self.query("q") or "", self.whole_number("before")
        look = self.find_in_all if self.in_all else self.find
        found = await look(query, before, RESULTS) if query.strip() else None
        wanted = parse(query)
        # Not on the loop: finding many words in many long messages takes a while.
        making, messages = self.context.making, found.messages if found else []
        shown = await making.excerpts.run(excerpts, messages, wanted.phrases[:MOST_MARKED]) if messages else {}
        nobody = None if messages else await self.site.nobody_in(self.caller, wanted)
        said = self.said(query) | {"found": found, "before": before, "nobody": nobody, "has_words": not wanted.is_empty}
        self.judge(self.found_on)
        await self.send_page(
            "search.html",
            [],
            excerpt=lambda m: [(piece, "mark" if is_marked else "text") for piece, is_marked in shown[m.id]],
            **said | needs(messages),
        )

    @property
    def in_all(self) -> bool:
        return self.query("board") == ALL

    def said(self, query: str) -> dict[str, Any]:
        """Returns what the template needs for a page on which nothing is found yet."""
        beside = self.beside()
        return {
            "query": query,
            "found": None,
            "before": None,
            "has_words": False,
            "nobody": None,
            "refused": None,
            "in_all": self.in_all and self.rail is not None,
            "found_on": self.found_on if self.rail else {},
            "alike": self.site.alike(self.found_on.values(), self.scope),
            "leaves_out": self.leaves_out,
            "most": board_messages.BOARDS_SEARCHED,
            **beside | ({"current": ""} if self.in_all else {}),
        }

    def write_error_page(self, refused: RefusedError) -> None:
        """Shows what is wrong with a query beside it, so that it can be mended."""
        if refused.code not in MENDED_HERE:
            return super().write_error_page(refused)
        said = self.said(self.query("q") or "") | {"refused": refused}
        self.finish(self.render_string("search.html", messages=b"", **said, **needs([])))

    async def find(self, query: str, before: int | None, limit: int) -> Found:
        return await self.site.search(self.caller, query, before, limit)


def excerpts(messages: list[Message], wanted: list[Phrase]) -> dict[int, list[Piece]]:
    """Returns each message's excerpt by the message's id."""
    return {message.id: excerpt(message.body or "", wanted) for message in messages}


class ApiSearch(Searching):
    allows_cors = True

    async def get(self) -> None:
        board = self.query("board")
        if board is None:
            await self.write_found(await self.site.search(self.caller, *self.asked()))
        elif board == ALL:
            await self.write_found(await self.find_in_all(*self.asked()))
        else:
            raise RefusedError(400, "bad_field", "“board” can only be *, for all boards. One has its slug in the path.")

    def asked(self) -> tuple[str, int | None, int]:
        """Returns the query, before which message to look, and for how many. Raises RefusedError."""
        query = self.query("q")
        if query is None:
            raise RefusedError(400, "bad_field", "“q” is missing: the words to look for.")
        return query, self.whole_number("before"), self.limit() or PAGE

    async def write_found(self, found: Found) -> None:
        self.judge(self.found_on)
        messages = [as_json(message) | self.board_of(message) for message in found.messages]
        rest = ({} if found.is_complete else {"indexing": True}) | ({"more_boards": True} if self.leaves_out else {})
        await self.write_many({"messages": messages, "older": found.older} | rest)

    def board_of(self, message: Message) -> dict[str, str]:
        """Says on which board a message is, if it was looked for in all: also on the first, so that programs see whether the
        server looked there, or is one of an older release.
        """
        board = self.found_on.get(message.board_id)
        return {"board": board.slug} if board else {}
