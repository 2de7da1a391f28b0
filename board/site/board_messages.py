"""What a site does with the messages of one board. A message that is named by its id is one of any board (messages.py).

As in boards.py, a board that the caller may not read is refused as one that never was.
"""

from board.caller import Caller
from board.cursor import Cursor
from board.recent import PAGE
from board.site.boards import Boards, finding_board
from board.site.messages import Messages
from storage.records import FIRST_BOARD, Found, Message, Page


class BoardMessages(Messages, Boards):
    async def post_to(self, caller: Caller, slug: str, text: str, key: str | None) -> tuple[Message, bool]:
        """As post(), on this board. What members post in person moves their read mark. Raises also what board() does."""
        body = self._checked(caller, text)
        board = await self.board(caller, slug)
        credential = caller.credential.id if caller.credential else None
        with finding_board():
            posted = await self.storage.append(caller.author, body, key, caller.address, credential, board.id)
        message, is_new = posted
        if is_new and caller.credential is not None and caller.credential.kind != "bot":
            await self.note_read(caller.credential.account.id, board.id, message.id)
        return posted

    async def page_of(
        self, caller: Caller, board_id: int, before: int | None, limit: int = PAGE
    ) -> tuple[Page, Cursor]:
        """Returns the messages before this one, or the newest, and the cursor of a moment before they were read.

        Raises DeniedError.
        """
        if board_id == FIRST_BOARD:
            cursor = self.waiters.recent.cursor
            return await self.page(before=before, limit=limit), cursor
        with finding_board():
            head = (await self.storage.changes_on(board_id, caller.asker, 0, 0)).head
            page = await self.storage.before(before, limit, board_id, caller.asker)
        return page, Cursor(head.epoch, head.seq)

    async def page_after(self, caller: Caller, board_id: int, after: int) -> Page:
        """Returns the messages after this one, on a board beside the first. Raises DeniedError."""
        with finding_board():
            return await self.storage.after(after, PAGE, board_id, caller.asker)

    async def search_in(self, caller: Caller, slug: str, query: str, before: int | None, limit: int) -> Found:
        """As search(), on this board. Raises also what board() does."""
        self._count_search(caller, query)
        board = await self.board(caller, slug)
        with finding_board():
            return await self.storage.search(query, before, limit, board.id, caller.asker)
