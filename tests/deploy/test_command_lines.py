"""What the commands say to those who mistype something, and of what the system refuses: one clear line each."""

import os
import pathlib
import re
import socket
import subprocess
import sys

import pytest

from admin.numbers import counted
from setting_warnings import doubts
from settings import read_settings
from tests.support.admin import admin, at, problems, run_in
from tests.support.patience import PATIENCE
from tests.support.people import Person
from tests.support.ports import free_port
from tests.support.server import ROOT, environment

FILE = b"""TITLE=Our Board
DATABASE_URL=sqlite:///board.db
# a note
export POSTING=members

nonsense line
READNG=members
TZ=Europe/Berlin
"""


def ran(*command, cwd=ROOT, **values):
    return subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=PATIENCE,
        env=environment(PYTHONPATH=str(ROOT), **values),
    )  # fmt: skip


# --- flags


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["server.py", "--prot=1"], "longboard: unrecognized arguments: --prot=1 "),
        (["server.py", "here"], "longboard: unrecognized arguments: here "),
        (["server.py", "--port"], "longboard: argument --port: expected one argument "),
        (["-m", "admin", "--prot=1", "stats"], "bin/admin: unrecognized arguments: --prot=1 "),
        (["-m", "admin", "stats", "--all"], "bin/admin: unrecognized arguments: --all "),
        (["-m", "admin", "statistics"], "bin/admin: argument COMMAND: invalid choice: 'statistics' "),
        (["-m", "admin", "backup"], "bin/admin backup: the following arguments are required: file "),
        (["-m", "admin", "doctor", "localhost:8080"], "bin/admin doctor: argument url: must be http:// or https:// "),
        (["-m", "fake_facebook", "--prot=1"], "bin/fake-facebook: unrecognized arguments: --prot=1 "),
    ],
)
def test_a_wrong_command_line_is_one_line(command, said):
    """Not a dozen lines of usage with the fault below them; and the name is that which one has typed."""
    run = ran(*command)
    assert run.returncode == 2 and run.stdout == ""
    assert run.stderr.startswith(said) and run.stderr.count("\n") == 1


def test_help_tells_of_the_fake_facebook():
    """The one flag that bin/serve takes for itself."""
    assert "bin/serve --with-fake-facebook" in ran("server.py", "--help").stdout


# --- the server's flags, given to bin/admin


def test_a_link_leads_to_where_the_settings_say_and_tells_which(tmp_path):
    """A server that was started with flags has an address of which only flags can tell the command."""
    run_in(tmp_path, "migrate")
    for flags, origin in (
        ([], "http://127.0.0.1:8080"),
        (["--port=18090"], "http://127.0.0.1:18090"),
        (["--port", "18090", "--address=::1"], "http://[::1]:18090"),
    ):
        link, _, more = run_in(tmp_path, *flags, "invite").stdout.partition("#")
        assert link == f"{origin}/signup" and "--public-url" in more
    said = run_in(tmp_path, "--public-url=https://board.example.org", "invite").stdout
    assert said.startswith("https://board.example.org/signup#") and "PUBLIC_URL" not in said


def test_the_doctor_judges_the_flags_that_it_is_given(tmp_path):
    """And names the address that follows from them, so that a wrong one is seen."""
    run_in(tmp_path, "migrate")
    assert "the board is at http://127.0.0.1:18090\n" in run_in(tmp_path, "--port=18090", "doctor").stdout
    found = problems(run_in(tmp_path, "--limits=off", "doctor", check=1))
    assert len(found) == 1 and found[0].startswith("LIMITS=off")


# --- settings that are none


def test_a_file_of_settings_is_read_with_a_word_on_each_line_that_is_none(tmp_path):
    """For every command, one line each; the rest of the file holds."""
    (tmp_path / "env").write_bytes(FILE)
    said = run_in(tmp_path, "--env-file=env", "migrate").stderr.splitlines()
    assert said == [
        "bin/admin: env: line 4 has no effect: it is not NAME=value",
        "bin/admin: env: line 6 has no effect: it is not NAME=value",
        "bin/admin: env: READNG is not a setting and has no effect; did you mean READING?",
        "bin/admin: env: TZ is not a setting of Longboard",
    ]


