"""Longboard runs from its folder: whoever installs it as a package is told so."""

import shutil
import subprocess
import sys

from tests.conftest import ROOT, environment


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
