"""Several nodes are one board: what is posted or revoked on one is so on all, and faults lose nothing."""

import concurrent.futures
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

import httpx
import pytest

from tests.support.admin import admin
from tests.support.boards import make_board, post_on, promote
from tests.support.events import Stream
from tests.support.patience import PATIENCE
from tests.support.people import Person, client, refused, session_of
from tests.support.postgres import cluster, psql
from tests.support.postgres_proxy import proxy
from tests.support.server import PLAIN, ROOT, environment, until

JSON = {"Content-Type": "application/json"}
METRICS_TOKEN = "0123456789abcdef"


@pytest.fixture
def nodes(new_database, start):
    """Three processes, each on a port of its own, on one database."""
    url = new_database()
    return [start(database_url=url) for _ in range(3)]


def test_a_post_on_one_node_answers_polls_on_all(nodes):
    """Whichever node a page has come to, it is the same board, with the same cursors."""
    cursor = nodes[0].cursor
    with concurrent.futures.ThreadPoolExecutor() as pool:
        replies = [pool.submit(node.news, cursor, 20) for node in nodes]
        for node in nodes:
            until(lambda node=node: node.health()["parked"] == 1)
        posted = nodes[1].post("to all").json()
        for reply in replies:
            assert reply.result()["messages"] == [posted]
    assert nodes[2].news(replies[0].result()["cursor"])["messages"] == []


def test_a_cursor_from_another_node_is_not_ahead_of_this_one(nodes):
    """Who posted on one and polls on another at once is never told to start anew, or misses anything."""
    for n in range(30):
        nodes[n % 3].post(f"{n}")
        cursor = nodes[n % 3].cursor
        reply = nodes[(n + 1) % 3].news(cursor)
        assert "reset" not in reply and reply["messages"] == []
    ids = [message["id"] for message in nodes[0].get("/api/v1/messages").json()["messages"]]
    assert ids == list(range(1, 31))


def test_a_key_is_good_on_every_node(nodes):
    """A retry may come to another node: it gets the first one's message, also if both come at once."""
    key = uuid.uuid4().hex
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda node: node.post("once", key=key), nodes))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_session_and_a_token_are_good_on_every_node_until_they_are_revoked(nodes):
    """Signing out on one node ends what the token has parked on another, and it is dead there."""
    person = Person(nodes[0])
    other = client(nodes[1], person.api.headers["Authorization"].removeprefix("Bearer "))
    browser = person.browser()
    elsewhere = nodes[2].open(cookies={f"longboard-{nodes[2].port}": session_of(browser)})
    assert elsewhere.get("/account").status_code == 200
    cursor = nodes[1].cursor
    with concurrent.futures.ThreadPoolExecutor() as pool:
        reply = pool.submit(other.get, f"/api/v1/messages?after={cursor}")
        until(lambda: nodes[1].health()["parked"] == 1)
        assert person.api.post("/api/v1/signout").status_code == 204
        assert refused(reply.result(), 401, "invalid_token")
    refused(other.get("/api/v1/me"), 401, "invalid_token")
    admin(f"--database-url={nodes[0].settings['database_url']}", "suspend", person.username)
    until(lambda: elsewhere.get("/account").status_code != 200)


def test_a_stream_on_one_node_follows_all(nodes):
    """It gets what is posted on any, in order; it goes on at another with its last id; and a right that ends anywhere ends it."""
    person = Person(nodes[0])
    header = f"Authorization: {person.api.headers['Authorization']}\r\n"
    with Stream(nodes[1], headers=header) as stream:
        assert stream.reply()["messages"] == []
        for number in range(9):
            nodes[number % 3].post(f"{number}")
        seen = []
        while len(seen) < 6:
            reply = stream.reply()
            seen += [message["body"] for message in reply["messages"]]
        with Stream(nodes[2], headers=f"Last-Event-ID: {reply['cursor']}\r\n") as other:
            while len(seen) < 9:
                seen += other.bodies()
        assert seen == [f"{number}" for number in range(9)]
        assert person.api.post("/api/v1/signout").status_code == 204
        with contextlib.suppress(EOFError):
            while True:
                stream.reply()
        assert stream.has_ended()


