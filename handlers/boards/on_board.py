"""For requests that are about one board: the first argument of their path is its slug, or that of a message there."""

import abc
import contextlib
from typing import Any

from board.errors import DeniedError
from board.live_board import LiveBoard
from handlers.http.base import Base, allowed_methods
from handlers.http.place import THE_FIRST, Place, place_of
from storage.errors import StorageError
from storage.records import FIRST_BOARD, Message


class Judged(Base):
    """Its right to read the board is judged with what the client is: once the board is found, and again before anything
    is sent or parked, if the board's row or the account has changed since.
    """

    found: LiveBoard | None = None
    rights = 0

    @property
    def board(self) -> LiveBoard:
        assert self.found is not None
        return self.found

    @property
    def live_place(self) -> Place:
        """The board as templates need it, as memory has it: without its rules."""
        row = self.board.row
        return place_of(row, self.site.secret, manages=self.site.may_manage(self.caller, row)) if row else THE_FIRST

    def get_template_namespace(self) -> dict[str, Any]:
        return {**super().get_template_namespace(), "also": self.also}

    def also(self) -> str:
        """Returns what stands beside the board's name where it looks like that of another one that the viewer may read:
        its slug. Else nothing.
        """
        row = self.board.row
        return row.slug if row and self.site.alike([row], self.site.scope_in_memory(self.credential)) else ""

    def judge_by(self, board: LiveBoard) -> None:
        """Called in the step in which the board was found, so that this is the state that the client may read."""
        self.found, self.rights = board, board.rights

    @abc.abstractmethod
    async def find_board(self) -> None:
        """Raises DeniedError, NotFoundError, UnavailableError."""

    @property
    def is_as_judged(self) -> bool:
        is_same = self.is_done or self.found is None or self.found.rights == self.rights
        return super().is_as_judged and is_same

    async def look_again(self) -> None:
        self.found = None  # so that a refusal is not judged by the board again
        await super().look_again()
        try:
            await self.find_board()
        except Exception:
            self.has_ended = True
            raise


class OnBoard(Judged):
    """The board is judged before the handler runs."""

    async def prepare(self) -> None:
        await super().prepare()
        if not self._finished and self.request.method in allowed_methods(type(self)):  # any other is 405
            await self.find_board()

    async def find_board(self) -> None:
        """Raises DeniedError, UnavailableError."""
        self.judge_by(await self.site.find_board(self.caller, self.path_args[0]))


class OnMessage(Judged):
    """Storage has judged whether the client may read the message; from then on, its board is judged as any other."""

    board_id = FIRST_BOARD

    async def find_board_of(self, message: Message) -> None:
        """Raises NotFoundError, DeniedError, UnavailableError."""
        self.board_id = message.board_id
        await self.find_board()

    async def find_board_when_done(self, message: Message) -> bool:
        """Called after the message was changed: the reply says so whether the board is found or not. Returns whether it
        is; if not, the client can't read it any more, and the reply must not name it.
        """
        self.is_done = True
        with contextlib.suppress(DeniedError, StorageError):
            await self.find_board_of(message)
        return self.found is not None

    async def find_board(self) -> None:
        self.judge_by(await self.site.board_with(self.caller, self.board_id))
