"""Streams from within: what a delivery costs, how they end by themselves, and what slow readers get."""

import asyncio
import contextlib
import gc
import json
import random
import socket

import pytest
from tornado.httputil import HTTPServerRequest

from board.credentials import hash_secret
from board.cursor import Cursor
from board.limits import Limits
from board.wire import cursor_in, encode_reply
from handlers.boards.stream import Stream as Handler
from net import event_stream, event_streams
from net import server as serving
from storage.errors import UnavailableError
from storage.records import Password
from tests.storage.test_sqlite import filled
from tests.support.events import NDJSON, SSE, Stream
from tests.support.in_process import running, settled

KINDS = pytest.mark.parametrize("accept", [SSE, NDJSON], ids=["sse", "ndjson"])


@pytest.fixture(params=["on", "off"])
async def house(request, tmp_path):
    async with running(tmp_path, f"--repeats={request.param}", buffer=32_768) as house:
        yield house


async def begin(house, count=1, accept=SSE, **options):
    """Streams that are parked."""
    cursor, before = house.board.waiters.recent.cursor, house.board.waiters.parked
    streams = await asyncio.to_thread(
        lambda: [Stream(house, f"?after={cursor}", accept, **options) for _ in range(count)]
    )
    for stream in streams:
        if options.get("reads", True):
            assert (await asyncio.to_thread(stream.reply))["messages"] == []
    await settled(lambda: house.board.waiters.parked == before + count)
    return streams


def close(streams):
    for stream in streams:
        stream.connection.close()


async def post(house, text="news"):
    message, _ = await house.storage.append(None, text, None)
    return message


@KINDS
async def test_what_is_new_is_encoded_once_and_sent_without_a_handler(house, accept, monkeypatch):
    """However many streams there are: one event, one write for each, nothing read, no task."""
    streams, events, writes = await begin(house, 40, accept), [], []
    kind, counters = event_stream.FORMATS[accept], house.board.counters
    event, send = kind.event, socket.socket.send
    monkeypatch.setattr(kind, "event", classmethod(lambda cls, *a: events.append(a) or event(*a)))
    monkeypatch.setattr(socket.socket, "send", lambda one, data: writes.append(data) or send(one, data))
    requests, delivered = counters.requests.total(), counters.delivered
    await post(house)
    await settled(lambda: counters.delivered == delivered + 40)
    assert len(events) == 1 and [data for data in writes if b"news" in data] == [event(*events[0])] * 40
    assert counters.requests.total() == requests and house.board.waiters.parked == 40
    assert len(house.board.waiters._polls.groups()) <= 2
    for stream in streams:
        assert await asyncio.to_thread(stream.bodies) == ["news"]
    close(streams)
    await settled(lambda: house.board.waiters.parked == 0)


async def test_nothing_of_its_request_stays_in_memory(house):
    """A cycle of objects would keep it until the next garbage collection: eight kilobytes for each new stream."""

    def kept():
        return [one for one in gc.get_objects() if isinstance(one, Handler | HTTPServerRequest)]

    gc.collect()
    gc.disable()
    try:
        streams = await begin(house, 3)
        await settled(lambda: not kept())  # the handler's task ends a moment later
        assert kept() == []
    finally:
        gc.enable()
    close(streams)


async def test_streams_are_kept_alive_by_one_timer_for_a_group(house, monkeypatch):
    """A comment for server-sent events, and for lines what a poll would be told then."""
    monkeypatch.setattr(event_streams, "KEEP_ALIVE_SECONDS", 0.3)
    streams, lines = await begin(house, 10), await begin(house, 10, NDJSON)
    cursor = str(house.board.waiters.recent.cursor)
    assert all(group.timer is not None for group in house.board.waiters._polls.groups())
    for _ in range(2):
        for stream in streams:
            assert await asyncio.to_thread(stream.until, b"\n") == b":\n"
        for stream in lines:
            assert await asyncio.to_thread(stream.reply) == {"messages": [], "cursor": cursor}
    await settled(lambda: house.board.waiters.parked == 20)
    assert len(house.board.waiters._polls.groups()) < 10
    close(streams + lines)


