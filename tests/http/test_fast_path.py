"""The fast path from within: what moves between it and Tornado, and what must never be taken for something else."""

import asyncio
import contextlib
import functools
import gc
import select
import socket
import time
import tracemalloc

import pytest

from handlers.boards.get import Get
from net import server as serving
from net.drain import until_left
from net.fast_path.path import READ_BYTES
from net.fast_path.server import FastServer
from net.streams import CHUNKS, ServedStream
from storage.records import Head
from tests.support.in_process import running, settled
from tests.support.patience import PATIENCE
from tests.support.wire import BROWSER, Wire

CHUNKED = b"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def house(tmp_path, monkeypatch):
    async with running(tmp_path) as house:
        get = Get.get

        async def counting(self):
            house.parsed.append(self.request.path)
            await get(self)

        monkeypatch.setattr(Get, "get", counting)
        yield house


def poll(house, wait=0, headers=BROWSER):
    return f"GET /get?after={house.board.waiters.recent.cursor}&wait={wait} HTTP/1.1\r\nHost: x\r\n{headers}\r\n"


async def news(house):
    await house.storage.append(None, "news", None)
    await house.board.waiters.deliver()


async def ask(wire, text):
    """Sends this and reads a reply, off the loop."""
    wire.send(text)
    return await asyncio.to_thread(wire.reply)


