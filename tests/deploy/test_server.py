"""The process: starting, draining, dying, coming back."""

import concurrent.futures
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import httpx
import pytest

from net import handover
from tests.support.patience import PATIENCE
from tests.support.server import PLAIN, ROOT, Server, environment, until


def run(*flags, **env):
    return subprocess.run(
        [sys.executable, str(ROOT / "server.py"), *flags],
        capture_output=True, text=True, timeout=PATIENCE, env=environment(**env),
    )  # fmt: skip


def refused_to_start(process, *words):
    """It ended with a status that is not 0 and one clear line, without a traceback."""
    assert process.returncode == 1, process.stderr
    said = process.stderr.strip().splitlines()
    assert said[-1].startswith("longboard: ") and "Traceback" not in process.stderr
    assert all(word in said[-1] for word in words), said[-1]


def test_a_port_in_use_is_named(server):
    """Two boards on one port: the second says so and ends."""
    refused_to_start(run(f"--port={server.port}", "--database-url=sqlite:////tmp/unused.db"), str(server.port), "PORT")


def test_a_database_that_can_not_be_used_is_named(tmp_path):
    """Newer, foreign or unreachable databases end the start with one line."""
    refused_to_start(run("--port=0", f"--database-url=sqlite:///{tmp_path}/none/board.db"), "none", "does not exist")
    db = sqlite3.connect(tmp_path / "other.db")
    db.execute("CREATE TABLE users (uusr TEXT)")
    db.close()
    refused_to_start(run("--port=0", f"--database-url=sqlite:///{tmp_path}/other.db"), "not Longboard's")


def test_posts_in_flight_are_finished_at_the_end(start):
    """Clients that were posting when the server was told to end get a true answer."""
    server = start()
    statuses: list[tuple[str, int]] = []

    def poster(number):
        with httpx.Client(base_url=server.url) as client:
            for n in range(10_000):
                body = f"{number}/{n}"
                try:
                    statuses.append((body, client.post("/add", data={"s": body}).status_code))
                except httpx.TransportError:
                    return

    threads = [threading.Thread(target=poster, args=(n,), daemon=True) for n in range(5)]
    for thread in threads:
        thread.start()
    while len(statuses) < 50:
        time.sleep(0.01)
    assert server.stop() == 0
    for thread in threads:
        thread.join()
    db = sqlite3.connect(server.database)
    kept = {body for (body,) in db.execute("SELECT body FROM messages")}
    db.close()
    assert {body for body, status in statuses if status == 303} <= kept


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_or_a_closed_terminal_drains_as_well(tmp_path, number):
    """A parked poll is answered, nothing is left open, and the status is 0."""
    inherited = signal.signal(number, signal.SIG_DFL)  # these tests may run under nohup, too
    server = Spawned(tmp_path)
    signal.signal(number, inherited)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        poll = pool.submit(server.get, f"/get?after={server.cursor}&wait=25")
        server.until_parked(1)
        server.process.send_signal(number)
        assert poll.result().json()["retry_ms"]
    assert server.stop(number) == 0
    assert sorted(os.listdir(server.database.parent)) == ["board.db", "server.log"]


class Spawned(Server):
    under = ()  # as a user starts it: it takes what this process does with signals


def test_under_nohup_a_closed_terminal_is_nothing(tmp_path):
    """What was told to ignore SIGHUP goes on."""
    server = Unhung(tmp_path)
    server.process.send_signal(signal.SIGHUP)
    assert server.post("goes on").status_code == 201
    assert server.stop() == 0


class Unhung(Server):
    under = ("nohup",)


