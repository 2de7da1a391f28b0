"""The package: what is in it, and how Longboard is when it was installed from it, without a checkout."""

import importlib.metadata
import os
import re
import stat
import subprocess
import sys
import tomllib

import pytest
import yaml

from settings import KNOWN, Settings, read_settings
from tests.support.package import Installed, build, files, live
from tests.support.server import ROOT, environment

FOLDERS = ("admin", "board", "handlers", "locale", "net", "static", "storage", "templates")
OTHERS = ("board", "settings", "storage", "version", "commands")
"""Another distribution has modules of these names. A program that imports them instead of Longboard's ends."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def prefix(wheel, tmp_path_factory):
    """Where the wheel was installed, and nothing else."""
    prefix = tmp_path_factory.mktemp("prefix")
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--prefix", prefix, wheel]
    subprocess.run(command, check=True, capture_output=True, env=environment())
    return prefix


@pytest.fixture
def longboard(prefix, tmp_path):
    """It runs where all warnings are errors, and beside a distribution with modules of our names."""
    beside = tmp_path / "beside"
    beside.mkdir()
    for name in OTHERS:
        (beside / f"{name}.py").write_text("raise SystemExit('this is another program')\n")
    paths = [*prefix.glob("lib/python*/site-packages"), beside]
    return Installed(
        prefix / "bin/longboard", tmp_path, PYTHONPATH=os.pathsep.join(map(str, paths)), PYTHONWARNINGS="error"
    )


def test_the_wheel_has_all_of_longboard_below_one_name_and_nothing_else(wheel):
    """A new module or folder that pyproject.toml does not list would be missed only where the package is used."""
    sources = [*ROOT.glob("*.py"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))]
    ours = {str(path.relative_to(ROOT)) for path in sources if path.is_file() and "__pycache__" not in path.parts}
    ours |= {path.name for path in (ROOT / "deploy/longboard").glob("*.py")}
    about = {name for name in files(wheel) if name.partition("/")[0].endswith(".dist-info")}
    assert {"static/css/base.css", "templates/base.html", "storage/migrations/sqlite/0001_messages.sql"} <= ours
    assert files(wheel) - about == {f"longboard/{name}" for name in ours}
    assert all(
        any(name.endswith(f"licenses/{one}") for name in about) for one in ("LICENSE", "storage/LICENSE.unicode")
    )


def test_an_installed_longboard_keeps_its_board_in_the_user_s_own_folder(longboard):
    """It is found again from wherever it is started; nobody else can read it; and other programs keep their modules."""
    live(longboard)
    assert stat.S_IMODE(longboard.database.parent.stat().st_mode) == 0o700
    assert f"the board is kept in {longboard.database.parent}\n" in (longboard.elsewhere / "server.log").read_text()
    code = "import longboard, board"
    other = subprocess.run(
        [sys.executable, "-c", code], cwd=longboard.elsewhere, env=longboard.environment, capture_output=True, text=True
    )
    assert other.stderr == "this is another program\n"


def test_the_folder_for_data_is_where_the_user_has_set_it(longboard, tmp_path):
    """XDG_DATA_HOME counts, and DATABASE_URL more."""
    made = longboard("admin", "migrate", XDG_DATA_HOME=str(tmp_path / "data"))
    assert made.returncode == 0 and (tmp_path / "data/longboard/board.db").exists(), made.stderr
    longboard("admin", "migrate", XDG_DATA_HOME=str(tmp_path / "unused"), DATABASE_URL="sqlite:///here.db")
    assert (longboard.elsewhere / "here.db").exists() and not (tmp_path / "unused").exists()


@pytest.mark.parametrize("command", [["--port=0"], ["admin", "migrate"]])
def test_a_home_that_can_t_be_used_is_told_in_one_line(longboard, command):
    """A user without a home, such as a service's: the line says which setting gives it a place."""
    ran = longboard(*command, HOME="/dev/null")
    assert (ran.returncode, ran.stdout) == (1, "") and ran.stderr.count("\n") == 1
    assert ran.stderr.startswith(
        "longboard: the folder /dev/null/.local/share/longboard can't be made (Not a directory)"
    )
    assert "DATABASE_URL" in ran.stderr


