"""Streams over HTTP, against a real server process: what they say, where they begin, and how they end."""

import contextlib
import json
import signal
import sqlite3

import pytest

from tests.storage.test_sqlite import filled
from tests.support.admin import admin
from tests.support.events import NDJSON, SSE, Stream
from tests.support.people import Person, refused, session_of
from tests.support.server import until


@pytest.fixture(params=["on", "off"])
def repeats(request):
    """With the fast path and without it."""
    return request.param


@pytest.fixture(params=[SSE, NDJSON], ids=["sse", "ndjson"])
def accept(request):
    return request.param


@pytest.mark.parametrize("accept", [SSE, NDJSON], ids=["sse", "ndjson"])
def test_each_change_is_an_event_that_says_what_a_poll_says(server, accept):
    """A post, an edit and a deletion, each as a poll from the same cursor tells it."""
    person = Person(server)
    cursor = server.cursor
    with Stream(server, f"?after={cursor}", accept) as stream:
        assert stream.reply() == {"messages": [], "cursor": cursor}
        message = person.post("first words")
        path = f"/api/v1/messages/{message['id']}"
        for change in (
            lambda: None,
            lambda: person.api.patch(path, json={"body": "better words"}),
            lambda: person.api.delete(path),
        ):
            change()
            reply = stream.reply()
            assert reply == server.news(cursor) and len(reply["messages"]) == 1
            cursor = reply["cursor"]
        assert reply["messages"] == [{"id": message["id"], "deleted": True}]


def test_without_a_cursor_it_begins_with_the_newest_messages(server, accept):
    """As a poll without one, and as `tail -f` does: who types one line sees that it works."""
    server.post("already there")
    with Stream(server, accept=accept) as stream:
        reply = stream.reply()
        assert reply == server.get("/get").json() and reply["messages"][-1]["body"] == "already there"
        server.post("news")
        assert stream.bodies() == ["news"]


def test_a_client_that_comes_back_misses_nothing_and_gets_nothing_twice(server):
    """By its last event's id, however it can send it; that wins over the cursor with which it once began."""
    old, last = server.cursor, server.post("seen") and server.cursor
    server.post("missed")
    for query, headers in [
        (f"?after={last}", ""),
        (f"?after={old}", f"Last-Event-ID: {last}\r\n"),
        (f"?after={old}&lastEventId={last}", ""),
        (f"?after=garbage&lastEventId={old}", f"Last-Event-ID: {last}\r\n"),
        (f"?after={last}&lastEventId=", "Last-Event-ID: \r\n"),
    ]:
        with Stream(server, query, headers=headers) as stream:
            assert stream.bodies() == ["missed"], (query, headers)


@pytest.mark.parametrize(
    "query",
    ["after=", "after=garbage", "after=a-01", "after=a--5", "after=A-1", "after=%ff-1", "lastEventId=x",
     "after=a-9999999999999999999", "after=a-%D9%A1"],
)  # fmt: skip
def test_what_is_no_cursor_is_refused(server, query):
    """Before a stream begins."""
    response = server.get(f"/api/v1/stream?{query}")
    assert response.status_code == 400 and response.json()["error"]["code"] in ("bad_cursor", "not_utf8")


@pytest.mark.parametrize("id", ["x", "a-1, b-2", "a-\xe9", "\x00"])
def test_what_is_no_id_is_refused(server, id):
    with Stream(server, headers=f"Last-Event-ID: {id}\r\n") as stream:
        assert stream.status == 400


