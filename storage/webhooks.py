"""Outgoing webhooks: where the changes of a board are sent. Moderators of a board make and change them; webhook_log.py is
for sending.
"""

import urllib.parse
from typing import NamedTuple

from storage.asking import IS_MANAGER, read_judged
from storage.errors import NotFoundError, TooManyWebhooksError
from storage.hooks import check_keeps_hooks
from storage.records import DAY_MS, FIRST_BOARD, Account, Asker
from storage.rights import check_moderates
from storage.rows import note, table_of
from storage.tx import Nouns, Row, Tx

SHAPES = ("standard", "slack")
MOST_ON_BOARD = 10
MOST_WEBHOOKS = 200
"""Of a site. With 15 s for each try, and a minute between two, at most a quarter of those that hang are connected."""
MOST_BEHIND = 1000
"""Changes that are counted."""
OLD_SECRET_MS = DAY_MS
"""For how long the secret before also signs."""


class Webhook(NamedTuple):
    id: int
    board_id: int
    account_id: int
    """Whose it is: it sends what this account may read."""
    url: str
    shape: str
    secret: bytes
    old_secret: bytes | None
    """The one before, which also signs until `old_until`."""
    old_until: int | None
    created_at: int
    revision: int
    """Another one after each change by people: what the sender keeps does not overwrite that."""
    paused_at: int | None
    ended: str | None
    """Why it was switched off: `gone` (the receiver said so), `failing` (for a week), or `no_right` (its account can't read
    the board). None if it was not."""
    epoch: str
    """The site's, in which the cursors below mean something."""
    sent: int
    """The cursor: the number of the last change that the receiver has."""
    base: int
    """The cursor when the receiver last had everything: messages with greater ids may be new to it."""
    told: int
    """The floor of which the receiver was told."""
    settled_at: int
    """A time when the receiver had everything: a later edit is new to it."""
    failures: int
    """Tries that have failed since the last success."""
    waited: int
    """Milliseconds waited between them."""
    next_at: int | None
    """When the next try is, if the last one failed."""
    succeeded_at: int | None
    failed_at: int | None
    error: str | None
    """Why the last try failed: a code of net/webhooks/delivery.py, or a status."""

    @property
    def is_on(self) -> bool:
        return self.paused_at is None and self.ended is None

    @property
    def host(self) -> str:
        return urllib.parse.urlsplit(self.url).netloc


class Listed(NamedTuple):
    webhook: Webhook
    username: str
    behind: int
    """Changes that the receiver lacks, at most MOST_BEHIND."""


class WebhookChange(NamedTuple):
    """None leaves a thing as it is."""

    url: str | None = None
    is_paused: bool | None = None
    """False also switches on what was switched off. The account that does it then has the webhook."""
    skips: bool = False
    """When it goes on: whether the changes until now are left out."""
    secret: bytes | None = None


COLUMNS = ", ".join(Webhook._fields)


class Webhooks(Nouns):
    async def has_webhooks(self) -> bool:
        """Returns whether there are any that send."""
        return await self._read(lambda tx: exists(tx))

    async def webhooks_on(self, board_id: int, asker: Asker) -> list[Listed]:
        """Returns those of a board, to an asker who moderates it. Raises NotFoundError, NotAllowedError."""
        return await self._read(read_listed, board_id, asker)

    async def webhooks_off(self, account_id: int) -> list[Webhook]:
        """Returns those of an account that were switched off, but not by people."""
        select = f"SELECT {COLUMNS} FROM webhooks WHERE account_id = $1 AND ended IS NOT NULL ORDER BY id"
        rows = await self._read(lambda tx: tx.all(select, account_id))
        return [Webhook(*row) for row in rows]

    async def add_webhook(
        self, actor: Account, credential: int | None, board_id: int, url: str, shape: str, secret: bytes
    ) -> Listed:
        """Makes one that sends all changes after this moment. Raises NotFoundError, NotAllowedError, TooManyWebhooksError."""

        async def unit(tx: Tx) -> Listed:
            await check_keeps_hooks(tx, actor, credential, board_id)
            await check_has_room(tx, board_id)
            row = await tx.one(
                "INSERT INTO webhooks (board_id, account_id, url, shape, secret, created_at, settled_at, revision, epoch, "
                "sent, base, told, failures, waited) "
                "SELECT $1, $2, $3, $4, $5, now_ms(), now_ms(), 0, epoch, seq, seq, seq, 0, 0 "
                f"FROM board RETURNING {COLUMNS}",
                *(board_id, actor.id, url, shape, secret),
            )
            assert row is not None
            made = Webhook(*row)
            await note(tx, actor, "make", of_webhook(made), board_id)
            return Listed(made, actor.username, 0)

        return await self._write(unit)

    async def change_webhook(
        self, actor: Account, credential: int | None, board_id: int, id: int, change: WebhookChange
    ) -> Listed:
        """Returns it as it is then. Raises NotFoundError, NotAllowedError."""

        async def unit(tx: Tx) -> Listed:
            await check_keeps_hooks(tx, actor, credential, board_id)
            await apply(tx, actor, await find(tx, board_id, id), change)
            row = await tx.one(f"{listing(board_id)} AND webhooks.id = $2", board_id, id)
            assert row is not None
            return to_listed(row)

        return await self._write(unit)

    async def remove_webhook(self, actor: Account, credential: int | None, board_id: int, id: int) -> None:
        """Raises NotFoundError, NotAllowedError."""

        async def unit(tx: Tx) -> None:
            await check_keeps_hooks(tx, actor, credential, board_id)
            await note(tx, actor, "remove", of_webhook(await find(tx, board_id, id)), board_id)
            await tx.run("DELETE FROM webhooks WHERE id = $1", id)

        await self._write(unit)


