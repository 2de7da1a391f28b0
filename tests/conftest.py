"""What the tests stand on: real server processes on files of their own, and waiting on conditions."""

import contextlib
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import hypothesis
import pytest
import pytest_asyncio

from tests.forks import MALLOC, Forked
from tests.outliving import no_thread_outlives_a_test  # noqa: F401 (a fixture for every test)
from tests.patience import PATIENCE
from tests.postgres import Databases

ROOT = pathlib.Path(__file__).parent.parent

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of boards, which speak no TLS here: by default each client would read all certificates, for 25 ms."""

hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


class Server:
    """A real Longboard process with a database file of its own."""

    under: tuple[str, ...] | None = None
    """A command that starts it, with limits, say; () starts it as a user does. Others are forked (tests/forks.py)."""
    program = ROOT / "server.py"

    def __init__(self, folder: pathlib.Path, **settings: object) -> None:
        self.settings = {"port": 0, "database_url": f"sqlite:///{folder}/board.db", "limits": "off", **settings}
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
        """A client of its own, such as another browser; it is closed at the end of the test."""
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


@pytest.fixture
def repeats() -> str:
    """The setting REPEATS for the servers of a test; a module that overrides this with two values runs both ways."""
    return "on"


@pytest.fixture
def start(tmp_path: pathlib.Path, repeats: str) -> Iterator[Callable[..., Server]]:
    """Starts servers with settings of the test's choice, and ends them."""
    with contextlib.ExitStack() as stack:

        def start(**settings: object) -> Server:
            folder = tmp_path / f"server{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            server = Server(folder, **{"repeats": repeats, **settings})
            stack.callback(lambda: server.process.poll() is None and server.kill())
            return server

        yield start


@pytest.fixture(scope="session")
def shared_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    servers: dict[str, Server] = {}

    def shared(repeats: str) -> Server:
        if repeats not in servers:
            servers[repeats] = Server(tmp_path_factory.mktemp("shared"), repeats=repeats)
        return servers[repeats]

    yield shared
    for server in servers.values():
        assert server.stop() == 0, server.log.read_text()


@pytest.fixture
def server(shared_servers: Callable[[str], Server], repeats: str) -> Iterator[Server]:
    """A server that many tests use, one after the other: for those that don't mind what was posted before.

    Whatever a test sends it, nothing may make it fail: its log is looked at after each.
    """
    server = shared_servers(repeats)
    before = server.log.stat().st_size
    server.client.cookies.clear()
    yield server
    server.close_clients(but=server.client)
    assert server.process.poll() is None, server.log.read_text()
    with server.log.open() as log:
        log.seek(before)
        said = log.read()
    assert "Traceback" not in said and "ERROR" not in said, said


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engines() -> AsyncIterator[object]:
    """The browsers for all tests that need one."""
    from tests.engines import Engines  # so that the others need no Playwright

    async with Engines() as engines:
        yield engines


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(engines) -> object:
    return await engines.chromium()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium) -> AsyncIterator[object]:
    """Opens pages for a test; afterwards, no console may have said anything unexpected."""
    from tests import browser

    visits = browser.Visits(chromium)
    yield visits
    await visits.end()


@pytest_asyncio.fixture(loop_scope="session", params=["chromium", "firefox", "webkit"])
async def visit_each(engines, request) -> AsyncIterator[object]:
    """The same in one browser engine after the other."""
    visits = await engines.visits(request.param)
    yield visits
    await visits.end()


def environment(**values: str) -> dict[str, str]:
    """The environment without settings of Longboard's that may be set where the tests run."""
    import settings

    ours = {field.upper() for field in settings.Settings.__dataclass_fields__}
    return {name: value for name, value in os.environ.items() if name not in ours} | values


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--clients", action="store_true", help="try also the generated clients that take more tools")
    parser.addoption("--streams", type=int, default=50, help="how many random streams both ways of polling must answer")
    parser.addoption("--kills", type=int, default=10, help="how often the kill -9 test kills the server")
    parser.addoption("--restarts", type=int, default=3, help="how often the restart test restarts the server")
    parser.addoption("--characters", type=int, default=60_000, help="how many characters the memory test sends")
    parser.addoption("--parked", type=int, default=50, help="how many polls the restart test keeps parked")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("clients"):
        for item in items:
            if item.get_closest_marker("clients"):
                item.add_marker(pytest.mark.skip(reason="takes a generator's tools: bin/test --clients"))


# --- PostgreSQL: one server for all test processes, a database for each test


def pytest_configure(config: pytest.Config) -> None:
    given = getattr(config, "workerinput", {}).get("postgres_folder")  # pytest-xdist: from the process that began
    config.databases = Databases(pathlib.Path(given or tempfile.mkdtemp(prefix="longboard-pg-")))
    config.databases.folder.chmod(0o755)  # where we are root, PostgreSQL is somebody else


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    node.workerinput["postgres_folder"] = str(node.config.databases.folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.databases.end()


@pytest.fixture
def new_database(request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """Addresses of new, empty databases of PostgreSQL."""
    databases = request.config.databases
    made: list[str] = []

    def new_database(options: str = "") -> str:
        made.append(databases.create(options))
        return made[-1]

    yield new_database
    for url in made:
        databases.drop(url)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """The address of a new database, on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/board.db"
    return request.getfixturevalue("new_database")()