@KINDS
@pytest.mark.parametrize("is_busy", [False, True], ids=["quiet", "busy"])
async def test_a_stream_ends_by_itself(house, accept, is_busy, monkeypatch):
    """When its time is over, whether there are news or not; its client comes back."""
    monkeypatch.setattr(event_streams, "KEEP_ALIVE_SECONDS", 20 if is_busy else 0.25)
    monkeypatch.setattr(event_stream, "STREAM_SECONDS", 0.5)
    streams = await begin(house, 3, accept)
    while house.board.waiters.parked:
        if is_busy:
            await post(house)
        await asyncio.sleep(0.02)
    for stream in streams:
        while stream.unread or not stream.has_ended():
            stream.unread = b""
    assert house.application.context.connections.open_now == 0
    close(streams)


def test_streams_end_at_different_times():
    """Those that began together don't come back together; none lasts longer than it should."""
    ends = [event_stream.JsonLines(None, Cursor("a", 1), None, "x").ends_at for _ in range(50)]
    assert max(ends) - min(ends) > 20 and len(set(ends)) > 40


LONG = "x" * 4000


@KINDS
async def test_a_client_that_never_reads_is_closed(house, accept, monkeypatch):
    """At most one event is kept for it beyond what the system takes, and only for a while. Others are served as ever."""
    monkeypatch.setattr(serving, "SLOW_TICK", 0.05)
    monkeypatch.setattr(serving, "SLOW_SECONDS", 0.5)
    connections = house.application.context.connections
    closing = asyncio.create_task(house.server.close_slow())
    [dead], [alive] = await begin(house, 1, accept, slow=True), await begin(house, 1, accept)
    before = connections.all.held
    reading = asyncio.create_task(read_until(alive, "the last"))
    while house.board.waiters.parked == 2:
        await post(house, LONG)
    assert 0 < connections.all.held - before < 3 * len(LONG)
    held = connections.all.held
    for _ in range(20):
        await post(house, LONG)
    assert connections.all.held <= held
    await settled(lambda: connections.open_now == 1)
    assert connections.all.held == before
    await post(house, "the last")
    assert "the last" in await reading
    closing.cancel()
    close([dead, alive])


async def read_until(stream, text):
    """All bodies up to this one."""
    bodies = []
    while text not in bodies:
        bodies += await asyncio.to_thread(stream.bodies)
    return bodies


@KINDS
async def test_a_client_that_pauses_gets_everything_in_order(house, accept):
    """Once it has taken the event that was being sent, it gets all that it missed in a few events."""
    [stream] = await begin(house, 1, accept, slow=True)
    count = 0
    while house.board.waiters.parked:
        await post(house, f"{count} {LONG[:3900]}")
        count += 1
    for _ in range(30):
        await post(house, f"{count}")
        count += 1
    await post(house, "the last")
    bodies = await read_until(stream, "the last")
    assert [body.split()[0] for body in bodies[:-1]] == [f"{n}" for n in range(count)]
    await settled(lambda: house.board.waiters.parked == 1)
    await post(house, "and on")
    assert await asyncio.to_thread(stream.bodies) == ["and on"]
    close([stream])


async def test_a_client_that_paused_for_more_than_memory_has_comes_back(house):
    """It is closed instead of reset: with its cursor it gets all from storage."""
    [stream] = await begin(house, slow=True)
    count = 0
    while house.board.waiters.parked:
        await post(house, f"{count} {LONG[:3900]}")
        count += 1
    last = count + 1100
    while count < last:
        await asyncio.gather(*(post(house, f"{n}") for n in range(count, min(last, count + 100))))
        count = min(last, count + 100)
    bodies = []
    with pytest.raises(EOFError):
        while True:
            reply = await asyncio.to_thread(stream.reply)
            bodies += [message["body"].split()[0] for message in reply["messages"]]
            assert "reset" not in reply
    again = await asyncio.to_thread(Stream, house, headers=f"Last-Event-ID: {reply['cursor']}\r\n")
    while len(bodies) < count:
        bodies += await asyncio.to_thread(again.bodies)
    assert sorted(map(int, bodies)) == list(range(count))
    close([stream, again])


async def test_a_right_that_ends_while_a_client_is_slow_is_noticed(house):
    """It is not parked then, so no change reaches it; it is looked at when it would be parked again."""
    account = await house.storage.create_account("ada", "Ada", await house.board.passwords.hash("long enough words"))
    await house.storage.create_credential(account.id, "bot", hash_secret("lb_x"), "bot")
    [stream] = await begin(house, 1, slow=True, headers="Authorization: Bearer lb_x\r\n")
    while house.board.waiters.parked:
        await post(house, LONG)
    await house.storage.suspend(None, "ada")
    await house.board.waiters.deliver()
    await post(house, "secret")
    with pytest.raises(EOFError):
        while True:
            assert "secret" not in await asyncio.to_thread(stream.bodies)
    await settled(lambda: house.application.context.connections.open_now == 0)
    close([stream])


