"""Site, which has the verbs of a board. Each noun has its own file."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

from board.account_log import AccountLog
from board.clock import Clock
from board.credentials import Credentials
from board.failures import Failures
from board.limits import Limits
from board.marks import Marks
from board.passwords import Passwords
from board.readiness import Readiness
from board.scopes import Scopes
from board.site.board_messages import BoardMessages
from board.site.hooks import Hooks
from board.site.identities import Identities
from board.site.invitations import Invitations
from board.site.moderation import Moderation
from board.site.parts import Rules
from board.site.pins import Pins
from board.site.private_feeds import PrivateFeeds
from board.site.reactions import Reactions
from board.site.webhooks import Webhooks
from board.waiters import WaiterList, load
from storage import Storage
from storage.errors import UnavailableError
from storage.names import RESERVED

log = logging.getLogger("longboard")

SAVE_SECONDS = 60
"""How often the times of last use, the counts of failed sign-ins and the read marks are saved."""
TIDY_SECONDS = 3600
FIRST_TIDY_SECONDS = 600
"""Counted from the start. A clock that is set over the network is right by then."""


class Site(BoardMessages, Reactions, Pins, Hooks, Webhooks, Invitations, PrivateFeeds, Identities, Moderation):
    """All that one Longboard serves. Handlers parse a request, call one of its verbs, and answer."""

    @classmethod
    async def open(
        cls,
        storage: Storage,
        *,
        max_parked: int,
        limits: bool,
        rules: Rules,
        clock: Callable[[], float] = time.time,
    ) -> "Site":
        """Reads what a site needs from storage. Raises UnavailableError."""
        credentials = Credentials(storage, rules.token_seconds, clock)
        scopes = Scopes(storage, credentials)

        def forget(account_ids: Iterable[int]) -> None:
            credentials.forget(account_ids)
            scopes.forget(account_ids)

        # One address may hold at most half of all parked polls, so that it can't take them all.
        most = max_parked // 2 if limits else 0
        waiters = WaiterList(storage, await load(storage), max_parked, most, forget)
        if waiters.is_stale and not await waiters.deliver():
            raise UnavailableError("the boards")
        storage.on_commit = waiters.deliver
        storage.reserved_names = (*RESERVED, rules.title)
        return cls(
            storage,
            waiters,
            credentials,
            scopes,
            Passwords(),
            Failures(storage),
            AccountLog(),
            Limits(are_on=limits),
            Marks(storage),
            Readiness(storage),
            Clock(storage, (await storage.times())[1], clock),
            waiters.counters,
            await storage.secret(),
            rules,
        )

    @property
    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """The tasks that must run while the site is open, by their names in the log."""
        return {"Looking for changes": self.watch, "Housekeeping": self.housekeeping, **self.storage.tasks}

    async def watch(self) -> None:
        """Delivers what other processes commit. Runs until cancelled."""
        await self.storage.watch(self.waiters.deliver)

    async def housekeeping(self) -> None:
        """Saves what is only in memory and deletes what has expired. Runs until cancelled."""
        due = time.monotonic() + FIRST_TIDY_SECONDS
        while True:
            try:
                await self.credentials.save()
                await self.failures.save()
                await self.marks.save()
                await self.storage.make_skeletons()
                await self.storage.scrub()
                if await self.storage.has_webhooks():  # also if another node made them
                    self.webhook_news.set()
                if time.monotonic() >= due:
                    if await self.clock.is_believable():
                        await self.credentials.tidy()
                    due = time.monotonic() + TIDY_SECONDS
            except UnavailableError as error:
                log.warning("Housekeeping has to wait: %s", error)
            await asyncio.sleep(SAVE_SECONDS)

    async def close(self) -> None:
        """Saves what is only in memory. The caller that opened the storage must close it."""
        self.passwords.close()
        try:
            await self.credentials.save()
            await self.failures.save()
            await self.marks.save()
        except UnavailableError as error:
            log.warning("Times of last use, counts of failed sign-ins or read marks could not be saved: %s", error)
