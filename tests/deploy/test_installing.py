"""The package, checked and installed by the programs with which people do that. `bin/test --install` runs these."""

import pathlib
import sys
import zipfile

import httpx
import pytest

from tests.support.package import Installed, files, live, run
from tests.support.patience import PATIENCE
from tests.support.server import ROOT

pytestmark = pytest.mark.install
TOOLS = pathlib.Path(sys.executable).parent
FORMS = ("Your package should have a 'url' field", "Your package does not have author-email data.")
"""What pyroma misses: where this project has its home, the form on its page takes the place of both."""


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """The wheel is made from the archive of the sources, as a distributor of Linux does it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(dist):
    return next(dist.glob("*.whl"))


@pytest.fixture
def bare(tmp_path):
    """The environment of somebody who has an installer and a Python, and has never used either."""
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON": sys.executable, "USE_EMOJI": "0"}


def other_board(folder):
    """The wheel of another distribution, which has a package `board`."""
    path = folder / "another-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("board/__init__.py", "NAME = 'another board'\n")
        archive.writestr("another-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: another\nVersion: 1.0\n")
        archive.writestr(
            "another-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("another-1.0.dist-info/RECORD", "board/__init__.py,,\nanother-1.0.dist-info/RECORD,,\n")
    return path


# --- what it is


def test_checkers_of_packages_find_nothing(dist, wheel):
    """An index would take it, and shows what it is."""
    archive = next(dist.glob("*.tar.gz"))
    run(TOOLS / "twine", "check", "--strict", wheel, archive)
    run(TOOLS / "check-wheel-contents", wheel)
    pyroma = run(TOOLS / "pyroma", "--min=8", archive)
    *_, missed = (pyroma.stdout + pyroma.stderr).partition("Found longboard")
    complaints = [line for line in missed.splitlines() if line.startswith(("Your ", "The ", "Specifying "))]
    assert all(line.startswith(FORMS) for line in complaints), complaints


def test_the_linter_of_dockerfiles_finds_nothing():
    """Also what only another base or builder would mind."""
    run(TOOLS / "hadolint", "--failure-threshold=style", "Dockerfile")


def test_the_sources_have_what_a_distributor_needs(dist):
    """Tests and documentation too; nothing of a working copy that is not of the project."""
    listed = run("git", "ls-files").stdout.split("\n")
    said = run("tar", "tzf", next(dist.glob("*.tar.gz"))).stdout
    packed = {line.partition("/")[2] for line in said.splitlines()}
    kept = {name for name in listed if (ROOT / name).exists()} - {""}
    assert kept <= packed and {"tests/conftest.py", "docs/deploy.md"} <= kept
    assert not any(name.startswith((".venv", ".git/", "dist")) or "__pycache__" in name for name in packed)


# --- how it is installed


def test_pip_installs_it_beside_another_board_and_removes_it_whole(wheel, tmp_path):
    """Both programs find their own modules; removing one leaves the other as it was, and nothing behind."""
    env = tmp_path / "env"
    run(sys.executable, "-m", "venv", env)
    python, packages = env / "bin/python", next(env.glob("lib/python*/site-packages"))
    run(python, "-m", "pip", "install", other_board(tmp_path))
    before = sorted(path.name for path in packages.iterdir())
    run(python, "-m", "pip", "install", wheel)
    run(python, "-m", "pip", "check")
    live(Installed(env / "bin/longboard", tmp_path))
    assert run(python, "-P", "-c", "import board; print(board.NAME)").stdout == "another board\n"
    assert {name.partition("/")[0] for name in files(wheel)} <= {path.name for path in packages.iterdir()}
    run(python, "-m", "pip", "uninstall", "-y", "longboard")
    assert not list(packages.glob("longboard*")) and not (env / "bin/longboard").exists()
    assert set(before) <= {path.name for path in packages.iterdir()}
    assert run(python, "-P", "-c", "import board; print(board.NAME)").stdout == "another board\n"


def test_pipx_installs_it(wheel, tmp_path, bare):
    """`pipx install`: the command is in the user's own folder for programs, and the board in that for data."""
    home = pathlib.Path(bare["HOME"])
    run(TOOLS / "pipx", "install", "--python", sys.executable, wheel, **bare)
    live(Installed(home / ".local/bin/longboard", tmp_path))
    assert (home / ".local/share/longboard/board.db").exists()


def test_uv_installs_it(wheel, tmp_path, bare):
    """`uv tool install`, the same with the other program."""
    home = pathlib.Path(bare["HOME"])
    run(TOOLS / "uv", "tool", "install", wheel, **bare)
    live(Installed(home / ".local/bin/longboard", tmp_path))
    assert (home / ".local/share/longboard/board.db").exists()


def test_uvx_runs_it_without_installing_it(wheel, tmp_path, bare):
    """One command, on a machine with uv and a Python; the board is there the next time."""
    command = tmp_path / "run"
    command.write_text(f'#!/bin/sh\nexec "{TOOLS}/uvx" --from "{wheel}" longboard "$@"\n')
    command.chmod(0o755)
    del bare["HOME"]  # the same one is Installed's
    longboard = Installed(command, tmp_path, **bare)
    live(longboard, "serve")
    assert "1" in longboard("admin", "stats").stdout.splitlines()[0]


def test_a_first_use_without_the_network_fails_in_words(wheel, tmp_path, bare):
    """Nothing of Longboard runs then; the installer says what it could not get."""
    said = run(TOOLS / "uvx", "--offline", "--from", wheel, "longboard", check=1, **bare).stderr
    assert "longboard" in said and "network" in said and "Traceback" not in said


def test_several_nodes_run_from_the_package(wheel, tmp_path, new_database):
    """The processes behind the port find the same modules as their parent."""
    env = tmp_path / "env"
    run(TOOLS / "uv", "venv", "--python", sys.executable, env)
    run(TOOLS / "uv", "pip", "install", "--python", env, wheel)
    longboard = Installed(env / "bin/longboard", tmp_path, DATABASE_URL=new_database())
    server, url = longboard.serve("--nodes=2")
    try:
        assert httpx.get(f"{url}/healthz", timeout=PATIENCE).json()["status"] == "ok"
    finally:
        server.terminate()
        assert server.wait(PATIENCE) == 0
        server.stdout.close()
    assert not longboard.database.parent.exists()