@pytest.mark.parametrize("value", ["\0", "a\0b", "\ud800", "9" * 30, "é" * 500])
def test_nothing_that_anybody_sends_is_too_much_for_postgresql(new_database, start, value):
    """It takes less than SQLite does: no NUL, no numbers beyond 64 bits. All that is refused before it gets there."""
    server = start(database_url=new_database())
    fields = {"username": value, "password": "a" * 20, "name": value, "body": value, "key": value * 22}
    for path in ("signup", "signin", "messages"):
        answer = server.client.post(f"/api/v1/{path}", content=json.dumps(fields), headers=JSON)
        assert answer.status_code < 500, path
    as_text = value.encode(errors="replace").decode()
    for path in ("/api/v1/messages", "/get", "/search", "/", "/password", "/m/1", "/audit"):
        query = {"before": as_text, "after": as_text, "q": as_text, "link": as_text, "t": as_text}
        for name, given in query.items():
            assert server.get(path, params={name: given, "wait": 0}).status_code < 500, (path, name)
    assert server.get(f"/api/v1/messages/{'9' * 30}").status_code < 500
    assert "Traceback" not in server.log.read_text()


# --- what it costs


def test_the_database_s_work_for_a_change_does_not_grow_with_the_clients(new_database, start):
    """Statements for ten posts, with one poll parked and with 200: a read for each poll would be 200 for each post.

    The fewest count: what the node does beside delivery comes on top, and the news of its own post during its read or
    after it.
    """
    with proxy(new_database()) as way:
        server = start(database_url=way.url)
        few, many = ([cost_of_a_post(server, way, parked) for _ in range(10)] for parked in (1, 200))
        assert min(few) <= 3 and min(many) <= 3, (few, many)


def cost_of_a_post(server, way, parked):
    """Statements from a post to the last poll's answer."""
    request = f"GET /get?after={server.cursor} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    polls = [socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) for _ in range(parked)]
    for poll in polls:
        poll.sendall(request)
    server.until_parked(parked)
    before = way.statements
    assert server.post("news").status_code == 201
    for poll in polls:
        assert b'"body":"news"' in poll.recv(65536)
        poll.close()
    return way.statements - before


@pytest.mark.parametrize("boards", [0, 1, 30])
def test_a_node_reads_a_change_once_whatever_the_number_of_boards(boards, new_database, start):
    """It is another node than the one that is posted to, so its reads are all that is counted. Polls are parked on all
    boards. The fewest count, because what a node does beside delivery comes on top.
    """
    url = new_database()
    poster = start(database_url=url)
    moderator = promote(poster, Person(poster))
    slugs = ["first", *(make_board(moderator, f"Board {n}", f"board-{n}") for n in range(boards))]
    with proxy(url) as way, contextlib.ExitStack() as stack:
        node = start(database_url=way.url, metrics_token=METRICS_TOKEN)
        polls = {slug: [stack.enter_context(poll_of_board(node, slug)) for _ in range(3)] for slug in slugs}
        reads = {slug: [] for slug in (slugs[0], slugs[-1])}
        for slug in [slugs[0], slugs[-1]] * 6:
            until(lambda: parked_everywhere(node) == 3 * len(slugs))
            before = way.statements
            post_on(poster.client, slug, "news")
            for poll in polls[slug]:
                assert b'"body":"news"' in poll.recv(65536)
                poll.close()
            reads[slug].append(way.statements - before)
            polls[slug] = [stack.enter_context(poll_of_board(node, slug)) for _ in range(3)]
    assert all(min(counts) == 1 for counts in reads.values()), reads


def poll_of_board(node, slug):
    """The connection of a poll that lacks nothing."""
    cursor = node.get(f"/b/{slug}/get").json()["cursor"]
    poll = socket.create_connection(("127.0.0.1", node.port), timeout=PATIENCE)
    poll.sendall(f"GET /b/{slug}/get?after={cursor} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return poll


def parked_everywhere(node):
    return node.get("/healthz", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).json()["parked"]


def post_to(url, body, **fields):
    return httpx.post(f"{url}/api/v1/messages", json={"body": body, **fields}, timeout=PATIENCE, verify=PLAIN)


def poll_of_its_own(url, cursor):
    return httpx.get(f"{url}/get?after={cursor}", timeout=PATIENCE, verify=PLAIN).json()


# --- bin/serve --nodes


@pytest.fixture
def family(new_database, tmp_path):
    """`server.py --nodes 3`: (process, url, its log); ended afterwards."""
    log = tmp_path / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "server.py"), "--port=0", "--nodes", "3", "--database-url", new_database()],
            stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment(WEB_CONCURRENCY="7", LIMITS="off", METRICS_TOKEN=METRICS_TOKEN),
        )  # fmt: skip
    line = process.stdout.readline()
    assert "with 3 nodes" in line, log.read_text()
    yield process, re.search(r"http://[\d.:]+", line)[0], log
    process.terminate()
    process.wait(PATIENCE)
    process.stdout.close()


def children(process):
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True)
    return {int(pid) for pid in listed.stdout.split()}


