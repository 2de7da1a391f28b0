"""The way in: settings, storage, board, routes; it listens, and drains when it is told to end."""

import asyncio
import dataclasses
import gc
import logging
import select
import socket
import sys
from collections.abc import Awaitable, Callable

from board import Board
from handlers import Application
from net.connections import Connections
from net.fast_path.server import FastServer
from net.listener import listen, paths_of, port_of, raise_descriptor_limit, room_for
from net.logs import set_up_logging
from net.server import Server
from net.streams import HEAD_BYTES
from net.workers import Nodes, ending_signals
from settings import Settings, doubts, inherited_place, inherited_sockets, read_settings, variables
from storage import open_storage
from storage.new_files import in_words
from storage.records import CannotOpenError, UnavailableError

log = logging.getLogger("longboard")

IDLE_SECONDS = 95
"""Longer than the 90 s for which Heroku's router keeps a connection, so that it is never the one to be surprised."""
BODY_SECONDS = 30
"""For the whole body of a request, from a slow phone as well."""
DRAIN_SECONDS = 8
"""For requests under way at the end; whoever stops us usually waits 10 s or more."""
LEAVE_SECONDS = 0.5
"""For clients that were between two requests when all others were answered: theirs is already on its way."""
GC_THRESHOLDS = (50_000, 20, 100)
"""Each parked poll is some dozens of objects that live on. With Python's own thresholds, collecting them over and
over took a quarter of the time that 10,000 polls cost, in pauses of 0.3 s; bench/README.md has the figures."""
AGAIN_SECONDS = 1
"""Before a task that ended by a fault is begun again."""


def main() -> None:
    settings = read_settings(sys.argv[1:])
    gc.set_threshold(*GC_THRESHOLDS)
    set_up_logging(settings.log_format)
    if not inherited_place():  # once, and not by each node
        warn_of_settings(settings)
    warn_of_dyno(settings)
    try:
        if settings.nodes > 1:
            sys.exit(asyncio.run(run_nodes(settings)))
        asyncio.run(run(settings))
    except (CannotOpenError, OSError, UnavailableError) as error:
        sys.exit(f"longboard: {in_words(error)}")
    except Exception:
        log.exception("The server has failed.")
        sys.exit(1)


async def run(settings: Settings) -> None:
    """Serves until a signal ends it. Raises CannotOpenError, UnavailableError, or OSError if it can't listen."""
    stop = asyncio.Event()
    for number in ending_signals():
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    descriptors = raise_descriptor_limit(settings.max_parked)
    sockets = listen(settings.port, settings.address, inherited_sockets(), descriptors)
    settings = dataclasses.replace(settings, port=port_of(sockets) or settings.port)  # the port in use
    storage = await open_storage(settings.database_url)
    try:
        board = await Board.open(
            storage,
            max_parked=settings.max_parked,
            limits=settings.limits,
            token_seconds=3600 * settings.token_hours,
        )
        application = Application(board, settings)
        server = start(application, settings, sockets)
        lasting = {
            "Looking for changes": board.watch,
            "Housekeeping": board.housekeeping,
            "Closing slow connections": server.close_slow,
            "Closing idle connections": server.close_idle,
        }
        if application.siblings is not None:
            lasting["Serving metrics to other nodes"] = application.siblings.serve
        tasks = [asyncio.create_task(keep_going(name, task)) for name, task in lasting.items()]
        announce(settings, sockets)
        await stop.wait()
        await drain(application, server)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await board.close()
    finally:
        await storage.close()


async def run_nodes(settings: Settings) -> int:
    """Several processes that run() each, behind the sockets of this one. Raises OSError where it can't listen."""
    descriptors = raise_descriptor_limit(settings.max_parked)
    sockets = listen(settings.port, settings.address, inherited_sockets(), descriptors)
    return await Nodes(sockets, sys.argv[1:]).run(settings.nodes)


def warn_of_settings(settings: Settings) -> None:
    """Warns about what may be a mistake; it could be meant for another program, so the board starts."""
    for words in [odd.words for odd in variables(None)[1]] + doubts(settings):
        log.warning("%s", words)