def test_commands_that_only_look_make_no_folder(longboard):
    """They say that there is no board, and where it would be, as they do in a checkout."""
    ran = longboard("admin", "stats")
    assert ran.returncode == 1 and not (longboard.home / ".local").exists()
    assert (
        ran.stderr
        == f"longboard admin: there is no board at {longboard.database}: name its database with --database-url\n"
    )


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["--help"], "usage: longboard [serve] [--SETTING=VALUE ...]\n       longboard admin COMMAND\n"),
        (["server"], "longboard: unrecognized arguments: server "), (["admin", "--help"], "usage: longboard admin "),
        (["admin", "doctor"], "longboard admin: 1 problem in "),
    ],
)  # fmt: skip
def test_an_installed_longboard_calls_its_commands_as_they_are_typed(longboard, command, said):
    """There is no bin/ where the package is installed."""
    ran = longboard(*command)
    text = ran.stdout if "--help" in command else ran.stderr
    assert text.startswith(said), ran.stdout + ran.stderr
    assert "bin/admin" not in ran.stdout + ran.stderr and "bin/serve" not in ran.stdout + ran.stderr


def test_no_message_names_a_command_by_its_script():
    """What the program says has the name from commands.py; only its docstrings and comments may say bin/."""
    for path in [*ROOT.glob("*.py"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))]:
        if path.suffix in (".py", ".html", ".js") and path.name != "commands.py":
            for line in path.read_text().splitlines():
                said = line.partition("  # ")[0].strip()
                if not said.startswith(("#", '"""')) and "`bin/admin" not in said:
                    assert "bin/admin" not in said and "bin/serve" not in said, f"{path}: {line}"


def test_a_checkout_keeps_its_board_where_it_is_started():
    """As it always did: the folder of a board is the one where somebody starts it."""
    assert Settings().database_url == "sqlite:///board.db"


def test_pyproject_agrees_with_what_says_the_same_elsewhere():
    """The version is not there, but in version.py."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11" and "sys.version_info < (3, 11)" in (ROOT / "bin/venv").read_text()
    assert project["dynamic"] == ["version"] and "version" not in project
    assert (ROOT / project["readme"]).exists()
    assert project["license"] == (ROOT / "LICENSE").read_text().split()[0]


def test_no_module_has_the_name_of_one_that_python_has():
    """Ours come first on the path, so the library would get ours instead."""
    ours = {path.stem for path in ROOT.glob("*.py")} | {path.parent.name for path in ROOT.glob("*/*.py")}
    assert {"board", "server", "settings"} < ours and not ours & sys.stdlib_module_names


def test_no_module_has_the_name_of_one_that_a_dependency_brings():
    """In our process it would get ours, too."""
    lock = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    theirs = {
        module for module, names in importlib.metadata.packages_distributions().items()
        if {name.lower().replace("_", "-") for name in names} & set(lock)
    }  # fmt: skip
    ours = {path.stem for path in ROOT.glob("*.py")} | set(FOLDERS)
    assert {"tornado", "argon2", "prometheus_client"} < theirs and not ours & theirs


# --- the container's files; tests/deploy/test_container.py builds and runs it


def test_the_container_is_made_from_what_the_wheel_is_made_from():
    """A folder that .dockerignore does not let in would be missed only in the image."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*" and "!*.py" in lines
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    about = {"LICENSE", "README.md", "pyproject.toml", "requirements.txt", "deploy/longboard", "*.py"}
    assert let_in == {name for name in wheel if not name.endswith(".py")} | about


def test_compose_names_settings_that_exist():
    """The ones that it passes on, with an address that the board takes."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    given = services["board"]["environment"]
    assert set(given) <= set(KNOWN)
    url = re.sub(r"\$\{POSTGRES_PASSWORD:\?[^}]*\}", "secret", given.pop("DATABASE_URL"))
    assert all(re.fullmatch(r"\$\{" + name + r":-\}", text) for name, text in given.items())  # empty is not set
    settings = read_settings([], {"DATABASE_URL": url, **dict.fromkeys(given, "")})
    assert settings.database_url == "postgres://longboard:secret@database/longboard"
    assert services["database"]["environment"]["POSTGRES_USER"] == "longboard"
