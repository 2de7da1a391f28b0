"""A run of the tests ends, whatever fails in it."""

import subprocess
import sys

from tests.support.server import ROOT, environment

FAILING = """
import asyncio
from storage import open_storage
from tests.support.outliving import no_thread_outlives_a_test

async def test_that_fails(tmp_path):
    storage = await open_storage(f"sqlite:///{tmp_path}/board.db")
    await storage.append(None, "hello", None)
    assert not "reached the end"
"""


def test_pytest_ends_after_a_test_that_left_its_storage_open(tmp_path):
    """The failure is told, and that is all: no thread holds up the end."""
    (tmp_path / "test_failing.py").write_text(FAILING)
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-c", str(ROOT / "pyproject.toml"), "test_failing.py"]
    run = subprocess.run(command, cwd=tmp_path, env=environment(PYTHONPATH=str(ROOT)), capture_output=True, text=True)
    assert run.returncode == 1 and "reached the end" in run.stdout and "1 failed" in run.stdout, run.stdout