async def test_a_connection_stands_in_the_lot_unless_a_handler_needs_it(house):
    """Silent and polling connections cost a descriptor; others are Tornado's until their next poll; closed ones go."""
    path = house.server.path
    with Wire(house.port) as wire:
        await settled(lambda: len(path) == 1)
        assert not house.server._connections
        wire.send("GET /get?t=0&wait=9 HTTP/1.1\r\nHost: x\r\n\r\n")  # the tutorial's, never known
        await settled(lambda: house.board.waiters.parked)
        assert len(path) == 0 and len(house.server._connections) == 1 == house.application.context.connections.open_now
        house.board.waiters.leave(house.board.waiters._polls.waiters()[0])
    await settled(lambda: not house.application.context.connections.open_now)
    with Wire(house.port) as wire:
        for _ in range(3):
            assert (await ask(wire, poll(house)))[0] == 200
            await settled(lambda: len(path) == 1 and not house.server._connections)
            assert (await ask(wire, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
            assert len(path) == 0 and len(house.server._connections) == 1
    await settled(lambda: not house.application.context.connections.open_now)


async def test_what_looks_like_a_poll_in_its_packet_is_not_remembered_as_one(house):
    """A header may end where another packet begins: what the whole was allowed, a part of it is not."""
    known = house.application.context.memo._known
    for headers in ("Authorization: Bearer lb_x\r\n", ""):
        with Wire(house.port) as wire:
            wire.send(f"GET /get?after=x-0&wait=0 HTTP/1.1\r\n{headers}A: b")
            await asyncio.sleep(0.05)
            await ask(wire, poll(house))
    assert len(house.parsed) == 1 and not known
    with Wire(house.port) as wire:
        await ask(wire, poll(house))
    assert len(house.parsed) == 2 and len(known) == 1


async def test_bytes_that_came_behind_a_poll_are_not_lost_on_the_way_back(house):
    """Tornado has read them while the poll was parked; they come to the fast path with the connection."""
    health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with Wire(house.port) as wire:
        wire.send(poll(house, 25))
        await settled(lambda: house.board.waiters.parked)
        (stream,) = [connection.stream for connection in house.server._connections]
        wire.send(poll(house) + health + health[:10])
        await settled(lambda: stream.last_read.endswith(health[:10].encode()))
        await news(house)
        for _ in range(3):
            assert (await asyncio.to_thread(wire.reply))[0] == 200
        assert (await ask(wire, health[10:]))[0] == 200


async def test_who_must_ask_again_is_not_parked_for_longer(house):
    """When something about the account changes, a parked poll goes on for the rest of its time, not from the start."""
    waits, park = [], house.board.waiters.park

    def noting(polls, cursor, wait, *rest):
        waits.append(wait)
        return park(polls, cursor, wait, *rest)

    house.board.waiters.park = noting
    with Wire(house.port) as wire:
        await ask(wire, poll(house))
        for _ in range(2):  # the first time through a handler
            wire.send(poll(house, 20))
            await settled(lambda: house.board.waiters.parked)
            (waiter,) = house.board.waiters._polls.waiters()
            await asyncio.sleep(0.5)
            waiter.account_id = 7
            house.storage.access_changes_after = lambda access: settle([7])
            await house.board.waiters._notice_access(Head("", 0, 0, access=len(waits)))
            await settled(lambda: house.board.waiters.parked)
            assert waits[-1] <= waits[-2] - 0.1 < 20
            await news(house)
            assert (await asyncio.to_thread(wire.reply))[2]["messages"]


async def settle(value):
    return value


async def parked(house, wire, headers=BROWSER):
    """Parks a poll of this connection from the fast path: the second of its kind."""
    for _ in range(2):
        wire.send(poll(house, 25, headers))
        await settled(lambda: house.board.waiters.parked)
        if not len(house.server.path):
            await news(house)
            await asyncio.to_thread(wire.reply)
    assert len(house.server.path) == 1


async def test_more_than_is_read_at_once_is_not_left_lying(house):
    """Polls just as long as one read, two of which come at once behind a third that is parked."""
    padding = "X: " + "x" * (READ_BYTES - len(poll(house, 25, "X: \r\n"))) + "\r\n"
    with Wire(house.port) as wire:
        await parked(house, wire, padding)
        assert len(poll(house, 25, padding)) == READ_BYTES
        wire.send(2 * poll(house, 25, padding))
        await asyncio.sleep(0.05)
        await news(house)
        for _ in range(3):
            assert (await asyncio.to_thread(wire.reply))[2]["messages"]


async def test_who_polls_without_waiting_is_not_idle(house):
    """Also when it is known, has everything, and is answered at once."""
    path = house.server.path
    with Wire(house.port) as wire:
        for _ in range(2):
            await ask(wire, poll(house))
            await settled(lambda: len(path) == 1)
        path.now += 1000
        await ask(wire, poll(house))
        path.close_idle(95)
        assert len(house.parsed) == 1 and len(path) == 1


async def test_a_header_that_is_named_twice_takes_nothing_else_along(tmp_path):
    """VARYING_HEADERS names what may differ, and nothing that follows it: above all no token."""
    async with running(tmp_path, "--varying-headers=X-Request-Id, x-request-id,traceparent") as house:
        tail = " HTTP/1.1\r\nHost: x\r\nTraceparent: 1\r\nX-Request-Id: {}\r\nAuthorization: Bearer {}\r\nA: b\r\n\r\n"
        plain = {
            house.application.context.memo.plain(tail.format("1" * 64, token).encode()) for token in ("aaaa", "bbbb")
        }
        start = b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        assert plain == {start + b"aaaa\r\nA: b\r\n\r\n", start + b"bbbb\r\nA: b\r\n\r\n"}


async def test_an_end_that_comes_with_the_last_bytes_is_seen(house):
    """A poll and the client's end in one read: it is parked for a moment at most, and the connection is closed."""
    with Wire(house.port) as wire:
        await parked(house, wire)
        await news(house)
        await asyncio.to_thread(wire.reply)
        repeated = house.board.waiters.counters.repeated
        wire.send(poll(house, 25))
        wire.socket.shutdown(socket.SHUT_WR)
        await settled(lambda: house.board.waiters.counters.repeated > repeated)
        await settled(lambda: not house.application.context.connections.open_now)
        assert not house.board.waiters.parked


async def test_a_drain_after_all_have_left(house):
    """Who was parked and has gone leaves nothing behind that a drain would stumble over."""
    with Wire(house.port) as wire:
        await parked(house, wire)
    await settled(lambda: not house.board.waiters.parked)
    house.board.waiters.drain()
    assert not house.board.waiters._polls.groups()


@pytest.mark.parametrize("where", ["fast path", "Tornado"])
async def test_who_asks_once_more_at_the_end_is_answered(house, monkeypatch, where):
    """A client between two requests may have sent the next one already: it is answered, and told to go elsewhere."""
    monkeypatch.setattr("net.drain.LEAVE_SECONDS", PATIENCE)
    headers = BROWSER if where == "fast path" else BROWSER + "Connection: Keep-Alive\r\nTE: x\r\n"
    with Wire(house.port) as wire, Wire(house.port) as other:
        for one in (wire, other):
            assert (await ask(one, poll(house, headers=headers)))[0] == 200
        house.board.waiters.drain()
        leaving = asyncio.create_task(until_left(house.server, house.board.waiters, time.monotonic() + PATIENCE))
        status, head, reply = await ask(wire, poll(house, 25, headers))
        assert status == 200 and "Connection: close" in head and reply["retry_ms"]
        assert await asyncio.to_thread(wire.is_closed) and not leaving.done()
    await leaving


async def test_a_long_reply_to_a_slow_reader_comes_whole(house, monkeypatch):
    """What the system does not take at once is sent bit by bit; then the connection goes on as before."""
    slowly, send_slowly = [], house.server.send_slowly
    monkeypatch.setattr(house.server, "send_slowly", lambda *a, **o: (slowly.append(a), send_slowly(*a, **o)))
    asks = await behind(house, "long words " * 300)
    with Wire(house.port) as wire:
        for number in range(3):
            await settled(lambda: len(house.server.path) == 1)
            (connection,) = house.server.path._connections.values()
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            wire.send(asks)
            await settled(lambda: len(slowly) == number + 1)  # noqa: B023 - it is asked in this round
            assert len((await asyncio.to_thread(wire.reply))[2]["messages"]) == 200
            await ask(wire, poll(house))  # by which it comes back to the fast path


async def behind(house, words="many words " * 10):
    """A poll that lacks 200 messages, and that is known."""
    cursor = house.board.waiters.recent.cursor
    for number in range(200):
        await house.storage.append(None, f"{number} {words}", None)
    asks = f"GET /get?after={cursor}&wait=0 HTTP/1.1\r\nHost: x\r\n{BROWSER}\r\n"
    with Wire(house.port) as wire:
        await ask(wire, asks)
    await house.board.waiters.deliver()
    return asks


async def in_one_turn(house, first, others):
    """What the first does, and a poll of each of the others, are there when the fast path looks."""
    path, loop = house.server.path, asyncio.get_running_loop()
    await settled(lambda: len(path) == 1 + len(others))
    loop.remove_reader(path._epoll.fileno())
    first()
    for wire in others:
        wire.send(poll(house, 25))
    path._on_ready()
    loop.add_reader(path._epoll.fileno(), path._on_ready)


def small(house):
    """A client that takes so little at once that no reply goes out as one piece."""
    client = socket.socket()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 100)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
    client.connect(("127.0.0.1", house.port))
    return client


def ask_and_go(client, asks):
    client.sendall(asks.encode())
    client.close()


async def test_a_client_that_goes_before_its_reply_is_sent_ends_nobody_else_s_turn(house, caplog):
    """All others whose bytes the system told of in the same turn are read and parked."""
    asks = await behind(house)
    with contextlib.ExitStack() as stack:
        leaving = small(house)
        others = [stack.enter_context(Wire(house.port)) for _ in range(5)]
        for wire in others:
            wire.send(poll(house))
            await asyncio.to_thread(wire.reply)
        await in_one_turn(house, lambda: ask_and_go(leaving, asks), others)
        await settled(lambda: house.board.waiters.parked == len(others))
    assert not [record for record in caplog.records if record.name != "asyncio"]  # which says what took long


async def test_a_fault_ends_one_connection_and_nobody_else_s_turn(house, caplog, monkeypatch):
    """Whatever goes wrong with one; the log says what."""
    asks = await behind(house)
    with contextlib.ExitStack() as stack:
        bad, *others = [stack.enter_context(Wire(house.port)) for _ in range(6)]
        for wire in others:
            wire.send(poll(house))
            await asyncio.to_thread(wire.reply)
        monkeypatch.setattr(house.board.waiters.recent, "after", None)
        await in_one_turn(house, lambda: bad.send(asks), others)
        await settled(lambda: house.board.waiters.parked == len(others))
        assert await asyncio.to_thread(everything, bad.socket) == b""
    assert "because of a fault" in caplog.text
    caplog.clear()


async def test_replies_that_nobody_asks_for_again_are_not_kept(house):
    """Polls that are far behind differ in their cursors: each has its own reply, of some megabytes."""
    await behind(house)
    recent, memo = house.board.waiters.recent, house.server.path.memo
    tracemalloc.start()
    for seq in range(recent.seq - 199, recent.seq):
        memo.packet(recent.after(seq))
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 30 * len(recent.after(recent.seq - 199)), kept


async def test_what_was_to_be_sent_goes_with_the_connection(house):
    """At once, not when Python next looks for cycles: exceptions hold on to what was under way."""
    asks = await behind(house)
    size = len(house.board.waiters.recent.newest(reset=True))
    gc.disable()
    tracemalloc.start()
    for _ in range(50):
        await in_one_turn(house, functools.partial(ask_and_go, small(house), asks), [])
    await settled(lambda: not house.server.connections.open_now)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    gc.enable()
    assert kept < 30 * size, (kept, size)


async def test_tiny_chunks_of_many_connections_are_read_in_turns(house, monkeypatch):
    """However much has come: between two looks of the loop, few of each connection are read."""
    read_until, read, most = ServedStream.read_until, [], [0]
    monkeypatch.setattr(ServedStream, "read_until", lambda *a, **o: (read.append(a), read_until(*a, **o))[1])
    loop = asyncio.get_running_loop()

    def look():
        most[0] = max(most[0], len(read))
        read.clear()
        if not is_over:
            loop.call_soon(look)

    is_over = []
    body = b"1\r\na\r\n" * 500 + b"0\r\n\r\n"
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(house.port)) for _ in range(10)]
        sends = [asyncio.to_thread(wire.socket.sendall, CHUNKED + body) for wire in wires]
        look()
        await asyncio.gather(*sends)
        for wire in wires:
            assert (await asyncio.to_thread(wire.reply))[0] == 200
        is_over.append(True)
    assert most[0] <= len(wires) * CHUNKS, most


