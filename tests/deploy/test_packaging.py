"""Longboard runs from its folder: an installation as a package is refused in words, and tools can read what it is."""

import shutil
import subprocess
import sys
import tomllib

from tests.support.server import ROOT, environment


def test_pip_install_is_refused_in_words(tmp_path):
    """One line says what to do instead; no list of folders that setuptools can't tell apart."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    for command in (["install", "."], ["install", "-e", "."], ["wheel", "."]):
        run = subprocess.run(
            [sys.executable, "-m", "pip", *command, "--no-index", "--disable-pip-version-check"],
            cwd=tmp_path, env=environment(), capture_output=True, text=True,
        )  # fmt: skip
        said = run.stdout + run.stderr
        assert run.returncode == 1 and "Longboard is not a package: start it with bin/serve" in said
        assert "Traceback" not in said and "Multiple top-level" not in said


def test_pyproject_agrees_with_what_says_the_same_elsewhere():
    """Tools read one, hosts and scripts the other; the version is in neither, but in version.py."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert project["dependencies"] == [line for line in lines if line and not line.startswith("#")]
    assert project["requires-python"] == ">=3.11" and "sys.version_info < (3, 11)" in (ROOT / "bin/venv").read_text()
    assert project["dynamic"] == ["version"] and "version" not in project
    assert (ROOT / project["readme"]).exists()
    assert project["license"] == (ROOT / "LICENSE").read_text().split()[0]


def test_no_module_has_the_name_of_one_that_python_has():
    """Ours come first on the path, so the library would get ours instead."""
    ours = {path.stem for path in ROOT.glob("*.py")} | {path.parent.name for path in ROOT.glob("*/*.py")}
    assert {"board", "server", "settings"} < ours and not ours & sys.stdlib_module_names
