"""Streams behind real proxies as they are by default, and with the files of deploy/: each event comes at once."""

import pytest

from tests.support import proxies
from tests.support.events import NDJSON, SSE, Stream
from tests.support.ports import free_port
from tests.support.server import until

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

SQUID = """http_port 127.0.0.1:{port} accel defaultsite=localhost
cache_peer 127.0.0.1 parent {board} 0 no-query originserver
http_access allow all
pid_filename {folder}/pid
cache_log {folder}/cache.log
access_log none
coredump_dir {folder}
shutdown_lifetime 0 seconds
"""


def plain_nginx(folder, board, port):
    own = f"access_log off; server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{board}; }} }}"
    return proxies.nginx_command(folder, own)


def plain_caddy(folder, board, port):
    (folder / "Caddyfile").write_text(
        f"{{\n admin off\n}}\nhttp://127.0.0.1:{port} {{\n reverse_proxy 127.0.0.1:{board}\n}}\n"
    )
    return [proxies.program("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def plain_haproxy(folder, board, port):
    (folder / "haproxy.cfg").write_text(HAPROXY.format(board=board, port=port))
    return [proxies.program("haproxy"), "-f", str(folder / "haproxy.cfg"), "-db"]


def plain_apache(folder, board, port):
    return proxies.apache2_command(folder, f"ProxyPass / http://127.0.0.1:{board}/", port)


def plain_varnish(folder, board, port):
    return [
        *(proxies.program("varnishd"), "-F", "-j", "none", "-n", str(folder), "-s", "malloc,16m"),
        *("-a", f"127.0.0.1:{port}", "-b", f"127.0.0.1:{board}"),
    ]


def plain_squid(folder, board, port):
    """In front of a site, as its manual says, with all else as it is by default."""
    folder.chmod(0o777)  # as root, it goes on as another user
    (folder / "squid.conf").write_text(SQUID.format(folder=folder, board=board, port=port))
    return [proxies.program("squid"), "-N", "-f", str(folder / "squid.conf")]


PLAIN = [plain_nginx, plain_caddy, plain_haproxy, plain_apache, plain_varnish, plain_squid]


class Proxied:
    """What Stream needs to know of a server."""

    def __init__(self, port):
        self.port = port


WAYS = [(proxy, accept) for proxy in (*proxies.ALL, *PLAIN) for accept in (SSE, NDJSON)]
WAYS.remove((plain_varnish, NDJSON))  # the first line comes with the first news, or with the first keep-alive


@pytest.mark.parametrize(
    ("proxy", "accept"), WAYS, ids=[f"{way[0].__name__}-{'sse' if way[1] == SSE else 'ndjson'}" for way in WAYS]
)
def test_each_event_comes_at_once(server, tmp_path, proxy, accept):
    """No proxy keeps it until there is more, or until the end; and when the client leaves, the board knows.

    Behind Apache, Varnish, and HAProxy without `option abortonclose`, it knows when it has sent something again. Varnish
    gives the first event with the first keep-alive.
    """
    port = free_port()
    with proxies.running(proxy(tmp_path, server.port, port), port, folder=tmp_path):
        with Stream(Proxied(port), f"?after={server.cursor}", accept, "Accept-Encoding: gzip\r\n", minor=0) as stream:
            assert stream.status == 200 and "content-encoding" not in stream.headers
            assert stream.reply()["messages"] == []
            for number in range(3):
                server.post(f"{number}")
                assert stream.bodies() == [f"{number}"]
        until(lambda: server.post("to nobody").status_code == 201 and server.health()["parked"] == 0)
