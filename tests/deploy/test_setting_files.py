"""bin/admin --env-file, and the addresses of a move: as systemd reads them, and where nobody else can see them."""

import shutil
import subprocess

import pytest

from setting_files import parse
from tests.support.admin import run_in

FILE = r"""
# a note = not a value
; nor this
TITLE=Our Village Board
DATABASE_URL=postgres://u:p$$w'x"y@h/d?a=b&c=d
BLANKS="  both  "
SINGLE='$HOME \ "as it stands"'
DOUBLE="a \"b\" \$c \\ \d"
LINES='one
two'
JOINED='a'"b" c 'd'
 AROUND = x y_
KEPT=end\_
ON=and \
on
TWICE=first
TWICE=second
EMPTY=
1ST=is no name
neither is this
LAST=end\
""".strip().replace("_\n", " \n")

VALUES = {
    "TITLE": "Our Village Board",
    "DATABASE_URL": "postgres://u:p$$w'x\"y@h/d?a=b&c=d",
    "BLANKS": "  both  ",
    "SINGLE": '$HOME \\ "as it stands"',
    "DOUBLE": 'a "b" $c \\ \\d',
    "LINES": "one\ntwo",
    "JOINED": "abc 'd'",
    "AROUND": "x y",
    "KEPT": "end ",
    "ON": "and on",
    "TWICE": "second",
    "EMPTY": "",
    "LAST": "end",
}


def test_a_file_is_read_as_systemd_reads_it():
    """systemd.exec(5), EnvironmentFile=: what a shell would take for a command, a variable or a comment is none."""
    assert parse(FILE) == VALUES
    assert parse("A=x y\r\n\r\nB='z'\r\n") == {"A": "x y", "B": "z"}


def test_systemd_itself_reads_it_so(tmp_path):
    """Where systemd can be asked."""
    if shutil.which("systemd-run") is None or subprocess.run(["systemctl", "is-system-running"]).returncode:
        pytest.skip("no systemd runs here")
    (tmp_path / "env").write_text(FILE)
    command = ["systemd-run", "-q", "--pipe", "--wait", "-p", f"EnvironmentFile={tmp_path}/env", "env", "-0"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    there = dict(pair.split("=", 1) for pair in said.split("\0") if pair)
    assert {name: there.get(name) for name in VALUES} == VALUES


def test_a_command_takes_its_settings_from_a_file(tmp_path):
    """Before those of the environment; a flag comes first."""
    (tmp_path / "env").write_text(
        "DATABASE_URL=sqlite:///my board.db\nTITLE=Our Village Board\nPUBLIC_URL=https://b.example\n"
    )
    run_in(tmp_path, "--env-file=env", "migrate", DATABASE_URL="sqlite:///other.db")
    run_in(tmp_path, "--env-file=env", "--database-url=sqlite:///third.db", "migrate")
    assert sorted(file.name for file in tmp_path.glob("*.db")) == ["my board.db", "third.db"]
    assert run_in(tmp_path, "--env-file", "env", "invite").stdout.startswith("https://b.example/signup#")


@pytest.mark.parametrize("content", [None, b"TITLE=\xff", b"PORT=x"])
def test_a_file_that_can_not_be_read_is_named(tmp_path, content):
    """Status 2 and one line, as for a wrong setting."""
    if content is not None:
        (tmp_path / "env").write_bytes(content)
    said = run_in(tmp_path, "--env-file=env", "stats", check=2).stderr
    assert said.count("\n") == 1 and ("PORT" if content == b"PORT=x" else "the settings in env can't be read") in said


def test_a_move_takes_its_addresses_from_where_nobody_sees_them(tmp_path, new_database):
    """From the environment or a file; what stands in a command is in the list of processes for all to read."""
    run_in(tmp_path, "migrate")
    assert "DATABASE_URL_TO is not set" in run_in(tmp_path, "move", check=1).stderr
    run_in(tmp_path, "move", check=1, DATABASE_URL_TO="sqlite:///other.db")
    (tmp_path / "env").write_text(f"DATABASE_URL=sqlite:///board.db\nDATABASE_URL_TO={new_database()}\n")
    said = run_in(tmp_path, "--env-file=env", "move").stdout
    assert "has moved" in said and "with DATABASE_URL set to what DATABASE_URL_TO was" in said
    run_in(tmp_path, "--database-url=sqlite:///second.db", "migrate")
    said = run_in(tmp_path, "move", DATABASE_URL="sqlite:///second.db", DATABASE_URL_TO=new_database()).stdout
    assert "has moved" in said
