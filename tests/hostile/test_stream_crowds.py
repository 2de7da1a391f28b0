"""Many streams at once, from clients that mean no good."""

import contextlib
import random
import socket
import struct

from tests.support.admin import admin, at
from tests.support.events import NDJSON, SSE, Stream
from tests.support.server import until

CROWD = 1000
OTHER = "127.0.0.2"
RESETS = struct.pack("ii", 1, 0)
"""SO_LINGER: the connection ends without a good-bye."""


def test_a_thousand_streams_of_one_address_leave_room_for_others(start):
    """It gets half of the places; the others of its streams are told to come back. None of them reads a byte."""
    server = start(limits="on", max_parked=CROWD)
    cursor = server.cursor
    with contextlib.ExitStack() as stack:
        for _ in range(CROWD):
            stack.enter_context(Stream(server, f"?after={cursor}", reads=False))
        server.until_parked(CROWD // 2)
        with Stream(server, source=OTHER) as other, Stream(server, accept=NDJSON, source=OTHER) as lines:
            assert other.reply() and lines.reply()
            for number in range(3):
                assert server.post(f"{number}").status_code == 201
                assert other.bodies() == lines.bodies() == [f"{number}"]
            assert server.health()["parked"] == CROWD // 2 + 2
    server.until_parked(0)


def test_clients_that_vanish_in_the_middle_leave_nothing_behind(start):
    """With and without a good-bye, before and after the first event, while news are being sent."""
    server, chance = start(max_parked=CROWD), random.Random(1)
    with Stream(server) as steady:
        assert steady.reply()
        for round in range(5):
            crowd = [Stream(server, accept=chance.choice([SSE, NDJSON]), reads=False) for _ in range(60)]
            for stream in crowd[:40]:
                stream.connection.recv(chance.choice([1, 4096]))
            for number, stream in enumerate(crowd):
                if number == 30:
                    server.post(f"round {round}")
                if chance.random() < 0.5:
                    stream.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
                stream.connection.close()
            assert steady.bodies() == [f"round {round}"]
            server.until_parked(1)
    server.until_parked(0)
    assert "Traceback" not in server.log.read_text()


def test_a_large_event_for_many_cuts_nobody_off(start):
    """As large as a reset of long messages is, for sixty who are a moment late with reading."""
    server = start()
    for number in range(50):
        server.post(f"{number} " + "’" * 3990)
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(Stream(server, f"?after={server.cursor}")) for _ in range(60)]
        for stream in streams:
            assert stream.reply()["messages"] == []
        server.until_parked(60)
        admin(at(server.database), "new-epoch")
        for stream in streams:
            reply = stream.reply()
            assert reply["reset"] and len(reply["messages"]) == 50


def test_streams_that_nobody_reads_hold_up_nobody(start):
    """A hundred of them on a busy board: posts are answered, others get every event, and memory stays."""
    server = start()
    memory = resident(server)
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(Stream(server, reads=False))
        server.until_parked(100)
        with Stream(server) as other:
            other.reply()
            posted = []
            while server.health()["parked"] > 10:
                posted.append(f"{len(posted)} " + 3900 * "𝕏")
                assert server.post(posted[-1]).status_code == 201
            seen = []
            while len(seen) < len(posted):
                seen += other.bodies()
            assert seen == posted
        assert resident(server) - memory < 30_000
    until(lambda: server.health()["parked"] == 0)


def resident(server):
    """KB of memory."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
