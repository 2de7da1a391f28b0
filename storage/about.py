"""What is kept about one account besides the records that everything else uses: for its owner's download."""

import dataclasses

from storage.records import Account, AuditEntry, Message
from storage.rows import COLUMNS, to_message
from storage.tx import Nouns, Tx


@dataclasses.dataclass(frozen=True, slots=True)
class Posted:
    """What is kept of a post of the account's, also of a deleted one."""

    message: Message
    key: str | None
    address: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Notes:
    """Times of the small things that storage notes about an account."""

    links_until: list[int]
    """When its links for a new password run out."""
    access_changes: list[int]
    """When something about its rights or ways in changed: kept for a day, so that every process looks again."""


class About(Nouns):
    """What is kept about an account, for its owner. Each list goes on after a number."""

    _about_its_message: str
    """SQL: whether an entry of the audit log is about a message of account $1, whose username is $2 since $3.

    Such entries are worded by storage/audit.py; older ones don't name the author.
    """

    async def posted_by(self, account_id: int, after: int, limit: int) -> list[Posted]:
        """What it posted, also what is deleted by now, by id."""

        return await self._read(read_posted, account_id, after, limit)

    async def notes_about(self, account_id: int) -> Notes:
        return await self._read(read_notes, account_id)

    async def audit_about(self, account: Account, after: int, limit: int) -> list[AuditEntry]:
        """What it did, and what was done to it or to a message of its, the oldest first."""

        return await self._read(read_audit_about, self._about_its_message, account, after, limit)


async def read_posted(tx: Tx, account_id: int, after: int, limit: int) -> list[Posted]:
    rows = await tx.all(
        f"SELECT {COLUMNS}, key, address FROM messages WHERE author_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        account_id,
        after,
        limit,
    )
    return [Posted(to_message(columns), key, address) for *columns, key, address in rows]


async def read_notes(tx: Tx, account_id: int) -> Notes:
    links = await tx.all("SELECT expires_at FROM links WHERE account_id = $1 ORDER BY 1", account_id)
    changes = await tx.all("SELECT at FROM access_changes WHERE account_id = $1 ORDER BY number", account_id)
    return Notes([until for (until,) in links], [at for (at,) in changes])


async def read_audit_about(
    tx: Tx, is_about_its_message: str, account: Account, after: int, limit: int
) -> list[AuditEntry]:
    # A username may have been somebody else's before, whose account is gone.
    about = f"(actor_id = $1 OR target = $2 AND at >= $3 OR {is_about_its_message})"
    rows = await tx.all(
        f"SELECT id, at, actor_id, actor_name, action, target FROM audit WHERE id > $4 AND {about} ORDER BY id LIMIT $5",
        account.id,
        account.username,
        account.created_at,
        after,
        limit,
    )
    return [AuditEntry(*row) for row in rows]
