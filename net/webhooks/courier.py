"""Sends the changes of one board to one receiver, in order and at least once."""

import asyncio
import functools
import logging

from board.site import Site
from net.webhooks.clock import Time
from net.webhooks.delivery import AT_ONCE, Delivery, Outcome, StaleError
from net.webhooks.events import SETTLED_MS, Event, next_event, secrets_of
from net.webhooks.schedule import is_over, left, pause_after
from storage.errors import NotFoundError, UnavailableError
from storage.webhook_log import Next, NoRightError
from storage.webhooks import Webhook

log = logging.getLogger("longboard")

AGAIN_SECONDS = 5.0
"""Pause while storage can't be read."""
MOST_HAD = 1000
"""Messages of which a courier remembers what the receiver has of them."""


class Desk:
    """What the couriers of a site share. `changed` is set when people have changed a webhook; `to_save`, when there is
    something to save.
    """

    def __init__(self, site: Site, delivery: Delivery, link: str = "", time: Time | None = None) -> None:
        self.storage, self.waiters = site.storage, site.waiters
        self.changed, self.to_save = site.webhook_news, asyncio.Event()
        self.delivery = delivery
        self.link = link
        self.time = time or Time()
        self.slots = asyncio.Semaphore(AT_ONCE)
        self.couriers: dict[int, Courier] = {}
        self.unsaved: dict[int, Courier] = {}
        """By the webhook: one that began after another one has its cursors."""
        self.is_waiting = False

    def drop(self, courier: "Courier") -> None:
        """Ends a courier, also in the middle of a try: nobody waits for its outcome any more."""
        if self.couriers.get(courier.webhook.id) is courier:
            del self.couriers[courier.webhook.id]
        if courier.task is not asyncio.current_task():
            courier.task.cancel()

    def has_to_save(self, courier: "Courier") -> None:
        self.unsaved[courier.webhook.id] = courier
        self.to_save.set()

    async def save(self) -> None:
        saving, self.unsaved = self.unsaved, {}
        try:
            await self.storage.save_webhooks([courier.webhook for courier in saving.values()])
        except UnavailableError as error:
            self.unsaved = saving | self.unsaved
            self.to_save.set()
            self.wait_for_storage(error)

    def wait_for_storage(self, error: UnavailableError) -> None:
        """Logged once, until storage can be read again."""
        if not self.is_waiting:
            log.warning("Webhooks have to wait for storage: %s", error)
        self.is_waiting = True