@pytest.mark.parametrize("is_slow", [False, True])
async def test_a_stream_goes_on_through_what_does_not_end_its_credential(house, is_slow):
    """Else those who may invite could end the streams of others, and a bot would be told of its member's invitations."""
    storage, waiters = house.storage, house.board.waiters
    account, board = await with_bot(storage)
    streams = await begin(house, 3, slow=True, headers="Authorization: Bearer lb_x\r\n")
    while is_slow and waiters.parked:
        await post(house, LONG)
    for deed in (storage.invite, storage.uninvite):
        await deed(None, board.id, account.id)
        await waiters.deliver()
        if not is_slow:
            await settled(lambda: waiters.parked == 3)
    await post(house, "for all")
    for stream in streams:
        while "for all" not in await asyncio.to_thread(stream.bodies):
            pass
    [credential] = await storage.credentials(account.id)
    await storage.revoke_credential(account.id, credential.id)
    await settled(lambda: waiters.parked == 0)
    await post(house, "secret")
    assert all([await asyncio.to_thread(stream.has_ended) for stream in streams])
    close(streams)


async def with_bot(storage):
    """Returns an account, whose bot has the token lb_x, and a board to which it is not invited."""
    account = await storage.create_account("ada", "Ada", Password(None))
    await storage.create_credential(account.id, "bot", hash_secret("lb_x"), "bot")
    return account, await storage.create_board(None, "x", "Name", read_by="invited")


@KINDS
async def test_keep_alives_come_when_they_would_have(house, accept, monkeypatch):
    """However often something about the account changes, on streams of either format."""
    account, board = await with_bot(house.storage)
    waiters = house.board.waiters
    streams = await begin(house, 2, accept, headers="Authorization: Bearer lb_x\r\n")
    ticks, looks = {one: one.parked.tick for one in waiters._polls.waiters()}, []
    find = house.board.credentials.find
    monkeypatch.setattr(house.board.credentials, "find", lambda *a, **named: looks.append(a) or find(*a, **named))
    monkeypatch.setattr(event_streams, "KEEP_ALIVE_SECONDS", 2000)
    for deed in (house.storage.invite, house.storage.uninvite) * 3:
        before = len(looks)
        await deed(None, board.id, account.id)
        await settled(lambda before=before: len(looks) == before + 2 and waiters.parked == 2)
    assert {one: one.parked.tick for one in ticks} == ticks
    close(streams)


async def test_a_fault_ends_one_stream_in_doubt_and_no_other(house, monkeypatch, caplog):
    """It is logged. They are looked at in the order in which they came."""
    account, board = await with_bot(house.storage)
    streams = [(await begin(house, headers="Authorization: Bearer lb_x\r\n"))[0] for _ in range(3)]
    find, faults = house.board.credentials.find, [RuntimeError("a fault")]

    async def faulty(secret, *, use):
        if faults:
            raise faults.pop()
        return await find(secret, use=use)

    monkeypatch.setattr(house.board.credentials, "find", faulty)
    await house.storage.invite(None, board.id, account.id)
    await settled(lambda: house.board.waiters.parked == 2)
    await post(house, "for all")
    for stream in streams[1:]:
        assert await asyncio.to_thread(stream.bodies) == ["for all"]
    assert await asyncio.to_thread(streams[0].has_ended)
    [logged] = [one for one in caplog.records if "because of a fault" in one.message]
    assert "a fault" in str(logged.exc_info[1]) and logged.levelname == "ERROR"
    close(streams)


async def test_streams_in_doubt_give_the_turn_back(house, monkeypatch):
    """When their slice of time is over; nothing else makes them wait once the credential is known."""
    account, board = await with_bot(house.storage)
    streams = await begin(house, 5, headers="Authorization: Bearer lb_x\r\n")
    find, seen = house.board.credentials.find, []

    async def seeing(secret, *, use):
        found = await find(secret, use=use)
        seen.append("looked up")
        asyncio.get_running_loop().call_soon(seen.append, "a turn")
        return found

    monkeypatch.setattr(house.board.credentials, "find", seeing)
    monkeypatch.setattr(event_streams, "SLICE_SECONDS", -1)
    await house.storage.invite(None, board.id, account.id)
    await settled(lambda: len(seen) == 10 and house.board.waiters.parked == 5)
    assert seen == ["looked up", "a turn"] * 5
    close(streams)


