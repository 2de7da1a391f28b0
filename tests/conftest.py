"""The fixtures of all tests: real servers, browsers and databases."""

import contextlib
import functools
import gc
import pathlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator

import hypothesis
import pytest
import pytest_asyncio

from tests.support import fresh, hashing
from tests.support.outliving import no_thread_outlives_a_test  # noqa: F401 (a fixture for every test)
from tests.support.postgres import Databases
from tests.support.server import Server

hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")
hashing.use(hashing.CHEAP)


@pytest.fixture
def repeats() -> str:
    """The setting REPEATS for the servers of a test; a module that overrides this with two values runs both ways."""
    return "on"


@pytest.fixture
def start(tmp_path: pathlib.Path, repeats: str, databases: Callable[..., str]) -> Iterator[Callable[..., Server]]:
    """Starts servers with settings of the test's choice, and ends them, before their databases are given back."""
    with contextlib.ExitStack() as stack:

        def start(**settings: object) -> Server:
            folder = tmp_path / f"server{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            server = Server(folder, **{"repeats": repeats, **settings})
            stack.callback(lambda: server.process.poll() is None and server.kill())
            return server

        yield start


@pytest.fixture(scope="session")
def shared_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """By the setting REPEATS, and apart for tests that count what is on a page: only they know each other's words."""
    servers: dict[tuple[str, bool], Server] = {}

    def shared(repeats: str, for_pages: bool = False) -> Server:
        key = (repeats, for_pages)
        if key not in servers:
            servers[key] = Server(tmp_path_factory.mktemp("shared"), repeats=repeats)
        return servers[key]

    yield shared
    for server in servers.values():
        assert server.stop() == 0, server.log.read_text()


@pytest.fixture
def server(shared_servers: Callable[..., Server], repeats: str, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that many tests use, one after the other: for those that don't mind what was posted before.

    Whatever a test sends it, nothing may make it fail: its log is looked at after each.
    """
    server = shared_servers(repeats, request.node.get_closest_marker("browser") is not None)
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
    from tests.support.engines import Engines  # so that the others need no Playwright

    async with Engines() as engines:
        yield engines


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(engines) -> object:
    return await engines.chromium()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium) -> AsyncIterator[object]:
    """Opens pages for a test; afterwards, no console may have said anything unexpected."""
    from tests.support import browser

    visits = browser.Visits(chromium)
    yield visits
    await visits.end()


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["chromium", "firefox", "webkit"])
async def engine(engines, request) -> AsyncIterator[str]:
    """The name of one after the other. Because of this scope, pytest runs all tests with the same one in a row."""
    yield request.param
    await engines.end(request.param)


@pytest_asyncio.fixture(loop_scope="session")
async def visit_each(engines, engine) -> AsyncIterator[object]:
    """As `visit`, in each engine."""
    visits = await engines.visits(engine)
    yield visits
    await visits.end()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--clients", action="store_true", help="try also the generated clients that take more tools")
    parser.addoption("--install", action="store_true", help="install the package in all ways, and check it")
    parser.addoption("--container", action="store_true", help="build the container and run it")
    parser.addoption("--base", help="the image that the container is built on; without it, debootstrap makes one")
    parser.addoption("--streams", type=int, default=50, help="how many random streams both ways of polling must answer")
    parser.addoption("--kills", type=int, default=10, help="how often the kill -9 test kills the server")
    parser.addoption("--restarts", type=int, default=3, help="how often the restart test restarts the server")
    parser.addoption("--characters", type=int, default=60_000, help="how many characters the memory test sends")
    parser.addoption("--parked", type=int, default=50, help="how many polls the restart test keeps parked")


MARKED = {
    "clients": "a generator's tools",
    "install": "what installs and checks packages",
    "container": "Podman and a base image",
}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays until the end: to look for garbage in it, then and later, takes seconds."""
    import server  # noqa: F401 (most tests need it, and it turns the garbage collector on)

    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for name, tools in MARKED.items():
        if not config.getoption(name):
            for item in items:
                if item.get_closest_marker(name):
                    item.add_marker(pytest.mark.skip(reason=f"takes {tools}: bin/test --{name}"))


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
def databases(request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """Addresses of databases of PostgreSQL, made by a method of Databases."""
    made: list[str] = []

    def give(make: Callable[..., str], *arguments: str) -> str:
        made.append(make(request.config.databases, *arguments))
        return made[-1]

    yield give
    for url in made:
        request.config.databases.give_back(url)


@pytest.fixture
def new_database(databases: Callable[..., str]) -> Callable[..., str]:
    """Addresses of new, empty databases of PostgreSQL."""
    return functools.partial(databases, Databases.create)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """The address of a new board, on each engine in turn."""
    if request.param == "sqlite":
        fresh.make_file(tmp_path / "board.db")
        return f"sqlite:///{tmp_path}/board.db"
    return request.getfixturevalue("databases")(Databases.create_board)


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """The address of a database without a board, on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/board.db"
    return request.getfixturevalue("new_database")()
