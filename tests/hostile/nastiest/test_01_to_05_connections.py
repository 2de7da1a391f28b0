"""Rows 1 to 5: what comes over the wire before anybody has said anything sensible."""

import asyncio
import socket

import pytest
from tornado.netutil import bind_sockets

import server as way_in
from board.site import Site
from board.site.parts import Rules
from handlers import ROUTES, Application
from net import server as serving
from settings import read_settings
from storage import open_storage
from tests.http.test_messages import JSON, refused
from tests.http.test_polls import pool, raw, repeats  # noqa: F401 (fixtures; both ways)
from tests.support.patience import BRIEFLY, PATIENCE

# ruff: noqa: F811


def test_01_a_poll_and_its_fin_at_once(server):
    """Closed, half-closed or gone along with its request: the parked count goes back, also on a quiet board."""
    cursor = server.cursor
    connections = [raw(server, f"GET /get?after={cursor}") for _ in range(20)]
    server.until_parked(20)
    for connection in connections:
        connection.close()
    server.until_parked(0)
    for _ in range(20):
        connection = raw(server, f"GET /get?after={cursor}")
        connection.shutdown(socket.SHUT_WR)  # FIN along with the request
        connection.close()
    server.until_parked(0)
    assert server.post("after").status_code == 201


def resident(server):
    """KB of the server's real memory."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return int(status.read().partition("VmRSS:")[2].split()[0])


def test_02_junk_behind_a_poll_costs_its_time_at_most(start):
    """A client that sends junk behind its poll and leaves costs one poll's time, no more."""
    server = start(poll_seconds=2)
    cursor = server.cursor
    connection = raw(server, f"GET /get?after={cursor}", "GET /junk")
    server.until_parked(1)
    connection.close()
    server.until_parked(0)
    assert server.post("after").status_code == 201


def test_02_endless_junk_behind_polls_takes_no_memory(start):
    """Twenty clients that never stop sending behind a parked poll; then they go, and nothing of it is left."""
    server = start(poll_seconds=2)
    cursor, before = server.cursor, resident(server)
    connections = [raw(server, f"GET /get?after={cursor}") for _ in range(20)]
    server.until_parked(20)
    for connection in connections:
        connection.settimeout(BRIEFLY)
        try:
            for _ in range(100):
                connection.sendall(b"junk " * 20_000)
        except OSError:
            pass  # cut off, or made to wait
        connection.close()
    assert resident(server) < before + 30_000
    server.until_parked(0)
    assert server.post("goes on").status_code == 201


def test_03_dripped_requests_hold_up_nobody(server, pool):
    """Requests dripped byte by byte, or never finished, leave others alone."""
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    for connection in slow:
        connection.sendall(b"GET /get?after=")
    cursor = server.cursor
    poll = pool.submit(server.news, cursor, 25)
    server.until_parked(1)
    server.post("still quick")
    assert poll.result()["messages"][0]["body"] == "still quick"
    for connection in slow:
        connection.close()


@pytest.fixture
async def hasty(tmp_path, monkeypatch, repeats):
    """The server as it is started, but with less patience: its port."""
    monkeypatch.setattr("net.server.IDLE_SECONDS", 0.5)
    monkeypatch.setattr("net.server.BODY_SECONDS", 0.5)
    monkeypatch.setattr(serving, "IDLE_TICK", 0.05)
    storage = await open_storage(f"sqlite:///{tmp_path}/board.db")
    board = await Site.open(storage, max_parked=10, limits=False, rules=Rules())
    settings = read_settings([f"--repeats={repeats}"], {})
    sockets = bind_sockets(0, "127.0.0.1")
    server = way_in.start(Application(board, settings), settings, sockets)
    closing = [asyncio.create_task(server.close_idle())]
    yield sockets[0].getsockname()[1]
    for task in closing:
        task.cancel()
    await asyncio.gather(*closing, return_exceptions=True)
    server.stop()
    await server.close_all_connections()
    await board.close()
    await storage.close()


@pytest.mark.parametrize("begun", [b"GET /get", b"POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\ns="])
async def test_03_dripped_headers_and_bodies_are_cut_off(hasty, begun):
    """A byte now and then buys no more time: after what a request may take, the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty)
    writer.write(begun)
    answer = asyncio.create_task(reader.read())
    async with asyncio.timeout(PATIENCE):
        while not answer.done():
            writer.write(b"x")
            await asyncio.sleep(0.05)
    said = b"" if answer.exception() else answer.result()  # an exception where the connection was reset
    assert b" 200 " not in said and b" 303 " not in said, "what was never whole was answered"
    writer.close()


def answer_to(server, data):
    """All that is said until the connection is closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(data)
        said = b""
        try:
            while more := connection.recv(65536):
                said += more
        except ConnectionResetError:
            pass
        return said


BAD_LENGTHS = {
    "ten gigabytes": b"Content-Length: 10000000000\r\n\r\ns=x",
    "two that differ": b"Content-Length: 3\r\nContent-Length: 4\r\n\r\ns=xy",
    "a length and chunks": b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ns=x\r\n0\r\n\r\n",
    "chunks without end": b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"s" * 65536 + b"\r\n") * 20,
    "a length that is none": b"Content-Length: -3\r\n\r\ns=x",
    "a length of words": b"Content-Length: three\r\n\r\ns=x",
    "a chunk that is none": b"Transfer-Encoding: chunked\r\n\r\nzz\r\ns=x\r\n0\r\n\r\n",
    "chunks, twice": b"Transfer-Encoding: chunked, chunked\r\n\r\n3\r\ns=x\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("what", BAD_LENGTHS)
def test_04_bodies_of_a_length_that_can_not_be(server, what):
    """400 or 413 and closed, and what stands behind is not taken for another request. Nothing is written."""
    before = server.cursor
    head = b"POST /add HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    said = answer_to(server, head + BAD_LENGTHS[what] + b"POST /add HTTP/1.1\r\n\r\n")
    assert said.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413")), said
    assert said.count(b"HTTP/1.1") <= 1 and server.cursor == before


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b"x", 415), ("application/xml", b"<x/>", 415), ("", b"x", 415),
        ("application/x-www-form-urlencoded", b"body=%ff%fe", 400),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % i for i in range(1001)), 400),
        ("application/x-www-form-urlencoded", b"other=1", 400),
        ("multipart/form-data; boundary=x", b"--x\r\n" * 150, 415),
    ],
)  # fmt: skip
def test_05_other_kinds_of_bodies_are_refused(server, kind, body, status):
    """Only JSON and plain forms in UTF-8 are taken."""
    response = server.client.post("/api/v1/messages", content=body, headers={"Content-Type": kind})
    refused(response, status)


def test_05_a_compressed_body_is_refused(server):
    """Nothing is unpacked for strangers."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    refused(server.client.post("/add", content=b"\x1f\x8b", headers=headers | JSON), 415)


def test_05_a_form_with_files_is_refused_by_every_page(server):
    """On each of the routes, whether it takes a form or not: never a fault."""
    for pattern, *_ in ROUTES:
        path = pattern.replace("([^/]+)", "1").replace("([0-9]{1,18})", "1")
        response = server.client.post(
            path, content=b"--x\r\n" * 150, headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
        assert 400 <= response.status_code < 500, (path, response.status_code)
