"""Both ways must say the same, whatever comes: random streams, to a server with repeated polls and to one without."""

import concurrent.futures
import contextlib
import itertools
import re
import socket
import sqlite3
import time

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.support.patience import PATIENCE
from tests.support.server import Server, until

GLANCE = 0.01
"""Seconds of reading between two looks at whether all is answered."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two servers with the same epoch and the same messages: one that knows repeated polls, and one that doesn't."""
    servers = []
    for repeats in ("on", "off"):
        server = Server(tmp_path_factory.mktemp(f"repeats-{repeats}"), repeats=repeats, poll_seconds=1)
        server.stop()
        db = sqlite3.connect(server.database)
        db.execute("UPDATE board SET epoch = 'samesame', seq = 300")
        db.executemany(
            "INSERT INTO messages (id, seq, body, created_at) VALUES (?, ?, ?, 1)",
            [(n, n, f"message {n} é😀") for n in range(1, 301)],
        )
        db.commit()
        db.close()
        server.start()
        servers.append(server)
    yield servers
    for server in servers:
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()


cursors = st.sampled_from(
    ["samesame-300", "samesame-300", "samesame-299", "samesame-90", "samesame-0", "samesame-301", "samesame-007",
     "othe-3", "garbage", "samesame-", "samesame-300%20", "samesame-300&after=samesame-1", ""]
)  # fmt: skip
lines = st.sampled_from(
    ["", "User-Agent: a\r\n", "X-Request-Id: 1\r\n", "x-request-id: 2\r\n", "traceparent: \t3\r\n",
     "Cookie: a=b\r\n", "Authorization: Bearer no\r\n", "Content-Length: 0\r\n", "Connection: keep-alive\r\n"]
)  # fmt: skip
paths = st.sampled_from(
    ["/get?after={}", "/get?after={}&wait=0", "/api/v1/messages?after={}&wait=0", "/get?wait=0&after={}"]
)
polls = st.builds(
    lambda path, cursor, more, method: f"{method} {path.format(cursor)}{'&wait=0' * ('wait' not in path)} HTTP/1.1\r\nHost: x\r\n{more}\r\n",
    paths, cursors, st.lists(lines, max_size=2).map("".join), st.sampled_from(["GET"] * 9 + ["HEAD"]),
)  # fmt: skip
others = st.sampled_from(["GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"])
steps = st.tuples(polls | others, st.integers(1, 3), st.none() | st.integers(1, 60))
good_end = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
poll = "GET /get?after=samesame-300&wait=0"
ends = st.sampled_from(
    [good_end] * 4 + [f"{poll} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", f"{poll} HTTP/1.0\r\n\r\n",
     f"{poll} HTTP/1.1\r\nHost: x\r\nX-Request-Id: 3\r\n X-Folded: 1\r\n\r\n", f"{poll} HTTP/1.1\r\n\r\n",
     f"{poll} HTTP/1.1\r\nHost: x\r\nX-Request-Id: \0\r\n\r\n", f"{poll} HTTP/7\r\n\r\n", "\x16\x03\x01\r\n\r\n"]
)  # fmt: skip


POST = (
    "POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    'Content-Length: 15\r\n\r\n{"body":"news"}'
)
"""On a connection of its own, while the stream goes on."""
NOW = "samesame-NOW"
"""Stands for the newest cursor."""
parked = st.builds(
    lambda path, more: (f"GET {path}?after={NOW} HTTP/1.1\r\nHost: x\r\n{more}\r\n", 1, None),
    st.sampled_from(["/get", "/api/v1/messages"]), st.lists(lines, max_size=1).map("".join),
)  # fmt: skip
news = st.just((POST, 1, None))
parked_then_news = st.tuples(parked, st.lists(steps, max_size=1), news).map(lambda t: [t[0], *t[1], t[2]])
requests = st.lists(
    st.lists(steps, min_size=1, max_size=2) | parked_then_news | news.map(lambda one: [one]), max_size=5
)
half_closes = st.sampled_from(["", f"GET /get?after={NOW} HTTP/1.1\r\nHost: x\r\n\r\n"])
"""After all replies have come, or behind a poll that is parked, which then ends."""
streams = st.tuples(requests.map(lambda parts: list(itertools.chain(*parts))), ends)
polls_alone = st.lists(st.tuples(polls, st.integers(1, 3), st.none() | st.integers(1, 60)), min_size=1, max_size=5)


def test_random_streams_are_answered_alike_byte_for_byte(pair, request):
    """Requests in any order, repeated, split anywhere, glued together, parked while news come, half-closed at the end:
    both servers send the same bytes, but for times.
    """
    count = request.config.getoption("--streams")

    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate, Phase.shrink])
    @given(streams | st.tuples(polls_alone, half_closes))
    def alike(stream):
        said = ["", " "]
        for _ in range(3):  # on a busy machine, one server's poll may end before the news come
            if said[0] != said[1]:
                with concurrent.futures.ThreadPoolExecutor(2) as pool:
                    said = list(pool.map(lambda server: conversation(server.port, stream), pair))
        assert said[0] == said[1]

    alike()


def conversation(port, stream):
    """All that comes back, until the connection is closed; only the last request may be one that closes it."""
    requests, end = stream
    talk = Talk(port)
    with talk.connection:
        for request, times, cut in requests:
            for _ in range(times):
                if request is POST:
                    talk.settle()
                    assert " 201 " in exchange(port, POST)
                else:
                    talk.send(request, cut)
        if end and NOW not in end:
            talk.send(end)
        else:
            talk.settle()
            if end:
                talk.send(end)
            talk.connection.shutdown(socket.SHUT_WR)
        talk.connection.settimeout(PATIENCE)
        while talk.read():
            pass
    return re.sub(rb'Date: [^\r]*|"created_at":"[^"]*"|"watching":\d+|Content-Length: \d+', b"", talk.received)


class Talk:
    def __init__(self, port):
        self.port, self.sent, self.received = port, 0, b""
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request, cut=None):
        data = request.replace("NOW", newest(self.port) if NOW in request else "").encode()
        for part in (data[:cut], data[cut:]) if cut else (data,):
            self.connection.sendall(part)
            time.sleep(0.002)
        self.sent += 1

    def read(self):
        data = self.connection.recv(65536)
        self.received += data
        return data

    def settle(self):
        """Until all is answered, or a poll is parked, before which all is."""
        self.connection.settimeout(GLANCE)
        until(self.is_settled)

    def is_settled(self):
        with contextlib.suppress(TimeoutError):
            self.read()
        return self.received.count(b"HTTP/1.1 ") == self.sent or '"parked":1' in health(self.port)


def exchange(port, request):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(request.encode())
        received = b""
        while data := connection.recv(65536):
            received += data
    return received.decode()


def health(port):
    return exchange(port, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


def newest(port):
    """The number of the newest change."""
    return re.search(r"samesame-(\d+)", health(port))[1]
