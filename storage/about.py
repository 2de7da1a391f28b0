"""What is kept about one account, besides the records that everything else uses, for its owner's download."""

import dataclasses
from typing import NamedTuple

from storage.asking import BOARD, on_readable, to_board, values
from storage.audit import AuditEntry
from storage.records import Account, Asker, Board, Message
from storage.rows import COLUMNS, ENTRY, EVERYWHERE, to_message
from storage.tx import Nouns, Tx
from storage.webhooks import COLUMNS as WEBHOOK
from storage.webhooks import Webhook


class Posted(NamedTuple):
    """What is kept of one of the account's posts, also of a deleted one."""

    message: Message
    key: str | None
    address: str | None


class MadeHook(NamedTuple):
    """What is kept of an incoming webhook, for the member who made it: only what that member did, and not what has become
    of it. That is told to those who moderate the board now.
    """

    id: int
    account_id: int
    board_id: int
    created_at: int


@dataclasses.dataclass(frozen=True, slots=True)
class Notes:
    """The small things that storage notes about an account: times, its boards, and its invitations to others."""

    links_until: list[int]
    """When its links for a new password run out."""
    access_changes: list[int]
    """When something about its rights or ways in changed. Kept for a day, so that every process reads it again."""
    boards: list[Board] = dataclasses.field(default_factory=list)
    invitations: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    """The board and the time of each."""
    marks: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    """The board of each read mark, and the newest message seen there."""
    hooks: list[MadeHook] = dataclasses.field(default_factory=list)
    """The incoming webhooks that it has made on boards that it may read now."""
    webhooks: list[Webhook] = dataclasses.field(default_factory=list)


class About(Nouns):
    """What is kept about an account, for its owner. Each list continues after a given id."""

    _about_its_message: str
    """SQL: whether an entry of the audit log is about a message of account $1, whose username has been $2 since $3.

    storage/audit.py words such entries; older ones don't name the author.
    """

    async def posted_by(self, account_id: int, after: int, limit: int) -> list[Posted]:
        """Returns what the account has posted, also what was deleted since, by id."""
        return await self._read(read_posted, account_id, after, limit)

    async def notes_about(self, account_id: int) -> Notes:
        return await self._read(read_notes, account_id)

    async def audit_about(self, account: Account, after: int, limit: int) -> list[AuditEntry]:
        """Returns what the account did, and what was done to it or to one of its messages, the oldest first."""
        return await self._read(read_audit_about, self._about_its_message, account, after, limit)


async def read_posted(tx: Tx, account_id: int, after: int, limit: int) -> list[Posted]:
    rows = await tx.all(
        f"SELECT {COLUMNS}, board_id, key, address FROM {EVERYWHERE} WHERE author_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        account_id,
        after,
        limit,
    )
    return [Posted(to_message(columns), key, address) for *columns, key, address in rows]


async def read_notes(tx: Tx, account_id: int) -> Notes:
    links = await tx.all("SELECT expires_at FROM links WHERE account_id = $1 ORDER BY 1", account_id)
    changes = await tx.all("SELECT at FROM access_changes WHERE account_id = $1 ORDER BY number", account_id)
    boards = await tx.all(f"SELECT {BOARD} FROM boards WHERE owner_id = $1 ORDER BY id", account_id)
    invitations = await tx.all("SELECT board_id, at FROM invitations WHERE account_id = $1 ORDER BY id", account_id)
    marks = await tx.all("SELECT board_id, last_read FROM marks WHERE account_id = $1 ORDER BY board_id", account_id)
    columns = ", ".join(MadeHook._fields)
    made = f"made_by = $4 AND {on_readable('hooks', 1)}"
    hooks = await tx.all(
        f"SELECT {columns} FROM hooks WHERE {made} ORDER BY id", *values(Asker(account_id)), account_id
    )
    webhooks = await tx.all(f"SELECT {WEBHOOK} FROM webhooks WHERE account_id = $1 ORDER BY id", account_id)
    return Notes(
        [until for (until,) in links],
        [at for (at,) in changes],
        list(map(to_board, boards)),
        [(board_id, at) for board_id, at in invitations],
        [(board_id, id) for board_id, id in marks],
        [MadeHook(*row) for row in hooks],
        [Webhook(*row) for row in webhooks],
    )


async def read_audit_about(
    tx: Tx, is_about_its_message: str, account: Account, after: int, limit: int
) -> list[AuditEntry]:
    # The username may have belonged to an earlier account, which is deleted.
    # What is about a board may have an old name of it, with any words: that is for those who read the board.
    invitation = "action IN ('invite', 'uninvite') AND substr(target, length(target) - length($2) - 1) = ', ' || $2"
    message = f"target NOT LIKE 'board %' AND ({is_about_its_message})"
    about = f"(actor_id = $1 OR at >= $3 AND (target = $2 OR {invitation}) OR {message})"
    rows = await tx.all(
        f"SELECT {ENTRY} FROM audit WHERE id > $4 AND {about} ORDER BY id LIMIT $5",
        account.id,
        account.username,
        account.created_at,
        after,
        limit,
    )
    return [AuditEntry(*row) for row in rows]
