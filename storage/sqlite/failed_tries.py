"""Counts of failed sign-ins, in SQLite."""

import sqlite3
from collections.abc import Mapping

from storage.failed_tries import FailedTries
from storage.sqlite.connection import Engine


class FailedTriesOf(Engine):
    async def failed_tries(self, account_id: int) -> FailedTries:
        def read(db: sqlite3.Connection) -> FailedTries:
            row = db.execute("SELECT since, earlier FROM failed_tries WHERE account_id = ?", (account_id,)).fetchone()
            return FailedTries(*row or (0, 0))

        return await self._reader.read(read)

    async def add_failed_tries(self, counts: Mapping[int, int]) -> None:
        def unit(db: sqlite3.Connection) -> None:
            db.executemany(
                "INSERT INTO failed_tries SELECT id, ?, 0 FROM accounts WHERE id = ? "
                "ON CONFLICT DO UPDATE SET since = since + excluded.since",
                [(count, account_id) for account_id, count in counts.items()],
            )

        await self._writer.write(unit)

    async def note_sign_in(self, account_id: int, failed_before: int) -> None:
        def unit(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO failed_tries SELECT id, 0, ? FROM accounts WHERE id = ? "
                "ON CONFLICT DO UPDATE SET since = 0, earlier = since + excluded.earlier",
                (failed_before, account_id),
            )

        await self._writer.write(unit)
