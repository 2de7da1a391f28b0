"""Streams behind real proxies as they are by default, and behind nginx with deploy/nginx.conf: each event comes at once."""

import shutil

import pytest

from tests.deploy.test_proxies import nginx_files, running
from tests.support.events import NDJSON, SSE, Stream
from tests.support.ports import free_port
from tests.support.server import until

NGINX = """daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{ access_log off; {paths}
server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{board}; }} }} }}
"""
HAPROXY = """defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
frontend all
  bind 127.0.0.1:{port}
  default_backend board
backend board
  server one 127.0.0.1:{board}
"""


def of_ours(folder, board, port):
    return nginx_files(folder, board, port)


def nginx(folder, board, port):
    kinds = ("proxy", "client_body", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in kinds)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, board=board, port=port, paths=paths))
    return ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]


def caddy(folder, board, port):
    (folder / "Caddyfile").write_text(
        f"{{\n admin off\n}}\nhttp://127.0.0.1:{port} {{\n encode gzip\n reverse_proxy 127.0.0.1:{board}\n}}\n"
    )
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def haproxy(folder, board, port):
    (folder / "haproxy.cfg").write_text(HAPROXY.format(board=board, port=port))
    return ["haproxy", "-f", str(folder / "haproxy.cfg"), "-db"]


class Proxied:
    """What Stream needs to know of a server."""

    def __init__(self, port):
        self.port = port


@pytest.mark.parametrize("accept", [SSE, NDJSON], ids=["sse", "ndjson"])
@pytest.mark.parametrize("proxy", [of_ours, nginx, caddy, haproxy])
def test_each_event_comes_at_once(server, tmp_path, proxy, accept, monkeypatch):
    """No proxy keeps it until there is more, or until the end; and when the client leaves, the board knows."""
    program = "nginx" if proxy is of_ours else proxy.__name__
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not here")
    monkeypatch.setenv("HOME", str(tmp_path))  # Caddy writes there
    port = free_port()
    with running(proxy(tmp_path, server.port, port), port):
        with Stream(Proxied(port), f"?after={server.cursor}", accept, "Accept-Encoding: gzip\r\n", minor=0) as stream:
            assert stream.status == 200 and "content-encoding" not in stream.headers
            assert stream.reply()["messages"] == []
            for number in range(3):
                server.post(f"{number}")
                assert stream.bodies() == [f"{number}"]
        until(lambda: server.health()["parked"] == 0)
