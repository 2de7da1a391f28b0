"""Finds boards in memory, for those who look at them now."""

from collections.abc import Collection, Iterable

from board.caller import Caller
from board.cursor import Cursor
from board.errors import DeniedError
from board.live_board import LiveBoard
from board.scopes import GUESTS, MEMBERS, Scope
from board.site.boards import NO_BOARD
from board.site.parts import Parts
from board.slugs import FIRST, fold_slug
from storage.errors import NotFoundError, UnavailableError
from storage.records import Board, Credential


class LiveBoards(Parts):
    async def find_board(self, caller: Caller, slug: str) -> LiveBoard:
        """Returns a board that the caller may read, by the slug that it has or had.

        What is unknown here may just have been made elsewhere, so it waits for a read of what is new, which all who ask
        share. Whether there is no such board, or the caller may not read it, takes equally long. Raises DeniedError,
        UnavailableError.
        """
        if slug == FIRST:
            return self.waiters.first  # which all may read
        board = await self._known(caller, fold_slug(slug) or "")
        if board is None:
            raise DeniedError("no_such_board", NO_BOARD)
        return board

    async def board_with(self, caller: Caller, id: int) -> LiveBoard:
        """Returns the board with this id, which storage gave, likewise. Raises NotFoundError, DeniedError,
        UnavailableError.
        """
        board = await self._known(caller, id)
        if board is None:
            raise NotFoundError(f"board {id}")
        return board

    async def _known(self, caller: Caller, name: str | int) -> LiveBoard | None:
        directory = self.waiters.directory
        board = directory.find(name, await self.scope_of(caller))
        if board is None:
            self.limits.reading.check(caller.key)
            if not await self.waiters.deliver():
                raise UnavailableError("the boards")
            board = directory.find(name, await self.scope_of(caller))
        return board

    async def scope_of(self, caller: Caller) -> Scope:
        """Returns what the caller may read. Raises UnavailableError."""
        if self.waiters.directory.changed:  # there are other boards, or there were
            return await self.scopes.find(caller.credential)
        return MEMBERS if caller.credential else GUESTS

    def scope_in_memory(self, credential: Credential | None) -> Scope:
        """Returns what this client may read, as far as memory knows: of a member, at least what all members may."""
        return self.scopes.recall(credential) or MEMBERS  # guests' is always known

    def boards_by_id(self, ids: Iterable[int | None], scope: Scope) -> list[LiveBoard]:
        """Returns those of these boards beside the first that are there, and that the asker may read."""
        return [board for board in self.in_memory(ids) if board.may_be_read(scope)]

    def in_memory(self, ids: Iterable[int | None]) -> list[LiveBoard]:
        """Returns those of these boards beside the first that memory knows, and that are not deleted."""
        found = (self.waiters.directory.of(id) for id in ids if id is not None)
        return [board for board in found if board is not None and board.row]

    def alike(self, boards: Iterable[Board], scope: Scope) -> frozenset[str]:
        """Returns the slugs of those of these boards that only their addresses tell apart from another that the asker may
        read.
        """
        return self.waiters.directory.alike(boards, scope, self.rules.first_name)

    def has_others(self, credential: Credential | None) -> bool:
        """Whether this client may read another board than the first, as far as memory knows."""
        is_open = credential is not None or self.rules.reading == "public"
        return is_open and bool(self.waiters.directory.listed(self.scope_in_memory(credential), 1))

    def may_be_read(self, ids: Collection[int], scope: Scope) -> bool:
        """Whether these boards beside the first are all there, and the asker may read them."""
        return len(self.boards_by_id(ids, scope)) == len(ids)

    async def scope_over(self, caller: Caller, ids: Collection[int]) -> Scope | None:
        """Returns what the caller may read, if these boards are in it. Storage, which gave them, may be ahead of memory: then
        it waits for a read of what is new. Raises UnavailableError.
        """
        scope = await self.scope_of(caller)
        if not self.may_be_read(ids, scope):
            await self.waiters.deliver()
            scope = await self.scope_of(caller)
        return scope if self.may_be_read(ids, scope) else None

    async def load(self, caller: Caller, board: LiveBoard, cursor: Cursor) -> None:
        """Has what this cursor is answered with read, if memory lacks it. The caller has to be judged again afterwards.

        Raises DeniedError, UnavailableError.
        """
        if not board.has(cursor):
            if not self.waiters.is_loading(board):
                self.limits.reading.check(caller.key)
            await self.waiters.load(board)
