"""A server as people run it: its own process with its own database, measured from outside."""

import contextlib
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Any

from bench.connection import Connection, get
from bench.outcome import Wrong
from settings import Settings

ROOT = pathlib.Path(__file__).parent.parent
LONGBOARD = ("server.py",)
SECONDS_TO_END = 20


class Server:
    def __init__(self, process: "subprocess.Popen[str]", port: int, monitor: str = "") -> None:
        self.process = process
        self.port = port
        self._monitor = f"Authorization: Bearer {monitor}\r\n" if monitor else ""
        self.control = Connection(port)
        """For requests of the bench itself, apart from the load."""

    def close(self) -> None:
        self.control.socket.close()
        if self.process.stdout:
            self.process.stdout.close()

    def parked(self) -> int:
        """Returns how many parked polls the server reports: those of the first board, or to a monitor all."""
        parked: int = self.health()["parked"]
        return parked

    def seq(self) -> int:
        """The number of the last change."""
        return int(self.health()["cursor"].rpartition("-")[2])

    def health(self) -> dict[str, Any]:
        reply = self.control.ask(get("/healthz", self._monitor))
        if reply.status != 200:
            raise Wrong(f"/healthz answered {reply.status}")
        health: dict[str, Any] = reply.json()
        return health

    def memory_kb(self) -> int:
        """Resident memory."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status")
        if status.exists():
            found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text())
            return int(found[1]) if found else 0
        return int(self._ps("rss"))

    def settled_memory_kb(self) -> int:
        """Resident memory after the start, which takes more for a moment."""
        before, now, tries = 0, self.memory_kb(), 20
        while abs(now - before) > 100 and tries:
            time.sleep(0.5)
            before, now, tries = now, self.memory_kb(), tries - 1
        return now

    def cpu_seconds(self) -> float:
        """CPU time used so far, user and system, of all threads."""
        if sys.platform == "linux":  # by the scheduler's clock, to the nanosecond; Python lacks clock_getcpuclockid()
            return time.clock_gettime(~self.process.pid << 3 | 2)
        seconds = 0.0
        for part in self._ps("cputime").replace("-", ":").split(":"):
            seconds = 60 * seconds + float(part)
        return seconds

    def _ps(self, column: str) -> str:
        command = ["ps", "-o", f"{column}=", "-p", str(self.process.pid)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@contextlib.contextmanager
def server(
    folder: pathlib.Path, program: Sequence[str] = LONGBOARD, *, checkout: pathlib.Path = ROOT, **settings: object
) -> Iterator[Server]:
    """Starts a server on folder/board.db, on a free port and without limits, and ends it afterwards.

    `checkout` is where its code is.
    """
    settings = {"port": 0, "database_url": f"sqlite:///{folder}/board.db", "limits": "off", **settings}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    names = {field.name.upper() for field in dataclasses.fields(Settings)}
    names.add("PYTHONDONTWRITEBYTECODE")  # or a start would compile everything again
    environment = {name: value for name, value in os.environ.items() if name not in names}
    log = folder / "server.log"
    with log.open("a") as stderr:
        command = [sys.executable, *program, *flags]
        process = subprocess.Popen(
            command, cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
    try:
        line = process.stdout.readline() if process.stdout else ""
        match = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        if match is None:
            raise Wrong(f"the server did not start: {line}{log.read_text()}")
        with contextlib.closing(Server(process, int(match[1]), str(settings.get("metrics_token", "")))) as started:
            yield started
    finally:
        end(process)


def end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def new_folder(parent: str | None) -> Iterator[pathlib.Path]:
    """Makes a folder for databases, and deletes it afterwards."""
    with tempfile.TemporaryDirectory(prefix="longboard-bench-", dir=parent) as name:
        yield pathlib.Path(name)
