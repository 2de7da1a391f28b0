"""Rows 24 and 25: a database that is busy, full or gone, a server that dies or is told to end."""

import concurrent.futures
import contextlib
import resource
import secrets
import socket
import sqlite3
import time

import pytest

from tests.http.test_messages import refused
from tests.support.patience import PATIENCE
from tests.support.server import until


@contextlib.contextmanager
def busy(server):
    """Another process holds the database."""
    db = sqlite3.connect(server.database, isolation_level=None, timeout=PATIENCE)
    db.execute("BEGIN IMMEDIATE")
    yield
    db.execute("ROLLBACK")
    db.close()


@contextlib.contextmanager
def full(server):
    """The system lets no file of the server's grow, as on a disk that is full."""
    size = server.database.with_name("board.db-wal").stat().st_size
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    yield
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def bodies(server):
    return [message["body"] for message in server.get("/api/v1/messages").json()["messages"]]


@pytest.mark.parametrize("fault", [busy, full])
def test_24_what_could_not_be_written_is_refused_and_its_key_works_later(start, fault):
    """503 with a time to come back; reading goes on; the same request succeeds afterwards, once."""
    server = start()
    server.post("before")
    key, words = secrets.token_urlsafe(16), "words " * 600
    with fault(server):
        fillers = (server.post(f"filler {n} {words}").status_code for n in range(100))
        assert 503 in fillers  # the first of them, where the database is busy
        response = server.post(words, key=key)
        refused(response, 503, "unavailable")
        assert int(response.headers["Retry-After"]) > 0
        assert server.get("/").status_code == 200 and "before" in bodies(server)
    assert server.post(words, key=key).status_code == 201
    assert bodies(server).count(words.strip()) == 1


def test_24_a_post_whose_client_has_gone_is_whole_and_not_doubled(start):
    """It was cancelled while it waited for the database; the client comes back with the same key."""
    server, key = start(), secrets.token_urlsafe(16)
    body = f"body=cancelled&key={key}".encode()
    head = b"POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    with busy(server):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert server.get("/healthz").status_code == 200
        connection.close()
    assert server.post("cancelled", key=key).status_code in (200, 201)
    assert bodies(server) == ["cancelled"]


def test_24_killed_after_the_commit_and_before_the_answer_arrived(start):
    """Whoever asks again gets the message that is there."""
    server, key = start(), secrets.token_urlsafe(16)
    first = server.post("once", key=key).json()
    server.kill()
    server.start()
    again = server.post("once", key=key)
    assert (again.status_code, again.json()) == (200, first)


def test_24_a_wiped_database_resets_open_pages(start):
    """Another database under the same address has another epoch: whoever polls is given what is there now."""
    server = start()
    server.post("old")
    old = server.cursor
    server.stop()
    for path in server.database.parent.glob("board.db*"):
        path.unlink()
    server.start()
    server.post("new")
    reply = server.news(old)
    assert reply["reset"] and [m["body"] for m in reply["messages"]] == ["new"]


def test_25_a_drain_answers_every_parked_poll_and_exits_0(start):
    """SIGTERM with 500 parked polls and posts in flight: all are answered before their time, nothing is lost."""
    server = start(poll_seconds=600)
    cursor = server.cursor
    connections = []
    for _ in range(500):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        connection.sendall(f"GET /get?after={cursor} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        connections.append(connection)
    server.until_parked(500)
    assert server.stop() == 0
    for connection in connections:
        reply = connection.recv(65536)
        assert reply.startswith(b"HTTP/1.1 200") and b'"messages":[]' in reply and b"retry_ms" in reply
        assert b"Connection: close" in reply and connection.recv(10) == b""
        connection.close()


def test_25_a_post_in_flight_is_done_before_the_end(start):
    """It waits for the database when SIGTERM comes; it is answered, and it is there."""
    server = start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with busy(server):
            posting = pool.submit(server.open().post, "/api/v1/messages", json={"body": "in flight"})
            until(lambda: not posting.done() and server.health()["storage"] == "ok")
            time.sleep(0.2)  # nothing tells when it has begun to wait; the longer, the more this asks
            server.process.terminate()
        assert posting.result().status_code == 201
    assert server.stop() == 0
    db = sqlite3.connect(server.database)
    assert db.execute("SELECT body FROM messages").fetchall() == [("in flight",)]
    db.close()