async def test_a_client_that_does_not_read_gets_its_last_reply_at_the_end(house):
    """A drain waits for it, and then ends the connection."""
    with Wire(house.port) as wire:
        for _ in range(2):  # the second time as a known one
            wire.send(poll(house, 25))
            await settled(lambda: house.board.waiters.parked)
            if len(house.server.path) == 0:
                await news(house)
                await asyncio.to_thread(wire.reply)
        (connection,) = house.board.waiters._polls.waiters()
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        filled = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                filled += connection.socket.send(b"x" * 65536)
        house.board.waiters.drain()
        assert house.application.context.under_way
        received = await asyncio.to_thread(everything, wire.socket)
        assert b"retry_ms" in received[filled:] and b"Connection: close" in received[filled:]
        assert received[:filled] == b"x" * filled
        await settled(lambda: not house.application.context.under_way)


def everything(connection):
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


async def test_without_epoll_all_go_through_tornado(tmp_path, monkeypatch):
    """As on macOS: slower, and the same."""
    monkeypatch.delattr(select, "epoll")
    async with running(tmp_path) as house:
        assert not isinstance(house.server, FastServer)
        with Wire(house.port) as wire:
            for _ in range(2):
                assert (await ask(wire, poll(house)))[0] == 200
        assert not house.application.context.memo._known


async def test_who_says_nothing_for_long_is_cut_off(house, monkeypatch):
    """Idle, or dripping a request byte by byte: closed in time; parked polls are not idle."""
    monkeypatch.setattr(serving, "IDLE_TICK", 0.05)
    house.server.conn_params.header_timeout = 1.5
    sweeping = asyncio.create_task(house.server.close_idle())

    def drip():
        with Wire(house.port) as idle, Wire(house.port) as slow, Wire(house.port) as parked:
            parked.send(poll(house))
            parked.reply()
            parked.send(poll(house, 4))
            with pytest.raises(OSError):
                while True:
                    slow.send("G")
                    time.sleep(0.05)
            assert idle.is_closed()
            assert parked.reply()[0] == 200

    await asyncio.to_thread(drip)
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
