"""How many connections one address may keep the server waiting with: real servers that may open 300 files."""

import asyncio
import contextlib
import http.client
import selectors
import socket
import threading
import time

import httpx
import pytest

from net.connections import HELD_BYTES, Connections, Wait, shares_of
from net.server import IDLE_SECONDS
from net.streams import Refusals, ServedStream
from storage import open_storage
from tests.hostile.nastiest.test_01_to_05_connections import resident
from tests.http.test_metrics import TOKEN, figures
from tests.http.test_polls import repeats  # noqa: F401 (fixture: both ways)
from tests.support.patience import PATIENCE
from tests.support.server import Server, until

# ruff: noqa: F811

CROWDED, OTHER = "127.0.0.1", "127.0.0.2"
ROOM = 300 - 64
SHARE = ROOM // 4
BODY = 310_144
SIP_SECONDS = 1.0
"""Between two small reads of a slow reader."""
BEFORE_THEY_TIME_OUT = IDLE_SECONDS - 30
"""Seconds for a visitor to be served: without a share for each address, that was when the crowd had timed out."""


class Limited(Server):
    """It may open 300 files, so that a crowd for them need not be large."""

    under = ("sh", "-c", 'ulimit -n 300 && exec "$@"', "sh")


@pytest.fixture
def limited(tmp_path, repeats):
    """A server with limits, and a page of history that has 0.8 MB."""
    asyncio.run(write(tmp_path))
    server = Limited(tmp_path, repeats=repeats, limits="on", max_parked=100, metrics_token=TOKEN)
    server.client.close()
    server.client = visitor(server, "127.0.1.1")
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


async def write(folder):
    storage = await open_storage(f"sqlite:///{folder}/board.db")
    for number in range(100):
        await storage.append(None, f"{number:04}" + "é" * 3996, None)
    await storage.close()


def visitor(server, address):
    transport = httpx.HTTPTransport(local_address=address)
    client = httpx.Client(base_url=server.url, timeout=BEFORE_THEY_TIME_OUT, transport=transport)
    server.opened.append(client)
    return client


class Crowd:
    """Connections from one address that are sent something and left alone, but for a little that is read of them."""

    def __init__(self, server, stack):
        self._server, self._stack = server, stack
        self._selector = selectors.DefaultSelector()
        self._is_over = threading.Event()
        thread = threading.Thread(target=self._sip)
        thread.start()
        stack.callback(thread.join)
        stack.callback(self._is_over.set)

    def come(self, count, request=b"", *, sips=False):
        return [self._one(request, sips) for _ in range(count)]

    def _one(self, request, sips):
        one = self._stack.enter_context(socket.socket())
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.bind((CROWDED, 0))
        one.settimeout(PATIENCE)
        one.connect(("127.0.0.1", self._server.port))
        with contextlib.suppress(OSError):  # it has been closed meanwhile
            one.sendall(request)
        if sips:
            self._selector.register(one, selectors.EVENT_READ)
        return one

    def _sip(self):
        """1.3 kB a second of each."""
        while not self._is_over.wait(SIP_SECONDS):
            for key, _ in self._selector.select(0) if self._selector.get_map() else ():
                try:
                    is_open = key.fileobj.recv(1300)
                except OSError:
                    is_open = False
                if not is_open:
                    self._selector.unregister(key.fileobj)


@pytest.fixture
def crowd(limited):
    with contextlib.ExitStack() as stack:
        yield Crowd(limited, stack)


UNFINISHED = b"POST /get HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % BODY + b"x" * (BODY - 1)
SIP_SECONDS = 1
"""Between two sips of a slow reader."""
SLOW = b"GET /api/v1/messages?before=999&limit=100 HTTP/1.1\r\nHost: x\r\n\r\n"
KINDS = {
    "silent": [(290, b"")],
    "heads": [(290, b"GET / HTTP/1.1\r\nX: " + b"x" * 12_000)],
    "bodies": [(150, UNFINISHED)],
    "forms": [(150, UNFINISHED.replace(b"/get", b"/add"))],
    "readers": [(150, SLOW)],
}
KINDS["all of them"] = [one for kind in list(KINDS.values()) for one in kind]
TRIED = [*(("on", kind) for kind in KINDS), ("off", "all of them")]


@pytest.mark.parametrize(("repeats", "kind"), TRIED)
def test_one_address_keeps_nobody_else_out(limited, crowd, kind):
    """Whatever it has open, others are served while it stands there, those beside it too, and memory stays."""
    for path in 5 * ("/api/v1/messages?before=999&limit=100", "/"):  # what is kept for all is made now
        assert limited.client.get(path).status_code == 200
        assert limited.post("x").status_code == 201
    before = resident(limited)
    for count, request in KINDS[kind]:
        crowd.come(count, request, sips=request == SLOW)
    for address in (OTHER, CROWDED):
        assert visitor(limited, address).get("/").status_code == 200
        assert visitor(limited, address).post("/api/v1/messages", json={"body": "x"}).status_code == 201
    grown = resident(limited) - before
    assert grown < 20_000
    until(lambda: figures(limited)["longboard_connections_now"] < SHARE + 20)


def test_polls_and_connections_in_use_are_not_counted(limited, crowd):
    """Half of all places for polls belong to one address, beside its silent connections; who asks keeps what he has."""
    asking = http.client.HTTPConnection("127.0.0.1", limited.port, timeout=PATIENCE, source_address=(CROWDED, 0))
    polls = [crowd.come(1, b"GET /get?after=%s HTTP/1.1\r\nHost: x\r\n\r\n" % limited.cursor.encode())[0]
             for _ in range(45)]  # fmt: skip
    limited.until_parked(45)
    for _ in range(15):
        crowd.come(20)
        asking.request("GET", "/healthz")
        answer = asking.getresponse()
        assert answer.status == 200 and b'"parked":45' in answer.read()
        asking.sock.getpeername()  # it would be another connection, if this one had been closed
    asking.close()
    limited.post("news")
    for poll in polls:
        assert b'"news"' in everything_until(poll, b"}]")