def test_the_doctor_lists_what_is_no_setting(tmp_path):
    """What is surely a mistake is a problem; what may be for another program was only not looked at."""
    (tmp_path / "env").write_bytes(FILE)
    run_in(tmp_path, "migrate")
    run = run_in(tmp_path, "--env-file=env", "doctor", check=1, POSITNG="members")
    found = problems(run)
    assert len(found) == 4 and "POSITNG" in found[0] and "line 4" in found[1] and "READNG" in found[3]
    assert "unseen  env: TZ is not a setting" in run.stdout
    assert run.stderr.count("\n") == 1


def test_a_sound_file_of_settings_needs_no_words(tmp_path):
    """Not even if its lines end as on Windows, or a value spans several of them."""
    (tmp_path / "env").write_bytes(
        b"\r\n; note\r\nPRIVACY_TEXT='a\n\n b'\r\nPORT=81\\\n99\r\n  # note\r\nDATABASE_URL_TO=x\r\n"
    )
    assert run_in(tmp_path, "--env-file=env", "migrate").stderr == ""


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("READNG", "READING"), ("POSTNG", "POSTING"), ("reading", "READING"), ("PROT", "PORT"), ("TITEL", "TITLE"),
        ("SIGN_UP", "SIGNUP"), ("PUBLICURL", "PUBLIC_URL"), ("PUBLIC-URL", "PUBLIC_URL"), ("LIMIT", "LIMITS"),
        ("MESSAGE_LENGHT", "MESSAGE_LENGTH"), ("FACEBOOK_SECRET", "FACEBOOK_APP_SECRET"),
    ],
)  # fmt: skip
def test_a_mistyped_setting_is_named_by_every_command(tmp_path, name, meant):
    """Otherwise a board for members is public, and nobody has said a word."""
    said = run_in(tmp_path, "migrate", **{name: "secret-value"}).stderr
    assert said == f"bin/admin: {name} is not a setting and has no effect; did you mean {meant}?\n"


PLATFORMS = [
    "HOME",
    "PATH",
    "PWD",
    "LANG",
    "LC_ALL",
    "TZ",
    "SHELL",
    "USER",
    "LOGNAME",
    "TERM",
    "HOSTNAME",
    "HOST",
    "EDITOR",
    "MAIL",
    "PS1",
    "SHLVL",
    "OLDPWD",
    "TMPDIR",
    "DISPLAY",
    "PYTHONPATH",
    "PYTHONUNBUFFERED",
    "PYTHONHASHSEED",
    "VIRTUAL_ENV",
    "GUNICORN_CMD_ARGS",
    "WEB_CONCURRENCY",
    "WEB_MEMORY",
    "SOURCE_VERSION",
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGPASSWORD",
    "PGDATABASE",
    "PGSSLMODE",
    "PGPASSFILE",
    "DATABASE_PRIVATE_URL",
    "DATABASE_PUBLIC_URL",
    "HEROKU_APP_NAME",
    "HEROKU_POSTGRESQL_BLUE_URL",
    "HEROKU_RELEASE_VERSION",
    "FLY_APP_NAME",
    "FLY_REGION",
    "FLY_PUBLIC_IP",
    "PRIMARY_REGION",
    "RENDER",
    "RENDER_EXTERNAL_URL",
    "RENDER_SERVICE_ID",
    "RENDER_GIT_COMMIT",
    "RAILWAY_PUBLIC_DOMAIN",
    "RAILWAY_STATIC_URL",
    "KUBERNETES_PORT",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "BOARD_PORT",
    "BOARD_SERVICE_HOST",
    "BOARD_PORT_8080_TCP_ADDR",
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "NOTIFY_SOCKET",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "STATE_DIRECTORY",
    "MAINPID",
    "SYSTEMD_EXEC_PID",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
    "SUDO_USER",
    "SUDO_COMMAND",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "http_proxy",
    "no_proxy",
    "LONGBOARD_NODE",
    "DATABASE_URL_TO",
    "CHROMIUM",
    "PYTHON",
    "CDPATH",
    "LS_COLORS",
    "LESSOPEN",
    "MALLOC_ARENA_MAX",
    "SSL_CERT_FILE",
]


