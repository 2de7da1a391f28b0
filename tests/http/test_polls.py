"""The poll over HTTP, against a real server process."""

import concurrent.futures
import socket
import time

import pytest

from tests.storage.test_sqlite import filled
from tests.support.patience import PATIENCE
from tests.support.server import until


@pytest.fixture(params=["on", "off"])
def repeats(request):
    """Both ways: with repeated polls answered without parsing, and all through Tornado."""
    return request.param


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        yield pool


def raw(server, *lines, headers=""):
    """A connection on which a request has been sent."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    connection.sendall("".join(f"{line} HTTP/1.1\r\nHost: x\r\n{headers}\r\n" for line in lines).encode())
    return connection


def test_a_parked_poll_is_answered_by_a_post(server, pool):
    """What one posts the other gets at once, with the cursor to go on from."""
    cursor = server.cursor
    polls = [pool.submit(server.news, cursor, 25) for _ in range(20)]
    server.until_parked(20)
    posted = server.post("news").json()
    for poll in polls:
        reply = poll.result()
        assert reply["messages"] == [posted]
        assert reply["cursor"] == server.cursor
    assert server.health()["parked"] == 0


def test_a_poll_without_news_ends_after_its_wait_with_the_same_cursor(server):
    """`wait` is kept to, and 0 never parks."""
    cursor = server.cursor
    began = time.monotonic()
    assert server.news(cursor, 0.5) == {"messages": [], "cursor": cursor}
    assert time.monotonic() - began >= 0.5
    assert server.news(cursor, 0) == {"messages": [], "cursor": cursor}


def test_the_first_poll_needs_no_cursor(server):
    """Without `after` there is the newest page, oldest first, and a cursor."""
    server.post("first"), server.post("second")
    for path in ("/get", "/api/v1/messages"):
        reply = server.get(path).json()
        assert [m["body"] for m in reply["messages"]][-2:] == ["first", "second"]
        assert reply["cursor"] == server.cursor and "reset" not in reply


def test_polls_are_never_stored_and_never_set_a_cookie(server):
    """No cache and no proxy may keep a poll."""
    response = server.get(f"/get?after={server.cursor}&wait=0", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Cache-Control"] == "no-store"
    assert not {"set-cookie", "etag", "content-encoding", "server"} & set(response.headers)
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/get", "/api/v1/messages"])
@pytest.mark.parametrize(
    "query",
    ["after=", "after=garbage", "after=a-01", "after=-5", "after=a--5", "after=A-1", "after=a-1%00", "after=%ff-1",
     "after=a-9999999999999999999", "after=a-1&wait=x", "after=a-1&wait=-1", "after=a-1&wait=nan",
     "wait=inf", "after=a-%D9%A1"],
)  # fmt: skip
def test_what_is_no_cursor_or_no_wait_is_400(server, path, query):
    """Nonsense is told apart from an old cursor."""
    response = server.get(f"{path}?{query}")
    assert response.status_code == 400
    assert set(response.json()["error"]) == {"code", "message"}


def test_a_cursor_of_another_board_is_reset(server):
    """A page left open while the database was replaced is right again after one poll."""
    server.post("here")
    for cursor in ("zzzzzzzz-3", server.cursor.split("-")[0] + "-999999"):
        reply = server.news(cursor, 5)
        assert reply["reset"] and reply["messages"][-1]["body"] == "here" and reply["cursor"] == server.cursor


def test_the_api_pages_forward_from_any_cursor_where_the_page_is_reset(start, tmp_path):
    """A bot that was away for long misses nothing; a browser shows the newest instead."""
    filled(tmp_path / "board.db", 1100).close()
    server = start(database_url=f"sqlite:///{tmp_path}/board.db")
    epoch = server.cursor.split("-")[0]
    assert server.news(f"{epoch}-0")["reset"]
    cursor, bodies, more = f"{epoch}-0", [], True
    while more:
        reply = server.get(f"/api/v1/messages?after={cursor}&wait=0").json()
        bodies += [m["body"] for m in reply["messages"]]
        cursor, more = reply["cursor"], reply.get("more")
    assert bodies == [f"message {n}" for n in range(1, 1101)] and cursor == server.cursor


def test_no_more_are_parked_than_allowed(start):
    """Beyond MAX_PARKED a poll is answered at once with a time to come back; the parked ones stay."""
    server = start(max_parked=3)
    cursor = server.cursor
    connections = [raw(server, f"GET /get?after={cursor}") for _ in range(3)]
    server.until_parked(3)
    reply = server.news(cursor, 25)
    assert reply["retry_ms"] > 0 and reply["messages"] == [] and reply["cursor"] == cursor
    assert server.health()["parked"] == 3
    turned_away = raw(server, f"GET /get?after={cursor}")
    assert b"Connection: close" in turned_away.recv(65536) and turned_away.recv(1) == b""  # it needs no descriptor now
    turned_away.close()
    server.post("for all")
    for connection in connections:
        assert b"for all" in connection.recv(65536)
        connection.close()


def test_head_and_other_methods_are_answered_properly(server):
    """Monitors may use HEAD; what can't be done is 405 and says what can."""
    assert server.client.head("/").status_code == 200
    assert server.client.head("/healthz").status_code == 200
    response = server.client.post("/get")
    assert response.status_code == 405 and response.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert response.json()["error"]["code"] == "method_not_allowed"
    assert server.client.request("BREW", "/").status_code == 405


def test_what_another_process_writes_reaches_parked_polls(start, pool):
    """An import or a command beside the server comes to those who wait."""
    server = start()
    cursor = server.cursor
    poll = pool.submit(server.news, cursor, 25)
    server.until_parked(1)
    import sqlite3

    db = sqlite3.connect(server.database)
    db.execute("INSERT INTO messages (id, seq, body, created_at) VALUES (1, 1, 'from beside', 1)")
    db.execute("UPDATE board SET seq = 1")
    db.commit()
    db.close()
    assert poll.result()["messages"][0]["body"] == "from beside"
    until(lambda: server.health()["parked"] == 0)