def warn_of_dyno(settings: Settings) -> None:
    """Warns about settings that a board on Heroku needs and this one lacks."""
    if settings.dyno and not settings.public_url:
        log.warning(
            "PASSWORDS MAY BE SENT UNENCRYPTED: on a dyno, set PUBLIC_URL=https://… to the board's address. Heroku "
            "serves http as well; only with PUBLIC_URL is that redirected to https, and are cookies Secure."
        )
    if settings.disk_is_wiped:
        log.warning(
            "ALL MESSAGES AND ACCOUNTS WILL BE LOST: DATABASE_URL=%s is a file on the disk of dyno %s, which Heroku "
            "wipes at each restart and deploy, at least once a day. That is for trying out only; docs/deploy.md says "
            "how to keep a board.",
            settings.database_url, settings.dyno,
        )  # fmt: skip


async def keep_going(name: str, task: Callable[[], Awaitable[None]]) -> None:
    """Runs what should never end, and again if it did: without it, a server that looks well would miss something."""
    while True:
        try:
            await task()
            log.error("%s ended; beginning it again.", name)
        except Exception:
            log.exception("%s failed; beginning it again.", name)
        await asyncio.sleep(AGAIN_SECONDS)


def start(application: Application, settings: Settings, sockets: list[socket.socket]) -> Server:
    biggest = 12 * settings.message_length + 256 * 1024  # well above what handlers refuse in their own words
    options = {
        "body_timeout": BODY_SECONDS,
        "max_header_size": HEAD_BYTES,
        "max_body_size": biggest,
        "max_buffer_size": biggest + 64 * 1024,
        "connections": Connections(
            room_for(settings.max_parked), is_counting=settings.limits and not settings.client_header
        ),
        "refusals": application.refusals,
        "under_way": application.under_way,
    }
    server: Server
    if application.memo is None or not hasattr(select, "epoll"):  # macOS has none: there, all are read by Tornado
        server = Server(application, idle_connection_timeout=IDLE_SECONDS, **options)
    else:
        server = FastServer(application, memo=application.memo, idle_seconds=IDLE_SECONDS, **options)
    application.connections = lambda: server.open_now
    server.add_sockets(sockets)
    return server


def announce(settings: Settings, sockets: list[socket.socket]) -> None:
    """Says where the board is, with the port that was taken."""
    host = f"[{settings.address}]" if ":" in settings.address else settings.address
    port, paths = port_of(sockets), paths_of(sockets)
    tcp = [f"http://{host}:{port}/"] if port else []
    local = " and ".join([*tcp, *(f"unix:{path}" for path in paths)])
    where = f"{settings.public_url}/ (listening at {local})" if settings.public_url else local
    print(f"Longboard is at {where}", flush=True)


async def drain(application: Application, server: Server) -> None:
    """Accepts no more, answers every parked poll, waits for what is under way, and closes the connections."""
    log.info("Ending. Parked polls to answer: %d.", application.board.waiters.parked)
    server.stop()
    server.conn_params.no_keep_alive = True
    application.board.waiters.drain()
    deadline = asyncio.get_running_loop().time() + DRAIN_SECONDS
    await until_idle(application, deadline)
    await until_left(application, server, deadline)
    await server.close_all_connections()
    await until_idle(application, deadline)  # what came at the very last has no connection any more, but still works
    log.info("Ended.")


async def until_left(application: Application, server: Server, deadline: float) -> None:
    """Whoever has a connection and asks once more is told to come back on another, instead of being cut off.

    Ends when there was no request for a moment and none is still arriving, when all connections are closed, or at this
    time of the loop's clock.
    """
    loop, requests = asyncio.get_running_loop(), application.board.waiters.counters.requests
    asked, since = requests.total(), loop.time()
    while application.connections() and loop.time() < min(deadline, since + LEAVE_SECONDS):
        await asyncio.sleep(0.02)
        if requests.total() > asked or server.unfinished:
            asked, since = requests.total(), loop.time()


async def until_idle(application: Application, deadline: float) -> None:
    """Waits until no request is under way, or until this time of the loop's clock."""
    while (application.under_way or application.board.waiters.parked) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    main()
