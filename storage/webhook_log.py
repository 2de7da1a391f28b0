"""What the sender of webhooks reads and keeps: the next change for each, judged when it is read, and how far each one is."""

from collections.abc import Iterable
from typing import NamedTuple

from storage.asking import readable
from storage.errors import NotFoundError
from storage.records import FIRST_BOARD, Head, Message
from storage.rows import IN_ANOTHER, IN_FIRST, epoch_of, note, to_message
from storage.tx import Nouns, Tx
from storage.webhooks import COLUMNS, Webhook, of_webhook

SENDER = "Longboard"
"""The actor in the audit log: no username has a capital."""
IS_OURS = "epoch = $1 AND epoch = (SELECT epoch FROM board)"
"""SQL: whether what is kept in memory, in this epoch, is of this database: it may have become an older copy of itself."""
OF_SENDER = ("base", "settled_at", "failures", "waited", "next_at", "succeeded_at", "failed_at", "error")
"""Columns that the sender keeps, besides `sent` and `told`, which only ever rise."""


class Next(NamedTuple):
    """What a webhook has to send next, at one moment."""

    webhook: Webhook
    head: Head
    """The board's floor and epoch; of the site, the rest."""
    now: int
    epoch: str
    """The site's."""
    message: Message | None
    """The first change after those that were sent, or None."""


class WebhookLog(Nouns):
    async def sending_webhooks(self) -> list[Webhook]:
        """Returns all that are neither paused nor switched off."""
        select = f"SELECT {COLUMNS} FROM webhooks WHERE paused_at IS NULL AND ended IS NULL ORDER BY id"
        return [Webhook(*row) for row in await self._read(lambda tx: tx.all(select))]

    async def next_for(self, webhook: Webhook) -> Next:
        """Returns what comes after `webhook.sent`, and the webhook as it is now. Raises NotFoundError if it is paused,
        switched off or removed, and NoRightError if its account may not read the board.
        """
        return await self._read(read_next, webhook)

    async def save_webhooks(self, webhooks: Iterable[Webhook]) -> None:
        """Keeps how far these are: all that the sender keeps, unless people have changed a webhook since."""
        rows = list(webhooks)

        async def unit(tx: Tx) -> None:
            begin = (
                "UPDATE webhooks SET epoch = $1, sent = $2, base = $3, told = $4 "
                "WHERE id = $5 AND epoch <> $1 AND $1 = (SELECT epoch FROM board)"
            )
            await tx.run_many(begin, [(one.epoch, one.sent, one.base, one.told, one.id) for one in rows])
            is_there = "AND $4 <= (SELECT seq FROM board)"  # else this is an older copy, and nobody has said so yet
            for column in ("sent", "told"):
                rising = f"UPDATE webhooks SET {column} = $2 WHERE {IS_OURS} AND id = $3 AND {column} < $2 AND $2 <= (SELECT seq FROM board)"
                await tx.run_many(rising, [(one.epoch, getattr(one, column), one.id) for one in rows])
            sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(OF_SENDER, 5))
            values = [
                (one.epoch, one.id, one.revision, one.sent, *(getattr(one, name) for name in OF_SENDER)) for one in rows
            ]
            await tx.run_many(
                f"UPDATE webhooks SET {sets} WHERE {IS_OURS} AND id = $2 AND revision = $3 {is_there}", values
            )

        await self._write(unit)

    async def end_webhook(self, webhook: Webhook, reason: str) -> bool:
        """Switches a webhook off, unless people have changed it since. Returns whether it did."""

        async def unit(tx: Tx) -> bool:
            end = "UPDATE webhooks SET ended = $1, revision = revision + 1, next_at = NULL WHERE id = $2 AND revision = $3"
            if not await tx.run(f"{end} AND ended IS NULL", reason, webhook.id, webhook.revision):
                return False
            await note(tx, None, "switch off", of_webhook(webhook), webhook.board_id, by=SENDER)
            return True

        return await self._write(unit)


class NoRightError(NotFoundError):
    """The account of a webhook may not read its board."""


async def read_next(tx: Tx, webhook: Webhook) -> Next:
    """Judges in the statement that reads. A suspended account reads nothing, also where everybody may."""
    is_first = webhook.board_id == FIRST_BOARD
    columns = ", ".join(f"webhooks.{name}" for name in Webhook._fields)
    newer = f"SELECT {IN_FIRST if is_first else IN_ANOTHER} AND seq > $2 ORDER BY seq LIMIT 1"
    board = "" if is_first else f"JOIN boards ON boards.id = webhooks.board_id AND {readable(4)} "
    row = await tx.one(
        f"SELECT {columns}, site.secret, site.epoch, site.seq, {'site' if is_first else 'boards'}.floor, "
        "site.access, site.boards, (SELECT now_ms()), newer.* FROM webhooks CROSS JOIN board AS site "
        "JOIN accounts AS owner ON owner.id = webhooks.account_id AND owner.suspended_at IS NULL AND owner.id = $4 "
        f"{board}LEFT JOIN ({newer}) AS newer ON true WHERE webhooks.id = $3 AND paused_at IS NULL AND ended IS NULL",
        *(webhook.board_id, webhook.sent, webhook.id, webhook.account_id),
        *(() if is_first else (None, False)),
    )
    if row is None:
        raise await reason(tx, webhook)
    width = len(Webhook._fields)
    secret, epoch, seq, floor, access, boards, at = row[width : width + 7]
    name = epoch if is_first else epoch_of(secret, epoch, webhook.board_id)
    head, found = Head(name, seq, floor, access, boards), row[width + 7 :]
    return Next(Webhook(*row[:width]), head, at, epoch, to_message(found) if found[0] is not None else None)


async def reason(tx: Tx, webhook: Webhook) -> NotFoundError:
    row = await tx.one(
        "SELECT account_id FROM webhooks WHERE id = $1 AND paused_at IS NULL AND ended IS NULL", webhook.id
    )
    has_right = row is None or row[0] != webhook.account_id  # it is somebody else's since it was read
    return NotFoundError(f"webhook {webhook.id}") if has_right else NoRightError(f"webhook {webhook.id}")
