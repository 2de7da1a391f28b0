"""The boards beside the first that all guests, or all members, may read: by their slugs, and by what their names look like."""

import collections
import functools
from collections.abc import Iterable

from board.live_board import LiveBoard
from board.slugs import folded


def slug_of(board: LiveBoard) -> str:
    return board.slug


def count_names(boards: Iterable[LiveBoard]) -> collections.Counter[str]:
    """Counts the names, as folded() makes them."""
    return collections.Counter(folded(board.row.name) for board in boards if board.row)


class OpenBoards:
    """Made again only when one of them has changed, as it takes time; the names only if somebody asks."""

    def __init__(self, boards: Iterable[LiveBoard]) -> None:
        self.in_order = sorted(boards, key=slug_of)

    @functools.cached_property
    def names(self) -> collections.Counter[str]:
        return count_names(self.in_order)
