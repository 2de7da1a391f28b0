"""The board behind each proxy, with the files of deploy/ as they are, on TCP and on a unix socket."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import socket
import subprocess
import tempfile

import httpx
import pytest

from net.handover import inheriting
from tests.deploy.test_deploy import answers
from tests.deploy.test_proxies import SECRETS, ask
from tests.http.test_metrics import SHOWN, TOKEN, figures
from tests.support.admin import admin, problems, run_in
from tests.support.forks import DEBUG
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.proxies import ALL, all_that_is_in, apache2, caddy, certificate, haproxy, nginx, running
from tests.support.server import Server, until

OURS = "https://board.example.org"
CLAIMS = {
    "X-Forwarded-For": "203.0.113.5", "X-Real-Ip": "203.0.113.5", "Forwarded": "for=203.0.113.5;proto=http",
    "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example",
}  # fmt: skip
"""What a client may say of itself."""
CHECKS = {nginx: ["-t"], caddy: ["validate"], haproxy: ["-c"], apache2: ["-t"]}
"""What has each program read its file, and end."""
each = pytest.mark.parametrize("proxy", ALL)


class Activated(Server):
    """A server that has sockets as systemd hands them over: TCP for the test, and the unix socket at `path`."""

    under = ()

    def _spawn(self, flags):
        self.path = str(self.log.parent / "board.sock")
        with (
            socket.create_server(("127.0.0.1", 0)) as tcp,
            socket.socket(socket.AF_UNIX) as unix,
            self.log.open("a") as log,
        ):
            unix.bind(self.path)
            unix.listen(4096)
            os.chmod(self.path, 0o666)  # as systemd does
            given = [tcp.fileno(), unix.fileno()]
            return subprocess.Popen(
                [*inheriting(given, ""), str(self.program), *flags], pass_fds=given, stdout=subprocess.PIPE, stderr=log,
                text=True, cwd=self.log.parent, env=os.environ | DEBUG,
            )  # fmt: skip


@pytest.fixture
def folder():
    """A folder that the proxies' own users can enter, as they can't enter those of other tests."""
    with tempfile.TemporaryDirectory(prefix="longboard-proxy-") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


@pytest.fixture(params=["tcp", "unix"])
def behind(request, folder, start):
    """Starts a board and a proxy before it: (server, URL through the proxy). With TLS only if a test wants it."""
    with contextlib.ExitStack() as stack:

        def begin(proxy, **settings):
            port = free_port()
            url = f"http://localhost:{port}"
            settings = {"client_header": "X-Forwarded-For", "metrics_token": TOKEN, "public_url": url, **settings}
            if request.param == "unix":
                server = Activated(folder, **settings)
                stack.callback(lambda: server.process.poll() is None and server.kill())
            else:
                server = start(**settings)
            board = server.path if request.param == "unix" else server.port
            stack.enter_context(running(proxy(folder, board, port), port, folder=folder))
            return server, url

        yield begin


@each
def test_the_program_takes_the_file(folder, proxy):
    """With a certificate, and without a warning; only nginx of 1.25.1 and newer has another word for http2."""
    certificate(folder)
    command = proxy(folder, 8080, free_port(), free_port())
    if proxy is caddy:
        command.remove("run")
        command[1:1] = CHECKS[proxy]
    else:
        command += CHECKS[proxy]
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, env=os.environ | {"HOME": str(folder)}
    )
    said = [line for line in (run.stdout + run.stderr).splitlines() if re.search(r"(?i)warn|alert", line)]
    assert run.returncode == 0, run.stdout + run.stderr
    # Caddy also says that our certificate names nobody who could staple something to it.
    assert [line for line in said if '"listen ... http2"' not in line and "stapling OCSP" not in line] == []


@each
def test_the_doctor_finds_nothing(behind, proxy):
    """Polls are held, and neither delayed, cached nor compressed; and nobody can claim another address."""
    server, url = behind(proxy, poll_seconds=1)
    settings = {"POLL_SECONDS": "1", "METRICS_TOKEN": TOKEN, "PUBLIC_URL": url, "CLIENT_HEADER": "X-Forwarded-For"}
    style = re.search(r"/static/\w+/board\.css", httpx.get(url).text)[0]
    assert httpx.get(url + style, headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    run = run_in(server.log.parent, "doctor", url, **settings)
    assert problems(run) == [] and "can't claim another address" in run.stdout


def test_the_doctor_finds_that_clients_can_hide(folder):
    """Behind an Apache as apache.conf had it before: it takes away again what it has set."""
    url = f"http://localhost:{(port := free_port())}"
    settings = {"public_url": url, "client_header": "X-Forwarded-For", "metrics_token": TOKEN, "poll_seconds": 1}
    server = Activated(folder, **settings)
    try:
        command = apache2(folder, server.path, port)
        conf = folder / "apache.conf"
        conf.write_text(conf.read_text().replace("RequestHeader unset Connection", ""))
        with running(command, port, folder=folder):
            run = run_in(
                folder, "doctor", url, check=1, **{name.upper(): str(value) for name, value in settings.items()}
            )
    finally:
        server.kill()
    assert [line for line in problems(run) if "clients can hide their address" in line]


@each
def test_polls_are_parked_answered_and_known(behind, proxy):
    """The reply comes at once, however long the poll would be held; the next polls need no parsing."""
    server, url = behind(proxy, poll_seconds=50)
    cursor = server.cursor
    with httpx.Client(base_url=url, timeout=PATIENCE) as client, concurrent.futures.ThreadPoolExecutor(20) as pool:
        polls = [pool.submit(client.get, f"/get?after={cursor}") for _ in range(20)]
        server.until_parked(20)
        server.post("news")
        replies = [poll.result(PATIENCE) for poll in polls]
        assert [message["body"] for reply in replies for message in reply.json()["messages"]] == ["news"] * 20
        assert not any("Content-Encoding" in reply.headers for reply in replies)
        cursor = server.cursor
        until(lambda: client.get(f"/get?after={cursor}&wait=0").status_code == 200
              and figures(server)["longboard_polls_repeated_total"] >= 3)  # fmt: skip


BOUNDS = {nginx: (("rate=100r/s", "rate=1r/m"), ("burst=1000", "burst=5")), haproxy: (("gt 1000", "gt 5"),)}
"""What each file has for all requests of one address, and what bounds them to a few."""


@pytest.mark.parametrize("proxy", BOUNDS)
def test_polls_of_all_boards_are_counted_by_the_board_alone(start, folder, proxy):
    """A school's pages come again and again from one address, on whichever board; and no log has a line for each."""
    server, port = start(client_header="X-Forwarded-For"), free_port()
    admin(f"--database-url={server.settings['database_url']}", "boards", "make", "rowing", "Rowing")
    until(lambda: server.get("/b/rowing/get").status_code == 200)
    command = proxy(folder, server.port, port)
    conf = folder / {nginx: "longboard.conf", haproxy: "haproxy.cfg"}[proxy]
    for usual, few in BOUNDS[proxy]:
        assert usual in conf.read_text()
        conf.write_text(conf.read_text().replace(usual, few))
    with running(command, port, folder=folder), httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for path in ("/get", "/b/rowing/get", "/b/rowing/get?wait=0"):
            assert [client.get(path, timeout=PATIENCE).status_code for _ in range(20)] == [200] * 20, path
        for path in ("/robots.txt", "/b/rowing/", "/b/get", "/get/", "/b/rowing/x/get"):
            until(lambda path=path: client.get(path, timeout=PATIENCE).status_code == 429)
    if proxy is nginx:
        lines = (folder / "longboard.log").read_text()
        assert "/robots.txt" in lines and "/b/rowing/get" not in lines and '"GET /get"' not in lines


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy])
def test_a_page_that_is_closed_gives_its_place_back(behind, proxy):
    """At once. Apache looks at its client only when the reply comes."""
    server, url = behind(proxy, poll_seconds=600)
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), PATIENCE) as client:
        client.sendall(f"GET /get?after={server.cursor} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        server.until_parked(1)
    server.until_parked(0)


def test_behind_apache_it_has_its_place_until_the_poll_is_over(behind):
    """So docs/deploy.md says."""
    server, url = behind(apache2, poll_seconds=3)
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), PATIENCE) as client:
        client.sendall(f"GET /get?after={server.cursor} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        server.until_parked(1)
    server.until_parked(0)


@each
def test_over_tls_no_client_can_claim_anything(start, folder, proxy):
    """It is the proxy that says who asks, and that it came by https; plain http is sent to the board's own name."""
    server = start(
        client_header="X-Forwarded-For", scheme_header="X-Forwarded-Proto", public_url=OURS, metrics_token=TOKEN
    )
    certificate(folder)
    port, tls_port = free_port(), free_port()
    with running(proxy(folder, server.port, port, tls_port), port, tls_port, folder=folder):
        moved = ask(port, "board.example.org", "/x?y")
        assert re.match(rb"HTTP/1\.\d 30[18] ", moved) and re.search(
            rb"(?i)\nlocation: https://board\.example\.org(:\d+)?/x\?y\r", moved
        )
        with httpx.Client(base_url=f"https://127.0.0.1:{tls_port}", verify=False, timeout=PATIENCE) as client:
            extensions = {"sni_hostname": "board.example.org"}
            asked = {"Host": "board.example.org", **CLAIMS}
            page = client.get("/", headers=asked, extensions=extensions)
            assert page.status_code == 200 and "max-age" in page.headers["Strict-Transport-Security"]
            assert client.get("/healthz", headers=asked | SHOWN, extensions=extensions).json()["client"] == "127.0.0.1"
            posted = client.post("/api/v1/messages", json={"body": "by TLS"}, headers=asked, extensions=extensions)
            assert posted.status_code == 201


@each
def test_no_client_can_take_away_what_the_proxy_sets(start, folder, proxy):
    """Headers that a client's Connection names are for one hop (RFC 9110, 7.6.1), but these are the proxy's own."""
    server = start(client_header="X-Forwarded-For", public_url=OURS, metrics_token=TOKEN, scheme_header="X-Forwarded-Proto",
                   log_requests="on", log_format="json")  # fmt: skip
    certificate(folder)
    port, tls_port = free_port(), free_port()
    transport = httpx.HTTPTransport(verify=False, local_address="127.0.0.2")
    with (
        running(proxy(folder, server.port, port, tls_port), port, tls_port, folder=folder),
        httpx.Client(base_url=f"https://127.0.0.1:{tls_port}", transport=transport, timeout=PATIENCE) as client,
    ):
        for also in ("close", "keep-alive", ""):
            named = ", ".join(filter(None, (also, "X-Forwarded-For, x-forwarded-proto, X-Request-Id")))
            asked = {
                "Host": "board.example.org",
                "Connection": named,
                "X-Request-Id": "of-the-client",
                **CLAIMS,
                **SHOWN,
            }
            reply = client.get("/healthz", headers=asked, extensions={"sni_hostname": "board.example.org"})
            assert reply.json()["client"] == "127.0.0.2", named
            page = client.get("/", headers=asked, extensions={"sni_hostname": "board.example.org"})
            assert page.status_code == 200 and "max-age" in page.headers["Strict-Transport-Security"], named
        assert b"\r\n\r\n" in ask(tls_port, "board.example.org", name="board.example.org")  # “close” closes
    until(lambda: "/healthz" in server.log.read_text())
    assert "of-the-client" not in server.log.read_text()


@each
def test_no_log_has_a_query_or_a_secret_in_it(folder, proxy):
    """While the board is stopped, and each request fails; those by plain http, and too large ones, as well. Nor has one a
    webhook's secret, which is in its path.
    """
    certificate(folder)
    port, tls_port = free_port(), free_port()
    headers = {"Host": "board.example.org", "Connection": "close"}  # a proxy may close it after a refusal
    with (
        running(proxy(folder, free_port(), port, tls_port), port, tls_port, folder=folder),
        httpx.Client(verify=False, timeout=PATIENCE, headers=headers) as client,
    ):
        for path in SECRETS:
            for url in (f"https://127.0.0.1:{tls_port}", f"http://127.0.0.1:{port}"):
                for body in (b"", b"x" * 300_000):
                    request = client.build_request("POST" if body else "GET", url + path, content=body)
                    request.extensions["sni_hostname"] = "board.example.org"
                    status = client.send(request).status_code
                    assert status in ((502, 503, 413) if url.startswith("https") else (301, 308, 413)), (path, status)
    logs = all_that_is_in(folder)
    # Each request has a line; of Caddy's, only those that failed.
    assert logs.count(b'"status":502') == 2 * len(SECRETS) if proxy is caddy else logs.count(b"/signup") >= 4
    assert b"s3cret" not in logs and b"/hooks/" in logs


@each
def test_a_board_that_was_away_is_asked_again_at_once(start, folder, proxy):
    """No proxy keeps in mind that it was."""
    server, port = start(client_header="X-Forwarded-For"), free_port()
    with running(proxy(folder, server.port, port), port, folder=folder):
        assert answers(f"http://127.0.0.1:{port}/healthz")
        server.stop()
        assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE).status_code in (502, 503)
        server.start()
        assert answers(f"http://127.0.0.1:{port}/healthz")
