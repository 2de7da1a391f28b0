"""The board behind real proxies, with the files of deploy/ as they are."""

import contextlib
import http.client
import itertools
import re
import shutil
import socket
import ssl
import subprocess

import httpx
import pytest

from tests.deploy.test_deploy import answers, dyno
from tests.http.test_metrics import TOKEN, figures
from tests.support import router as heroku
from tests.support.admin import problems, run_in
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.server import ROOT, environment, until

needs_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here")
SECRETS = ["/signup?invite=s3cret", "/facebook/callback?code=s3cret&state=x", "/get?after=s3cret", "/static/x?s3cret"]


def nginx_files(folder, board_port, port, tls_port=None):
    """deploy/nginx.conf inside of a whole configuration, with only ports, paths and certificate changed.

    Without a port for TLS the board's own server has the other, without TLS, and stands alone.
    """
    text = (ROOT / "deploy/nginx.conf").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{board_port}")
    text = text.replace("/var/log/nginx", str(folder))
    text = text.replace("/etc/letsencrypt/live/board.example.org", str(folder))
    text = re.sub(r"\n +listen \[::\].*", "", text)
    if tls_port is None:
        text = re.sub(r"server \{[^{}]*?\n    return .*?\n\}", "", text, flags=re.DOTALL)
        text = re.sub(r"\n +ssl_certificate.*", "", text)
        text = re.sub(r"listen 443.*;", f"listen 127.0.0.1:{port};", text)
    else:
        text = text.replace("listen 80", f"listen 127.0.0.1:{port}").replace(
            "listen 443", f"listen 127.0.0.1:{tls_port}"
        )
    (folder / "longboard.conf").write_text(text)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind}; " for kind in ("proxy", "client_body", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; worker_rlimit_nofile 8192; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{ worker_connections 4096; }}\nhttp {{ {paths} include {folder}/longboard.conf; }}\n"
    )
    return ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]


def certificate(folder):
    subject = ["-nodes", "-days", "2", "-subj", "/CN=board.example.org"]
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, *files], check=True, capture_output=True
    )


@contextlib.contextmanager
def running(command, port, **options):
    """This program, once it listens; ended afterwards."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **{"stderr": subprocess.DEVNULL, **options})
    try:
        until(lambda: listens(port))
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def all_that_is_in(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "proxy"
    folder.mkdir()
    return folder


@needs_nginx
def test_nginx_takes_its_file(folder):
    """nginx -t, with a certificate: not even a warning, but of 1.25.1 and newer, which speak of http2 in words of theirs."""
    certificate(folder)
    run = subprocess.run([*nginx_files(folder, 8080, 80, 443), "-t"], capture_output=True, text=True, timeout=PATIENCE)
    said = [line for line in run.stderr.splitlines() if "[warn]" in line and '"listen ... http2"' not in line]
    assert run.returncode == 0 and "test is successful" in run.stderr and said == [], run.stderr


@pytest.mark.parametrize(
    ("address", "client"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:"), ("2001:db8:1:2::6", "2001:db8:1:2:"),
     ("2001:db8::6", "2001:db8:"), ("::1", "::1")],
)  # fmt: skip
def test_nginx_counts_clients_as_the_board_does(address, client):
    """IPv6 by /64, in the form in which nginx writes it (RFC 5952)."""
    pattern = re.search(r'map \$remote_addr .*?"~(.*?)" ', (ROOT / "deploy/nginx.conf").read_text(), re.DOTALL)[1]
    found = re.match(pattern.replace("(?<", "(?P<"), address)
    assert (found["longboard_net"] if found else address) == client


@needs_nginx
def test_nginx_serves_its_own_name_only(start, folder):
    """Others are closed, by name or by Host, with and without TLS; the redirect goes to our own."""
    server = start(client_header="X-Forwarded-For")
    certificate(folder)
    port, tls_port = free_port(), free_port()
    with running(nginx_files(folder, server.port, port, tls_port), port):
        assert b"\r\nLocation: https://board.example.org/x?y\r\n" in ask(port, "board.example.org", "/x?y")
        assert ask(port, "evil.example") == b""
        said = ask(tls_port, "board.example.org", "/healthz", name="board.example.org")
        assert said.startswith(b"HTTP/1.1 200") and said.endswith(b"TLSv1.3")
        assert ask(tls_port, "evil.example", name="board.example.org") == b"TLSv1.3"
        with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized"):
            ask(tls_port, "board.example.org", name="evil.example")


def ask(port, host, path="/", name=None):
    """What is said until the end; over TLS, and then with its version behind it, if a name is asked for."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
        version = b""
        if name:
            connection = stack.enter_context(context.wrap_socket(connection, server_hostname=name))
            version = connection.version().encode()
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")) + version


@needs_nginx
def test_no_log_of_nginx_has_a_query_in_it(folder):
    """While the board is stopped, and each request fails; too large ones, and those for its other servers, as well."""
    certificate(folder)
    board_port, port, tls_port = free_port(), free_port(), free_port()
    with running(nginx_files(folder, board_port, port, tls_port), port), httpx.Client(verify=False) as client:
        for path in SECRETS:
            for url in (f"https://127.0.0.1:{tls_port}", f"http://127.0.0.1:{port}"):
                for body in (b"", b"x" * 2_000_000):
                    request = client.build_request("POST" if body else "GET", url + path, content=body)
                    request.headers["Host"] = "board.example.org"
                    request.extensions["sni_hostname"] = "board.example.org"
                    status = client.send(request).status_code
                    assert status in ((502, 413) if url.startswith("https") else (301, 413)), (path, status)
    assert b"/signup" in (folder / "longboard.log").read_bytes()
    assert b"s3cret" not in all_that_is_in(folder)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here")
