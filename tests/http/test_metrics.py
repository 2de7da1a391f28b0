"""What is seen from outside: metrics, health, and the log."""

import asyncio
import json
import logging
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import types

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tornado.httpclient import AsyncHTTPClient

from board.readiness import Readiness
from net.logs import JsonLines
from storage.errors import UnavailableError
from tests.support.admin import admin
from tests.support.in_process import running, settled
from tests.support.patience import PATIENCE
from tests.support.people import Person, refused
from tests.support.server import until

TOKEN = "a-token-for-whoever-watches"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


def figures(server):
    """Name, with labels → value."""
    response = server.get("/metrics", headers=SHOWN)
    assert response.status_code == 200 and response.headers["Content-Type"].startswith("text/plain")
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_metrics_are_for_whoever_has_the_token(start):
    """Without the setting there is no such page; without the token it says nothing, and the token opens nothing else."""
    refused(start().get("/metrics", headers=SHOWN), 404, "not_found")
    server = start(metrics_token=TOKEN, reading="members")
    refused(server.get("/metrics"), 401, "invalid_token")
    refused(server.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"}), 401, "invalid_token")
    refused(Person(server).api.get("/metrics"), 401, "invalid_token")
    refused(server.get("/get", headers=SHOWN), 401, "sign_in_first")
    assert figures(server)["longboard_polls_now"] == 0
    server.stop()
    assert TOKEN not in server.log.read_text()


def test_metrics_count_what_happens(start, repeats):
    """Parked and answered polls, posts, commits, refusals and resets, as they were."""
    server = start(metrics_token=TOKEN, max_parked=3)
    cursor = server.cursor
    polls = []
    for _ in range(3):
        poll = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        poll.sendall(f"GET /get?after={cursor} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        polls.append(poll)
    server.until_parked(3)
    assert "retry_ms" in server.news(cursor, 5)
    now = figures(server)
    assert now["longboard_polls_now"] == 3 and now["longboard_connections_now"] >= 4
    assert server.post("news").status_code == 201 and server.post(" ").status_code == 422
    server.news("00000000-0")
    for poll in polls:
        poll.recv(65536)
        poll.close()
    now = figures(server)
    expected = {
        "polls_parked_total": 3, "polls_delivered_total": 3, "polls_turned_away_total": 1, "resets_total": 1,
        "post_seconds_count": 1, "wake_seconds_count": 1, "refused_total body_empty": 1, "polls_now": 0,
        "requests_total POST 201": 1, "requests_total POST 422": 1, "writes_waiting": 0, "hashes_waiting": 0,
    }  # fmt: skip
    assert {name: now[f"longboard_{name}"] for name in expected} == expected
    assert now["longboard_commit_writes_count"] >= 1
    assert 0 < now["longboard_post_seconds_sum"] < 60 and now["longboard_post_seconds_bucket +Inf"] == 1
    assert now["process_resident_memory_bytes"] > 1e6


def test_repeated_polls_are_counted(start):
    """So one sees whether the proxy in front lets them be known."""
    server = start(metrics_token=TOKEN)
    cursor = server.cursor
    until(
        lambda: server.news(cursor) and server.news(cursor) and figures(server)["longboard_polls_repeated_total"] >= 3
    )


def test_a_members_board_shows_its_state_to_the_monitor_only(start):
    """How many are reading is nobody's business, not even a member's; the address that limits see is the monitor's."""
    server = start(reading="members", metrics_token=TOKEN)
    assert set(server.health()) == {"status", "storage", "version"}
    assert set(Person(server).api.get("/healthz").json()) == {"status", "storage", "version"}
    status = server.get("/healthz", headers=SHOWN).json()
    assert status["parked"] == 0 and "-" in status["cursor"] and status["client"] == "127.0.0.1"


def test_readyz_tries_a_write_and_healthz_does_not(start):
    """While another process holds the database, posts would be refused: not ready, but polls are served."""
    server = start(metrics_token=TOKEN)
    until(lambda: server.get("/readyz", headers=SHOWN).status_code == 200)
    other = sqlite3.connect(server.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    response = until(lambda: (r := server.get("/readyz", headers=SHOWN)).status_code == 503 and r)
    assert response.headers["Retry-After"]
    assert (response.json()["status"], response.json()["storage"]) == ("unavailable", "unavailable")
    assert server.get("/healthz").json()["status"] == "ok"
    assert server.get("/readyz").status_code == 503 and server.get("/healthz").json()["storage"] == "ok"
    other.execute("ROLLBACK")
    other.close()
    until(lambda: server.get("/readyz").status_code == 200)


async def test_a_stranger_makes_it_write_seldom_and_is_told_the_truth(monkeypatch):
    """While all is well, a write in ten seconds; a monitor's in three. While a write has failed, once a second."""
    clock, tried, is_failing = [100.0], [], [False]

    class Storage:
        async def probe(self):
            tried.append(clock[0])
            if is_failing[0]:
                raise UnavailableError("full")

        def writing(self):
            return types.SimpleNamespace(is_failing=is_failing[0])

    monkeypatch.setattr("board.readiness.time.monotonic", lambda: clock[0])
    ready = Readiness(Storage())

    async def asked(seconds, for_monitor=False):
        tried.clear()
        said = set()
        for _ in range(seconds * 4):
            clock[0] += 0.25
            said.add(await ready.check(for_monitor=for_monitor))
        return said, len(tried)

    assert await ready.check(for_monitor=False)
    assert await asked(30) == ({True}, 3) and await asked(30, for_monitor=True) == ({True}, 10)
    is_failing[0] = True
    assert await asked(5) == ({False}, 5), "a post has failed since"
    is_failing[0] = False
    clock[0] += 1
    assert await ready.check(for_monitor=False), "nor is a failure kept for long"


def test_a_post_that_fails_is_known_to_whoever_asks_next(start):
    """Also to a load balancer, which shows no token: what it was told before counts no more."""
    server = start()
    assert server.get("/readyz").status_code == 200
    other = sqlite3.connect(server.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert server.post("not kept").status_code == 503
    until(lambda: server.get("/readyz").status_code == 503)
    other.execute("ROLLBACK")
    other.close()
    until(lambda: server.get("/readyz").status_code == 200)


def test_asking_often_whether_it_is_ready_writes_once_a_second(start):
    """Anybody may ask, so it must not cost."""
    server = start(metrics_token=TOKEN)
    before = figures(server)["longboard_commit_writes_count"]
    for _ in range(30):
        assert server.get("/readyz").status_code == 200
    assert figures(server)["longboard_commit_writes_count"] - before <= 6


async def test_asking_often_how_it_is_stands_in_the_way_of_news_once_at_most(tmp_path, monkeypatch):
    """It reads as deliver() does, one after the other."""
    async with running(tmp_path) as house:
        read, looks, may_go_on = house.storage.changes_after, [], asyncio.Event()

        async def held(seq, limit):
            looks.append(seq)
            await may_go_on.wait()
            return await read(seq, limit)

        monkeypatch.setattr(house.storage, "changes_after", held)
        client = AsyncHTTPClient(force_instance=True, max_clients=20)
        asked = [asyncio.ensure_future(client.fetch(f"http://127.0.0.1:{house.port}/healthz")) for _ in range(20)]
        await settled(lambda: len(house.application.context.under_way) == 20)
        may_go_on.set()
        assert {reply.code for reply in await asyncio.gather(*asked)} == {200}
        client.close()
    assert len(looks) == 1


# --- the log


def lines(server):
    server.stop()
    return [json.loads(line) for line in server.log.read_text().splitlines()]


def test_the_log_can_be_json_lines(start):
    """Each line is one object; requests have fields of their own, and no query, body or secret is in any."""
    server = start(log_format="json", log_requests="on", client_header="X-Forwarded-For", metrics_token=TOKEN)
    headers = {"X-Request-Id": "request-1", "X-Forwarded-For": "192.0.2.7:1234"}
    server.get("/get?after=bad&secret=s3cret", headers=headers)
    server.post("private words")
    server.client.request("BREW", "/coffee\u00e9")
    said = lines(server)
    asked = next(line for line in said if line.get("request_id") == "request-1")
    assert {"status": 400, "method": "GET", "path": "/get", "client": "192.0.2.7"}.items() <= asked.items()
    assert asked["level"] == "info" and asked["ms"] >= 0 and asked["at"].endswith("Z")
    assert any(line["message"] == "Ended." for line in said)
    text = server.log.read_text()
    assert "s3cret" not in text and "private" not in text and TOKEN not in text


@pytest.mark.parametrize("format", ["text", "json"])
def test_nobody_can_write_lines_of_their_own_into_the_log(start, format):
    """Whatever is asked for, a request is one line, with nothing in it that a terminal would obey."""
    server = start(log_requests="on", log_format=format)
    for path in (b"/\x1b[31mred", b"/\x85\xe2\x80\xa8line", b"/\x00x", b"/a%0Ab", b"/" + b"x" * 5000, b"/\xff"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
            connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while connection.recv(65536):
                pass
    assert server.stop() == 0
    lines = [line for line in server.log.read_bytes().split(b"\n") if b"GET" in line]
    assert len(lines) >= 4 and not any(re.search(rb"[^ -~]", line) or len(line) > 1500 for line in lines)


def test_a_traceback_is_one_line_of_json():
    """So that nothing of it gets lost on the way to wherever logs are kept."""
    try:
        raise RuntimeError("two\nlines é")
    except RuntimeError:
        record = logging.LogRecord("longboard", logging.ERROR, __file__, 1, "%s failed", ("GET /",), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert said["message"] == "GET / failed" and "Traceback" in said["error"] and "two\nlines é" in said["error"]


# --- a disk that does not last


def test_sqlite_on_a_dyno_is_warned_of_at_the_start_and_on_the_page(start):
    """Loudly, with the reason and the file, to those who can do something about it, and to nobody else."""
    server = start(dyno="web.1")
    member, moderator = Person(server), Person(server)
    admin(f"--database-url={server.settings['database_url']}", "promote", moderator.username)
    until(lambda: moderator.api.get("/api/v1/me").json()["account"]["role"] == "moderator")
    assert "will be lost" in moderator.browser().get("/").text
    assert "will be lost" not in member.browser().get("/").text and "will be lost" not in server.get("/").text
    log = server.log.read_text()
    assert "WARNING ALL MESSAGES AND ACCOUNTS WILL BE LOST" in log and "board.db" in log and "web.1" in log
    assert "WILL BE LOST" not in start().log.read_text()


def test_the_server_is_asked_by_ordinary_clients_of_prometheus(start):
    """The token goes where Prometheus puts it (authorization: credentials)."""
    server = start(metrics_token=TOKEN)
    response = httpx.get(f"{server.url}/metrics", headers=SHOWN | {"Accept": "application/openmetrics-text"})
    assert response.status_code == 200 and "longboard_polls_now 0.0" in response.text


# --- several nodes


def by_node(server, name):
    """A figure of each node, from one connection, as Prometheus keeps it."""
    response = server.get("/metrics", headers=SHOWN)
    assert response.status_code == 200
    return {
        sample.labels["node"]: sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
        if sample.name == name and sample.labels.get("status", "201") == "201"
    }


def test_whichever_node_is_asked_tells_the_figures_of_all(start, new_database):
    """Prometheus keeps the connection that it came to first, and sees the whole board; a dead node is soon replaced."""
    server = start(database_url=new_database(), nodes=3, metrics_token=TOKEN)
    nodes = {"1", "2", "3"}
    until(lambda: by_node(server, "process_resident_memory_bytes").keys() == nodes)
    for n in range(30):  # on connections of their own, so that each node gets some
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            assert client.post("/api/v1/messages", json={"body": f"{n}"}).status_code == 201
    posts = by_node(server, "longboard_requests_total")
    assert sum(posts.values()) == 30
    assert sum(by_node(server, "longboard_post_seconds_count").values()) == 30
    text = server.get("/metrics", headers=SHOWN).text
    assert text.count("# HELP longboard_polls_now ") == 1 and "longboard_nodes_now 3.0" in text
    started = by_node(server, "process_start_time_seconds")
    children = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True).stdout.split()
    os.kill(int(children[0]), signal.SIGKILL)

    def replaced():
        try:
            now = by_node(server, "process_start_time_seconds")
        except httpx.TransportError:  # it was that one which we were connected to
            return False
        return now.keys() == nodes and len([n for n in nodes if now[n] != started[n]]) == 1

    until(replaced)
    assert server.stop() == 0


def test_one_node_alone_has_no_labels_of_nodes(start):
    """Who has one process sees what was always there."""
    text = start(metrics_token=TOKEN).get("/metrics", headers=SHOWN).text
    assert "node=" not in text and "longboard_nodes_now" not in text