def test_one_of_several_nodes_says_how_to_become_the_moderator(family):
    """The first: the links of the others would only be noise."""
    _, url, log = family
    shown = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    until(
        lambda: (
            "longboard_nodes_now 3.0" in httpx.get(f"{url}/metrics", headers=shown, timeout=PATIENCE, verify=PLAIN).text
        )
    )
    until(lambda: "This board has no moderator yet" in log.read_text())
    assert log.read_text().count("This board has no moderator yet") == 1


def parked_at(url):
    """How many polls all nodes have parked."""
    text = httpx.get(
        f"{url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}, timeout=PATIENCE, verify=PLAIN
    ).text
    return sum(float(value) for value in re.findall(r"^longboard_polls_now(?:{.*})? (\S+)", text, re.MULTILINE))


def test_nodes_share_a_port_and_a_dead_one_is_replaced(family):
    """However many connections come, all are served, also right after a node was killed; SIGTERM drains all."""
    process, url, log = family
    until(lambda: len(children(process)) == 3)
    first = children(process)
    for n in range(20):
        assert post_to(url, str(n)).status_code == 201
    killed = min(first)
    subprocess.run(["kill", "-9", str(killed)], check=True)
    for n in range(20, 40):
        response = retried(lambda n=n: post_to(url, str(n), key=f"{n:022}"))
        assert response.status_code in (200, 201)
    until(lambda: len(children(process) - {killed}) == 3)
    assert "has died (-9)" in log.read_text()
    cursor = httpx.get(f"{url}/api/v1/messages", timeout=PATIENCE, verify=PLAIN).json()["cursor"]
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        polls = [pool.submit(poll_of_its_own, url, cursor) for _ in range(30)]
        until(lambda: parked_at(url) == 30)  # what no node has accepted is cut off
        process.terminate()
        assert process.wait(PATIENCE) == 0
        assert all(poll.result()["retry_ms"] for poll in polls)
    assert not children(process) and "Traceback" not in log.read_text()


def test_a_node_that_is_asked_to_end_while_it_starts_has_ended_well(family):
    """It has nobody to serve yet, and no handler for the signal: there is nothing to report."""
    process, _, log = family
    until(lambda: len(children(process)) == 3)
    first = children(process)
    os.kill(min(first), signal.SIGKILL)
    (newcomer,) = until(lambda: children(process) - first)
    os.kill(newcomer, signal.SIGSTOP)  # long before it has read all its modules
    process.terminate()
    until(lambda: children(process) <= {newcomer})
    with contextlib.suppress(ProcessLookupError):  # Linux ends it at once
        os.kill(newcomer, signal.SIGCONT)
    assert process.wait(PATIENCE) == 0, log.read_text()


def retried(send):
    """As a good client: again after a lost connection."""
    while True:
        try:
            return send()
        except httpx.TransportError:
            time.sleep(0.05)


def test_nodes_need_postgresql_and_a_way_to_start():
    """On SQLite it says why not; where the first node can't start, the parent ends as well, with its reason."""

    def run(*flags):
        command = [sys.executable, str(ROOT / "server.py"), "--port=0", "--nodes=2", *flags]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment())

    refusal = run()
    assert refusal.returncode == 2 and "takes PostgreSQL" in refusal.stderr
    failure = run("--database-url=postgres://u:secret@127.0.0.1:1/none")
    assert failure.returncode == 1 and "can't be used" in failure.stderr and "secret" not in failure.stderr


# --- faults


GIVES_UP = 5
"""Seconds after which a client of these tries the next node: one of them is paused on purpose."""


class Client:
    """Reads a board forward from its beginning by the protocol, from whichever node answers."""

    def __init__(self, nodes, first):
        self.nodes, self.turn = nodes, first
        self.cursor = nodes[first].cursor
        self.seen = []
        self.resets = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            try:
                url = f"{self.nodes[self.turn].url}/api/v1/messages?after={self.cursor}&wait=2"
                reply = httpx.get(url, timeout=GIVES_UP, verify=PLAIN)
            except httpx.TransportError:
                self.turn = (self.turn + 1) % len(self.nodes)
                time.sleep(0.05)
                continue
            if reply.status_code == 200:
                said = reply.json()
                self.resets += said.get("reset", False)
                self.seen += [(message["id"], message["body"]) for message in said["messages"]]
                self.cursor = said["cursor"]


