"""Real proxies with the files of deploy/ as they are: only ports, paths and the certificate are changed.

Each function writes a whole configuration and returns the command that runs it. `board` is the port of the board, or the
path of its unix socket. Without a port for TLS, the board's own place has the other port, without TLS, and stands alone.
NGINX, CADDY, HAPROXY and APACHE name other programs than those that are installed.
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.patience import PATIENCE
from tests.support.server import ROOT, environment, until

NAMES = {
    "nginx": "nginx-light",
    "caddy": "caddy",
    "haproxy": "haproxy",
    "apache2": "apache2-bin",
    "varnishd": "varnish",
    "squid": "squid",
}
"""The programs, and the packages of Debian that have them."""
OTHERS = {"apache2": "APACHE"}
MODULES = pathlib.Path("/usr/lib/apache2/modules")
LOADED = (
    "mpm_event authz_core alias env setenvif filter deflate headers http2 proxy proxy_http reqtimeout socache_shmcb ssl"
)
APACHE = """DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
User #65534
Group #65534
ServerName localhost
ThreadsPerChild 50
MaxRequestWorkers 400
{modules}
{listens}
# As Debian has it, and JSON, too.
AddOutputFilterByType DEFLATE text/html text/plain text/css application/json application/javascript text/javascript
{own}
"""


def program(name: str) -> str:
    """The path of this program. The test is skipped where there is none."""
    path = os.environ.get(OTHERS.get(name, name.upper())) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not here (Debian: apt install {NAMES[name]})")
    return path


def file(name: str, board: int | str, line: str, unix: str) -> str:
    """A file of deploy/ for another board; for a unix socket with the line that a comment in the file has for that."""
    text = (ROOT / "deploy" / name).read_text()
    assert line in text and re.search(f"# [Aa] unix socket: {re.escape(unix)}", text)
    if isinstance(board, str):
        return text.replace(line, unix).replace("/run/longboard/village.sock", board)
    return text.replace("127.0.0.1:8080", f"127.0.0.1:{board}")


def nginx(folder: pathlib.Path, board: int | str, port: int, tls_port: int | None = None) -> list[str]:
    text = file("nginx.conf", board, "server 127.0.0.1:8080;", "server unix:/run/longboard/village.sock;")
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
    return nginx_command(folder, f"include {folder}/longboard.conf;")


def nginx_command(folder: pathlib.Path, own: str) -> list[str]:
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind}; " for kind in ("proxy", "client_body", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; worker_rlimit_nofile 8192; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{ worker_connections 4096; }}\nhttp {{ {paths}\n"
        f"access_log {folder}/access.log combined; {own} }}\n"  # as Debian has it
    )
    return [program("nginx"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]


def caddy(folder: pathlib.Path, board: int | str, port: int, tls_port: int | None = None) -> list[str]:
    unix = "reverse_proxy unix//run/longboard/village.sock {"
    text = file("Caddyfile", board, "reverse_proxy 127.0.0.1:8080 {", unix)
    if tls_port is None:
        text = text.replace("\nboard.example.org {", f"\nhttp://:{port} {{\n\tbind 127.0.0.1")
    else:
        text = text.replace("{\n", f"{{\n\thttp_port {port}\n\thttps_port {tls_port}\n", 1)
        text = text.replace(
            "\nboard.example.org {", f"\nboard.example.org {{\n\ttls {folder}/fullchain.pem {folder}/privkey.pem"
        )
    (folder / "Caddyfile").write_text(text.replace("{\n", "{\n\tadmin off\n", 1))
    return [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def haproxy(folder: pathlib.Path, board: int | str, port: int, tls_port: int | None = None) -> list[str]:
    unix = "server board unix@/run/longboard/village.sock"
    text = file("haproxy.cfg", board, "server board 127.0.0.1:8080", unix)
    text = re.sub(r"\n +bind \[::\].*", "", text)
    text = re.sub(r"\n +(user|group) haproxy", "", text)
    text = text.replace("log /dev/log local0", "log stderr format raw local0").replace("maxconn 20000", "maxconn 2000")
    text = text.replace("/etc/haproxy/board.pem", f"{folder}/board.pem")
    if tls_port is None:
        text = re.sub(r"\n +bind \*:443.*", "", text)
        text = re.sub(r"\n +http-request redirect.*", "", text)
    text = text.replace("bind *:80", f"bind 127.0.0.1:{port}").replace("bind *:443", f"bind 127.0.0.1:{tls_port}")
    (folder / "haproxy.cfg").write_text(text)
    return [program("haproxy"), "-db", "-f", str(folder / "haproxy.cfg")]


def apache2(folder: pathlib.Path, board: int | str, port: int, tls_port: int | None = None) -> list[str]:
    unix = "ProxyPass / unix:/run/longboard/village.sock|http://localhost/ timeout=60 ttl=90 retry=0"
    text = file("apache.conf", board, "ProxyPass / http://127.0.0.1:8080/ timeout=60 ttl=90 retry=0", unix)
    text = text.replace("/var/log/apache2", str(folder))
    text = text.replace("/etc/letsencrypt/live/board.example.org", str(folder))
    if tls_port is None:
        text = re.sub(r"<VirtualHost \*:80>.*?</VirtualHost>", "", text, flags=re.DOTALL)
        text = re.sub(r"\n +(SSL|Protocols).*", "", text)
        text = text.replace("*:443", f"*:{port}")
    return apache2_command(folder, text.replace("*:80", f"*:{port}").replace("*:443", f"*:{tls_port}"), port, tls_port)


def apache2_command(folder: pathlib.Path, own: str, *ports: int | None) -> list[str]:
    path = program("apache2")
    modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED.split())
    listens = "\n".join(f"Listen 127.0.0.1:{port}" for port in ports if port)
    (folder / "apache.conf").write_text(APACHE.format(folder=folder, modules=modules, listens=listens, own=own))
    return [path, "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"]


ALL = [nginx, caddy, haproxy, apache2]


def certificate(folder: pathlib.Path) -> None:
    subject = ["-nodes", "-days", "2", "-subj", "/CN=board.example.org"]
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, *files], check=True, capture_output=True
    )
    both = (folder / "fullchain.pem").read_text() + (folder / "privkey.pem").read_text()
    (folder / "board.pem").write_text(both)


@contextlib.contextmanager
def running(command: list[str], *ports: int, folder: pathlib.Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """This program, once it listens; ended afterwards. What it says is in `said` in the folder, if there is one."""
    env = environment(**({"HOME": str(folder), "XDG_DATA_HOME": str(folder)} if folder else {}))  # Caddy writes there
    with (folder / "said" if folder else pathlib.Path(os.devnull)).open("ab") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=env)
        try:
            until(lambda: process.poll() is not None or all(listens(port) for port in ports))
            assert process.poll() is None, folder and (folder / "said").read_text()
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def all_that_is_in(folder: pathlib.Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
