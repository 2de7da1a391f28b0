"""Counts of failed sign-ins, in PostgreSQL."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from storage.failed_tries import FailedTries
from storage.postgres.rows import Engine

if TYPE_CHECKING:
    from storage.postgres.connection import Database


class FailedTriesOf(Engine):
    async def failed_tries(self, account_id: int) -> FailedTries:
        async def read(db: "Database") -> FailedTries:
            row = await db.fetchrow("SELECT since, earlier FROM failed_tries WHERE account_id = $1", account_id)
            return FailedTries(*row or (0, 0))

        return await self._reader.read(read)

    async def add_failed_tries(self, counts: Mapping[int, int]) -> None:
        async def unit(db: "Database") -> None:
            await db.execute(
                "INSERT INTO failed_tries AS known (account_id, since, earlier) "
                "SELECT id, failed, 0 FROM unnest($1::bigint[], $2::bigint[]) AS new (tried_id, failed) "
                "JOIN accounts ON id = tried_id "
                "ON CONFLICT (account_id) DO UPDATE SET since = known.since + excluded.since",
                list(counts),
                list(counts.values()),
            )

        await self._writer.write(unit)

    async def note_sign_in(self, account_id: int, failed_before: int) -> None:
        async def unit(db: "Database") -> None:
            await db.execute(
                "INSERT INTO failed_tries AS known (account_id, since, earlier) "
                "SELECT id, 0, $2 FROM accounts WHERE id = $1 ON CONFLICT (account_id) "
                "DO UPDATE SET since = 0, earlier = known.since + excluded.earlier",
                account_id,
                failed_before,
            )

        await self._writer.write(unit)
