"""Counts of failed sign-ins to an account."""

import dataclasses
from collections.abc import Mapping

from storage.tx import Nouns, Tx


@dataclasses.dataclass(frozen=True, slots=True)
class FailedTries:
    """How often a wrong password was given for an account."""

    since: int
    """Since the owner last signed in with a browser."""
    earlier: int
    """Between that sign-in and the one before it."""


class FailedTriesOf(Nouns):
    """Tries to sign in with a wrong password. They are counted in memory, and stored now and then."""

    async def failed_tries(self, account_id: int) -> FailedTries:
        """Returns the counts that have been stored so far."""
        return await self._read(read, account_id)

    async def add_failed_tries(self, counts: Mapping[int, int]) -> None:
        """Adds to the counts; `counts` maps account ids to how many more. Skips accounts that no longer exist."""
        add = (
            "INSERT INTO failed_tries (account_id, since, earlier) SELECT id, $1, 0 FROM accounts WHERE id = $2 "
            "ON CONFLICT (account_id) DO UPDATE SET since = failed_tries.since + excluded.since"
        )
        rows = [(count, account_id) for account_id, count in counts.items()]
        await self._write(lambda tx: tx.run_many(add, rows))  # all or none: after a fault, the caller adds all again

    async def note_sign_in(self, account_id: int, failed_before: int) -> None:
        """Notes that the owner signed in with a browser, after `failed_before` more failed tries than are stored."""
        begin_anew = (
            "INSERT INTO failed_tries (account_id, since, earlier) SELECT id, 0, $1 FROM accounts WHERE id = $2 "
            "ON CONFLICT (account_id) DO UPDATE SET since = 0, earlier = failed_tries.since + excluded.earlier"
        )
        await self._write(lambda tx: tx.run(begin_anew, failed_before, account_id))


async def read(tx: Tx, account_id: int) -> FailedTries:
    row = await tx.one("SELECT since, earlier FROM failed_tries WHERE account_id = $1", account_id)
    return FailedTries(*row) if row else FailedTries(0, 0)
