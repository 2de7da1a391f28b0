"""The newest changes of the boards beside the first, within a bound of memory. Those of the first always stay."""

import collections
from collections.abc import Callable, Iterable

from board.live_board import LiveBoard
from board.recent import Recent
from storage import Storage

MEMORY = 64 * 1024 * 1024
"""Bytes of all of them together, with what was made of them."""
SHARES = 8
"""As many as are loaded one after the other have room together, so that each can be used before it goes."""


class Recents:
    """The one that was unused for longest goes first, also while polls are parked on its board: they need it only for
    the next change, which begins another.
    """

    def __init__(self, most: int = MEMORY) -> None:
        self.size = 0
        self._most = most
        self._sizes: collections.OrderedDict[LiveBoard, int] = collections.OrderedDict()
        self._last: LiveBoard | None = None
        """The one that was used last, and may have grown since."""

    def __len__(self) -> int:
        return len(self._sizes)

    def keep(self, board: LiveBoard, recent: Recent) -> None:
        recent.shrink_to(self._most // SHARES)
        board.recent = recent
        self._sizes.setdefault(board, 0)
        self.use(board)
        self._settle(board)

    def use(self, board: LiveBoard) -> None:
        """Called before the newest changes of a board are used: those of the last one are measured then."""
        if board is self._last or board not in self._sizes:
            return
        last, self._last = self._last, board
        self._sizes.move_to_end(board)
        if last is not None:
            self._settle(last)

    def all(self) -> list[Recent]:
        return [board.recent for board in self._sizes if board.recent is not None]

    def drop(self, board: LiveBoard) -> None:
        board.recent = None
        self.size -= self._sizes.pop(board, 0)
        if self._last is board:
            self._last = None

    def clear(self) -> None:
        for board in list(self._sizes):
            self.drop(board)

    def _settle(self, board: LiveBoard) -> None:
        if board in self._sizes and board.recent is not None:
            size = board.recent.size
            self.size += size - self._sizes[board]
            self._sizes[board] = size
        while self.size > self._most and len(self._sizes) > 1:
            self.drop(next(iter(self._sizes)))


async def show_again(storage: Storage, account_ids: Iterable[int], kept: Callable[[], list[Recent]]) -> None:
    """Has the messages in memory say of these accounts what is to be shown now: their names or roles may be others."""
    ids = set(account_ids)  # once for each board in memory, however many accounts there are
    written = {id for recent in kept() for id in ids & recent.author_ids}
    presents = {one.id: one for one in await storage.presents(written)} if written else {}
    for recent in kept() if presents else ():
        if not recent.author_ids.isdisjoint(presents):
            recent.show_as(presents)
