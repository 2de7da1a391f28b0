"""What is kept about one account, for its owner, in PostgreSQL."""

from typing import TYPE_CHECKING

from storage.about import Notes, Posted
from storage.postgres.rows import COLUMNS, Engine, to_message
from storage.records import Account, AuditEntry

if TYPE_CHECKING:
    from storage.postgres.connection import Database

ABOUT_ITS_MESSAGE = (
    "EXISTS (SELECT FROM messages WHERE author_id = $1 "
    "AND id = substring(target FROM 'message ([0-9]{1,18})')::bigint) "
    "OR at >= $3 AND target ~ ('message [0-9]+( by|,) ' || $2 || '( |$)')"
)
"""Of an entry of the audit log, as storage/audit.py words it. Older ones don't name the author."""


class About(Engine):
    async def posted_by(self, account_id: int, after: int, limit: int) -> list[Posted]:
        return await self._reader.read(read_posted, account_id, after, limit)

    async def notes_about(self, account_id: int) -> Notes:
        return await self._reader.read(read_notes, account_id)

    async def audit_about(self, account: Account, after: int, limit: int) -> list[AuditEntry]:
        return await self._reader.read(read_audit_about, account, after, limit)


async def read_posted(db: "Database", account_id: int, after: int, limit: int) -> list[Posted]:
    rows = await db.fetch(
        f"SELECT {COLUMNS}, key, address FROM messages WHERE author_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        account_id,
        after,
        limit,
    )
    return [Posted(to_message(columns), key, address) for *columns, key, address in rows]


async def read_notes(db: "Database", account_id: int) -> Notes:
    links = await db.fetch("SELECT expires_at FROM links WHERE account_id = $1 ORDER BY 1", account_id)
    changes = await db.fetch("SELECT at FROM access_changes WHERE account_id = $1 ORDER BY number", account_id)
    return Notes([until for (until,) in links], [at for (at,) in changes])


async def read_audit_about(db: "Database", account: Account, after: int, limit: int) -> list[AuditEntry]:
    # A username may have been somebody else's before, whose account is gone.
    about = f"(actor_id = $1 OR target = $2 AND at >= $3 OR {ABOUT_ITS_MESSAGE})"
    rows = await db.fetch(
        f"SELECT id, at, actor_id, actor_name, action, target FROM audit WHERE id > $4 AND {about} ORDER BY id LIMIT $5",
        account.id,
        account.username,
        account.created_at,
        after,
        limit,
    )
    return [AuditEntry(*row) for row in rows]
