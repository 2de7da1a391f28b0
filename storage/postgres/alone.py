"""Has one node do what only one may do: the one that has an advisory lock, on a connection that shows that it lives."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from storage.errors import CannotOpenError
from storage.postgres.connection import CONNECT_SECONDS, FAULTS, connect, reason

log = logging.getLogger("longboard")

LOOK_SECONDS = 2.5
"""How often the others look whether the lock is free."""
BEAT_SECONDS = 2.5
LOST_SECONDS = 10.0
"""After this silence, PostgreSQL (14 or newer) ends the session, and its lock with it: the node is paused, or its machine
was lost. Older ones have only TCP's own probes for that."""
LOCK = "SELECT pg_try_advisory_lock(1282371175, 4)"
MORTAL = (
    "SELECT set_config(name, value, false) FROM pg_settings JOIN (VALUES "
    f"('idle_session_timeout', '{round(1000 * LOST_SECONDS)}'), ('tcp_keepalives_idle', '10'), "
    "('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '2')) AS ours (name, value) USING (name)"
)


async def alone(url: str, work: Callable[[], Awaitable[None]]) -> None:
    """As Storage.alone() says."""
    said = ""
    while True:
        try:
            done = await hold(url, work)
        except (*FAULTS, CannotOpenError) as error:
            if reason(error) != said:  # once, however often it fails
                said = reason(error)
                log.warning("Whether another node sends webhooks can't be seen, trying again until it can: %s", said)
        else:
            return done.result()
        await asyncio.sleep(LOOK_SECONDS)


async def hold(url: str, work: Callable[[], Awaitable[None]]) -> "asyncio.Future[None]":
    """Waits for the lock on one connection, works while this node has it, and returns the work when that is done, also if
    it has failed. Raises one of FAULTS, CannotOpenError.
    """
    db = await connect(url, CONNECT_SECONDS)
    try:
        while not await db.fetchval(LOCK):
            await asyncio.sleep(LOOK_SECONDS)
        await db.execute(MORTAL)
        working = asyncio.ensure_future(work())
        try:
            while not working.done():
                await asyncio.wait([working], timeout=BEAT_SECONDS)
                if not working.done():
                    await db.execute("SELECT 1")
            return working
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    finally:
        db.terminate()
