"""bin/admin, as those who look after a board call it."""

from tests.support.forks import run_admin
from tests.support.server import ROOT, environment


def admin(*arguments, check=0):
    run = run_admin([*map(str, arguments)], ROOT, environment())
    assert run.returncode == check, run.stderr
    return run


def at(path):
    return f"--database-url=sqlite:///{path}"


def run_in(folder, *arguments, check=0, **settings):
    """In a new folder, as somebody types it."""
    run = run_admin([*map(str, arguments)], folder, environment(**settings))
    assert run.returncode == check, run.stdout + run.stderr
    assert "Traceback" not in run.stderr and "Event loop" not in run.stderr
    return run


def problems(run):
    return [line[8:] for line in run.stdout.splitlines() if line.startswith("PROBLEM")]
