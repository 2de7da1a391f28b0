"""The boards in the order of their news, as this process knows it: to find those with something new."""

import heapq
import itertools
import operator
from collections.abc import Iterable, Iterator

from board.live_board import LiveBoard


class News:
    def __init__(self, first: LiveBoard) -> None:
        self.last = 0
        """The number of the last news of any board."""
        self._by_kind: dict[str, dict[LiveBoard, None]] = {"everyone": {first: None}, "members": {}}
        """By who may read them, the newest at the end. Those of the invited are found by scopes."""

    def note(self, board: LiveBoard, number: int) -> None:
        """Notes a post or a deletion. What was loaded may be ahead of the others: the order of numbers stays."""
        self.leave(board)
        if (kin := self._by_kind.get(board.read_by)) is not None:
            number = max(number, next(reversed(kin)).news if kin else 0)
            kin[board] = None
        board.news = max(number, board.news)
        self.last = max(self.last, board.news)

    def leave(self, board: LiveBoard) -> None:
        for boards in self._by_kind.values():
            boards.pop(board, None)

    def order(self, boards: Iterable[LiveBoard]) -> None:
        """Takes these boards in place of those that were known."""
        in_order = sorted(boards, key=operator.attrgetter("news"))
        self._by_kind = {kind: {} for kind in self._by_kind}
        for board in in_order:
            if (kin := self._by_kind.get(board.read_by)) is not None:
                kin[board] = None
        self.last = in_order[-1].news

    def after(self, number: int, is_member: bool, own: Iterable[LiveBoard]) -> Iterator[LiveBoard]:
        """The boards with news after this change, the newest first: those that all guests or all members may read, and
        of the invited these. What an asker may not read costs nothing, and so can't be told by the time that it takes.
        """
        own = sorted(own, key=lambda board: -board.news)
        public = (reversed(boards) for boards in self._public(is_member))
        all_news = heapq.merge(*public, own, key=lambda board: -board.news)
        return itertools.takewhile(lambda board: board.news > number, all_news)

    def others(self, is_member: bool) -> Iterator[LiveBoard]:
        """The boards beside the first that all guests or all members may read."""
        return (board for boards in self._public(is_member) for board in boards if not board.is_first)

    def _public(self, is_member: bool) -> list[dict[LiveBoard, None]]:
        return [self._by_kind[kind] for kind in (("everyone", "members") if is_member else ("everyone",))]