class Courier:
    """Between two events it keeps little more than the row of the webhook in memory: what is sent is read, and judged,
    right before.
    """

    def __init__(self, desk: Desk, webhook: Webhook) -> None:
        self.desk, self.webhook = desk, webhook
        self.news = asyncio.Event()
        self.news.set()
        time = desk.time
        pause = left(webhook, time.now_ms())
        self.due = time.monotonic() + pause if pause else None
        self.hurry = asyncio.Event()
        """Ends a pause: what people have changed is tried at once."""
        self.seen = 0
        """The site's last change when the receiver had everything."""
        self.had: dict[int, int | None] = {}
        """By the message: the time of the last edit that the receiver has. Of those that base and settled_at don't tell."""
        self.task = asyncio.create_task(self.run())
        self.task.add_done_callback(functools.partial(tell, webhook))

    def take(self, row: Webhook) -> None:
        """Follows what people have changed. A row that was read before another one, and is looked at after it, is old."""
        if row.revision > self.webhook.revision:
            self.webhook = with_cursors(row, self.webhook)
            self.had.clear()
            self.due = None
            self.news.set()
            self.hurry.set()

    def look(self) -> None:
        """Looks for what deliver() said nothing of, such as a new floor, or another database."""
        directory, webhook = self.desk.waiters.directory, self.webhook
        board = directory.of(webhook.board_id)
        is_other = directory.first.epoch != webhook.epoch
        if board is None or is_other or board.seq > max(webhook.sent, self.seen) or board.floor > webhook.told:
            self.news.set()

    async def run(self) -> None:
        while self.desk.couriers.get(self.webhook.id) is self:
            await self.until_due()
            async with self.desk.slots:
                try:
                    await self.step_or_end()
                except NotFoundError:
                    self.desk.drop(self)
                    return
                except UnavailableError:
                    self.due = self.desk.time.monotonic() + AGAIN_SECONDS
                except StaleError:
                    self.news.set()

    async def until_due(self) -> None:
        self.hurry.clear()
        while self.due is not None and (pause := self.due - self.desk.time.monotonic()) > 0:
            await self.desk.time.wait(self.hurry, pause)
        if self.due is None:
            await self.news.wait()

    async def step_or_end(self) -> None:
        """Raises NotFoundError, UnavailableError, StaleError."""
        try:
            await self.step()
        except NoRightError:
            await self.end("no_right")

    async def step(self) -> None:
        """Reads what is next and sends it. Raises NotFoundError, UnavailableError, StaleError."""
        self.news.clear()
        found = await self.desk.storage.next_for(self.webhook)
        if found.epoch != self.webhook.epoch:
            self.begin_again(found)
            return
        if found.webhook.revision != self.webhook.revision:
            self.take(found.webhook)
            self.news.set()
            return
        found = found._replace(webhook=self.webhook)
        event = next_event(found, self.had, self.desk.link)
        if event is None:
            self.settle(found)
            return
        outcome = await self.post(found, event)
        if outcome is None or outcome.error is None:
            self.succeed(found, event, was_sent=outcome is not None)
        else:
            await self.fail(found, outcome)

    def begin_again(self, found: Next) -> None:
        """In an older copy of the database, or another one: only its row says what of it the receiver has. A floor that was
        not told makes it read the board again.
        """
        row, newest = found.webhook, found.head.seq
        self.webhook = row._replace(
            epoch=found.epoch, sent=min(row.sent, newest), base=min(row.base, newest), told=NOT_TOLD
        )
        self.had.clear()
        self.due, self.seen = None, 0
        self.news.set()
        self.desk.has_to_save(self)

    def settle(self, found: Next) -> None:
        """The receiver has everything."""
        self.due, self.seen = None, found.head.seq
        if self.webhook.base != self.webhook.sent:
            self.desk.has_to_save(self)
        self.webhook = self.webhook._replace(base=self.webhook.sent, settled_at=found.now - SETTLED_MS)
        self.had = {id: at for id, at in self.had.items() if at is not None and at > self.webhook.settled_at}

    async def post(self, found: Next, event: Event) -> Outcome | None:
        """Returns None for what this receiver doesn't get."""
        if event.body is None:
            return None
        webhook, post = self.webhook, self.desk.delivery.post
        secrets = secrets_of(webhook, found.now)
        return await post(webhook.url, secrets, event.id, event.body, lambda: self.is_current(found))

    def is_current(self, found: Next) -> bool:
        """Whether nothing has changed since about any account or board, as far as this process knows, nor about this webhook."""
        waiters, is_wanted = self.desk.waiters, self.desk.couriers.get(self.webhook.id) is self
        has_rights = waiters.access <= found.head.access and waiters.directory.changed <= found.head.boards
        return is_wanted and has_rights and self.webhook.revision == found.webhook.revision

    def succeed(self, found: Next, event: Event, *, was_sent: bool) -> None:
        if event.type == "reset":
            self.webhook = self.webhook._replace(told=max(found.head.floor, self.webhook.told))
        else:
            assert found.message is not None
            self.webhook = self.webhook._replace(sent=max(found.message.seq, self.webhook.sent))
            self.had[found.message.id] = found.message.edited_at
            if len(self.had) > MOST_HAD:
                del self.had[next(iter(self.had))]
        if self.webhook.revision == found.webhook.revision:  # else what has succeeded is not as it was
            self.webhook = self.webhook._replace(next_at=None)
            if was_sent:  # what is left out says nothing of the receiver
                now = self.desk.time.now_ms()
                self.webhook = self.webhook._replace(failures=0, waited=0, error=None, succeeded_at=now)
        self.due = None
        self.news.set()
        self.desk.has_to_save(self)

    async def fail(self, found: Next, outcome: Outcome) -> None:
        time, webhook = self.desk.time, self.webhook
        if webhook.revision != found.webhook.revision:  # what has failed is not as it was
            self.news.set()
            return
        pause = pause_after(webhook, outcome.retry_after)
        self.due = time.monotonic() + pause
        self.webhook = webhook._replace(
            failures=webhook.failures + 1,
            waited=webhook.waited + round(1000 * pause),
            next_at=time.now_ms() + round(1000 * pause),
            failed_at=time.now_ms(),
            error=outcome.error,
        )
        self.desk.has_to_save(self)
        if outcome.error == "410":
            await self.end("gone")
        elif is_over(self.webhook):
            await self.end("failing")

    async def end(self, reason: str) -> None:
        """Switches the webhook off. People find that on its page, on the account page of whose it is, and in the audit log."""
        webhook = self.webhook
        await self.desk.save()
        if await self.desk.storage.end_webhook(webhook, reason):
            log.warning("Outgoing webhook %d to %s was switched off: %s", webhook.id, webhook.host, REASONS[reason])
        self.desk.drop(self)


NOT_TOLD = -1
"""Less than any floor."""
REASONS = {
    "gone": "the receiver answered 410 Gone",
    "failing": "no try has succeeded for a week",
    "no_right": "its account may not read the board",
}


def with_cursors(row: Webhook, known: Webhook) -> Webhook:
    """Returns a row that was read, with what is known of its cursors: they only go on, unless it is another database."""
    if row.epoch != known.epoch:
        return row
    return row._replace(sent=max(row.sent, known.sent), told=max(row.told, known.told))


def tell(webhook: Webhook, task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("Outgoing webhook %d to %s failed; beginning it again.", webhook.id, webhook.host, exc_info=error)
