"""Search: a page of results that needs no JavaScript, and the same for programs."""

from board.highlights import Piece, excerpt
from board.recent import PAGE, as_json
from handlers.boards.rail import WithRail
from handlers.http.base import Base
from handlers.http.errors import RefusedError
from handlers.messages.rendering import Rendering
from storage.records import Found, Message
from storage.words import Phrase, phrases

RESULTS = 20
"""Results on one page."""
MOST_MARKED = 6
"""Words and phrases of a query that are highlighted: enough for a reader, and each must be compared with every word."""


class SearchPage(WithRail, Rendering):
    forgives_old_sessions = True

    async def get(self) -> None:
        query, before = self.query("q") or "", self.whole_number("before")
        found = await self.find(query, before) if query.strip() else None
        wanted = phrases(query)
        # Not on the loop: finding many words in many long messages takes a while.
        making, messages = self.context.making, found.messages if found else []
        shown = await making.excerpts.run(excerpts, messages, wanted[:MOST_MARKED]) if messages else {}
        self.show_boards(await self.site.scope_of(self.caller))
        await self.send_page(
            "search.html",
            [],
            rail=self.rail,
            query=query,
            found=found,
            before=before,
            has_words=bool(wanted),
            excerpt=lambda m: [(piece, "mark" if is_marked else "text") for piece, is_marked in shown[m.id]],
        )

    async def find(self, query: str, before: int | None) -> Found:
        return await self.site.search(self.caller, query, before, RESULTS)


def excerpts(messages: list[Message], wanted: list[Phrase]) -> dict[int, list[Piece]]:
    """Returns each message's excerpt by the message's id."""
    return {message.id: excerpt(message.body or "", wanted) for message in messages}


class ApiSearch(Base):
    async def get(self) -> None:
        await self.write_found(await self.site.search(self.caller, *self.asked()))

    def asked(self) -> tuple[str, int | None, int]:
        """Returns the query, before which message to look, and for how many. Raises RefusedError."""
        query = self.query("q")
        if query is None:
            raise RefusedError(400, "bad_field", "“q” is missing: the words to look for.")
        return query, self.whole_number("before"), self.limit() or PAGE

    async def write_found(self, found: Found) -> None:
        indexing = {} if found.is_complete else {"indexing": True}
        await self.write_many(
            {"messages": [as_json(message) for message in found.messages], "older": found.older} | indexing
        )
