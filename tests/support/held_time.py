"""A sender of webhooks inside the test, with a clock that the test holds: hours pass at once, and nothing else is waited for."""

import asyncio
import contextlib
import functools

from net.webhooks.clock import Time
from net.webhooks.delivery import Delivery, Outcome
from net.webhooks.sender import Sender
from storage.sqlite.connection import Connection


class HeldTime(Time):
    def __init__(self) -> None:
        self.passed, self.set_by = 0.0, 0.0
        """Seconds, and by how many the clock on the wall was set."""
        self.timers: list[tuple[float, asyncio.Future[None]]] = []
        self.busy = 0
        """Calls of the database under way, by deliver(), by the test, or by the sender."""

    def monotonic(self) -> float:
        return 5000 + self.passed

    def now_ms(self) -> int:
        return round(1000 * (1_790_000_000 + self.passed + self.set_by))

    async def sleep(self, seconds: float) -> None:
        timer = asyncio.get_running_loop().create_future()
        self.timers.append((self.passed + seconds, timer))
        await timer

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        either = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self.sleep(seconds))]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in either:
                one.cancel()

    def counted(self, method):
        @functools.wraps(method)
        async def call(*arguments):
            self.busy += 1
            try:
                return await method(*arguments)
            finally:
                self.busy -= 1

        return call

    async def settle(self) -> None:
        """Until all wait for time or for news."""
        quiet = 0
        while quiet < 20:
            await asyncio.sleep(0.001 if self.busy else 0)
            quiet = 0 if self.busy else quiet + 1

    async def go(self, seconds: float) -> None:
        """Lets so much time pass, one timer after the other."""
        end = self.passed + seconds
        await self.settle()
        while due := [one for one in self.timers if not one[1].done() and one[0] <= end]:
            at, timer = min(due, key=lambda one: one[0])
            self.timers = [one for one in self.timers if not one[1].done() and one[1] is not timer]
            self.passed = max(self.passed, at)
            timer.set_result(None)
            await self.settle()
        self.passed = end


class Scripted(Delivery):
    """Answers as the test says, and keeps when it was asked for what."""

    def __init__(self, time: HeldTime) -> None:
        super().__init__()
        self.time = time
        self.outcome = Outcome(None)
        self.tries: list[tuple[float, str, bytes, str | None]] = []
        self.urls: list[str] = []

    async def post(self, url, secrets, id, body, is_current=lambda: True, seconds=0):
        assert is_current()
        self.urls.append(url)
        self.tries.append((self.time.passed, id, body, self.outcome.error))
        return self.outcome

    @property
    def arrived(self) -> list[tuple[float, str, bytes, str | None]]:
        return [one for one in self.tries if one[3] is None]


@contextlib.asynccontextmanager
async def sending(site):
    """The time and the delivery of a sender that runs in this site."""
    time = HeldTime()
    sender = Sender(site, Scripted(time), time=time)
    sender.look_seconds = 1800  # what was changed elsewhere: in a week there would be a hundred thousand looks
    run, Connection.run = Connection.run, time.counted(Connection.run)
    running = asyncio.create_task(sender.run())
    try:
        await time.settle()
        yield time, sender.delivery, sender
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        Connection.run = run