class Poster:
    """Posts without end; what got no answer it sends again with the same key, wherever somebody answers."""

    def __init__(self, nodes, first):
        self.nodes, self.turn = nodes, first
        self.acknowledged = []
        self.refused = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(f"poster {first}",), daemon=True)
        self.thread.start()

    def run(self, name):
        for n in range(1_000_000):
            if self.stop.is_set():
                return
            self.post({"body": f"{name}: {n}", "key": uuid.uuid4().hex})
            time.sleep(0.01)

    def post(self, fields):
        while True:
            try:
                answer = httpx.post(
                    f"{self.nodes[self.turn].url}/api/v1/messages", json=fields, timeout=GIVES_UP, verify=PLAIN
                )
            except httpx.TransportError:
                self.turn = (self.turn + 1) % len(self.nodes)
                continue
            if answer.status_code in (200, 201):
                self.acknowledged.append(fields["body"])
                return
            assert answer.status_code == 503 and answer.headers["Retry-After"], answer.text
            self.refused += 1
            time.sleep(0.1)


def test_faults_of_nodes_and_database_lose_double_and_reorder_nothing(start):
    """A killed node, a paused one, cut connections, PostgreSQL killed and back after 5 s, while all nodes are posted to.

    Each reader has seen every acknowledged post exactly once, in one order, without a reset.
    """
    with cluster() as database:
        psql(database.url("postgres"), "CREATE DATABASE board")
        url = database.url("board")
        nodes = [start(database_url=url) for _ in range(3)]
        people = [kind(nodes, n) for kind in (Client, Poster) for n in range(3)]
        clients, posters = people[:3], people[3:]

        def progress():
            """Every poster gets through, and every client sees what they posted."""
            acknowledged = [len(poster.acknowledged) + 3 for poster in posters]
            until(lambda: all(len(p.acknowledged) >= n for p, n in zip(posters, acknowledged, strict=True)))
            newest = posters[0].acknowledged[-1]
            until(lambda: all(newest in [body for _, body in c.seen] for c in clients))

        try:
            progress()
            nodes[0].kill()
            progress()
            nodes[0].start()
            nodes[1].process.send_signal(signal.SIGSTOP)
            progress()
            time.sleep(3)  # longer than its transaction may be left lying
            nodes[1].process.send_signal(signal.SIGCONT)
            psql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
            progress()
            check_while_away(database, nodes[2])
            progress()
        finally:
            nodes[1].process.send_signal(signal.SIGCONT)
            end(posters)
            acknowledged = {body for poster in posters for body in poster.acknowledged}
            until(lambda: all(acknowledged <= {body for _, body in c.seen} for c in clients))
            end(clients)
        check_history(nodes[0], clients, posters)
        for node in nodes:
            assert "Traceback" not in node.log.read_text()


def end(people):
    for one in people:
        one.stop.set()
    for one in people:
        one.thread.join()


def check_while_away(database, node):
    """Reading what is recent goes on, and so do parked polls; posts are refused with a time to come back."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ahead = node.cursor.split("-")[0] + "-" + str(10**9)  # parks: nobody knows whether there is more
        parked = pool.submit(node.news, node.cursor, 10)
        database.stop(signal.SIGKILL)
        began = time.monotonic()
        until(lambda: node.post("refused", key=uuid.uuid4().hex).status_code == 503)
        assert node.post("refused", key=uuid.uuid4().hex).headers["Retry-After"] == "5"
        assert len(node.get("/get").json()["messages"]) > 3 and node.get("/").status_code == 200
        assert node.news(ahead)["messages"] == []
        assert node.get("/healthz").status_code == 200 and node.get("/readyz").status_code == 503
        time.sleep(max(0, began + 5 - time.monotonic()))
        database.start()
        until(lambda: node.get("/readyz").status_code == 200)
        assert parked.result()["cursor"]


def check_history(node, clients, posters):
    """What the board has, what was acknowledged, and what each client saw."""
    kept, before = [], ""
    while True:
        page = node.get(f"/api/v1/messages?limit=100{before}").json()
        kept = [(m["id"], m["body"]) for m in page["messages"]] + kept
        if not page.get("older"):  # the newest page says it only if there are
            break
        before = f"&before={page['messages'][0]['id']}"
    bodies = [body for _, body in kept if body != "refused"]
    acknowledged = [body for poster in posters for body in poster.acknowledged]
    assert len(bodies) == len(set(bodies)), "doubled"
    assert set(acknowledged) <= set(bodies), "lost"
    for poster in posters:
        own = [body for body in bodies if body in set(poster.acknowledged)]
        assert own == poster.acknowledged, "out of order"
    for one in clients:
        ids = [id for id, _ in one.seen]
        assert ids == sorted(set(ids)) and not one.resets
        assert set(acknowledged) <= {body for _, body in one.seen}
