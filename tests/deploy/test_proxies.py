"""What is of one proxy alone: nginx, HAProxy, Heroku's router. test_proxy_files.py has what holds for each."""

import contextlib
import http.client
import itertools
import re
import shutil
import socket
import ssl

import httpx
import pytest

from tests.deploy.test_deploy import dyno
from tests.http.test_metrics import TOKEN, figures
from tests.support import router as heroku
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.proxies import certificate, nginx, running
from tests.support.server import ROOT, until

needs_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here")
SECRETS = ["/signup?invite=s3cret", "/facebook/callback?code=s3cret&state=x", "/get?after=s3cret", "/static/x?s3cret",
           "/hooks/12/s3cret", "/HOOKS//12xs3cret?x"]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "proxy"
    folder.mkdir()
    return folder


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
    with running(nginx(folder, server.port, port, tls_port), port):
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


CROWDED = {"limits": "on", "max_parked": 4000, "poll_seconds": 50, "metrics_token": TOKEN}


@needs_nginx
def test_a_thousand_clients_behind_nginx_notice_nothing(start, folder):
    """All from one address: pages, polls that are parked, news for each, and polls again."""
    server, port = start(**CROWDED, client_header="X-Forwarded-For"), free_port()
    with running(nginx(folder, server.port, port), port):
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
