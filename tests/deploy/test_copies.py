"""The copies of a SQLite board that its server makes by itself: each day one, whole, and the newest are kept."""

import asyncio
import fcntl
import os
import pathlib
import resource
import sqlite3
import subprocess
import sys
import time

import pytest

from storage.errors import StorageError
from storage.sqlite.copies import DAY_SECONDS, FORMAT, Copies, CopyMaker
from tests.http.test_metrics import TOKEN, figures
from tests.support.admin import at, problems, run_in
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


def name_at(at, stem="board"):
    return time.strftime(f"{stem}-{FORMAT}.db", time.gmtime(at))


def bodies(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return [body for (body,) in db.execute("SELECT body FROM messages ORDER BY id")]
    finally:
        db.close()


def test_a_server_makes_a_copy_at_its_start_if_there_is_none_of_today(start, folder):
    """It is a whole board, readable by its owner only; a second start makes no other; metrics and doctor tell of it."""
    server = start(backup_dir=folder, backup_keep=3, metrics_token=TOKEN)
    until(lambda: figures(server)["longboard_copy_timestamp_seconds"] > 0)
    (copy,) = folder.glob("board-*.db")
    assert "made each day and kept until there are 3 newer ones" in " ".join(server.get("/privacy").text.split())
    assert copy.stat().st_mode & 0o777 == 0o600
    assert name_at(figures(server)["longboard_copy_timestamp_seconds"]) == copy.name
    server.post("after the copy")
    server.stop()
    server.start()
    until(lambda: figures(server)["longboard_copy_timestamp_seconds"] > 0)
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
    names = [name_at(NOW + day * DAY_SECONDS) for day in (2, 3, 4)]
    assert sorted(path.name for path in folder.glob("board*")) == names
    assert bodies(folder / names[0]) == ["kept"]


def test_what_is_not_a_copy_stays(board, folder, clock):
    """Files of other names or of other boards, folders, and links, also where their names look alike."""
    others = ["board.db", "board-1.db", "board-20260101.db", "board-20261399-000000.db", "other-20260101-000000.db", "board-20260101-000000.db.gz"]  # fmt: skip
    for name in others:
        (folder / name).write_text(name)
    (folder / "board-20260102-000000.db").mkdir()
    (folder / "board-20260103-000000.db").symlink_to(board)
    copies = Copies(str(board), str(folder), 1)
    for day in range(2):
        clock.now = NOW + day * DAY_SECONDS
        copies.make_if_due()
    assert [(folder / name).read_text() for name in others] == others
    assert (folder / "board-20260102-000000.db").is_dir() and (folder / "board-20260103-000000.db").is_symlink()
    assert bodies(board) == ["kept"]
    assert [path.name for path in folder.glob("board-*.db") if path.is_file() and not path.is_symlink() and path.stat().st_size > 1000] == [name_at(NOW + DAY_SECONDS)]  # fmt: skip


def test_a_wrong_clock_removes_no_good_copy_and_makes_no_crowd(board, folder, clock):
    """The clock of a machine without a battery begins in 1970; one that was set wrong may have been years ahead."""
    copies = Copies(str(board), str(folder), 3)
    good = [NOW + day * DAY_SECONDS for day in range(3)]
    for clock.now in good:
        copies.make_if_due()
    clock.now = 1000.0
    assert [copies.make_if_due() for _ in range(3)] == [1000.0] * 3
    assert {name_at(1000), *map(name_at, good[1:])} == {path.name for path in folder.glob("board*")}
    clock.now = NOW + 400 * DAY_SECONDS
    copies.make_if_due()
    clock.now = NOW + 3 * DAY_SECONDS
    assert [copies.make_if_due() for _ in range(3)] == [clock.now] * 3
    kept = sorted(path.name for path in folder.glob("board*"))
    assert kept == [name_at(good[-1]), name_at(clock.now), name_at(NOW + 400 * DAY_SECONDS)]


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
    assert not list(folder.glob("board*"))


def test_a_copy_that_breaks_off_leaves_nothing(board, folder):
    """The limit of a file's size ends it in the middle, as a disk that fills up meanwhile does."""
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, {resource.RLIM_INFINITY})); "
    code += "import runpy, sys; sys.argv[0] = 'copies'; runpy.run_module('storage.sqlite.copies', run_name='__main__')"
    command = [sys.executable, "-c", code, board, folder, "3"]
    run = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert run.returncode == 1 and run.stderr.startswith("the backup failed:"), run.stderr
    assert not list(folder.glob("board*"))


def test_what_a_killed_copy_left_is_removed(board, folder):
    for end in ("part", "part-journal"):
        (folder / f"{name_at(NOW)}.{end}").write_text("half a board")
    Copies(str(board), str(folder), 3).make_if_due()
    assert len(list(folder.glob("board*"))) == 1


def test_two_servers_of_one_board_make_one_copy(board, folder):
    """One that is being replaced may still run."""
    copies = Copies(str(board), str(folder), 3)
    with (folder / ".board-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert copies.make_if_due() == 0.0
    assert not list(folder.glob("board*"))
    assert copies.make_if_due() > 0.0


def test_two_boards_do_not_share_a_folder(board, folder, tmp_path):
    """Their files may have the same name: the copies of one would count as the other's. A board may be moved."""
    Copies(str(board), str(folder), 3).make_if_due()
    (tmp_path / "two").mkdir()
    other = tmp_path / "two" / "board.db"
    run_in(tmp_path / "two", "migrate")
    with pytest.raises(StorageError, match=f"has the copies of {board}: each board needs a folder of its own"):
        Copies(str(other), str(folder), 3).make_if_due()
    board.rename(tmp_path / "gone.db")
    assert Copies(str(other), str(folder), 3).make_if_due() > 0.0


def test_postgresql_has_its_own_tool(tmp_path):
    command = [sys.executable, "server.py", "--backup-dir=.", "--database-url=postgres://localhost/board"]
    run = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "pg_dump" in run.stderr and run.stderr.count("\n") == 1


async def test_a_server_that_ends_does_not_wait_for_a_copy(board, folder, tmp_path, monkeypatch):
    """The process that makes the copy ends with it. Here it is one that never would."""
    script = tmp_path / "python"
    script.write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 1000\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr("storage.sqlite.copies.sys.executable", str(script))
    running = asyncio.create_task(CopyMaker(Copies(str(board), str(folder), 3)).run())
    while not (tmp_path / "pid").exists():
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(int(pathlib.Path(tmp_path / "pid").read_text()), 0)
