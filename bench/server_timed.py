"""Longboard with a measurement of each callback's CPU time; /bench/longest returns the longest."""

import asyncio
import time
from typing import Any

import server
from handlers import ROUTES
from handlers.http.base import Base
from handlers.messages.articles import Articles

longest = 0.0
run = asyncio.Handle._run


def timed(handle: asyncio.Handle) -> None:
    global longest
    began = time.thread_time()
    run(handle)
    longest = max(longest, time.thread_time() - began)


class Longest(Base):
    """Returns the longest callback since the last request, in milliseconds of CPU. `forget` empties the caches."""

    for_whom = "anyone"

    async def get(self) -> None:
        global longest
        if self.query("forget"):
            self.context.making.articles = Articles(self.context.making.turns)
            self.site.waiters.recent.derived.clear()
        value, longest = longest, 0.0
        answer: dict[str, Any] = {"ms": 1000 * value}
        self.write_json(answer)


asyncio.Handle._run = timed  # type: ignore[method-assign, assignment]
ROUTES.append((r"/bench/longest", Longest))

if __name__ == "__main__":
    server.main()
