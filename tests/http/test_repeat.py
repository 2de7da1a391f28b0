"""The repeated poll that is not parsed again: it must be the same as the ordinary one in every corner."""

import asyncio
import json
import re
import socket
import time

import pytest
from tornado.netutil import bind_sockets

from board.site import Site
from board.site.parts import Rules
from handlers import Application
from handlers.boards.get import Get
from server import start as start_server
from settings import read_settings
from storage import open_storage
from tests.support.people import PASSWORD, Person, session_of
from tests.support.wire import BROWSER, FIRST, Wire


@pytest.fixture
async def counted(tmp_path, monkeypatch):
    """A server inside the test whose ordinary polls are counted: (port, the list that counts)."""
    calls = []
    get = Get.get

    async def counting(self):
        calls.append(self.request.path)
        await get(self)

    monkeypatch.setattr(Get, "get", counting)
    storage = await open_storage(f"sqlite:///{tmp_path}/board.db")
    settings = read_settings(["--limits=off"], {})
    board = await Site.open(storage, max_parked=100, limits=False, rules=Rules())
    sockets = bind_sockets(0, "127.0.0.1")
    server = start_server(Application(board, settings), settings, sockets)
    yield sockets[0].getsockname()[1], calls, board
    server.stop()
    await server.close_all_connections()
    await board.close()
    await storage.close()


async def asked(port, cursor, times, headers=BROWSER, connections=1):
    """Polls without waiting, again and again, on new connections in turn."""

    def ask():
        wires = [Wire(port) for _ in range(connections)]
        for number in range(times):
            wire = wires[number % connections]
            wire.poll(cursor, 0, headers.replace("NUMBER", str(number)))
            assert wire.reply()[0] == 200
            time.sleep(0.002)  # as any network would: Tornado has to begin to wait for the next
        for wire in wires:
            wire.socket.close()

    await asyncio.to_thread(ask)


async def test_a_repeated_poll_is_parsed_once(counted):
    """Whichever connection it comes on."""
    port, calls, board = counted
    await asked(port, board.waiters.recent.cursor, 50, connections=4)
    assert 1 <= len(calls) <= FIRST


async def test_headers_that_a_proxy_makes_anew_may_vary(counted):
    """Behind a router that numbers requests a repeated poll is still known; another header makes it another poll."""
    port, calls, board = counted
    numbered = BROWSER + "X-Request-Id: id-NUMBER\r\nX-Request-Start: 17000NUMBER\r\n"
    await asked(port, board.waiters.recent.cursor, 50, numbered)
    assert 1 <= len(calls) <= FIRST
    calls.clear()
    await asked(port, board.waiters.recent.cursor, 50, BROWSER + "X-Other: NUMBER\r\n")
    assert len(calls) == 50


@pytest.mark.parametrize(
    "headers",
    [
        BROWSER.replace("keep-alive", "close"),
        BROWSER + "Content-Length: 0\r\n",
        BROWSER + "Authorization: Bearer lb_wrong\r\n",
    ],
)
async def test_what_is_special_is_never_remembered(counted, headers):
    """Such requests go through Tornado each time."""
    port, calls, board = counted

    def ask():
        for _ in range(3):
            with Wire(port) as wire:
                wire.poll(board.waiters.recent.cursor, 0, headers)
                wire.reply()

    await asyncio.to_thread(ask)
    assert len(calls) == (0 if "wrong" in headers else 3)


def test_the_reply_differs_in_nothing_but_its_date(server):
    """The same headers in the same order, the same body."""
    with Wire(server.port) as wire:
        heads = []
        for _ in range(3):
            wire.poll(server.cursor, 0)
            heads.append(re.sub("Date: .*", "", wire.reply()[1]))
    assert heads[0] == heads[1] == heads[2]


def test_a_token_that_ends_ends_its_repeated_poll(server):
    """Revoked while parked: 401 on the same connection, which then goes on as anybody's would."""
    person, cursor = Person(server), server.cursor
    made = person.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD}).json()
    headers = BROWSER + f"Authorization: Bearer {made['token']}\r\n"
    with Wire(server.port) as wire:
        for _ in range(3):
            wire.poll(cursor, 0, headers)
            assert wire.reply()[0] == 200
        wire.poll(cursor, 25, headers)
        wire.poll(cursor, 25, headers)  # waits behind the parked one
        server.until_parked(1)
        person.api.delete(f"/api/v1/tokens/{made['id']}")
        assert wire.reply()[0] == wire.reply()[0] == 401
        wire.poll(cursor, 0, headers)
        assert wire.reply()[0] == 401
        wire.poll(cursor, 0)
        assert wire.reply()[0] == 200


def test_an_account_that_only_changed_stays_parked(server):
    """A new name asks the parked poll who it is, and that is all."""
    person = Person(server)
    browser = person.browser()
    headers = BROWSER + f"Cookie: longboard={session_of(browser)}\r\n"
    with Wire(server.port) as wire:
        for _ in range(2):
            wire.poll(server.cursor, 0, headers)
            wire.reply()
        wire.poll(server.cursor, 25, headers)
        server.until_parked(1)
        browser.post("/account/name", data={"name": "Another"})
        server.until_parked(1)
        server.post("for the renamed")
        assert wire.reply()[2]["messages"][0]["body"] == "for the renamed"


