"""Clients that take a long reply slowly, or not at all."""

import asyncio
import contextlib
import socket

import pytest
import tornado.web
from tornado.netutil import bind_sockets

import server
from board.site import Site
from board.site.parts import Rules
from handlers import Application
from net import server as serving
from settings import read_settings
from storage import open_storage

LONG = 6 * 1024 * 1024  # more than the system takes for a connection


class Long(tornado.web.RequestHandler):
    def get(self):
        self.finish(b"x" * LONG)


@pytest.fixture(params=["on", "off"])
async def served(request, tmp_path, monkeypatch):
    """A server that is started as the real one is, with less patience and one long page."""
    monkeypatch.setattr(serving, "SLOW_TICK", 0.05)
    monkeypatch.setattr(serving, "SLOW_SECONDS", 0.5)
    storage = await open_storage(f"sqlite:///{tmp_path}/board.db")
    board = await Site.open(storage, max_parked=10, limits=False, rules=Rules())
    settings = read_settings([f"--repeats={request.param}"], {})
    application = Application(board, settings)
    application.add_handlers(".*", [("/long", Long)])
    sockets = bind_sockets(0, "127.0.0.1")
    started = server.start(application, settings, sockets)
    closing = asyncio.create_task(started.close_slow())
    started.port = sockets[0].getsockname()[1]
    yield started
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    started.stop()
    await started.close_all_connections()
    await board.close()
    await storage.close()


@contextlib.asynccontextmanager
async def asked(port):
    """A connection that has asked for the long page and reads nothing by itself."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", port))
    await loop.sock_sendall(connection, b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
    yield connection
    connection.close()


async def read(connection, pause=0.0):
    """How many bytes came until the end, or until it was cut off."""
    loop, count = asyncio.get_running_loop(), 0
    with contextlib.suppress(ConnectionResetError):
        while count < LONG and (data := await loop.sock_recv(connection, 1 << 20)):
            count += len(data)
            await asyncio.sleep(pause)
    return count


async def test_who_takes_nothing_is_cut_off(served):
    """The reply is not kept in memory for ever; others are answered meanwhile."""
    async with asked(served.port) as dead, asked(served.port) as alive:
        await asyncio.sleep(0)
        assert await read(alive) >= LONG
        while any(stream.writing() for stream in served.connections.served if not stream.closed()):
            await asyncio.sleep(0.02)
        assert await read(dead) < LONG


async def test_who_reads_slowly_but_steadily_gets_it_all(served):
    """A poor connection is no offence: it takes seconds, many times the patience for one part."""
    async with asked(served.port) as connection:
        assert await read(connection, pause=0.01) >= LONG
