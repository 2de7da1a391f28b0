"""Whether the clock may be believed where something is deleted by it, as that can't be undone.

A machine with a flat battery, or a virtual one that was woken, may be years ahead until NTP has set its clock: then
every session would be over, and every block. So the clock is compared with what the database saw last.
"""

import logging
import time
from collections.abc import Callable, Sequence

from storage import Storage

log = logging.getLogger("longboard")

DAY_SECONDS = 86_400
FAR_SECONDS = 7 * DAY_SECONDS
"""From what the database saw last. A board that nobody has used for longer has to wait, which does no harm."""
STEADY_SECONDS = 12 * 3600
"""How long a clock that is far off must go on without a step until it is believed: NTP takes minutes. Less than the
day after which Heroku restarts a dyno."""
STEP_SECONDS = 60


class Clock:
    """`seen` are the newest times in the database when it was opened, in ms; `clock` gives seconds since 1970."""

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
        """When the clock was last set, by both."""
        self._is_doubted = False

    async def is_believable(self) -> bool:
        """Also the database's own clock, where it has one. Raises Unavailable."""
        now, steady = self._clock(), self._steady()
        its, _ = await self._storage.times()
        was, then = self._even_since
        if abs((now - was) - (steady - then)) > STEP_SECONDS:
            self._even_since = (now, steady)
        is_steady = steady - self._even_since[1] >= STEADY_SECONDS
        if is_steady or all(self._is_near(at) for at in (now, its and its / 1000) if at is not None):
            if self._is_doubted:
                log.warning("Housekeeping goes on: the clock is believed again.")
            self._seen, self._seen_at, self._is_doubted = [now], steady, False
            return True
        if not self._is_doubted:
            log.error(
                "HOUSEKEEPING WAITS: the clock says %s, which is far from what the database saw last. Until it is set, "
                "or has gone on evenly for %d hours, no session, token, link, block or address is deleted for its age.",
                time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)), STEADY_SECONDS // 3600,
            )  # fmt: skip
        self._is_doubted = True
        return False

    def _is_near(self, at: float) -> bool:
        passed = self._steady() - self._seen_at
        return not self._seen or any(one - FAR_SECONDS <= at <= one + passed + FAR_SECONDS for one in self._seen)