@pytest.mark.parametrize(
    ("accept", "kind"),
    [(None, SSE), ("", SSE), ("*/*", SSE), ("text/*", SSE), (SSE, SSE), (NDJSON, NDJSON), ("application/*", NDJSON),
     (f"{NDJSON}, {SSE}", SSE), (f"{SSE};q=0.5, {NDJSON}", NDJSON), (f"{SSE}; q=0, */*", NDJSON),
     ("text/html,application/xml;q=0.9,*/*;q=0.8", SSE), (f"{SSE};charset=utf-8", SSE), (SSE.upper(), SSE),
     (f"{NDJSON}, */*", NDJSON), (f"*/*, {NDJSON}", NDJSON), (f"{NDJSON};q=0.5, */*", SSE),
     ("application/json", None), ("text/html", None), ("*/*;q=0", None), (f"{SSE};q=x", None)],
)  # fmt: skip
def test_a_client_gets_the_format_that_it_accepts(server, accept, kind):
    """Server-sent events for those who don't mind; 406 in the one shape for those who take neither."""
    headers = {} if accept is None else {"Accept": accept}
    with server.open() as client:
        if accept is None:
            del client.headers["Accept"]
        with client.stream("GET", "/api/v1/stream", headers=headers) as response:
            if kind is None:
                response.read()
                assert refused(response, 406, "not_acceptable")
            else:
                assert response.status_code == 200 and response.headers["Content-Type"] == f"{kind}; charset=utf-8"
    server.until_parked(0)


def test_the_head_is_one_for_a_stream(server, accept):
    """No cache and no proxy may keep, delay or compress it, and its end is the end of the connection."""
    with Stream(server, accept=accept, headers="Accept-Encoding: gzip\r\nCookie: a=b\r\n") as stream:
        assert stream.reply()
    head = stream.headers
    assert head["cache-control"] == "no-store" and head["x-accel-buffering"] == "no"
    assert head["x-content-type-options"] == "nosniff" and head["connection"] == "close"
    assert "default-src 'none'" in head["content-security-policy"]
    assert not {"content-length", "transfer-encoding", "content-encoding", "etag", "set-cookie", "server"} & set(head)


def test_head_gives_the_head_and_other_methods_are_refused(server):
    response = server.client.head("/api/v1/stream")
    assert response.status_code == 200 and response.headers["Content-Type"].startswith(SSE)
    assert "Content-Length" not in response.headers and response.headers["Connection"] == "close"
    assert refused(server.client.post("/api/v1/stream"), 405, "method_not_allowed")
    assert refused(
        server.client.head("/api/v1/stream?after=x") and server.get("/api/v1/stream?after=x"), 400, "bad_cursor"
    )
    assert server.health()["parked"] == 0


def test_a_request_of_http_1_0_gets_the_same_bytes(server):
    """Proxies still speak it; there are no chunks in a stream."""
    with Stream(server, f"?after={server.cursor}", minor=0) as stream:
        assert stream.status == 200 and stream.reply()
        server.post("old but good")
        assert stream.bodies() == ["old but good"]


def test_what_some_clients_take_for_the_end_of_a_line_is_escaped(server, accept):
    """U+0085, U+2028 and U+2029 are no ends of lines in either format, but str.splitlines() and others split there."""
    text = "one\u2028two\u2029three\nfour \u4ec5 \\\u2028"  # the last has 0x85 in the middle of a character
    with contextlib.closing(sqlite3.connect(server.database)) as db:
        [(seq,)] = db.execute("SELECT seq FROM board")
        cursor = server.cursor
        with Stream(server, f"?after={cursor}", accept) as stream:
            stream.reply()
            body = f"{text}\x85"  # which no post has, but an old board may
            db.execute("INSERT INTO messages (id, seq, body, created_at) VALUES (?1, ?1, ?2, 1)", (seq + 1, body))
            db.execute("UPDATE board SET seq = seq + 1")
            db.commit()
            assert stream.bodies() == [body]
            assert len(stream.said.decode().splitlines()) == stream.said.count(b"\n")
    assert server.news(cursor)["messages"][0]["body"] == body


def test_a_stream_counts_as_a_parked_poll_and_as_watching(server):
    """Until its client leaves."""
    with contextlib.ExitStack() as streams:
        for _ in range(3):
            assert streams.enter_context(Stream(server)).reply()
        server.until_parked(3)
        until(lambda: server.get(f"/get?after={server.cursor}&wait=0").json()["watching"] >= 3)
        server.post("news")
        server.until_parked(3)
    server.until_parked(0)


