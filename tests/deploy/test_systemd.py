"""One's own machine: the units for systemd, for one board and for several, and what they demand of the server."""

import re
import shutil
import signal
import subprocess
import sys

import httpx
import pytest

from net.handover import inheriting
from tests.deploy.test_deploy import answers
from tests.support.patience import PATIENCE
from tests.support.people import Person
from tests.support.ports import free_port
from tests.support.server import ROOT, Server, until

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
SAFE = re.compile(r"[a-z][a-z0-9-]{0,30}")
"""Names that systemd takes for users, and uses as they are (https://systemd.io/USER_NAMES)."""


def unit(name, instance=""):
    """The lines of a unit as (name, value), with its specifiers as systemd fills them in for this instance."""
    prefix = re.match(r"\w+", name)[0]
    filled = {"N": f"{prefix}@{instance}" if "@" in name else prefix, "p": prefix, "i": instance}
    lines = (ROOT / "deploy" / name).read_text().splitlines()
    pairs = [line.partition("=")[::2] for line in lines if "=" in line and not line.startswith("#")]
    return [(key, re.sub("%([Npi])", lambda of: filled[of[1]], value)) for key, value in pairs]


@pytest.fixture(params=["longboard", "longboard@"])
def units(tmp_path, request):
    """A service and its socket, copied as an operator copies them; only the paths of the code are changed."""
    for kind in ("service", "socket"):
        text = (ROOT / "deploy" / f"{request.param}.{kind}").read_text()
        text = text.replace("/opt/longboard/.venv/bin/python", sys.executable).replace("/opt/longboard", str(ROOT))
        (tmp_path / f"{request.param}.{kind}").write_text(text)
    return [str(tmp_path / f"{request.param}.{kind}") for kind in ("service", "socket")]


@needs_systemd
def test_systemd_takes_the_units(units):
    """systemd-analyze verify has nothing to say about them."""
    run = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, timeout=PATIENCE)
    said = [line for line in run.stderr.splitlines() if "longboard" in line]
    assert run.returncode == 0 and said == [], run.stderr


@needs_systemd
def test_the_service_may_do_little(units):
    """systemd rates it from 0 (nothing) to 10 (everything): it has a network and a folder, and not much else."""
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=15", units[0]]
    run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 0 and "exposure level for longboard" in run.stdout, run.stdout + run.stderr


def test_the_unit_of_one_board_keeps_its_places():
    """Those that boards have had since 1.0."""
    service, socket = dict(unit("longboard.service")), dict(unit("longboard.socket"))
    places = [service[key] for key in ("Requires", "EnvironmentFile", "User", "StateDirectory", "WorkingDirectory")]
    assert places == ["longboard.socket", "-/etc/longboard.env", "longboard", "longboard", "/var/lib/longboard"]
    assert ("Environment", "DATABASE_URL=sqlite:////var/lib/longboard/board.db") in unit("longboard.service")
    assert socket["ListenStream"] == "127.0.0.1:8080"


def test_ten_boards_on_one_host_share_nothing():
    """Neither folder, settings, user nor socket, with each other or with longboard.service; each has its socket."""
    names = [f"{word}-{number}" for number, word in enumerate(["village", "school", "club", "choir", "team"] * 2)]
    services = [dict(unit("longboard.service")), *(dict(unit("longboard@.service", name)) for name in names)]
    sockets = [dict(unit("longboard.socket")), *(dict(unit("longboard@.socket", name)) for name in names)]
    for key in ("EnvironmentFile", "User", "StateDirectory", "WorkingDirectory", "Requires"):
        assert len({service[key] for service in services}) == 11, key
    assert len({socket["ListenStream"] for socket in sockets}) == 11
    assert all(SAFE.fullmatch(service["User"]) and service["DynamicUser"] == "yes" for service in services)
    for name, service in zip(["longboard", *(f"longboard@{name}" for name in names)], services, strict=True):
        assert service["Requires"] == f"{name}.socket" and service["After"].split()[0] == f"{name}.socket"
        assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"


NO_NEW_CODE = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)  # PR_SET_MDWE, of Linux 6.3: no memory becomes executable any more
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
def test_a_board_needs_no_memory_that_is_written_and_run(tmp_path):
    """As MemoryDenyWriteExecute= has it: passwords are hashed, and a node is begun as nodes are."""
    command = [sys.executable, "-c", NO_NEW_CODE, *inheriting([0], ""), "-c", "import server"]
    assert subprocess.run(command, cwd=ROOT, timeout=PATIENCE).returncode == 0
    unbending = type("Unbending", (Server,), {"under": (sys.executable, "-c", NO_NEW_CODE)})
    server = unbending(tmp_path)
    Person(server)
    assert server.stop() == 0


@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None, reason="systemd-socket-activate is not here")
@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_systemd_s_own_hand_over_is_understood(tmp_path, kind):
    """The socket comes from systemd's own tool, and the board serves on it, whatever PORT says."""
    port, path = free_port(), str(tmp_path / "board.sock")
    place = f"127.0.0.1:{port}" if kind == "tcp" else path
    flags = [f"--database-url=sqlite:///{tmp_path}/board.db", "--port=1"]
    command = ["systemd-socket-activate", "-l", place, sys.executable, str(ROOT / "server.py"), *flags]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if kind == "tcp":
            until(lambda: answers(f"http://127.0.0.1:{port}/readyz"))
        else:
            until((tmp_path / "board.sock").exists)
            with httpx.Client(transport=httpx.HTTPTransport(uds=path), timeout=PATIENCE) as client:
                assert client.get("http://board/readyz").status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
