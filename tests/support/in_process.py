"""A server inside the test, on the test's own loop."""

import asyncio
import contextlib
import socket
import types

from tornado.netutil import bind_sockets

import server as server_module
from board.site import Site
from handlers import Application
from handlers.http.context import rules_of
from settings import read_settings
from storage import open_storage
from tests.support.patience import PATIENCE


@contextlib.asynccontextmanager
async def running(folder, *flags, buffer=None):
    """A server inside the test: its port, its board, and `parsed`, the paths of polls that handlers have seen.

    `buffer` is for how many bytes that a client has not read the system keeps; megabytes otherwise.
    """
    storage = await open_storage(f"sqlite:///{folder}/board.db")
    settings = read_settings(["--limits=off", *flags], {})
    board = await Site.open(storage, max_parked=100, limits=False, rules=rules_of(settings))
    application, sockets, parsed = Application(board, settings), bind_sockets(0, "127.0.0.1"), []
    if buffer:
        sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    server = server_module.start(application, settings, sockets)
    port = sockets[0].getsockname()[1]
    yield types.SimpleNamespace(
        server=server, board=board, storage=storage, port=port, parsed=parsed, application=application
    )
    server.stop()
    board.waiters.drain()  # as a server does at its end: no tick comes after the test
    await server.close_all_connections()
    await board.close()
    await storage.close()


async def settled(condition):
    """As until(), for servers on the loop of the test."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)