async def test_a_stream_whose_client_leaves_while_it_is_in_doubt_is_gone(house, monkeypatch):
    """And so is one whose right storage can't tell: its client comes back."""
    storage, credentials, asked = house.storage, house.board.credentials, asyncio.Event()
    account = await storage.create_account("ada", "Ada", Password(None))
    await storage.create_credential(account.id, "bot", hash_secret("lb_x"), "bot")
    streams = await begin(house, 2, headers="Authorization: Bearer lb_x\r\n")

    async def away(secret, *, use):
        await asked.wait()
        raise UnavailableError("away")

    monkeypatch.setattr(credentials, "find", away)
    await storage.set_name(account.id, "Another")
    await settled(lambda: house.board.waiters.parked == 0)
    open_now = house.application.context.connections.open_now
    streams[0].connection.close()
    await settled(lambda: house.application.context.connections.open_now == open_now - 1)
    asked.set()
    assert await asyncio.to_thread(streams[1].has_ended)
    await settled(lambda: house.application.context.connections.open_now == 0)
    close(streams)


async def test_the_system_gives_up_a_client_that_takes_nothing(house):
    """One that has vanished without a good-bye, or does not read."""
    [stream] = await begin(house)
    [one] = house.board.waiters._polls.waiters()
    assert one.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == event_streams.UNACKNOWLEDGED_MS
    assert one.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    close([stream])


async def test_a_stream_that_has_no_descriptor_to_go_on_is_closed(house, monkeypatch):
    """Its client comes back; nothing is left behind."""
    monkeypatch.setattr(socket.socket, "dup", lambda one: (_ for _ in ()).throw(OSError(24, "Too many open files")))
    stream = await asyncio.to_thread(Stream, house)
    assert (await asyncio.to_thread(stream.reply))["messages"] == [] and stream.has_ended()
    await settled(lambda: house.application.context.connections.open_now == 0)
    close([stream])


async def test_a_cursor_beyond_what_is_known_is_not_parked_for_ever(house):
    """While storage could not be read, a stream may be ahead of this process; when it can, the client comes back."""
    [stream] = await begin(house)
    waiters = house.board.waiters
    [one] = waiters._polls.waiters()
    group = waiters._polls.remove(one)
    waiters.park([one], Cursor(group.cursor.epoch, 99), 20)
    one.cursor = Cursor(group.cursor.epoch, 99)
    await post(house)
    await settled(lambda: waiters.parked == 0)
    assert stream.unread == b"" and stream.connection.recv(100) in (b"", b":\n")
    close([stream])


def test_the_cursor_of_a_reply_is_found_whatever_people_write():
    """The last one counts: nothing that anybody wrote comes after it."""
    chance = random.Random(1)
    for _ in range(200):
        text = "".join(chance.choices(['"cursor":"', 'x-1"', "}", "]", ",", '"', "\\", "a"], k=12))
        seq, flags = chance.randrange(10**9), {"more": chance.random() < 0.5, "reset": chance.random() < 0.5}
        reply = encode_reply([json.dumps({"body": text}).encode()], Cursor("e9", seq), watching=3, retry_ms=5, **flags)
        assert cursor_in(reply) == Cursor("e9", seq) and json.loads(reply)["cursor"] == f"e9-{seq}"


async def test_who_reads_from_far_behind_is_limited_and_told_when_to_come_back(tmp_path):
    """Reading from storage counts as it does for polls. The stream ends, with what has been read and a time to wait."""
    await asyncio.to_thread(lambda: filled(tmp_path / "board.db", 60 * 200 + 2000).close())
    async with running(tmp_path) as house:
        house.board.limits.reading = Limits(clock=lambda: 0.0).reading  # nothing is given back, however slow this is
        bodies, retries = await asyncio.to_thread(read_all, house)
    assert bodies == [f"message {n}" for n in range(1, 60 * 200 + 1)]
    assert retries[-1] <= 600 < 1000 <= retries[0]  # the next page may be read a fifth of a second later


def read_all(house):
    """Returns what a stream from the board's begin has sent until it ended, and the times to wait that it named."""
    bodies, retries = [], []
    with Stream(house, f"?after={house.board.waiters.recent.epoch}-0") as stream, contextlib.suppress(EOFError):
        while True:
            bodies += stream.bodies()
            retries.append(stream.retry_ms)
    return bodies, [*retries, stream.retry_ms]
