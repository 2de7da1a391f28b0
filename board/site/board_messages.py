"""What a site does with the messages of one board, or of all. A message that is named by its id is one of any board
(messages.py).

As in boards.py, a board that the caller may not read is refused as one that never was.
"""

import contextlib
import itertools

from board.caller import Caller
from board.cursor import Cursor
from board.live_board import LiveBoard
from board.recent import PAGE
from board.site.boards import Boards, finding_board
from board.site.guests import Guests
from board.site.live_boards import LiveBoards
from board.slugs import FIRST
from storage.errors import UnavailableError
from storage.records import FIRST_BOARD, NAMELESS, Found, Guest, Message, Page

BOARDS_SEARCHED = 100
"""Boards in which one search looks: each costs as much as a search in it alone."""


class BoardMessages(Guests, Boards, LiveBoards):
    async def post(
        self,
        caller: Caller,
        text: str,
        key: str | None,
        slug: str = FIRST,
        *,
        reply_to: int | None = None,
        guest: Guest = NAMELESS,
    ) -> tuple[Message, bool]:
        """Posts a message, and delivers it. Returns it, and whether it is new, and not one that was sent again.

        The board is found in memory; storage judges whether the caller may read it, in the transaction that writes. What
        members post in person moves their read mark. Raises also what find_board() does, and BadTextError,
        KeyReusedError, NotAllowedError, NoSuchMessageError.
        """
        body = self._checked(caller, text)
        guest = await self._checked_guest(caller, guest, key)
        board = await self.find_board(caller, slug)
        credential = caller.credential.id if caller.credential else None
        what = reply_to, guest, self._mentioned(caller, body)
        async with self._blocked(caller):
            with finding_board():
                posted = await self.storage.append(
                    caller.author, body, key, caller.address, credential, board.id, *what
                )
        message, is_new = posted
        if is_new and caller.person is not None and self.waiters.directory.has_others:
            with contextlib.suppress(UnavailableError):  # it is posted all the same
                await self._note_own_post(caller, caller.person.id, board.id, message.id)
        return posted

    async def _note_own_post(self, caller: Caller, account_id: int, board_id: int, message_id: int) -> None:
        """Notes one's own message as read. On the first board, only if the caller may read another one, as it would tell of
        others. Raises UnavailableError.
        """
        if board_id != FIRST_BOARD or self.waiters.directory.listed(await self.scope_of(caller), 1):
            await self._note_read(account_id, board_id, message_id)

    async def mark_read(self, caller: Caller, slug: str, message_id: int) -> int | None:
        """Notes the newest message that a member has seen on a board, at most the board's newest one. Reads nothing from
        storage, as each open page calls this all the time.

        Returns what is noted; a mark that is saved already, and is further, stays. None if there is no message.
        Raises DeniedError.
        """
        account_id = self._person(caller, "Only members have read marks.").account.id
        self.limits.marking.check(caller.key)
        board = await self.find_board(caller, slug)
        if not board.newest:
            return None
        seen = min(message_id, board.newest)
        await self._note_read(account_id, board.id, seen)
        return max(seen, self.marks.of(account_id).get(board.id, 0))

    async def _note_read(self, account_id: int, board_id: int, message_id: int) -> None:
        """Notes a read mark, which is saved within a minute; at once, if there are many."""
        if self.marks.note(account_id, board_id, message_id):
            with contextlib.suppress(UnavailableError):  # housekeeping tries again
                await self.marks.save()

    async def search_all(
        self, caller: Caller, query: str, before: int | None, limit: int
    ) -> tuple[Found, list[LiveBoard], bool]:
        """Searches the first board, and those others with the newest posts that the caller may read.

        Returns also the boards of what was found, and whether there are boards in which it did not look. Raises
        DeniedError, SearchBusyError.
        """
        directory = self.waiters.directory
        others = itertools.islice(directory.by_news(await self.scope_of(caller)), BOARDS_SEARCHED)
        boards = [directory.first, *others]
        searched = {board.id: board for board in boards[:BOARDS_SEARCHED]}
        self._count_search(caller, query, len(searched))
        with finding_board():
            found = await self.storage.search_in(list(searched), query, before, limit, caller.asker)
        there = [searched[id] for id in {message.board_id for message in found.messages}]
        return found, there, len(boards) > BOARDS_SEARCHED

    async def page_of(
        self, caller: Caller, board_id: int, before: int | None, limit: int = PAGE
    ) -> tuple[Page, Cursor]:
        """Returns the messages before this one, or the newest, and the cursor of a moment before they were read.

        Raises DeniedError.
        """
        if board_id == FIRST_BOARD:
            cursor = self.waiters.recent.cursor
        else:
            with finding_board():
                head = (await self.storage.changes_on(board_id, caller.asker, 0, 0)).head
            cursor = Cursor(head.epoch, head.seq)
        return await self.page(caller, board_id, before=before, limit=limit), cursor
