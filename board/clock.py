"""Checks that the clock can be trusted before anything is deleted for its age, because that can't be undone.

The clock of a machine with a flat battery, or of a resumed virtual machine, may be years ahead until NTP sets it. Every
session and every block would seem to have expired. So the clock is compared with the newest time in the database.
"""

import logging
import time
from collections.abc import Callable, Sequence

from storage import Storage

log = logging.getLogger("longboard")

DAY_SECONDS = 86_400
FAR_SECONDS = 7 * DAY_SECONDS
"""How far the clock may be from the newest time in the database. After a longer time without use, housekeeping has to
wait, which does no harm."""
STEADY_SECONDS = 12 * 3600
"""How long a clock that is far off must run without a step before it is trusted. NTP takes minutes. It is less than the
day after which Heroku restarts a dyno."""
STEP_SECONDS = 60


class Clock:
    """`seen` are the newest times in the database when it was opened, in ms; `clock` returns seconds since 1970."""

    def __init__(
        self,
        storage: Storage,
        seen: Sequence[int],
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self._clock, self._steady = clock, steady
        self._seen, self._seen_at = [at / 1000 for at in seen], steady()
        self._even_since = (clock(), steady())
        """Both clocks, as they were when the first one was last set."""
        self._is_doubted = False

    async def is_believable(self) -> bool:
        """Whether the clock can be trusted, and the database's clock, if it has one. Raises UnavailableError."""
        now, steady = self._clock(), self._steady()
        its, _ = await self._storage.times()
        was, then = self._even_since
        if abs((now - was) - (steady - then)) > STEP_SECONDS:
            self._even_since = (now, steady)
        is_steady = steady - self._even_since[1] >= STEADY_SECONDS
        if is_steady or all(self._is_near(at) for at in (now, its and its / 1000) if at is not None):
            if self._is_doubted:
                log.warning("Housekeeping goes on: the clock is trusted again.")
            self._seen, self._seen_at, self._is_doubted = [now], steady, False
            return True
        if not self._is_doubted:
            log.error(
                "HOUSEKEEPING WAITS: the clock says %s, far from the last time in the database. Until it is set, "
                "or has run evenly for %d hours, no session, token, link, block or address is deleted for its age.",
                time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)), STEADY_SECONDS // 3600,
            )  # fmt: skip
        self._is_doubted = True
        return False

    def _is_near(self, at: float) -> bool:
        passed = self._steady() - self._seen_at
        return not self._seen or any(one - FAR_SECONDS <= at <= one + passed + FAR_SECONDS for one in self._seen)
