"""Boards on a machine with systemd, with the units of deploy/ as they are. `bin/test --container` runs these, as root."""

import shutil
import subprocess

import pytest

from tests.support.debian import Machine, Missing, make_debian
from tests.support.server import ROOT, until

pytestmark = pytest.mark.container
NAMES = ["village", "school", "club", "choir", "team", "lab", "shop", "band", "farm", "board-10"]
SETTINGS = """PUBLIC_URL=https://{name}.example.org
TITLE=Board of {name}
DATABASE_URL=sqlite:////var/lib/longboard@{name}/board.db
"""
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "node_modules", "*.db")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A Debian with the checkout in /opt/longboard, the units copied as docs/deploy.md says, and ten boards' settings."""
    root = tmp_path_factory.mktemp("machine") / "debian"
    try:
        make_debian(root, "systemd-sysv", "python3", "python3-venv", "curl")
        shutil.copytree(ROOT, root / "opt/longboard", ignore=NOT_COPIED)
        subprocess.run(["chroot", root, "/opt/longboard/bin/venv", "requirements.txt"], check=True)
        for unit in (ROOT / "deploy").glob("longboard*.s*"):
            shutil.copy(unit, root / "etc/systemd/system")
        for name in NAMES:
            (root / f"etc/longboard@{name}.env").write_text(SETTINGS.format(name=name))
        machine = Machine(root)
    except Missing as missing:
        pytest.skip(str(missing))
    yield machine
    machine.end()
    shutil.rmtree(root.parent)


def title(machine, name):
    """Asked at the board's socket, where a request waits while the board starts."""
    page = machine(f"curl --silent --fail --unix-socket /run/longboard/{name}.sock http://{name}.example.org/")
    return page.partition("<title>")[2].partition("<")[0]


def test_ten_boards_and_the_one_run_beside_each_other(machine):
    """Each has a user and a folder, sees no other's, and answers at its socket; all of them may be restarted at once."""
    units = " ".join(f"longboard@{name}.socket longboard@{name}.service" for name in NAMES)
    machine(f"systemctl start {units} longboard.socket longboard.service")
    assert [title(machine, name) for name in NAMES] == [f"Board of {name}" for name in NAMES]
    assert '"storage":"ok"' in machine("curl --silent --fail http://127.0.0.1:8080/healthz")
    users = set()
    for unit in ["longboard", *(f"longboard@{name}" for name in NAMES)]:
        process = machine(f"systemctl show --property=MainPID --value {unit}.service")
        user = machine(f"stat --format=%u /proc/{process}")
        inside = f"nsenter --target={process} --mount --setuid={user}"
        assert machine(f"{inside} ls /var/lib/private") == unit
        for place in ("/opt/longboard", "/etc", "/var/lib"):  # not even root could, as this process sees them
            assert machine.try_(f"nsenter --target={process} --mount touch {place}/x").returncode != 0
        assert machine(f"stat --format='%u %a' /var/lib/{unit}/board.db") == f"{user} 600"
        users.add(user)
    assert len(users) == 11 and "0" not in users
    machine("systemctl restart --no-block 'longboard@*.service'")
    assert [title(machine, name) for name in NAMES] == [f"Board of {name}" for name in NAMES]
    until(lambda: machine.try_("systemctl is-active --quiet 'longboard@*.service'").returncode == 0)
    machine("systemctl stop 'longboard@*.service' longboard.service 2>&1")
    assert "Traceback" not in machine("journalctl --unit='longboard@*' --unit=longboard --output=cat")
    assert machine.try_("systemctl is-failed --quiet 'longboard*.service'").returncode != 0


def test_commands_read_the_settings_of_one_board(machine):
    """As docs/deploy.md has it: the link leads to that board, and opens the database of the service's user."""
    said = machine("/opt/longboard/bin/admin --env-file=/etc/longboard@club.env owner")
    assert said.startswith("https://club.example.org/")
    machine("systemctl start longboard@club.socket longboard@club.service")
    assert title(machine, "club") == "Board of club"
