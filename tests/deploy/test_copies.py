"""The copies of a SQLite board that its server makes by itself: each day one, whole, and the newest are kept."""

import asyncio
import fcntl
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from storage.errors import StorageError
from storage.sqlite.copies import DAY_SECONDS, FORMAT, Copies, CopyMaker
from tests.http.test_metrics import TOKEN, figures
from tests.support.admin import at, problems, run_in
from tests.support.patience import PATIENCE
from tests.support.server import ROOT, environment, until

NOW = 1_795_000_000


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "copies"
    made.mkdir()
    return made


@pytest.fixture
def board(tmp_path):
    """The path of a board with one message."""
    run_in(tmp_path, "migrate")
    path = tmp_path / "board.db"
    db = sqlite3.connect(path)
    db.execute("INSERT INTO messages (id, seq, body, created_at) VALUES (1, 1, 'kept', 0)")
    db.execute("UPDATE board SET seq = 1")
    db.commit()
    db.close()
    return path


@pytest.fixture
def clock(monkeypatch):
    """The time that the copies see; set `clock.now`."""
    seconds = type("Clock", (), {"now": float(NOW)})
    monkeypatch.setattr("storage.sqlite.copies.time.time", lambda: seconds.now)
    return seconds


def name_at(path, at):
    return Copies(str(path), "", 1).stem() + time.strftime(f"{FORMAT}.db", time.gmtime(at))