def everything_until(connection, end):
    received = b""
    while end not in received:
        part = connection.recv(65536)
        assert part, received
        received += part
    return received


def test_where_a_proxy_stands_in_front_nobody_is_counted(tmp_path, repeats):
    """All connections are its own: as many as there is room for may be silent."""
    server = Limited(tmp_path, repeats=repeats, limits="on", max_parked=100, client_header="X-Forwarded-For")
    with contextlib.ExitStack() as stack:
        crowd = Crowd(server, stack)
        silent = crowd.come(3 * SHARE)
        for one in silent:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert everything_until(one, b"}").startswith(b"HTTP/1.1 200")
    assert server.stop() == 0


# --- the bounds by themselves


class Held:
    """A connection as the bounds see it."""

    def __init__(self, since=0.0, wait=Wait.FIRST, held=0):
        self.group, self.since, self.wait, self.held = None, since, wait, held
        self.is_open = True

    def drop(self):
        self.is_open = False
        self.connections.leave(self)


def entered(connections, host, *made):
    for one in made:
        one.connections = connections
        connections.enter(one, host)
        connections.hold(one, one.held)
    return made


@pytest.mark.parametrize(
    ("hosts", "part"),
    [
        (["192.0.2.1"], 1 / 4),
        ([f"192.0.2.{number}" for number in range(200)], 1 / 2),
        (["2001:db8::/64"], 1 / 4),
        ([f"2001:db8:0:{number:x}::/64" for number in range(200)], 3 / 8),
        ([f"2001:db8:0:{number:x}00::/64" for number in range(200)], 1 / 2),
    ],
)
async def test_an_address_and_each_network_has_its_share(hosts, part):
    """Also where a crowd comes from many addresses of one network; who came last stays, and all that is kept is given back."""
    connections = Connections(400, is_counting=True)
    made = [one for number in range(400) for one in entered(connections, hosts[number % len(hosts)], Held(number))]
    connections.relieve()
    still_open = [one for one in made if one.is_open]
    assert 400 * part * 7 / 8 <= len(still_open) <= 400 * part
    assert still_open == made[-len(still_open) :]
    for one in still_open:
        one.drop()
    assert not connections._groups and not connections._crowded and not connections.all.parts
    assert (connections.all.count, connections.all.held) == (0, 0)


async def test_at_work_or_parked_is_not_waiting():
    """However many there are of them; when they become silent, they are counted at the next look."""
    connections = Connections(400, is_counting=True)
    made = entered(connections, "192.0.2.1", *(Held(number, Wait.NOTHING) for number in range(300)))
    connections.sweep()
    assert all(one.is_open for one in made)
    for one in made:
        one.wait = Wait.NEXT
    connections.sweep()
    assert sum(one.is_open for one in made) <= 100


@pytest.mark.parametrize("host", ["192.0.2.1", "unknown"])
async def test_what_is_held_for_clients_is_bounded(host):
    """By address, and for those that are not counted in total; the last reply stays, however long it is."""
    most = HELD_BYTES // 4 if host != "unknown" else HELD_BYTES
    connections = Connections(4000, is_counting=True)
    made = entered(connections, host, *(Held(number, Wait.READER, 1024 * 1024) for number in range(64)))
    connections.relieve()
    assert most * 7 / 8 - 2**20 <= connections.all.held <= most and made[-1].is_open
    (huge,) = entered(connections, host, Held(1000, Wait.READER, 2 * HELD_BYTES))
    connections.relieve()
    assert huge.is_open and not any(one.is_open for one in made)
    huge.drop()
    assert connections.all.held == 0 and not connections.all.members


@pytest.mark.parametrize(("open_now", "dropped"), [(100, []), (201, ["first", "next"])])
async def test_patience_is_shorter_when_half_of_the_room_is_taken(open_now, dropped):
    """Silent ones are closed after 15 and 20 s then; bodies and readers have bounds of their own."""
    connections = Connections(400, is_counting=True, clock=lambda: 100.0)
    old = {wait.name.lower(): Held(100 - 21, wait) for wait in Wait}
    young = [Held(100 - 14, Wait.FIRST), Held(100 - 19, Wait.NEXT)]
    entered(connections, "192.0.2.1", *old.values(), *young)
    entered(connections, "unknown", *(Held(0, Wait.NOTHING) for _ in range(open_now - connections.open_now)))
    connections.sweep()
    assert [name for name, one in old.items() if not one.is_open] == dropped
    assert all(one.is_open for one in young)


async def test_a_body_is_waited_for_since_its_head():
    """However long its connection was silent before; what becomes of the body later changes nothing of that."""
    ours, theirs = socket.socketpair()
    stream = ServedStream(ours, Connections(400, is_counting=True), Refusals(b"", b""))
    now = time.monotonic()
    stream.since = now - 60
    stream.has_head(is_whole=False)
    since = stream.since
    stream.has_head(is_whole=False, is_kept=False)
    stream.close()
    theirs.close()
    assert stream.since == since >= now


def test_shares_of_an_address():
    """As limits count it: IPv6 by /64. What is no address has none."""
    assert [name for name, _ in shares_of("192.0.2.77")] == ["192.0.2.77", "192.0.2.0/24"]
    networks = [name for name, _ in shares_of("2001:db8:1:2345::/64")]
    assert networks == ["2001:db8:1:2345::/64", "2001:db8:1:2300::/56", "2001:db8:1::/48"]
    assert shares_of("unknown") == ()
