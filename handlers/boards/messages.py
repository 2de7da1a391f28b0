"""The messages of one board for programs: /api/v1/boards/<slug>/messages, and the search in them."""

from board.cursor import Cursor
from board.recent import PAGE, as_json, encode, encode_reply
from handlers.messages.api import ApiMessages
from handlers.messages.search import ApiSearch
from storage.records import FIRST_BOARD, Board, Changes

RETRY_MS = 2000
"""When to ask again: polls of these boards are not parked."""


class ApiBoardMessages(ApiMessages):
    async def get(self, slug: str) -> None:  # type: ignore[override]
        after, _ = self.after(), self.wait()
        before, limit = self.history(after)
        board = await self.site.board(self.caller, slug)
        if board.id == FIRST_BOARD:
            await super().get()
            return
        self.site.limits.reading.check(self.caller.key)
        async with self.context.making.reading:
            changes = None if after is None else await self.site.changes_of(self.caller, board, after)
            if changes is None:
                await self.page_of(board, before, limit or PAGE, reset=after is not None)
            else:
                await self.changes_after(changes)

    async def page_of(self, board: Board, before: int | None, limit: int, *, reset: bool) -> None:
        page, cursor = await self.site.page_of(self.caller, board, before, limit)
        messages = {"messages": [as_json(message) for message in page.messages]}
        if before is not None:
            await self.write_many(messages | {"older": page.older})
            return
        newest = {"cursor": str(cursor)} | ({"reset": True} if reset else {}) | ({"older": True} if page.older else {})
        await self.write_many(messages | newest)

    async def changes_after(self, changes: Changes) -> None:
        head, found = changes.head, changes.messages
        seq = found[-1].seq if changes.more else head.seq
        messages = await self.context.making.turns.each(encode, found)
        retry_ms = None if found else RETRY_MS
        self.write_bytes(encode_reply(messages, Cursor(head.epoch, seq), more=changes.more, retry_ms=retry_ms))

    async def post(self, slug: str) -> None:  # type: ignore[override]
        self.write_posted(*await self.site.post_to(self.caller, slug, *self.words_and_key()))


class ApiBoardSearch(ApiSearch):
    async def get(self, slug: str) -> None:  # type: ignore[override]
        await self.write_found(await self.site.search_in(self.caller, slug, *self.asked()))