def test_variables_of_platforms_are_left_alone(tmp_path):
    """Shells, systemd, Kubernetes and hosts set many; a warning at each start would be about nothing."""
    values = {name: os.environ.get(name, "1") for name in PLATFORMS}
    del values["PYTHONPATH"]  # run_in() sets it
    assert run_in(tmp_path, "migrate", **values).stderr == ""


@pytest.mark.parametrize("nodes", [1, 2])
def test_the_server_starts_and_names_a_mistyped_setting_once(start, monkeypatch, request, nodes):
    """Also where several processes read the same environment."""
    monkeypatch.setenv("READNG", "members")
    database = {} if nodes == 1 else {"nodes": nodes, "database_url": request.getfixturevalue("new_database")()}
    server = start(**database)
    assert server.stop() == 0
    warned = [line for line in server.log.read_text().splitlines() if "READNG" in line]
    assert len(warned) == 1 and warned[0].endswith("did you mean READING?") and "WARNING" in warned[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"max_parked": 0}, "MAX_PARKED=0"), ({"scheme_header": "X-Forwarded-Proto"}, "SCHEME_HEADER")],
)
def test_what_hardly_can_be_meant_is_named_by_server_and_doctor(start, settings, words):
    """Each such setting has an effect that nobody would look for."""
    server = start(**settings)
    assert server.stop() == 0 and f"WARNING {words}" in server.log.read_text()
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    found = problems(run_in(server.database.parent, *flags, "doctor", check=1))
    assert len(found) == 1 and found[0].startswith(words)


def test_sound_settings_warn_of_nothing():
    """So that a warning is read when there is one."""
    assert not doubts(read_settings([], {}))
    assert not doubts(read_settings(["--embed-from=https://a.example", "--cors-from=*"], {}))
    assert not doubts(read_settings(["--scheme-header=X-Forwarded-Proto", "--public-url=https://a.example"], {}))


@pytest.mark.parametrize("flag", ["--embed-from=https://a.example", "--cors-from=*"])
def test_what_only_members_may_read_is_for_no_other_site(flag):
    """A setting for other sites does nothing then, which nobody would see on the board itself."""
    (said,) = doubts(read_settings([flag, "--reading=members"], {}))
    assert said.startswith(flag[2:].partition("=")[0].upper().replace("-", "_")) and "READING=members" in said


# --- numbers and words


def test_one_of_a_thing_is_not_several(start, tmp_path):
    """In each line that counts."""
    server = start()
    Person(server).post("the only message")
    data = at(server.database)
    copy, export = tmp_path / "copy.db", tmp_path / "board.jsonl"
    said = [admin(data, "backup", copy).stdout, admin(at(tmp_path / "new.db"), "restore", copy).stdout]
    assert all("1 message (deleted ones too), 1 account." in line for line in said), said
    assert admin(data, "export", export).stdout.startswith("2 rows exported")
    lines = export.read_text().splitlines()
    export.write_text("\n".join([lines[0], lines[1], '{"end": 1}', ""]))
    for words in ("1 row brought in; 0 were here already.", "0 rows brought in; 1 was here already."):
        assert admin(at(tmp_path / "other.db"), "import", export).stdout == f"{words}\n"
    doctor = run_in(server.database.parent, "--limits=off", "doctor", check=1)
    assert doctor.stderr.startswith("bin/admin: 1 problem in ")


@pytest.mark.parametrize(
    ("number", "things", "words"),
    [(1, "identities", "1 identity"), (0, "identities", "0 identities"), (1, "links", "1 link"), (2, "links", "2 links"),
     (1, "audit entries", "1 audit entry")],
)  # fmt: skip
def test_things_are_counted_as_people_write_it(number, things, words):
    """Also those whose plural is more than an s."""
    assert counted(number, things) == words


