"""The entry point: settings, storage, board, routes, sockets. It listens, and drains when it is told to end."""

import gc

gc.disable()  # while all is imported, which leaves hardly any garbage: looking for it took a tenth of a start

import asyncio
import dataclasses
import functools
import logging
import socket
import sys

from board.site import Site
from handlers import Application
from handlers.http.context import rules_of
from handlers.operations.announcement import announce
from net.background import Task, background
from net.drain import drain
from net.fast_path.server import make_server
from net.listener import address_of, listen, port_of, raise_descriptor_limit
from net.logs import set_up_logging
from net.server import Server
from net.webhook_task import send_webhooks
from net.workers import Nodes, stop_by_signal
from setting_places import check_locales, make_folder
from setting_warnings import warn_of_dyno, warn_of_settings
from settings import Settings, inherited_descriptors, inherited_place, read_settings
from storage import open_storage
from storage.errors import CannotOpenError, UnavailableError
from storage.new_files import in_words

gc.freeze()
gc.enable()

log = logging.getLogger("longboard")

GC_THRESHOLDS = (50_000, 20, 100)
"""Each parked poll is some dozens of objects that live for long. With Python's own thresholds, collecting them again
and again took a quarter of the time that 10,000 polls cost, in pauses of 0.3 s. bench/README.md has the figures."""


def main() -> None:
    settings = read_settings(sys.argv[1:])
    gc.set_threshold(*GC_THRESHOLDS)
    set_up_logging(settings.log_format)
    if not inherited_place():  # warns once, and not in each node
        warn_of_settings(settings)
    warn_of_dyno(settings)
    check_locales(settings.locales)
    make_folder(settings.database_url)
    try:
        sys.exit(asyncio.run(run_nodes(settings) if settings.nodes > 1 else run(settings)))
    except (CannotOpenError, OSError, UnavailableError) as error:
        sys.exit(f"longboard: {in_words(error)}")
    except Exception:
        log.exception("The server has failed.")
        sys.exit(1)


def open_sockets(settings: Settings) -> list[socket.socket]:
    """Opens or inherits the listening sockets. Raises OSError."""
    descriptors = raise_descriptor_limit(settings.max_parked)
    return listen(settings.port, settings.address, inherited_descriptors(), descriptors)


async def run_nodes(settings: Settings) -> int:
    """Starts several processes, each with run(), behind the sockets of this one. Raises OSError if it can't listen."""
    return await Nodes(open_sockets(settings), sys.argv[1:]).run(settings.nodes)


async def run(settings: Settings) -> None:
    """Serves until a signal ends it. Raises CannotOpenError, UnavailableError, or OSError if it can't listen."""
    stop = stop_by_signal()
    sockets = open_sockets(settings)
    settings = dataclasses.replace(settings, port=port_of(sockets) or settings.port)  # the port in use
    storage = await open_storage(settings.database_url, copies_in=settings.backup_dir, copies_kept=settings.backup_keep)
    try:
        site = await Site.open(
            storage, max_parked=settings.max_parked, limits=settings.limits, rules=rules_of(settings)
        )
        application = Application(site, settings)
        server = start(application, settings, sockets)
        async with background(site.tasks | server.tasks | application.tasks | sending(site, settings)):
            await announce(site, settings, address_of(settings.address, sockets))
            await stop.wait()
            await drain(server, site.waiters)
        await site.close()
    finally:
        await storage.close()


def sending(site: Site, settings: Settings) -> dict[str, Task]:
    """Returns the task that sends webhooks. Messages in a channel lead to the board where PUBLIC_URL says where it is."""
    link = f"{settings.public_url}/m/" if settings.public_url else ""
    send = functools.partial(send_webhooks, site, to_loopback=settings.webhooks_to_loopback, link=link)
    return {"Sending webhooks": send}


def start(application: Application, settings: Settings, sockets: list[socket.socket]) -> Server:
    context = application.context
    server = make_server(
        application,
        memo=context.memo,
        max_body_size=12 * settings.message_length + 256 * 1024,  # well above what handlers refuse with a reason
        connections=context.connections,
        refusals=context.refusals,
        under_way=context.under_way,
    )
    server.add_sockets(sockets)
    return server


if __name__ == "__main__":
    main()
