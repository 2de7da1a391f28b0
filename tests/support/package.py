"""The wheel, and Longboard installed from it."""

import pathlib
import re
import subprocess
import sys
import zipfile

import httpx

from tests.support.patience import PATIENCE
from tests.support.server import PLAIN, ROOT, environment
from version import VERSION


def run(*command: object, check: int = 0, **values: str) -> subprocess.CompletedProcess:
    """Runs a command in the project's folder, and looks at its status. `values` are variables of its environment."""
    ran = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=environment(**values), capture_output=True, text=True,
        timeout=10 * PATIENCE,
    )  # fmt: skip
    assert ran.returncode == check, ran.stdout + ran.stderr
    return ran


def build(folder: pathlib.Path) -> pathlib.Path:
    """Makes the wheel in this folder, without the network."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=environment())
    return next(folder.glob("*.whl"))


def files(wheel: pathlib.Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


class Installed:
    """The command `longboard` of a user with an empty home, who stands in a folder that is not the board's."""

    def __init__(self, command: pathlib.Path | str, folder: pathlib.Path, **values: object) -> None:
        self.home, self.elsewhere = folder / "home", folder / "elsewhere"
        for made in (self.home, self.elsewhere):
            made.mkdir(exist_ok=True)
        self.command = str(command)
        self.environment = environment(HOME=str(self.home), **values)
        self.environment.pop("XDG_DATA_HOME", None)

    @property
    def database(self) -> pathlib.Path:
        return self.home / ".local/share/longboard/board.db"

    def __call__(self, *arguments: object, **values: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.command, *map(str, arguments)], cwd=self.elsewhere, env=self.environment | values,
            capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip

    def serve(self, *arguments: str) -> tuple[subprocess.Popen, str]:
        """Starts a server. Returns it with its address."""
        with (self.elsewhere / "server.log").open("a") as log:
            server = subprocess.Popen(
                [self.command, *arguments, "--port=0"], cwd=self.elsewhere, env=self.environment, text=True,
                stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        line = server.stdout.readline()
        match = re.search(r"http://127\.0\.0\.1:\d+", line)
        if not match:
            server.kill()
            server.communicate()
            raise AssertionError(line + (self.elsewhere / "server.log").read_text())
        return server, match[0]


def live(longboard: Installed, *arguments: str) -> None:
    """What a board does on its first day: it starts, is written to, looked after, copied, ended and started again."""
    server, url = longboard.serve(*arguments)
    try:
        with httpx.Client(base_url=url, timeout=PATIENCE, verify=PLAIN) as client:
            page = client.get("/").text
            scripts = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
            assert scripts and all(client.get(path).status_code == 200 for path in scripts)
            posted = client.post("/api/v1/messages", json={"body": "from an installed Longboard"})
            assert posted.status_code == 201, posted.text
            assert client.get("/healthz").json()["version"] == VERSION
        assert "1" in longboard("admin", "stats").stdout
    finally:
        server.terminate()
        assert server.wait(PATIENCE) == 0
        server.stdout.close()
    copied = longboard("admin", "backup", "copy.db")
    assert copied.returncode == 0 and (longboard.elsewhere / "copy.db").exists(), copied.stderr
    assert longboard.database.exists() and not list(longboard.elsewhere.glob("board.db*"))
