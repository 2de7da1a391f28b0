"""Read marks that are not saved yet, kept in memory: a page moves its mark every few seconds."""

import asyncio
from collections.abc import Mapping

from storage import Storage

MOST_UNSAVED = 10_000
"""With more marks, they are saved at once. Twice as many are kept, while storage takes none."""


class Marks:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._unsaved: dict[int, dict[int, int]] = {}
        """By account and board."""
        self._count = 0
        self._saving = asyncio.Lock()

    def of(self, account_id: int | None) -> Mapping[int, int]:
        """Returns the marks of an account that are not saved yet, by board."""
        return dict(self._unsaved.get(account_id, {})) if account_id is not None else {}

    def note(self, account_id: int, board_id: int, message_id: int) -> bool:
        """Notes what an account has read; a mark never goes back. Returns whether they must be saved now, because there
        are so many.
        """
        before = self._unsaved.get(account_id, {}).get(board_id)
        if before is not None or self._count < 2 * MOST_UNSAVED:
            self._count += before is None
            self._unsaved.setdefault(account_id, {})[board_id] = max(before or 0, message_id)
        return self._count > MOST_UNSAVED and not self._saving.locked()

    async def save(self) -> None:
        """Saves the marks that are noted. Until then they stay, so that the account sees them. Raises UnavailableError."""
        async with self._saving:
            marks = {(account, board): id for account, some in self._unsaved.items() for board, id in some.items()}
            if not marks:
                return
            await self._storage.save_marks(marks)
            for (account_id, board_id), message_id in marks.items():
                self._forget(account_id, board_id, message_id)

    def _forget(self, account_id: int, board_id: int, message_id: int) -> None:
        """Drops a mark that was saved, unless it has moved since."""
        marks = self._unsaved[account_id]
        if marks[board_id] == message_id:
            del marks[board_id]
            self._count -= 1
        if not marks:
            del self._unsaved[account_id]