@pytest.mark.parametrize(
    ("line", "words"),
    [(b"{x", "in column 2"), (b"[1,\xff]", "it is not UTF-8"), (b"[" * 100_000, "it can't be read")],
)
def test_a_line_that_is_no_json_is_named_by_one_number(tmp_path, line, words):
    """That of the line in the file; a decoder, which sees one line, would add that it was line 1."""
    (tmp_path / "bad.jsonl").write_bytes(line + b"\n")
    said = run_in(tmp_path, "import", "bad.jsonl", check=1).stderr
    assert "bad.jsonl, line 1 is no JSON: " in said and said.endswith(f"{words}\n") and said.count("line") == 1


def test_the_doctor_finds_a_plain_board_on_this_machine_sound(start):
    """PUBLIC_URL is for boards that others reach."""
    server = start(poll_seconds=1, metrics_token="m" * 20)
    flags = ["--poll-seconds=1", f"--metrics-token={'m' * 20}"]
    run = run_in(server.database.parent, *flags, "doctor", server.url)
    assert problems(run) == [] and "ok      PUBLIC_URL is not set" in run.stdout


# --- what the system refuses


@pytest.mark.parametrize(
    "command",
    [
        ["backup", "nowhere/copy.db"], ["export", "nowhere/board.jsonl"], ["restore", "folder", "--replace"],
        ["import", "nothing"], ["import", "folder"], ["export", "folder/board.jsonl/x"], ["import-tutorial", "nothing"],
    ],
)  # fmt: skip
def test_what_the_system_refuses_is_said_in_words(tmp_path, command):
    """Which file, and why; the error's number is for programs."""
    run_in(tmp_path, "migrate")
    (tmp_path / "folder").mkdir()
    said = run_in(tmp_path, *command, check=1).stderr
    assert said.startswith("bin/admin: ") and said.count("\n") == 1 and "Errno" not in said
    assert any(name.partition("/")[0] in said for name in command[1:])


def test_a_full_disk_behind_the_output_is_said_in_words(tmp_path):
    """Of a list as of an export."""
    if not pathlib.Path("/dev/full").exists():
        pytest.skip("only where there is /dev/full")
    run_in(tmp_path, "migrate")
    for command in (["stats"], ["export", "-"]):
        with open("/dev/full", "w") as full:
            run = subprocess.run(
                [sys.executable, "-m", "admin", at(tmp_path / "board.db"), *command],
                cwd=ROOT, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        assert (run.returncode, run.stderr) == (1, "bin/admin: No space left on device\n")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["stats"], ""),
        (["audit"], ""),
        (["export", "-"], "bin/admin: the program that reads the export ended before it was whole\n"),
    ],
)
def test_whoever_reads_the_output_may_end_before_it_does(tmp_path, command, said):
    """`bin/admin audit | head` is no fault; an export that is cut off is, and says so."""
    run_in(tmp_path, "migrate")
    run_in(tmp_path, "--env-file=/dev/null", "invite")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        run = subprocess.run(
            [sys.executable, "-u", "-m", "admin", at(tmp_path / "board.db"), *command],
            cwd=ROOT, env=environment(), stdout=writing, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    finally:
        os.close(writing)
    expected = 0 if command == ["audit"] else 1  # the audit log is empty here, so nothing is written
    assert (run.returncode, run.stderr) == (expected, said)


def test_the_fake_facebook_says_that_its_port_is_taken():
    """One line, as the board itself."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run = ran("-m", "fake_facebook", f"--port={taken.getsockname()[1]}")
    assert run.returncode == 1 and re.fullmatch(r"bin/fake-facebook: .*Address already in use.*\n", run.stderr)
    assert "Errno" not in run.stderr


def test_the_doctor_says_in_words_why_nobody_answers(tmp_path):
    """Without the names and numbers of errors."""
    run_in(tmp_path, "migrate")
    url = f"http://127.0.0.1:{free_port()}"
    found = problems(run_in(tmp_path, f"--public-url={url}", "--client-header=X-Real-Ip", "doctor", url, check=1))
    assert found == [f"{url} can't be reached, or broke off: Connection refused"]
