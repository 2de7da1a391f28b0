"""Housekeeping: what leaves the database by itself, because its time is over or what it belonged to is gone."""

from collections.abc import Mapping

from storage.accounts import rename_author
from storage.board_ends import clear_deleted, read_deleted
from storage.hook_posts import REPEAT_MS
from storage.hooks import end_hook, read_ended, read_idle_bot, remove_idle_bot
from storage.records import ADDRESS_DAYS, DAY_MS, DELETED_NAME
from storage.removal import REMOVED_AT_ONCE
from storage.rows import EVERYWHERE, raise_floor
from storage.tables import TABLES
from storage.tx import Nouns, Tx

AUTHORS_AT_ONCE = 1000
"""Authors that one read looks at: a few milliseconds."""


class Housekeeping(Nouns):
    async def forget(self, sessions_before: int, tokens_before: int, bots_before: int = 0) -> None:
        """Deletes credentials last used before these times; old links, blocks and rows of suspensions;
        addresses after 30 days; codes of deletions after two years; what is left of deleted boards, also their webhooks; accounts of revoked webhooks of
        which all messages were deleted; what is remembered of webhooks' posts to find repetitions.
        """
        while (board_id := await self._read(read_deleted)) is not None:
            await self._write(lambda tx, board_id=board_id: clear_deleted(tx, board_id))  # type: ignore[misc]
        while (hook := await self._read(read_ended)) is not None:
            await self._write(lambda tx, hook=hook: end_hook(tx, *hook))  # type: ignore[misc]
        while await self._read(read_idle_bot) is not None:
            await self._write(remove_idle_bot)
        before = {"session": sessions_before, "token": tokens_before, "bot": bots_before}
        await self._write(lambda tx: forget(tx, before))
        while ids := await self._read(read_old_addresses):
            await self._write(lambda tx, ids=ids: forget_addresses(tx, ids))  # type: ignore[misc]
        last: int | None = 0
        while last is not None:
            gone, last = await self._read(read_gone_authors, last)
            for author_id in gone:
                await self._write(lambda tx, id=author_id: erase_author(tx, id))  # type: ignore[misc]


async def read_gone_authors(tx: Tx, after: int) -> tuple[list[int], int | None]:
    """Returns those of the next AUTHORS_AT_ONCE authors on other boards than the first whose accounts are gone, but not
    their names: a node of the last release has deleted them. And where to go on, if there are more.

    An author is erased in one transaction, so one message tells of all. Each author costs a look at an index.
    """
    newest = "SELECT author_name FROM posts WHERE author_id = authors.id AND body IS NOT NULL ORDER BY id DESC LIMIT 1"
    rows = await tx.all(
        "WITH RECURSIVE authors (id, place) AS (SELECT min(author_id), 1 FROM posts WHERE author_id > $1 UNION ALL "
        "SELECT (SELECT min(author_id) FROM posts WHERE author_id > authors.id), place + 1 FROM authors "
        "WHERE id IS NOT NULL AND place < $2) "
        "SELECT id, NOT EXISTS (SELECT 1 FROM accounts WHERE accounts.id = authors.id) "
        f"AND ({newest}) <> $3 FROM authors WHERE id IS NOT NULL ORDER BY id",
        *(after, AUTHORS_AT_ONCE, DELETED_NAME),
    )
    return [id for id, is_gone in rows if is_gone], rows[-1][0] if len(rows) == AUTHORS_AT_ONCE else None


async def erase_author(tx: Tx, account_id: int) -> None:
    await raise_floor(tx, await rename_author(tx, account_id, DELETED_NAME, erases=True))


async def forget(tx: Tx, before: Mapping[str, int]) -> None:
    """`before` has a time for each kind of credential: those that were last used before it have expired.

    (SELECT now_ms()) is evaluated once, now_ms() for each row.
    """
    for kind, time in before.items():
        await tx.run("DELETE FROM credentials WHERE kind = $1 AND last_used_at < $2", kind, time)
    recent = "UPDATE hooks SET recent = NULL WHERE recent IS NOT NULL AND last_used_at < (SELECT now_ms()) - $1"
    await tx.run(recent, REPEAT_MS)
    for name, table in TABLES.items():
        if table.ends is not None:
            column, days = table.ends
            await tx.run(f"DELETE FROM {name} WHERE {column} < (SELECT now_ms()) - $1", days * DAY_MS)


async def read_old_addresses(tx: Tx) -> list[int]:
    """Returns the ids of messages whose address must be deleted, some at a time."""
    where = "address IS NOT NULL AND created_at < (SELECT now_ms()) - $1"
    select = f"SELECT id FROM {EVERYWHERE} WHERE {where} LIMIT $2"
    return [id for (id,) in await tx.all(select, ADDRESS_DAYS * DAY_MS, REMOVED_AT_ONCE)]


async def forget_addresses(tx: Tx, ids: list[int]) -> None:
    for table in ("messages", "posts"):
        await tx.run(f"UPDATE {table} SET address = NULL WHERE id IN ({', '.join(map(str, ids))})")
