"""A real server process with its own files, and waiting for conditions."""

import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable

import httpx

from tests.support import fresh
from tests.support.forks import MALLOC, Forked
from tests.support.patience import PATIENCE

ROOT = pathlib.Path(__file__).parents[2]


PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of boards, which speak no TLS here: by default each client would read all certificates, for 25 ms."""


class Server:
    """A real Longboard process with its own database file."""

    under: tuple[str, ...] | None = None
    """A command that starts it, with limits, say; () starts it as a user does. Others are forked (tests/support/forks.py)."""
    program = ROOT / "server.py"

    def __init__(self, folder: pathlib.Path, **settings: object) -> None:
        self.settings = {"port": 0, "database_url": f"sqlite:///{folder}/board.db", "limits": "off", **settings}
        if self.under is None and "database_url" not in settings and not (folder / "board.db").exists():
            fresh.make_file(folder / "board.db")
        self.log = folder / "server.log"
        self.process: subprocess.Popen[str] | Forked | None = None
        self.opened: list[httpx.Client] = []
        self.start()

    def start(self) -> None:
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in self.settings.items()]
        self.process = self._fork(flags) if self.under is None else self._spawn(flags)
        line = self.process.stdout.readline()
        match = re.search(r".*127\.0\.0\.1:(\d+)", line)  # the last: PUBLIC_URL, which stands first, may be here, too
        assert match, f"the server did not start: {line}\n{self.log.read_text()}"
        self.port = int(match[1])
        self.settings["port"] = self.port  # a restart comes back where it was
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = self.open()

    def _fork(self, flags: list[str]) -> Forked:
        return Forked("server", flags, self.log.parent, self.log, os.environ | MALLOC)

    def _spawn(self, flags: list[str]) -> subprocess.Popen[str]:
        with self.log.open("a") as log:
            return subprocess.Popen(
                [*self.under, sys.executable, "-X", "dev", "-W", "error", str(self.program), *flags],
                cwd=self.log.parent,
                env=os.environ | MALLOC,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def open(self, **options: object) -> httpx.Client:
        """Another client, as another browser would be; it is closed at the end of the test."""
        without_end = httpx.Limits(max_connections=None)  # many tests ask from many threads
        client = httpx.Client(base_url=self.url, timeout=PATIENCE, limits=without_end, verify=PLAIN, **options)
        self.opened.append(client)
        return client

    def close_clients(self, *, but: httpx.Client | None = None) -> None:
        for client in self.opened:
            if client is not but:
                client.close()
        self.opened = [but] if but else []

    @property
    def database(self) -> pathlib.Path:
        return self.log.parent / "board.db"

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends the process; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.close_clients()
            self.process.stdout.close()
        return status

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    # --- what tests ask of it again and again

    def get(self, path: str, **options: object) -> httpx.Response:
        return self.client.get(path, **options)

    def post(self, body: str, **fields: str) -> httpx.Response:
        return self.client.post("/api/v1/messages", json={"body": body, **fields})

    def health(self) -> dict[str, object]:
        return self.get("/healthz").json()

    @property
    def cursor(self) -> str:
        return self.health()["cursor"]

    def news(self, cursor: str, wait: float = 0, **options: object) -> dict[str, object]:
        """A poll's reply, without how many watch: that depends on what was parked before."""
        response = self.get(f"/get?after={cursor}&wait={wait}", **options)
        assert response.status_code == 200, response.text
        reply = response.json()
        assert reply.pop("watching") >= 0
        return reply

    def until_parked(self, count: int) -> None:
        until(lambda: self.health()["parked"] == count)


def until(condition: Callable[[], object]) -> object:
    """Waits for a condition, never for a duration; returns what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)
    return value


def environment(**values: str) -> dict[str, str]:
    """The environment without settings of Longboard's that may be set where the tests run."""
    import settings

    ours = {field.upper() for field in settings.Settings.__dataclass_fields__}
    return {name: value for name, value in os.environ.items() if name not in ours} | values