def test_behind_nginx_all_is_well(start, tmp_path):
    """With that file the doctor finds nothing, repeated polls are known, and no secret gets into nginx's log."""
    port = free_port()
    url = f"http://localhost:{port}"
    server = start(poll_seconds=1, metrics_token=TOKEN, client_header="X-Forwarded-For", public_url=url)
    folder = tmp_path / "nginx"
    folder.mkdir()
    process = subprocess.Popen(nginx_files(folder, server.port, port), stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(f"{url}/healthz"))
        settings = {"POLL_SECONDS": "1", "METRICS_TOKEN": TOKEN, "PUBLIC_URL": url, "CLIENT_HEADER": "X-Forwarded-For"}
        run = run_in(server.database.parent, "doctor", url, **settings)
        assert problems(run) == [] and "can't claim another address" in run.stdout
        cursor = server.cursor
        until(lambda: httpx.get(f"{url}/get?after={cursor}&wait=0").status_code == 200
              and figures(server)["longboard_polls_repeated_total"] >= 3)  # fmt: skip
        httpx.get(f"{url}/signup?invite=s3cret")
        assert (
            "gzip"
            in httpx.get(url + re.search(r"/static/\w+/board\.css", httpx.get(url).text)[0]).headers["Content-Encoding"]
        )
    finally:
        process.terminate()
        process.wait(PATIENCE)
    log = (folder / "longboard.log").read_text()
    assert "/signup" in log and "s3cret" not in log and "/get" not in log


CROWDED = {"limits": "on", "max_parked": 4000, "poll_seconds": 50, "metrics_token": TOKEN}


@needs_nginx
def test_a_thousand_clients_behind_nginx_notice_nothing(start, folder):
    """All from one address: pages, polls that are parked, news for each, and polls again."""
    server, port = start(**CROWDED, client_header="X-Forwarded-For"), free_port()
    with running(nginx_files(folder, server.port, port), port):
        assert news_of(server, port) == [b"round 0", b"round 1"] * 1000


def test_a_thousand_clients_behind_heroku_s_router_notice_nothing(start):
    """The same, with more places than app.json gives, as here is but one router."""
    server = dyno(start, **CROWDED)
    with heroku.Router(server.port, 10) as router:
        assert news_of(server, router.port) == [b"round 0", b"round 1"] * 1000
        assert not router.codes


def news_of(server, port):
    """What a thousand clients are told in two rounds, one client after the other."""
    told = [[] for _ in range(1000)]
    with contextlib.ExitStack() as stack:
        clients = [http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE) for _ in range(1000)]
        for client in clients:
            stack.callback(client.close)
            client.connect()
        assert [answer for answer in asked(clients, "/") if b"</html>" not in answer] == []
        for round in range(2):
            cursor = server.cursor
            for client in clients:
                client.request("GET", f"/get?after={cursor}")
            until(lambda: figures(server)["longboard_polls_parked_total"] >= 1000 * (round + 1))  # noqa: B023
            server.post(f"round {round}")
            for client, news in zip(clients, told, strict=True):
                while not (found := re.findall(rb'"(round \d)"', answer_of(client))):
                    client.request("GET", f"/get?after={cursor}")  # its time was over before, on a busy machine
                news += found
    return list(itertools.chain(*told))


def asked(clients, path):
    for client in clients:
        client.request("GET", path)
    return [answer_of(client) for client in clients]


def answer_of(client):
    """With 200, and the connection goes on."""
    response = client.getresponse()
    assert response.status == 200 and not response.will_close
    return response.read()


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="HAProxy is not here")
@pytest.mark.parametrize("reading", ["public", "members"])
def test_haproxy_s_plain_check_keeps_a_board_up(start, folder, reading):
    """`option httpchk` with nothing else asks OPTIONS / by HTTP/1.0."""
    server, port = start(client_header="X-Forwarded-For", reading=reading, metrics_token=TOKEN), free_port()
    (folder / "haproxy.cfg").write_text(
        "defaults\n mode http\n timeout connect 60s\n timeout client 60s\n timeout server 60s\n timeout check 60s\n"
        f"frontend f\n bind 127.0.0.1:{port}\n default_backend b\n"
        f"backend b\n option httpchk\n option forwardfor\n server s 127.0.0.1:{server.port} check inter 100ms\n"
    )
    with running(["haproxy", "-db", "-f", str(folder / "haproxy.cfg")], port):
        until(lambda: figures(server).get("longboard_requests_total OPTIONS 204", 0) >= 5)
        assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE).status_code == 200


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not here")
def test_caddy_takes_its_file():
    """caddy validate."""
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(ROOT / "deploy/Caddyfile")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 0, run.stderr


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not here")
def test_no_log_of_caddy_has_a_query_in_it(folder):
    """While the board is stopped, and each request fails."""
    text, port = (ROOT / "deploy/Caddyfile").read_text(), free_port()
    text = text.replace("\nboard.example.org {", f"\nhttp://127.0.0.1:{port} {{").replace("{\n", "{\n\tadmin off\n", 1)
    (folder / "Caddyfile").write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{free_port()}"))
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    env = environment(XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder))
    with (folder / "log").open("wb") as log, running(command, port, stderr=log, env=env):
        for path in SECRETS:
            assert httpx.get(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE).status_code == 502
    said = all_that_is_in(folder)
    assert said.count(b'"status":502') == len(SECRETS) and b"s3cret" not in said