def test_bytes_behind_a_parked_poll_wait_for_their_turn(server):
    """A request that comes while a repeated poll is parked is answered after it, split or whole."""
    with Wire(server.port) as wire:
        cursor = server.cursor
        wire.poll(cursor, 0)
        wire.reply()
        for _ in range(3):
            wire.poll(cursor)
            server.until_parked(1)
            wire.send("GET /healthz HTTP/1.1\r\nHo")
            time.sleep(0.02)
            wire.send("st: x\r\n\r\n")
            cursor = server.post("news").json() and server.cursor
            assert wire.reply()[2]["messages"][0]["body"] == "news"
            assert wire.reply()[2]["status"] == "ok"


def test_endless_bytes_behind_a_parked_poll_end_the_connection(start):
    """Memory for what waits is bounded; behind a poll that needs a handler, Tornado reads no more until it is answered."""
    server = start()
    old = server.cursor
    server.post("news")
    with Wire(server.port) as wire:
        for _ in range(2):  # known from the first of them on
            wire.poll(old, 25)
            wire.reply()
        wire.poll(server.cursor, 25)
        server.until_parked(1)
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                wire.send("x" * 65536)
        server.until_parked(0)


def test_leaving_is_noticed(server):
    """Closed or reset while parked: off the list at once."""
    for linger in (False, True):
        wire = Wire(server.port)
        wire.poll(server.cursor, 0)
        wire.reply()
        wire.poll(server.cursor, 25)
        server.until_parked(1)
        if linger:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wire.socket.close()
        server.until_parked(0)


def test_no_more_are_parked_than_allowed_and_time_ends_them(start):
    """The same limits and the same deadlines."""
    server = start(max_parked=2, poll_seconds=1)
    cursor = server.cursor
    wires = [Wire(server.port) for _ in range(3)]
    for _ in range(2):
        for wire in wires:
            wire.poll(cursor, 0)
            assert wire.reply()[2] == {"messages": [], "cursor": cursor, "watching": 0}
    for wire in wires:
        wire.poll(cursor, 10**6)
    replies = [wire.reply()[2] for wire in wires]
    assert sorted("retry_ms" in reply for reply in replies) == [False, False, True]
    refused = next(wire for wire, reply in zip(wires, replies, strict=True) if "retry_ms" in reply)
    assert refused.socket.recv(1) == b""  # its connection was closed with the reply
    assert server.health()["parked"] == 0
    for wire in wires:
        wire.socket.close()


def test_a_drain_answers_repeated_polls_and_closes(start):
    """200, empty, a time to come back, Connection: close."""
    server = start()
    wires = [Wire(server.port) for _ in range(50)]
    cursor = server.cursor
    for wire in wires:
        wire.poll(cursor, 0)
        wire.reply()
        wire.poll(cursor, 25)
    server.until_parked(50)
    assert server.stop() == 0
    for wire in wires:
        status, head, reply = wire.reply()
        assert status == 200 and "Connection: close" in head and reply["retry_ms"] and wire.is_closed()
        wire.socket.close()


def test_news_reach_thousands_once_each(start):
    """A thousand repeated polls, several rounds: everyone has every message once, in order."""
    server = start()
    wires = [Wire(server.port) for _ in range(1000)]
    cursor = server.cursor
    for number in range(4):
        for wire in wires:
            wire.poll(cursor)
        server.until_parked(1000)
        server.post(f"round {number}")
        replies = {json.dumps(wire.reply()[2]) for wire in wires}
        assert len(replies) == 1
        reply = json.loads(replies.pop())
        assert [m["body"] for m in reply["messages"]] == [f"round {number}"]
        cursor = reply["cursor"]
    for wire in wires:
        wire.socket.close()


def test_a_poll_that_was_refused_takes_no_time_from_the_next(start):
    """Behind a proxy the next on the same connection is somebody else's: it is parked for as long as it asks."""
    server = start()
    person = Person(server)
    token, old = person.sign_in(), server.cursor
    server.post("known by now")
    cursor = server.cursor
    with Wire(server.port) as wire:
        for _ in range(2):
            wire.poll(old, 1, f"Authorization: Bearer {token}\r\n")
            assert wire.reply()[0] == 200
        wire.poll(cursor, 1, f"Authorization: Bearer {token}\r\n")  # parked without a handler
        server.until_parked(1)
        server.client.post("/api/v1/signout", headers={"Authorization": f"Bearer {token}"})
        assert wire.reply()[0] == 401
        time.sleep(1.5)  # until that poll would have been over
        wire.poll(cursor, "20&x=1")
        server.until_parked(1)
        server.post("news")
        assert wire.reply()[2]["messages"]
