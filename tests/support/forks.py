"""Our programs, forked from a process that has imported them.

Such a process does what `python server.py` or `python -m admin` does, but for starting Python and reading the modules:
half of what most tests would cost. Tests of the start itself, and of what a process takes from who starts it, start one
from nothing.
"""

import contextlib
import logging
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection

from tests.support.patience import PATIENCE

MALLOC = {"PYTHONMALLOC": "pymalloc"}
"""With Python's development mode: all that it looks for, but for faults in C, which would take a sixth of the time."""
DEBUG = {"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error"} | MALLOC

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "tests.support.shallow",
        "server",
        "admin.__main__",
        "fake_facebook.__main__",
        "tests.support.forks",
        "tests.support.preload",
    ]
)


class Forked:
    """A process of `program`, such as "server" or "admin.__main__". It has what tests use of a subprocess.Popen.

    What it logs is added to the file. `stdout` is to be closed.
    """

    def __init__(
        self,
        program: str,
        arguments: list[str],
        folder: pathlib.Path,
        log: pathlib.Path,
        environment: Mapping[str, str],
    ) -> None:
        reader, writer = CONTEXT.Pipe(duplex=False)
        values = (program, arguments, folder, log, dict(environment), writer)
        self._process = CONTEXT.Process(target=run_program, args=values, daemon=True)
        with environ(DEBUG):  # for the process that all are forked from, which begins with the first of them
            self._process.start()
        writer.close()
        self.stdout = os.fdopen(os.dup(reader.fileno()), encoding="utf-8")
        reader.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        """The exit status if it has ended: less than 0 if a signal has ended it."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired("a forked process", timeout)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run_admin(
    arguments: list[str], folder: pathlib.Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess:
    """bin/admin with these arguments, as subprocess.run() gives it."""
    with tempfile.NamedTemporaryFile("r+", encoding="utf-8") as log:
        forked = Forked("admin.__main__", arguments, folder, pathlib.Path(log.name), environment)
        try:
            with forked.stdout:
                said = forked.stdout.read()
            return subprocess.CompletedProcess(arguments, forked.wait(PATIENCE), said, log.read())
        finally:
            forked.kill()


@contextlib.contextmanager
def environ(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def run_program(
    program: str, arguments: list[str], folder: pathlib.Path, log: pathlib.Path, environment: dict[str, str],
    stdout: Connection,
) -> None:  # fmt: skip
    """In the forked process."""
    assert sys.flags.dev_mode
    os.dup2(stdout.fileno(), 1)
    stdout.close()
    errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(errors, 2)
    os.close(errors)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # on a busy machine everything is slow, which it would tell
    module = sys.modules[program]
    sys.argv = [module.__file__, *arguments]
    sys.exit(module.main())