def test_a_client_that_says_more_is_left(server):
    """A stream has no end, so there can be no next request on its connection."""
    with Stream(server) as stream:
        assert stream.reply()
        stream.connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert stream.has_ended()
    server.until_parked(0)


def test_a_cursor_of_another_board_is_reset(server, accept):
    """Or one that this board never reached; then the stream goes on."""
    for cursor in ("zzzzzzzz-3", server.cursor.split("-")[0] + "-999999"):
        server.post("here")
        with Stream(server, f"?after={cursor}", accept) as stream:
            reply = stream.reply()
            assert reply["reset"] and reply["messages"][-1]["body"] == "here" and reply["cursor"] == server.cursor
            server.post("news")
            assert stream.bodies() == ["news"]


def test_a_stream_is_reset_when_the_floor_is_raised(start):
    """After a removal of many it is told to replace all that it has, and goes on."""
    server = start()
    server.post("gone")
    with (
        Stream(server) as stream,
        Stream(server, accept=NDJSON) as lines,
        contextlib.closing(sqlite3.connect(server.database)) as db,
    ):
        assert stream.bodies() == lines.bodies() == ["gone"]
        db.execute("DELETE FROM messages")
        db.execute("UPDATE board SET seq = seq + 1, floor = seq + 1")
        db.commit()
        for one in (stream, lines):
            reply = one.reply()
            assert reply["reset"] and reply["messages"] == [] and reply["cursor"].endswith("-2")
        server.post("news")
        assert stream.bodies() == lines.bodies() == ["news"]


def test_a_stream_reads_from_far_behind_and_goes_on(start, tmp_path, accept):
    """All 1,100 changes, from storage and from memory, in order, and then what is new."""
    filled(tmp_path / "board.db", 1100).close()
    server = start(database_url=f"sqlite:///{tmp_path}/board.db")
    with Stream(server, f"?after={server.cursor.split('-')[0]}-0", accept) as stream:
        bodies = []
        while len(bodies) < 1100:
            bodies += stream.bodies()
        server.post("news")
        assert [*bodies, *stream.bodies()] == [*(f"message {n}" for n in range(1, 1101)), "news"]


def test_no_more_are_parked_than_allowed(start, accept):
    """Polls and streams together. One too many is told to come back, and its connection is closed."""
    server = start(max_parked=2)
    with Stream(server) as one, Stream(server) as other:
        assert one.reply() and other.reply()
        server.until_parked(2)
        with Stream(server, f"?after={server.cursor}", accept) as third:
            assert "retry_ms" not in third.reply()
            last = third.reply()
            assert last["retry_ms"] == 5000 and last["cursor"] == server.cursor and third.has_ended()
            assert third.retry_ms is None or 5000 <= third.retry_ms <= 15000
        assert server.news(server.cursor, 25)["retry_ms"] == 5000
        server.post("for both")
        assert one.bodies() == other.bodies() == ["for both"]
        assert server.health()["parked"] == 2


@pytest.mark.parametrize("deed", ["sign out", "suspend"])
def test_a_stream_ends_with_the_right_to_it(start, deed):
    """At once, also on a quiet board; what is posted after that is not sent. Others' streams go on."""
    server = start(reading="members", posting="members")
    ada, bob = Person(server), Person(server)
    header = f"Authorization: {ada.api.headers['Authorization']}\r\n"
    with (
        Stream(server, headers=header) as stream,
        Stream(server, headers=f"Authorization: {bob.api.headers['Authorization']}\r\n") as other,
    ):
        assert stream.reply() and other.reply()
        bob.post("for members")
        assert stream.bodies() == other.bodies() == ["for members"]
        if deed == "suspend":
            admin(f"--database-url={server.settings['database_url']}", "suspend", ada.username)
        else:
            assert ada.api.post("/api/v1/signout").status_code == 204
        assert stream.has_ended()
        bob.post("secret")
        assert other.bodies() == ["secret"]
    with Stream(server, headers=header) as again:
        assert again.status == 401
    with Stream(server) as guest:
        assert guest.status == 401


