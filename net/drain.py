"""Ends a server without cutting off anything that can still be answered."""

import asyncio
import logging

from board.waiters import WaiterList
from net.server import Server

log = logging.getLogger("longboard")

DRAIN_SECONDS = 8
"""For requests under way at the end. Programs that stop a server usually wait 10 s or more."""
LEAVE_SECONDS = 0.5
"""For clients that were between two requests when all others were answered: their next one is already on its way."""


async def drain(server: Server, waiters: WaiterList) -> None:
    """Accepts no more connections, answers every parked poll, waits for requests under way, and closes connections."""
    log.info("Ending. Parked polls to answer: %d.", waiters.parked)
    server.stop()
    server.conn_params.no_keep_alive = True
    waiters.drain()
    deadline = asyncio.get_running_loop().time() + DRAIN_SECONDS
    await until_idle(server, waiters, deadline)
    await until_left(server, waiters, deadline)
    await server.close_all_connections()
    await until_idle(server, waiters, deadline)  # the last requests have lost their connection, but still run
    log.info("Ended.")


async def until_left(server: Server, waiters: WaiterList, deadline: float) -> None:
    """Waits for clients that ask once more: they are told to use another connection, instead of being cut off.

    Ends when there was no request for a moment and none is still arriving, when all connections are closed, or at the
    deadline by the loop's clock.
    """
    loop, requests = asyncio.get_running_loop(), waiters.counters.requests
    asked, since = requests.total(), loop.time()
    while server.connections.open_now and loop.time() < min(deadline, since + LEAVE_SECONDS):
        await asyncio.sleep(0.02)
        if requests.total() > asked or server.unfinished:
            asked, since = requests.total(), loop.time()


async def until_idle(server: Server, waiters: WaiterList, deadline: float) -> None:
    """Waits until no request is under way, or until the deadline by the loop's clock."""
    while (server.under_way or waiters.parked) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.02)
