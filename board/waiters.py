"""The waiter list: polls parked as futures in memory, and deliver(), which resolves them.

What always holds here:
1. Between checking a poll's cursor and parking it there is no await, so no change can slip in between.
2. Changes reach a poll only through deliver(), in the order of their numbers. While one read runs, further
   calls only ask for another, so reads never overtake each other. The next read makes up for one that failed.
3. The cost of a change is one encoding, however many polls are parked; a woken poll costs no storage call.
4. A poll leaves the list whatever ends it: news, time, disconnect, a revoked credential, drain.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence

from board.counters import Counters
from board.cursor import Cursor
from board.parked_polls import ParkedPolls
from board.recent import PAGE, RECENT, Recent
from board.waiter import Ended, FutureWaiter, ParkedGroup, W, Waiter
from board.watching import Watching
from storage import Storage
from storage.errors import UnavailableError
from storage.records import Snapshot

log = logging.getLogger("longboard")

SLICE_SECONDS = 0.005
"""How long polls are answered before the loop handles other events."""
LOOKS = 16
"""Polls that are answered together, before the clock is checked again. Their handlers, if they have any, run before
anything else does, and take a third of a millisecond each."""
DRAIN_RETRY_MS = 500
"""When to poll again after a drain; clients add their own jitter."""
FULL_RETRY_MS = 5000
"""When to poll again if no more polls can be parked."""
NO_ROOM = b'"retry_ms":%d}' % FULL_RETRY_MS
"""How such a reply ends. Its connection is closed, so that clients that must wait use no descriptors."""


class WaiterList:
    """`forget` is called with accounts about which something has changed. A `max_per_address` of 0 means no limit."""

    def __init__(
        self,
        storage: Storage,
        snapshot: Snapshot,
        max_parked: int,
        max_per_address: int = 0,
        forget: Callable[[Iterable[int]], None] = lambda account_ids: None,
    ) -> None:
        self._polls = ParkedPolls(max_parked, max_per_address, self._expire)
        self.watching = Watching(lambda: self.parked)
        self.recent = Recent(snapshot, self.watching.count)
        self.draining = False
        self.counters = Counters()
        self._storage = storage
        self._forget = forget
        self._access = self.recent.access
        self._reading: asyncio.Task[bool] | None = None
        self._again: asyncio.Task[bool] | None = None
        self._is_behind = False

    @property
    def parked(self) -> int:
        """How many polls are parked."""
        return self._polls.count

    # --- for polls

    def poll(
        self, cursor: Cursor, wait: float, account_id: int | None = None, address: str = ""
    ) -> bytes | FutureWaiter:
        """Returns a reply, or a parked waiter if there is nothing after this cursor: leave() it in any case.

        A cursor that this board never gave, or that is too far behind, is answered with a reset.
        """
        reply = self.reply_for(cursor)
        if reply is not None:
            return reply
        if cursor.seq == self.recent.seq:
            cursor = self.recent.cursor  # the same object for all, which is quickly compared
        if wait <= 0:
            return self.recent.empty(cursor)
        waiter = FutureWaiter(account_id, address)
        return self.full(cursor) if self.park([waiter], cursor, wait) else waiter

    def park(self, waiters: Sequence[W], cursor: Cursor, wait: float) -> Sequence[W]:
        """Parks polls of one class that have all changes. Returns those for which there is no room: they get full()."""
        refused = self._polls.park(waiters, cursor, wait)
        self.counters.parked += len(waiters) - len(refused)
        self.counters.turned_away += len(refused)
        return refused

    def full(self, cursor: Cursor) -> bytes:
        """The reply that tells a client to come back later."""
        return self.recent.empty(cursor, FULL_RETRY_MS)

    def reply_for(self, cursor: Cursor) -> bytes | None:
        """Returns the reply that this cursor gets at once, or None if there is nothing after it."""
        recent = self.recent
        if cursor.epoch != recent.epoch or cursor.seq < recent.start:
            return self.reset()
        if cursor.seq < recent.seq:
            return recent.after(cursor.seq)
        return recent.empty(cursor, DRAIN_RETRY_MS) if self.draining else None

    def reset(self) -> bytes:
        """The reply that tells a client to replace all that it shows."""
        self.counters.resets += 1
        return self.recent.newest(reset=True)

    async def is_beyond(self, cursor: Cursor) -> bool:
        """Whether the cursor is ahead of the database itself, for example because that is an older copy.

        If the cursor is ahead of this process, storage is read first. While it can't be read, the answer is False.
        """
        if cursor.epoch != self.recent.epoch or cursor.seq <= self.recent.seq:
            return False
        return await self.deliver() and cursor.seq > self.recent.seq

    def leave(self, waiter: Waiter) -> None:
        """Removes a poll from the list and ends it, if it is still parked."""
        if self._polls.remove(waiter) is not None:
            waiter.resolve(Ended.GONE)

    def _expire(self, group: ParkedGroup) -> None:
        """Answers a group whose time is over. It may have thousands of polls."""
        self.watching.count()  # polls that end now count as well
        left = [group]
        self._answer(left, self.recent.empty)
        if left:
            asyncio.get_running_loop().call_soon(self._expire, group)

    def _answer(self, left: list[ParkedGroup], reply_to: Callable[[Cursor], bytes]) -> int:
        """Answers and removes groups from the end of the list, for a slice of time. Returns how many polls it answered.

        A group that is not finished stays in the list.
        """
        answered, handlers, until = 0, 0, time.monotonic() + SLICE_SECONDS
        while left:
            group = left[-1]
            reply = reply_to(group.cursor)
            while count := self._polls.answer(group, LOOKS, reply):
                answered += count
                handlers += count * group.kind.runs_handler
                if handlers >= LOOKS or time.monotonic() > until:
                    return answered
            left.pop()
        return answered

    # --- for changes

    async def deliver(self) -> bool:
        """Reads the newly committed changes and resolves every poll that lacks them.

        Waits for a read that began after the call, and returns whether it succeeded.
        """
        if self._again is not None:  # it was asked for and has not begun yet
            return await asyncio.shield(self._again)
        if self._reading is not None and not self._reading.done():
            self._again = asyncio.create_task(self._read_after(self._reading))
            return await asyncio.shield(self._again)
        self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(self._reading)

    def drain(self) -> None:
        """Answers every parked poll. From then on, no poll is parked."""
        self.draining = True
        self.watching.count()
        for group in self._polls.groups():
            self._polls.answer(group, len(group), self.recent.empty(group.cursor, DRAIN_RETRY_MS))

    async def _read_after(self, running: asyncio.Task[bool]) -> bool:
        await asyncio.wait([running])
        self._reading, self._again = self._again, None
        return await self._read()

    async def _read(self) -> bool:
        try:
            await self._catch_up(time.monotonic())
        except UnavailableError as error:
            if not self._is_behind:  # logged once, however often it is tried
                log.warning("New messages could not be read, trying again until they can: %s", error)
            self._is_behind = True
            return False
        if self._is_behind:
            log.info("New messages can be read again.")
        self._is_behind = False
        return True

    async def _catch_up(self, began: float) -> None:
        more = True
        while more:
            recent = self.recent
            changes = await self._storage.changes_after(recent.seq, RECENT)
            head, more = changes.head, changes.more
            if head.access != self._access:
                await self._notice_access(head.access)
            is_other = (head.epoch, head.floor) != (recent.epoch, recent.floor) or head.seq < recent.seq
            if not is_other and head.seq > recent.seq:
                recent.add(changes)
                await self._wake()
                self.counters.wakes.add(time.monotonic() - began)
            if is_other or recent.page_is_short:
                self.recent, more = Recent(await load(self._storage), self.watching.count), False
                await self._wake()

    async def _notice_access(self, access: int) -> None:
        """Has parked polls of the changed accounts authenticated again: credentials were revoked or rights changed."""
        account_ids = set(await self._storage.access_changes_after(self._access))
        self._access = access
        self._forget(account_ids)
        for waiter in self._polls.waiters():
            if waiter.account_id in account_ids and (group := self._polls.remove(waiter)) is not None:
                waiter.resolve(Ended.ASK_AGAIN, group.ends_at)

    async def _wake(self) -> None:
        """Answers all parked polls, in slices of time, so that thousands of them don't hold up everything else."""
        left = [group for group in self._polls.groups() if group.cursor != self.recent.cursor]
        self.counters.delivered += self._answer(left, self._news)
        while left:
            await asyncio.sleep(0)
            self.counters.delivered += self._answer(left, self._news)

    def _news(self, cursor: Cursor) -> bytes:
        return self.reply_for(cursor) or self.recent.empty(cursor)


async def load(storage: Storage) -> Snapshot:
    """Reads the newest changes and the newest page from storage. Raises UnavailableError."""
    return await storage.snapshot(changes=RECENT, page=PAGE)
