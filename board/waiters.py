"""The waiter list: polls parked as futures in memory, and deliver(), which resolves them.

What always holds here:
1. Between looking at a poll's cursor and parking it there is no await, so no change can slip in between.
2. Changes reach a poll only through deliver(), in the order of their numbers. While one read runs, further
   calls only ask for another, so reads never overtake each other; a read that failed is healed by the next.
3. The cost of a change is one encoding, however many polls are parked; a woken poll costs no storage call.
4. A poll leaves the list whatever ends it: news, time, disconnect, a revoked credential, drain.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable

from board.cursor import Cursor
from board.recent import PAGE, RECENT, Recent
from board.tally import Tally
from board.waiter import Answer, Ended, Waiter, resolve
from board.watching import Watching
from storage import Storage
from storage.records import Unavailable

log = logging.getLogger("longboard")

TICKS = 4
"""Deadlines are rounded up to a quarter of a second, so that polls which end together share one timer."""
SLICE_SECONDS = 0.005
"""How long polls are answered before anything else gets its turn."""
DRAIN_RETRY_MS = 500
"""When to poll again after a drain; clients add jitter of their own."""
FULL_RETRY_MS = 5000
"""When to poll again if as many polls are parked as may be."""
NO_ROOM = b'"retry_ms":%d}' % FULL_RETRY_MS
"""How such a reply ends. Its connection is closed, so that those who wait outside use no descriptors."""


class WaiterList:
    """`forget` is called with accounts of which something has changed; `max_per_address` of 0 is no limit."""

    def __init__(
        self,
        storage: Storage,
        recent: Recent,
        max_parked: int,
        max_per_address: int = 0,
        forget: Callable[[Iterable[int]], None] = lambda account_ids: None,
    ) -> None:
        self.recent = recent
        self.parked = 0
        self.watching = Watching(lambda: self.parked)
        recent.watching = self.watching.count
        self.draining = False
        self.tally = Tally()
        self._storage = storage
        self._max_parked = max_parked
        self._max_per_address = max_per_address
        self._forget = forget
        self._access = recent.access
        self._by_address: dict[str, int] = {}
        self._by_tick: dict[int, set[Waiter]] = {}
        self._reading: asyncio.Task[bool] | None = None
        self._again: asyncio.Task[bool] | None = None

    def is_full(self, address: str) -> bool:
        """Whether no more polls may be parked, or none from this address."""
        if self.parked >= self._max_parked:
            return True
        return bool(self._max_per_address and self._by_address.get(address, 0) >= self._max_per_address)

    # --- the polls' side

    def poll(
        self,
        cursor: Cursor,
        wait: float,
        account_id: int | None = None,
        address: str = "",
        answer: Answer | None = None,
    ) -> bytes | Waiter:
        """A reply, or, if there is nothing after this cursor, the parked waiter: to leave() in any case.

        A cursor that this board never gave, or that is too far behind, is answered with a reset.
        """
        recent = self.recent
        if cursor.epoch != recent.epoch or cursor.seq < recent.start:
            return self.reset()
        if cursor.seq < recent.seq:
            return recent.after(cursor.seq)
        if self.draining:
            return recent.empty(cursor, DRAIN_RETRY_MS)
        if wait <= 0:
            return recent.empty(cursor)
        if self.is_full(address):
            self.tally.turned_away += 1
            return recent.empty(cursor, FULL_RETRY_MS)
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
        return self._park(Waiter(cursor, account_id, address, answer, self._tick_in(wait)))

    def reset(self) -> bytes:
        """The reply that tells a client to begin anew."""
        self.tally.resets += 1
        return self.recent.newest(reset=True)

    async def is_beyond(self, cursor: Cursor) -> bool:
        """Whether the database itself has not come as far as this cursor: it is an older copy, say.

        If only this process knows less, storage is read first; while it can't be read the answer is no.
        """
        if cursor.epoch != self.recent.epoch or cursor.seq <= self.recent.seq:
            return False
        return await self.deliver() and cursor.seq > self.recent.seq

    def leave(self, waiter: Waiter) -> None:
        """Takes a poll off the list, if it is still there, and ends it if nothing has."""
        waiters = self._by_tick.get(waiter.tick)
        if waiters is not None and waiter in waiters:
            waiters.remove(waiter)
            self._count_out(waiter)
        resolve(waiter, Ended.GONE)

    def _park(self, waiter: Waiter) -> Waiter:
        if waiter.tick not in self._by_tick:
            self._by_tick[waiter.tick] = set()
            asyncio.get_running_loop().call_at(waiter.tick / TICKS, self._expire, waiter.tick)
        self._by_tick[waiter.tick].add(waiter)
        self.parked += 1
        self.tally.parked += 1
        self._by_address[waiter.address] = self._by_address.get(waiter.address, 0) + 1
        return waiter

    def _tick_in(self, seconds: float) -> int:
        return math.ceil((time.monotonic() + seconds) * TICKS)  # the loop's clock

    def _count_out(self, waiter: Waiter) -> None:
        self.parked -= 1
        left = self._by_address[waiter.address] - 1
        if left:
            self._by_address[waiter.address] = left
        else:
            del self._by_address[waiter.address]

    def _expire(self, tick: int) -> None:
        self.watching.count()  # those that end now count as well
        waiters = self._by_tick.pop(tick)
        for waiter in waiters:
            self._count_out(waiter)
            resolve(waiter, self.recent.empty(waiter.cursor))

    # --- the side of those that have something to say

    async def deliver(self) -> bool:
        """Reads what was committed since and resolves every poll that lacks it.

        Returns once a read has ended that began after the call: whether it succeeded.
        """
        if self._again is not None:  # asked for and not begun yet
            return await asyncio.shield(self._again)
        if self._reading is not None and not self._reading.done():
            self._again = asyncio.create_task(self._read_after(self._reading))
            return await asyncio.shield(self._again)
        self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(self._reading)

    def drain(self) -> None:
        """Answers every parked poll; from now on none is parked."""
        self.draining = True
        self.watching.count()
        for waiter in self._take_all():
            resolve(waiter, self.recent.empty(waiter.cursor, DRAIN_RETRY_MS))

    async def _read_after(self, running: asyncio.Task[bool]) -> bool:
        await asyncio.wait([running])
        self._reading, self._again = self._again, None
        return await self._read()

    async def _read(self) -> bool:
        try:
            await self._catch_up(time.monotonic())
        except Unavailable as error:
            log.warning("New messages could not be read, trying again soon: %s", error)
            return False
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
                self.tally.wakes.add(time.monotonic() - began)
            if is_other or recent.page_is_short:
                self.recent, more = await load(self._storage), False
                self.recent.watching = self.watching.count
                await self._wake()

    async def _notice_access(self, access: int) -> None:
        """Credentials were revoked, or rights have changed: parked polls of these accounts must show theirs again."""
        account_ids = set(await self._storage.access_changes_after(self._access))
        self._access = access
        self._forget(account_ids)
        for waiter in [w for waiters in self._by_tick.values() for w in waiters if w.account_id in account_ids]:
            self._by_tick[waiter.tick].discard(waiter)
            self._count_out(waiter)
            resolve(waiter, Ended.ASK_AGAIN)

    async def _wake(self) -> None:
        """Answers all that are parked, in slices of time, so that thousands of them don't hold up everything else."""
        cursor, reply = None, b""
        until = time.monotonic() + SLICE_SECONDS
        for waiter in [waiter for parked in self._by_tick.values() for waiter in parked]:
            parked = self._by_tick.get(waiter.tick)
            if parked is None or waiter not in parked:
                continue  # ended meanwhile
            if waiter.cursor is not cursor:  # most have the very same
                cursor, reply = waiter.cursor, self._reply(waiter.cursor)
            parked.remove(waiter)
            self._count_out(waiter)
            resolve(waiter, reply)
            self.tally.delivered += 1
            if time.monotonic() > until:
                await asyncio.sleep(0)
                cursor, until = None, time.monotonic() + SLICE_SECONDS

    def _reply(self, cursor: Cursor) -> bytes:
        reply = self.poll(cursor, 0)
        assert isinstance(reply, bytes)
        return reply

    def _take_all(self) -> list[Waiter]:
        taken = [waiter for waiters in self._by_tick.values() for waiter in waiters]
        for waiters in self._by_tick.values():
            waiters.clear()
        self.parked = 0
        self._by_address.clear()
        return taken


async def load(storage: Storage) -> Recent:
    """What the newest changes are, read afresh. Raises Unavailable."""
    return Recent(await storage.snapshot(changes=RECENT, page=PAGE))
