"""The messages of one board for programs: /api/v1/boards/<slug>/messages, and the search in them."""

from handlers.boards.on_board import OnBoard
from handlers.messages.api import ApiMessages
from handlers.messages.search import ApiSearch


class ApiBoardMessages(OnBoard, ApiMessages):
    """As those of the first board."""


class ApiBoardSearch(OnBoard, ApiSearch):
    async def get(self, slug: str) -> None:  # type: ignore[override]
        await self.write_found(await self.site.search(self.caller, *self.asked(), self.board.id))
