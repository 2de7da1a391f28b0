"""Read marks that are not saved yet, kept in memory: a page moves its mark every few seconds."""

import collections
from collections.abc import Mapping

from storage import Storage

MOST_UNSAVED = 10_000
"""Marks that are kept. With more, they are saved at once."""


class Marks:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._unsaved: collections.defaultdict[int, dict[int, int]] = collections.defaultdict(dict)
        """By account and board."""
        self._count = 0

    def of(self, account_id: int | None) -> Mapping[int, int]:
        """Returns the marks of an account that are not saved yet, by board."""
        return self._unsaved.get(account_id, {}) if account_id is not None else {}

    def note(self, account_id: int, board_id: int, message_id: int) -> bool:
        """Notes what an account has read; a mark never goes back. Returns whether there are so many that they must be
        saved.
        """
        marks = self._unsaved[account_id]
        self._count += board_id not in marks
        marks[board_id] = max(marks.get(board_id, 0), message_id)
        return self._count > MOST_UNSAVED

    async def save(self) -> None:
        """Saves the marks noted since the last call. Raises UnavailableError, and keeps them for the next call."""
        unsaved, self._unsaved, self._count = self._unsaved, collections.defaultdict(dict), 0
        if not unsaved:
            return
        try:
            await self._storage.save_marks(
                {(account_id, board_id): id for account_id, marks in unsaved.items() for board_id, id in marks.items()}
            )
        except BaseException:
            for account_id, marks in unsaved.items():
                for board_id, id in marks.items():
                    self.note(account_id, board_id, id)
            raise
