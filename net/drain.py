"""The end of a server: nothing is cut off that can still be answered."""

import asyncio
import logging

from board.waiters import WaiterList
from net.server import Server

log = logging.getLogger("longboard")

DRAIN_SECONDS = 8
"""For requests under way at the end. Whoever stops a server usually waits 10 s or more."""
LEAVE_SECONDS = 0.5
"""For clients that were between two requests when all others were answered: theirs is already on its way."""


async def drain(server: Server, waiters: WaiterList) -> None:
    """Accepts no more, answers every parked poll, waits for what is under way, and closes the connections."""
    log.info("Ending. Parked polls to answer: %d.", waiters.parked)
    server.stop()
    server.conn_params.no_keep_alive = True
    waiters.drain()
    deadline = asyncio.get_running_loop().time() + DRAIN_SECONDS
    await until_idle(server, waiters, deadline)
    await until_left(server, waiters, deadline)
    await server.close_all_connections()
    await until_idle(server, waiters, deadline)  # what came at the very last has no connection, but still works
    log.info("Ended.")


async def until_left(server: Server, waiters: WaiterList, deadline: float) -> None:
    """Clients that ask once more are told to come back on another connection, instead of being cut off.

    Ends when there was no request for a moment and none is still arriving, when all connections are closed, or at this
    time of the loop's clock.
    """
    loop, requests = asyncio.get_running_loop(), waiters.counters.requests
    asked, since = requests.total(), loop.time()
    while server.open_now and loop.time() < min(deadline, since + LEAVE_SECONDS):
        await asyncio.sleep(0.02)
        if requests.total() > asked or server.unfinished:
            asked, since = requests.total(), loop.time()


async def until_idle(server: Server, waiters: WaiterList, deadline: float) -> None:
    """Waits until no request is under way, or until this time of the loop's clock."""
    while (server.under_way or waiters.parked) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.02)
