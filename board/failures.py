"""Counts of failed sign-ins, kept in memory and saved now and then, so that an attacker causes no writes.

Only accounts that exist are counted, so there are never more counts than accounts.
"""

import collections

from storage import Storage
from storage.failed_tries import FailedTries


class Failures:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._unsaved: collections.Counter[int] = collections.Counter()

    def note(self, account_id: int) -> None:
        self._unsaved[account_id] += 1

    async def of(self, account_id: int) -> FailedTries:
        """Returns the counts, including those that this process has not saved yet. Raises UnavailableError."""
        known = await self._storage.failed_tries(account_id)
        return FailedTries(known.since + self._unsaved[account_id], known.earlier)

    async def note_sign_in(self, account_id: int) -> None:
        """Starts counting again, because the owner has signed in with a browser. Raises UnavailableError."""
        before = self._unsaved.pop(account_id, 0)
        try:
            await self._storage.note_sign_in(account_id, before)
        except BaseException:
            self._unsaved[account_id] += before
            raise

    async def save(self) -> None:
        """Saves the counts since the last call. Raises UnavailableError, and keeps them for the next call."""
        counts, self._unsaved = self._unsaved, collections.Counter()
        if counts:
            try:
                await self._storage.add_failed_tries(counts)
            except BaseException:
                self._unsaved.update(counts)
                raise
