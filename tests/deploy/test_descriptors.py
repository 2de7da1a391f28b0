"""When too many connections are open: the server waits for room, and says so once."""

import os
import pathlib
import resource
import socket
import subprocess
import sys
import time

import httpx
import pytest

from net.listener import DESCRIPTORS_KEPT, raise_descriptor_limit
from tests.support.patience import PATIENCE
from tests.support.server import ROOT, Server, until


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def with_limit(code, soft, hard):
    """Runs Python code in another process, which may open so many files."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
    command = [sys.executable, "-c", limit + code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)


class Limited(Server):
    """A server that may open 150 files, from the start or only later."""

    under = ("sh", "-c", 'ulimit -n 150 && exec "$@"', "sh")


class LimitedLater(Server):
    def start(self):
        super().start()
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (150, 150))


@pytest.mark.parametrize("kind", [Limited, LimitedLater])
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can limit another process")
def test_more_connections_than_descriptors_are_waited_out(tmp_path, kind):
    """While no more can be open, it serves those that are, uses no CPU, logs one line; then it goes on by itself."""
    server = kind(tmp_path, max_parked=20)
    crowd = []
    try:
        server.health()  # this client has its connection
        crowd = [socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) for _ in range(250)]
        until(lambda: "Not accepting" in server.log.read_text())
        assert server.post("from one who was there before").status_code == 201
        if kind is Limited:  # there is a reserve for the database and files
            assert server.get("/").status_code == 200 and server.get("/readyz").status_code == 200
            assert len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir())) < 150 - DESCRIPTORS_KEPT + 10
        before, began = cpu_seconds(server.process.pid), time.monotonic()
        time.sleep(1.5)  # this one must pass: what it costs to wait is measured
        assert cpu_seconds(server.process.pid) - before < 0.3 * (time.monotonic() - began)
        for one in crowd:
            one.close()
        assert httpx.get(f"{server.url}/healthz", timeout=PATIENCE).status_code == 200
        assert server.stop() == 0
    finally:
        for one in crowd:
            one.close()
        if server.process.poll() is None:
            server.kill()
    log = server.log.read_text()
    assert log.count("Not accepting") == 1 and "Traceback" not in log


def test_the_limit_is_raised_as_far_as_needed_and_allowed(tmp_path):
    """Soft limits are often far below the hard ones; what can't be had is said, with what to do."""
    code = "from net.listener import raise_descriptor_limit as r; import resource\n"
    code += "print(r(100), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    assert with_limit(code, 256, 4096).stdout.split() == ["1224", "1224"]
    run = with_limit(code, 128, 150)
    assert run.stdout.split() == ["150", "150"]
    assert "MAX_PARKED=100" in run.stderr and "LimitNOFILE" in run.stderr and "MAX_PARKED to 43" in run.stderr


def test_a_limit_that_suffices_is_left_alone():
    """What an operator has set higher stays."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert raise_descriptor_limit(0) >= min(soft, 1024) > DESCRIPTORS_KEPT