def of_webhook(webhook: Webhook) -> str:
    """For the audit log: never with the path, which often is a secret."""
    return f"outgoing webhook {webhook.id} to {webhook.host}"


async def exists(tx: Tx) -> bool:
    return await tx.one("SELECT 1 FROM webhooks WHERE paused_at IS NULL AND ended IS NULL LIMIT 1") is not None


def listing(board_id: int) -> str:
    """SQL: what to_listed() takes, of the webhooks on board $1."""
    changes = f"SELECT 1 FROM {table_of(board_id)} WHERE seq > webhooks.sent"
    if board_id != FIRST_BOARD:
        changes += " AND board_id = webhooks.board_id"
    behind = f"(SELECT count(*) FROM ({changes} LIMIT {MOST_BEHIND}) AS newer)"
    owner = "(SELECT username FROM accounts WHERE accounts.id = webhooks.account_id)"
    return f"SELECT {COLUMNS}, {owner}, {behind} FROM webhooks WHERE board_id = $1"


def to_listed(row: Row) -> Listed:
    return Listed(Webhook(*row[:-2]), *row[-2:])


async def read_listed(tx: Tx, board_id: int, asker: Asker) -> list[Listed]:
    select = listing(board_id)
    if board_id == FIRST_BOARD:
        await check_moderates(tx, asker.account_id or 0)
        rows = await tx.all(f"{select} ORDER BY id", board_id)
    else:
        rows = await read_judged(tx, asker, select, "id", board_id, also=IS_MANAGER)
    return [to_listed(row) for row in rows]


async def check_has_room(tx: Tx, board_id: int) -> None:
    """Raises TooManyWebhooksError."""
    row = await tx.one("SELECT count(*), sum(CASE WHEN board_id = $1 THEN 1 ELSE 0 END) FROM webhooks", board_id)
    if row is not None and (row[0] >= MOST_WEBHOOKS or (row[1] or 0) >= MOST_ON_BOARD):
        raise TooManyWebhooksError(f"{row[0]} on the site, {row[1]} on board {board_id}")


async def find(tx: Tx, board_id: int, id: int) -> Webhook:
    """Raises NotFoundError."""
    row: Row | None = await tx.one(f"SELECT {COLUMNS} FROM webhooks WHERE id = $1 AND board_id = $2", id, board_id)
    if row is None:
        raise NotFoundError(f"webhook {id}")
    return Webhook(*row)


async def apply(tx: Tx, actor: Account, webhook: Webhook, change: WebhookChange) -> None:
    """Makes the change, and writes each of its parts to the audit log. What goes on is tried at once."""
    done, changed = list[str](), "revision = revision + 1"
    if change.url is not None and change.url != webhook.url:
        done.append("change")
        await tx.run("UPDATE webhooks SET url = $1 WHERE id = $2", change.url, webhook.id)
        webhook = webhook._replace(url=change.url)
    if change.secret is not None:
        done.append("new secret")
        rotate = "UPDATE webhooks SET old_secret = secret, old_until = now_ms() + $1, secret = $2 WHERE id = $3"
        await tx.run(rotate, OLD_SECRET_MS, change.secret, webhook.id)
    if change.is_paused and webhook.is_on:
        done.append("pause")
        changed += ", paused_at = now_ms()"
    if change.is_paused is False and not webhook.is_on:
        done.append("resume")
        changed += ", paused_at = NULL, ended = NULL"
        await tx.run("UPDATE webhooks SET account_id = $1 WHERE id = $2", actor.id, webhook.id)
        if change.skips:
            await tx.run("UPDATE webhooks SET sent = (SELECT seq FROM board) WHERE id = $1", webhook.id)
            await tx.run("UPDATE webhooks SET base = sent, settled_at = now_ms() WHERE id = $1", webhook.id)
    if not done:
        return
    again = "failures = 0, waited = 0, next_at = NULL, error = NULL, failed_at = NULL"
    await tx.run(f"UPDATE webhooks SET {changed}, {again} WHERE id = $1", webhook.id)
    for action in done:
        await note(tx, actor, action, of_webhook(webhook), webhook.board_id)