def bodies(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return [body for (body,) in db.execute("SELECT body FROM messages ORDER BY id")]
    finally:
        db.close()


def test_a_server_makes_a_copy_at_its_start_if_there_is_none_of_today(start, folder):
    """It is a whole board, readable by its owner only; a second start makes no other; metrics and doctor tell of it."""
    server = start(backup_dir=folder, backup_keep=3, metrics_token=TOKEN)
    until(lambda: figures(server).get("longboard_copy_timestamp_seconds", 0) > 0)
    (copy,) = folder.glob("board-*.db")
    assert "is made each day and kept until there are 3 newer ones" in " ".join(server.get("/privacy").text.split())
    assert copy.stat().st_mode & 0o777 == 0o600
    assert name_at(server.database, figures(server)["longboard_copy_timestamp_seconds"]) == copy.name
    server.post("after the copy")
    server.stop()
    server.start()
    until(lambda: figures(server).get("longboard_copy_timestamp_seconds", 0) > 0)
    assert [path.name for path in folder.glob("board-*")] == [copy.name]
    run = run_in(server.log.parent, at(server.database), "--backup-dir", folder, "--backup-keep=3", "doctor")
    assert f"ok      copies in {folder}: the newest is of " in run.stdout and "; 1 of 3" in run.stdout
    assert not problems(run)
    assert f"unseen  whether another disk has the copies, too: {folder} is on the board's own" in run.stdout
    server.stop()
    run_in(server.log.parent, at(server.database), "restore", copy, "--replace")
    assert bodies(server.database) == []


def test_without_the_setting_there_are_no_copies_and_nothing_says_that_there_are(start):
    server = start(metrics_token=TOKEN)
    assert "longboard_copy_timestamp_seconds" not in figures(server)
    assert "each day" not in server.get("/privacy").text
    run = run_in(server.log.parent, at(server.database), "doctor")
    assert "copies" not in run.stdout


def test_each_day_one_and_the_oldest_go(board, folder, clock):
    copies = Copies(str(board), str(folder), 3)
    for day in range(5):
        clock.now = NOW + day * DAY_SECONDS
        assert copies.make_if_due() == clock.now
        clock.now += DAY_SECONDS - 1
        assert copies.make_if_due() == NOW + day * DAY_SECONDS
    names = [name_at(board, NOW + day * DAY_SECONDS) for day in (2, 3, 4)]
    assert names == shown(folder)
    assert bodies(folder / names[0]) == ["kept"]


def shown(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_what_is_not_a_copy_stays(board, folder, clock):
    """Files of other names or of other boards, folders, and links, also where their names look alike."""
    stem = Copies(str(board), "", 1).stem()
    others = [
        "board.db", "board-20260101-000000.db", "board-otherone-20260101-000000.db", "board-otherone-20260101-000000.db.part",
        f"{stem}1.db", f"{stem}20260101.db", f"{stem}20261399-000000.db", f"{stem}20260101-000000.db.gz",
        f"{stem}20260101-000000.db.partaa", f"{stem}mine.db.part", f"2-{stem}20260101-000000.db",
    ]  # fmt: skip
    for name in others:
        (folder / name).write_text(name)
    (folder / f"{stem}20260102-000000.db").mkdir()
    (folder / f"{stem}20260103-000000.db").symlink_to(board)
    copies = Copies(str(board), str(folder), 1)
    for day in range(2):
        clock.now = NOW + day * DAY_SECONDS
        copies.make_if_due()
    assert [(folder / name).read_text() for name in others] == others
    assert bodies(board) == ["kept"]
    made = name_at(board, clock.now)
    assert shown(folder) == sorted([*others, f"{stem}20260102-000000.db", f"{stem}20260103-000000.db", made])


def test_a_board_that_lives_among_its_copies_is_none_of_them(board, folder, clock, tmp_path):
    """Somebody has put a copy back by a link to it."""
    home = folder / name_at(board, NOW - 9 * DAY_SECONDS)
    board.rename(home)
    board.symlink_to(home)
    copies = Copies(str(board), str(folder), 1)
    for day in range(3):
        clock.now = NOW + day * DAY_SECONDS
        copies.make_if_due()
    assert shown(folder) == [home.name, name_at(board, clock.now)] and bodies(board) == ["kept"]


def test_any_name_of_a_board_will_do(tmp_path, folder, clock):
    run_in(tmp_path, "--database-url", f"sqlite:///{tmp_path}/100 %d[a]*.v2.db", "migrate")
    path = tmp_path / "100 %d[a]*.v2.db"
    for day in range(3):
        clock.now = NOW + day * DAY_SECONDS
        Copies(str(path), str(folder), 2).make_if_due()
    assert shown(folder) == [name_at(path, NOW + day * DAY_SECONDS) for day in (1, 2)]


def test_a_wrong_clock_removes_no_good_copy_and_makes_no_crowd(board, folder, clock):
    """The clock of a machine without a battery begins in 1970; one that was set wrong may have been years ahead.

    Those that were made last are kept, whatever their names say.
    """
    copies = Copies(str(board), str(folder), 3)
    good = [NOW + day * DAY_SECONDS for day in range(3)]
    for clock.now in good:
        copies.make_if_due()
    clock.now = 1000.0
    assert [copies.make_if_due() for _ in range(3)] == [1000.0] * 3
    assert shown(folder) == sorted(name_at(board, at) for at in (1000, *good[1:]))
    clock.now = ahead = NOW + 400 * DAY_SECONDS
    copies.make_if_due()
    assert shown(folder) == sorted(name_at(board, at) for at in (1000, good[2], ahead))
    for day in range(3, 6):
        clock.now = NOW + day * DAY_SECONDS
        assert [copies.make_if_due() for _ in range(3)] == [clock.now] * 3
    assert shown(folder) == sorted(name_at(board, NOW + day * DAY_SECONDS) for day in (3, 4, 5))


@pytest.mark.parametrize("damage", [b"", b"\xff\0\n", b"not a name\n" * 1000])
def test_without_its_notes_it_goes_by_the_names(board, folder, clock, damage):
    copies = Copies(str(board), str(folder), 2)
    for day in range(4):
        clock.now = NOW + day * DAY_SECONDS
        copies.make_if_due()
        next(folder.glob(".board-*")).write_bytes(damage)
    assert shown(folder) == [name_at(board, NOW + day * DAY_SECONDS) for day in (2, 3)]


def test_a_link_in_the_place_of_the_notes_is_not_followed(board, folder, tmp_path):
    (tmp_path / "precious").write_text("precious")
    (folder / f".{Copies(str(board), '', 1).stem()}copies").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        Copies(str(board), str(folder), 3).make_if_due()
    assert (tmp_path / "precious").read_text() == "precious"


def test_without_its_folder_it_says_so_and_does_not_make_one(board, folder):
    """The disk of the copies may not be mounted: its place on the board's own disk would be taken for it."""
    missing = folder / "disk"
    with pytest.raises(StorageError, match=f"there is no folder {missing}"):
        Copies(str(board), str(missing), 3).make_if_due()
    assert not missing.exists()
    missing.write_text("a file")
    with pytest.raises(StorageError, match="there is no folder"):
        Copies(str(board), str(missing), 3).make_if_due()


def test_a_server_that_can_not_copy_serves_and_says_so(start, folder):
    server = start(backup_dir=folder / "away", metrics_token=TOKEN)
    until(lambda: "THE BOARD COULD NOT BE COPIED" in server.log.read_text())
    assert server.post("served").status_code == 201
    assert figures(server)["longboard_copy_timestamp_seconds"] == 0
    run = run_in(server.log.parent, at(server.database), "--backup-dir", folder / "away", "doctor", check=1)
    assert f"copies: {folder / 'away'}: No such file or directory" in problems(run)
    run = run_in(server.log.parent, at(server.database), "--backup-dir", folder, "doctor", check=1)
    assert any("there is none" in words for words in problems(run))


def test_a_disk_without_room_is_left_as_it_is(board, folder, monkeypatch):
    """A copy that filled up the disk would stop the board, which may be on the same one."""
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("storage.sqlite.copies.shutil.disk_usage", lambda path: usage)
    with pytest.raises(StorageError, match=r"not enough room in .*: 0 MB are free"):
        Copies(str(board), str(folder), 3).make_if_due()
    assert not shown(folder)


def test_a_copy_that_breaks_off_leaves_nothing(board, folder):
    """A limit on the size of files stops it in the middle, as a disk does that fills up."""
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, {resource.RLIM_INFINITY})); "
    code += "import runpy, sys; sys.argv[0] = 'copies'; runpy.run_module('storage.sqlite.copies', run_name='__main__')"
    command = [sys.executable, "-c", code, board, folder, "3"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        said = run.stderr.read()
    assert run.returncode == 1 and said.startswith("the backup failed:"), said
    assert not shown(folder)


def test_what_a_killed_copy_left_is_removed(board, folder):
    for end in ("part", "part-journal"):
        (folder / f"{name_at(board, NOW)}.{end}").write_text("half a board")
    Copies(str(board), str(folder), 3).make_if_due()
    assert len(shown(folder)) == 1


def test_two_servers_of_one_board_make_one_copy(board, folder, clock):
    """One that is being replaced may still run. If it never ends, that is said."""
    copies = Copies(str(board), str(folder), 3)
    copies.make_if_due()
    with next(folder.glob(".board-*")).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        clock.now += DAY_SECONDS
        assert copies.make_if_due() == NOW
        clock.now += DAY_SECONDS + 1
        with pytest.raises(StorageError, match="another process has been making one"):
            copies.make_if_due()
    assert len(shown(folder)) == 1
    assert copies.make_if_due() == clock.now


def test_boards_may_share_a_folder(board, folder, tmp_path):
    """Also where their files have the same name: each has its own copies."""
    (tmp_path / "two").mkdir()
    run_in(tmp_path / "two", "migrate")
    other = tmp_path / "two" / "board.db"
    for _ in range(2):
        for path in (board, other):
            assert Copies(str(path), str(folder), 1).make_if_due() > 0.0
    assert len(shown(folder)) == 2


def test_postgresql_has_its_own_tool(tmp_path):
    command = [sys.executable, "server.py", "--backup-dir=.", "--database-url=postgres://localhost/board"]
    run = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "pg_dump" in run.stderr and run.stderr.count("\n") == 1


def test_a_server_whose_clock_was_ahead_goes_on_making_copies(board, folder, clock):
    """Its figure never says that the newest copy is of tomorrow."""
    copies = Copies(str(board), str(folder), 3)
    clock.now = NOW + 400 * DAY_SECONDS
    copies.make_if_due()
    clock.now = NOW
    assert copies.make_if_due() == NOW
    clock.now = NOW + DAY_SECONDS
    assert copies.make_if_due() == clock.now


@pytest.fixture
def endless(tmp_path, monkeypatch):
    """A process in the place of the one that makes a copy, which never ends by itself; where it notes its number."""
    script, note = tmp_path / "python", tmp_path / "pid"
    script.write_text(f"#!/bin/sh\necho $$ > {note}.new; mv {note}.new {note}; exec sleep 1000\n")
    script.chmod(0o755)
    monkeypatch.setattr("storage.sqlite.copies.sys.executable", str(script))
    return note


async def test_a_server_that_ends_does_not_wait_for_a_copy(board, folder, endless):
    """The process that makes it is ended."""
    running = asyncio.create_task(CopyMaker(Copies(str(board), str(folder), 3)).run())
    while not endless.exists():
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(int(endless.read_text()), 0)


async def test_a_copy_that_hangs_is_given_up_and_said(board, folder, endless, monkeypatch, caplog):
    monkeypatch.setattr("storage.sqlite.copies.LONGEST_SECONDS", 0.1)
    maker = CopyMaker(Copies(str(board), str(folder), 3))
    running = asyncio.create_task(maker.run())
    while "THE BOARD COULD NOT BE COPIED" not in caplog.text:
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert "it was not finished after" in caplog.text and maker.copied_at == 0.0 and not shown(folder)


def test_what_makes_a_copy_ends_with_its_server_and_not_before(board, folder):
    """A signal to the whole group is for the server; if that is killed, its end of the pipe is closed."""
    code = "import storage.sqlite.copies as c, time, threading, signal, sys; c.Copies.make_if_due = lambda self: "
    code += "(print('begun', flush=True), time.sleep(1000)); sys.argv[1:] = ['a', 'b', '1']; c.main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "begun\n"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process.send_signal(number)
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(PATIENCE) == 1
    process.stdout.close()
