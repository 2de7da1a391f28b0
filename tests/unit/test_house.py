"""The house: which floor may know which, held by reading the code."""

import ast
import pathlib
import re
import subprocess
import sys

import handlers
from handlers.http.base import allowed_methods
from tests.support.routes import ROUTES

ROOT = pathlib.Path(__file__).parents[2]
FLOORS = ["admin", "server", "handlers", "net", "board", "storage"]  # from the top; each may use those below it
OUTSIDE = {"admin": {"settings", "version"}, "handlers": {"settings", "version"}, "server": {"settings"}}
ENGINES = ("storage.sqlite", "storage.postgres")
MODULES = [
    p
    for floor in FLOORS
    for p in ([ROOT / f"{floor}.py"] if (ROOT / f"{floor}.py").exists() else (ROOT / floor).rglob("*.py"))
]


def imports(path):
    """What a module imports, also for types only or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def test_each_floor_knows_only_those_below_it():
    """Data flows one way: handlers use the board and storage, never the other way round."""
    assert len(MODULES) > 15
    for path in MODULES:
        floor = floor_of(path)
        below = set(FLOORS[FLOORS.index(floor) :]) | OUTSIDE.get(floor, set())
        ours = {name.split(".")[0] for name in imports(path)} & {
            *FLOORS,
            "settings",
            "version",
            "admin",
            "tests",
            "bench",
        }
        assert ours <= below, f"{path.relative_to(ROOT)} uses {ours - below}"


def test_there_are_no_import_circles():
    """Every module can be read after the ones it uses, also where it uses only their types, or only inside a function."""
    named = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in MODULES}
    uses = {name: {i for i in imports(path) if i in named and i != name} for name, path in named.items()}
    uses["storage"] -= {name for name in named if name.startswith(ENGINES)}  # it opens what its own protocol describes
    done: set[str] = set()
    while len(done) < len(named):
        free = {name for name in named if name not in done and uses[name] <= done}
        assert free, f"a circle among {sorted(set(named) - done)}"
        done |= free


def test_a_start_loads_no_library_that_only_some_boards_need():
    """Each costs memory and time also where nobody uses it: metrics are for those who ask for them."""
    code = "import server, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    loaded = set(loaded.split())
    assert {"tornado", "board.site", "handlers.boards.front", "handlers.boards.get"} <= loaded
    rare = {"argon2", "asyncpg", "prometheus_client", "tqdm", "zxcvbn", "handlers.operations.registry"}
    rare |= {"board.payloads", "board.slack_marks"}
    named = {
        "handlers." + route[1].rpartition(".")[0]
        for route in handlers.ROUTES + handlers.EMBED_ROUTES
        if isinstance(route[1], str)
    }
    assert len(named) > 20
    rare |= named
    assert not loaded & (rare | {"jwt", "cryptography", "handlers.login.openid", "handlers.login.openid_site"})


def test_only_settings_reads_the_environment():
    """Every setting is found in one file."""
    for path in MODULES:
        text = path.read_text()
        assert "environ" not in text and "getenv" not in text, path


def test_only_storage_knows_sql_and_only_handlers_and_net_know_http():
    """Another engine, or another way in, changes one floor."""
    for path in MODULES:
        names = {name.split(".")[0] for name in imports(path)}
        if floor_of(path) not in ("storage", "admin"):  # admin reads other programs' files
            assert not names & {"sqlite3", "aiosqlite"}, path
        if floor_of(path) not in ("handlers", "net", "server"):
            assert "tornado" not in names, path


def test_only_the_board_delivers():
    """A handler that writes need not remember to: the storage of a board calls deliver() after each commit."""
    for path in MODULES:
        if floor_of(path) != "board":
            names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
            assert "deliver" not in names, path


def test_handlers_reach_storage_only_through_the_verbs_of_the_site():
    """So each rule, limit and line of the log stands once. The metrics read how the writer is doing."""
    for path in MODULES:
        if floor_of(path) == "handlers" and path.name != "registry.py":
            names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
            assert "storage" not in names, path


def test_only_a_provider_s_own_files_settings_and_columns_know_its_name():
    """So a second one needs no change elsewhere, and what the flow says is true of both."""
    known = {
        "handlers/login/facebook.py",
        "handlers/login/facebook_pages.py",
        "templates/facebook_deletion.html",
        "handlers/login/providers.py",  # the list
        *("templates/base.html", "handlers/http/static.py"),  # a style sheet, by the address that pages of 1.0 have
        "storage/tables.py",  # the columns
    }
    texts = [*MODULES, *(ROOT / "templates").iterdir(), *(ROOT / "static").rglob("*.js")]
    found = {str(path.relative_to(ROOT)) for path in texts if "facebook" in path.read_text().lower()}
    assert found == known


def test_each_route_says_its_methods():
    """They stand behind it, so that ROUTES is a list of all that can be asked."""
    lines = (ROOT / "handlers/__init__.py").read_text().splitlines()
    routes = [match for line in lines if (match := re.match(r'    \(r"(.+?)", "?\w+.*\),(?:  # (.*))?$', line))]
    kinds = {route[0]: route[1] for route in ROUTES}
    assert len(routes) > 40
    for route in routes:
        methods = [name for name in allowed_methods(kinds[route[1]]) if name not in ("HEAD", "OPTIONS")]
        assert route[2] == ", ".join(methods), route[1]


def test_files_and_functions_stay_small_enough_to_read():
    """A newcomer can read any file in one sitting."""
    for path in [*MODULES, *ROOT.glob("setting*.py")]:
        lines = path.read_text().splitlines()
        assert len(lines) <= 260, f"{path} has {len(lines)} lines"
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno - node.lineno < 40, f"{path}: {node.name}"


def test_scripts_have_types():
    """bin/check proves them: no comment switches that off, and none gives the type “any”."""
    scripts = list((ROOT / "static").rglob("*.js"))
    assert len(scripts) > 10
    for path in scripts:
        assert not re.search(r"@ts-|@\w+ \{.*\bany\b.*\}", path.read_text()), path


def test_lines_of_templates_are_short():
    """A change shows where it is, and two of them in one page don't meet in one line."""
    templates = list((ROOT / "templates").iterdir())
    assert len(templates) > 20
    for path in templates:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert len(line) <= 120, f"{path.name}:{number} has {len(line)} characters"