@pytest.mark.parametrize("cut", ["head", "body"])
def test_a_post_that_is_still_coming_at_the_end_is_done(start, cut):
    """Its client may take the time of the drain: a slow phone at each deploy."""
    server = start()
    form = "s=slow+but+steady"
    text = f"POST /add HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}"
    at = 30 if cut == "head" else text.index("steady")
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(text[:at].encode())
        for _ in range(2):
            server.open().get("/healthz")  # connections that came later: so it has been looked at
        server.close_clients()
        server.process.send_signal(signal.SIGTERM)
        until(lambda: "Ending" in server.log.read_text())
        time.sleep(1)  # longer than it waits for those who have said nothing
        connection.sendall(text[at:].encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 303")
    assert server.stop() == 0
    db = sqlite3.connect(server.database)
    assert db.execute("SELECT body FROM messages").fetchall() == [("slow but steady",)]
    db.close()


def test_readyz_tells_load_balancers(server):
    """200 while all is well."""
    assert server.get("/readyz").json()["status"] == "ok"


def test_a_listening_socket_can_be_inherited(tmp_path):
    """With systemd's LISTEN_FDS the socket outlives the process: clients wait instead of failing."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=100)
    port = listening.getsockname()[1]
    script = (
        "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1');"
        "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
    )
    command = [sys.executable, "-c", script, str(listening.fileno()), str(ROOT / "server.py")]
    flags = [f"--port={port}", f"--database-url=sqlite:///{tmp_path}/board.db"]

    def started():
        return subprocess.Popen(
            [*command, *flags], pass_fds=[listening.fileno()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    with concurrent.futures.ThreadPoolExecutor() as pool:
        for number in range(2):
            early = pool.submit(
                httpx.post, f"http://127.0.0.1:{port}/add", data={"s": f"early {number}"}, timeout=PATIENCE
            )
            process = started()
            assert early.result().status_code == 303
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
            process.stdout.close()
    listening.close()


def inheriting(*listening):
    """A command that begins a server with these as systemd hands them over, and what else it takes to run it."""
    fds = [one.fileno() for one in listening]
    return {"args": [*handover.inheriting(fds, ""), str(ROOT / "server.py")], "pass_fds": fds}


@pytest.mark.parametrize("repeats", ["on", "off"])
@pytest.mark.parametrize("kinds", ["unix", "unix and tcp", "tcp and unix"])
def test_a_unix_socket_can_be_inherited(tmp_path, repeats, kinds):
    """Alone or beside TCP, in any order: each is served, with polls as well, and named at the start."""
    tcp = socket.create_server(("127.0.0.1", 0))
    path = str(tmp_path / "board.sock")
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(path)
    unix.listen()
    given = [{"unix": unix, "tcp": tcp}[kind] for kind in kinds.split(" and ")]
    command = inheriting(*given)
    command["args"] += [f"--database-url=sqlite:///{tmp_path}/board.db", f"--repeats={repeats}"]
    with (tmp_path / "log").open("w+") as log, tcp, unix:
        process = subprocess.Popen(**command, stdout=subprocess.PIPE, stderr=log, text=True)
        said = process.stdout.readline()
        assert ("unix:" + path in said) and ("http://" in said) == (tcp in given)
        clients = [
            httpx.Client(transport=httpx.HTTPTransport(uds=path, verify=PLAIN), base_url="http://x", timeout=PATIENCE)
        ]
        if tcp in given:
            clients.append(
                httpx.Client(base_url=f"http://127.0.0.1:{tcp.getsockname()[1]}", timeout=PATIENCE, verify=PLAIN)
            )
        for client in clients:
            assert client.post("/api/v1/messages", json={"body": "x"}).status_code == 201
            cursor = client.get("/healthz").json()["cursor"]
            for _ in range(3):
                assert client.get(f"/get?after={cursor}&wait=0").json()["messages"] == []
            client.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        process.stdout.close()
        log.seek(0)
        assert "Traceback" not in log.read()


def test_what_is_no_listening_socket_is_refused(tmp_path):
    """A datagram socket, or one that does not listen: in words."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, socket.socket() as deaf:
        for one in (datagrams, deaf):
            command = inheriting(one)
            command["args"].append(f"--database-url=sqlite:///{tmp_path}/board.db")
            refused_to_start(subprocess.run(**command, capture_output=True, text=True, timeout=PATIENCE), "LISTEN_FDS")


def test_requests_are_logged_without_their_query_when_asked(start):
    """A line for each request, and nothing that might be a secret."""
    server = start(log_requests="on")
    server.get("/get?after=bad&secret=s3cret")
    server.stop()
    log = server.log.read_text()
    assert "400 GET /get" in log and "s3cret" not in log


def test_faults_are_logged_without_words_or_queries(start):
    """When storage fails, the log says where, not what people wrote."""
    server = start()
    db = sqlite3.connect(server.database, isolation_level=None)
    db.execute("DROP TABLE messages")
    db.close()
    response = server.post("private words")
    assert response.status_code == 503 and response.headers["Retry-After"]
    assert server.get("/readyz").status_code == 503 and server.get("/healthz").status_code == 200
    server.kill()
    log = server.log.read_text()
    assert "storage is unavailable" in log and "private words" not in log and "Traceback" not in log


def test_kill_9_loses_and_doubles_nothing(start, pytestconfig):
    """However often the server is killed at random moments: every post that got a 2xx is there once."""
    kills = pytestconfig.getoption("kills")
    server = start()
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    acknowledged: list[str] = []
    stop = threading.Event()

    def poster(number):
        n = 0
        while not stop.is_set():
            n += 1
            body = f"{number}/{n}"
            if posted(server.url, body, stop):
                acknowledged.append(body)

    threads = [threading.Thread(target=poster, args=(n,), daemon=True) for n in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(kills):
        time.sleep(rng.uniform(0.02, 0.3))
        server.kill()
        server.start()
    stop.set()
    for thread in threads:
        thread.join()
    server.stop()
    db = sqlite3.connect(server.database)
    bodies = [body for (body,) in db.execute("SELECT body FROM messages")]
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.close()
    assert len(acknowledged) > kills
    assert not set(acknowledged) - set(bodies), "lost"
    assert len(bodies) == len(set(bodies)), "doubled"


def posted(url, body, stop):
    """Posts as a good client does: again with the same key until there is an answer."""
    key = f"{body:>022}".replace(" ", "0").replace("/", "-")
    while not stop.is_set():
        try:
            response = httpx.post(
                f"{url}/api/v1/messages", json={"body": body, "key": key}, timeout=PATIENCE, verify=PLAIN
            )
        except httpx.TransportError:
            time.sleep(0.01)
            continue
        if response.status_code in (200, 201):
            return True
    return False


def test_nothing_is_left_open_at_the_end(start):
    """The database is closed properly: no log file of SQLite's stays behind."""
    server = start()
    server.post("x")
    assert server.stop() == 0
    assert sorted(os.listdir(server.database.parent)) == ["board.db", "server.log"]
    assert "Traceback" not in server.log.read_text()