def test_a_browser_that_has_just_got_a_new_session_is_told_to_come_back(start, accept):
    """Its cookie is renewed when the password is changed: an EventSource would take a refusal as final."""
    server = start()
    person = Person(server)
    browser = person.browser()
    cookie = f"Cookie: longboard-{server.port}={session_of(browser)}\r\n"
    with Stream(server, f"?after={server.cursor}", accept, cookie) as stream:
        assert stream.reply()
        form = {"password": person.password, "new": "quite other words than before"}
        assert browser.post("/account/password", data=form).status_code in (200, 303)
        assert stream.has_ended()
    with Stream(server, f"?after={server.cursor}", accept, cookie) as again:
        assert again.status == 200
        assert again.reply() == {"messages": [], "cursor": server.cursor, "retry_ms": 1000}
        assert again.retry_ms is None or 1000 <= again.retry_ms <= 3000


def test_a_stream_counts_as_a_use_of_its_token(start):
    """When it begins."""
    server = start()
    person = Person(server)
    made = person.api.post("/api/v1/tokens", json={"name": "bot", "password": person.password}).json()
    with Stream(server, headers=f"Authorization: Bearer {made['token']}\r\n") as stream:
        assert stream.reply()
    [bot] = person.api.get("/api/v1/tokens").json()["tokens"]
    assert bot["last_used_at"] > made["created_at"]


def test_a_drain_says_when_to_come_back(start):
    """Each client at another time, so that not all come at once; the server ends with status 0."""
    server = start()
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(Stream(server)) for _ in range(20)]
        lines = stack.enter_context(Stream(server, accept=NDJSON))
        assert all(stream.reply() for stream in [*streams, lines])
        cursor = server.cursor
        assert server.stop(signal.SIGTERM) == 0
        for stream in [*streams, lines]:
            assert stream.reply() == {"messages": [], "cursor": cursor, "retry_ms": 500} and stream.has_ended()
        told = {stream.retry_ms for stream in streams}
        assert len(told) > 5 and min(told) >= 500 and max(told) <= 1500


def test_a_drain_waits_for_no_slow_reader(start):
    """What it lacks it gets when it comes back."""
    server = start()
    with Stream(server, reads=False) as stream:
        server.until_parked(1)
        until(lambda: server.post("𝕏" * 4000) and server.health()["parked"] == 0)
        assert server.stop(signal.SIGTERM) == 0
        assert stream.connection.recv(10)


def test_nothing_is_lost_or_doubled_over_kills(start):
    """A client that comes back with its last id has all, in order, however the server ended."""
    server = start()
    cursor, seen = server.cursor, []
    for number in range(3):
        with Stream(server, headers=f"Last-Event-ID: {cursor}\r\n") as stream:
            seen += stream.bodies()
            server.post(f"live {number}")
            reply = stream.reply()
            seen += [message["body"] for message in reply["messages"]]
            cursor = reply["cursor"]
            server.post(f"unseen {number}")
            server.kill()
        server.start()
    with Stream(server, headers=f"Last-Event-ID: {cursor}\r\n") as stream:
        seen += stream.bodies()
    assert seen == [f"{word} {number}" for number in range(3) for word in ("live", "unseen")]


def test_a_hundred_posts_at_once_come_in_order_to_every_stream(server):
    """Whatever is put together in one event."""
    cursor = server.cursor
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(Stream(server, f"?after={cursor}", accept)) for accept in (SSE, NDJSON) * 10]
        for number in range(100):
            server.post(f"{number}")
        for stream in streams:
            bodies = []
            while len(bodies) < 100:
                bodies += stream.bodies()
            assert bodies == [f"{number}" for number in range(100)]
    assert json.dumps(server.news(cursor))
