"""Removes words that were deleted or edited away from PostgreSQL's files, as far as that is possible.

PostgreSQL keeps old versions of rows until a VACUUM, and a GIN index keeps each word it ever had. So at most once
a day, and only if something was deleted or edited or an account has changed, the tables are vacuumed and the indexes
with words are rebuilt beside the old ones, while the board runs. Some words stay in the free space of the tables'
pages, until new rows overwrite it, and in the database's log and backups: docs/operations.md says so.
"""

import logging
from typing import TYPE_CHECKING

from storage.postgres.connection import CONNECT_SECONDS, FAULTS, connect, reason
from storage.tables import TABLES

if TYPE_CHECKING:
    from storage.postgres.connection import Database, Link

log = logging.getLogger("longboard")

EVERY_MS = 86_400_000
SECONDS = 3600.0
"""For one statement: a million messages take about a minute."""
LOCK = "SELECT pg_try_advisory_lock(1282371175, 3)"
WITH_WORDS = ("messages", "posts")
"""The tables of messages. A comment on each says how far the last run came with it. Nodes of the last release know only
the first table, and ignore the parts of its comment that are new.
"""
MARK = "scrubbed"
"""The first word of such a comment."""


async def is_due(db: "Database | Link") -> bool:
    comments = ", ".join(f"obj_description('{table}'::regclass, 'pg_class')" for table in WITH_WORDS)
    row = await db.fetchrow(f"SELECT seq, access, now_ms(), boards, {comments} FROM board")
    seq, access, now, boards, *marks = row or (0, 0, 0, 0)
    for table, comment in zip(WITH_WORDS if boards else WITH_WORDS[:1], marks, strict=False):
        last_seq, last_access, last_at = read_mark(comment)
        if now - last_at < EVERY_MS or (seq, access) == (last_seq, last_access):
            continue
        gone = f"SELECT EXISTS (SELECT FROM {table} WHERE seq > $1 AND (body IS NULL OR edited_at IS NOT NULL))"
        if access != last_access or await db.fetchval(gone, last_seq):
            return True
    return False


def read_mark(comment: str | None) -> tuple[int, int, int]:
    words = (comment or "").split()
    if len(words) == 4 and words[0] == MARK and all(word.isdecimal() for word in words[1:]):
        return int(words[1]), int(words[2]), int(words[3])
    return 0, 0, 0


async def scrub(url: str) -> None:
    """Runs on a separate connection, one node at a time. Raises nothing: logs failures; a later call tries again."""
    try:
        db = await connect(url, SECONDS)
    except FAULTS as error:
        log.warning("Deleted words can't be taken out of the database's files now: %s", reason(error))
        return
    try:
        if await db.fetchval(LOCK) and await is_due(db):
            await scrub_all(db)
    except FAULTS as error:
        log.warning("Deleted words could not be taken out of the database's files: %s", reason(error))
    finally:
        db.terminate()


async def scrub_all(db: "Link") -> None:
    seq, access, now = await db.fetchrow("SELECT seq, access, now_ms() FROM board") or (0, 0, 0)
    await db.execute(
        f"SET lock_timeout = '{CONNECT_SECONDS * 20:.0f} s'"
    )  # it waits for readers, but nobody waits for it
    for name in await db.fetch(HALF_MADE):
        await db.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name[0]}")
    for table in TABLES:
        await db.execute(f"VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF) {table}")
    for table in WITH_WORDS:
        await db.execute(f"REINDEX INDEX CONCURRENTLY {table}_by_words")
    for table in ("accounts", "identities"):
        await db.execute(f"REINDEX TABLE CONCURRENTLY {table}")
    for table in WITH_WORDS:
        await db.execute(f"COMMENT ON TABLE {table} IS '{MARK} {seq:d} {access:d} {now:d}'")


HALF_MADE = """
    SELECT quote_ident(relname) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'longboard' AND NOT indisvalid AND relname ~ '_cc(new|old)[0-9]*$'"""
"""Indexes that were left incomplete because a node died while it rebuilt them."""
