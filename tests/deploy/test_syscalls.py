"""What a delivery costs, counted in system calls: a gate that no noise can move."""

import collections
import re
import shutil
import sys

import pytest

from tests.support.server import Server
from tests.support.wire import BROWSER, Wire

POLLS = 200
ROUNDS = 5


class Traced(Server):
    """A server that strace looks at; the calls of its main thread stand in `calls`."""

    def __init__(self, folder, **settings):
        self.calls = folder / "calls"
        self.under = ("strace", "-D", "-f", "-e", "trace=recvfrom,sendto,epoll_ctl,accept4", "-o", str(self.calls))
        super().__init__(folder, **settings)

    def count(self, since):
        """How often each was called since that place in the trace, and the place now."""
        text = self.calls.read_text()[since:]
        loop = self.calls.read_text().split(maxsplit=1)[0]
        named = re.findall(rf"^{loop} +(\w+)\(", text, re.MULTILINE)
        return collections.Counter(named), since + len(text)


@pytest.mark.skipif(sys.platform != "linux", reason="strace, epoll and the lot are Linux's")
def test_a_delivery_is_one_read_and_one_write(tmp_path):
    """And nothing is done to epoll: for each poll answered and parked again 1.3 reads and 1.05 writes, at most."""
    if not shutil.which("strace"):
        pytest.fail("strace is missing, without which what a delivery costs can't be counted: apt install strace")
    server = Traced(tmp_path)
    wires = [Wire(server.port) for _ in range(POLLS)]
    try:
        cursor = server.cursor
        for round in range(ROUNDS + 2):
            for wire in wires:
                wire.poll(cursor, headers=BROWSER)
            server.until_parked(POLLS)
            if round == 1:  # all of them are known by now
                _, began = server.count(0)
            server.post(f"round {round}")
            replies = [wire.reply()[2] for wire in wires]
            cursor = replies[0]["cursor"]
        calls, _ = server.count(began)
    finally:
        for wire in wires:
            wire.socket.close()
        server.stop()
    polls, deliveries = POLLS * ROUNDS, POLLS * (ROUNDS + 1)
    assert polls <= calls["recvfrom"] <= 1.3 * polls, calls
    assert deliveries <= calls["sendto"] <= 1.05 * deliveries, calls
    assert calls["epoll_ctl"] <= 0.02 * deliveries, calls  # the one who posts, and looks how many are parked
