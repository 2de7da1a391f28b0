"""What is kept about one account, for its owner, in SQLite."""

import sqlite3

from storage.about import Notes, Posted
from storage.records import Account, AuditEntry
from storage.sqlite.connection import Engine
from storage.sqlite.rows import COLUMNS, to_message

MESSAGE = "substr(target, instr(target, 'message ') + 8)"
ABOUT_ITS_MESSAGE = (
    "target LIKE '%message %' AND (EXISTS "
    f"(SELECT 1 FROM messages WHERE author_id = ?1 AND id = CAST({MESSAGE} AS INTEGER)) "
    f"OR at >= ?3 AND (instr({MESSAGE} || ' ', ' by ' || ?2 || ' ') OR instr({MESSAGE} || ' ', ', ' || ?2 || ' ')))"
)
"""Of an entry of the audit log, as storage/audit.py words it. Older ones don't name the author."""


class About(Engine):
    async def posted_by(self, account_id: int, after: int, limit: int) -> list[Posted]:
        return await self._reader.read(read_posted, account_id, after, limit)

    async def notes_about(self, account_id: int) -> Notes:
        return await self._reader.read(read_notes, account_id)

    async def audit_about(self, account: Account, after: int, limit: int) -> list[AuditEntry]:
        return await self._reader.read(read_audit_about, account, after, limit)


def read_posted(db: sqlite3.Connection, account_id: int, after: int, limit: int) -> list[Posted]:
    rows = db.execute(
        f"SELECT {COLUMNS}, key, address FROM messages WHERE author_id = ? AND id > ? ORDER BY id LIMIT ?",
        (account_id, after, limit),
    )
    return [Posted(to_message(row[:-2]), *row[-2:]) for row in rows]


def read_notes(db: sqlite3.Connection, account_id: int) -> Notes:
    links = db.execute("SELECT expires_at FROM links WHERE account_id = ? ORDER BY 1", (account_id,))
    changes = db.execute("SELECT at FROM access_changes WHERE account_id = ? ORDER BY number", (account_id,))
    return Notes([until for (until,) in links], [at for (at,) in changes])


def read_audit_about(db: sqlite3.Connection, account: Account, after: int, limit: int) -> list[AuditEntry]:
    # A username may have been somebody else's before, whose account is gone.
    about = f"(actor_id = ?1 OR target = ?2 AND at >= ?3 OR {ABOUT_ITS_MESSAGE})"
    rows = db.execute(
        f"SELECT id, at, actor_id, actor_name, action, target FROM audit WHERE id > ?4 AND {about} ORDER BY id LIMIT ?5",
        (account.id, account.username, account.created_at, after, limit),
    )
    return [AuditEntry(*row) for row in rows]
