"""The files of a board: whom they belong to, links, disks that are full, read-only or taken away."""

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest

from storage import open_storage
from storage.errors import CannotOpenError, UnavailableError
from storage.sqlite import backup, parting
from storage.sqlite.database_file import is_frozen
from tests.support.admin import admin, at, problems, run_in
from tests.support.server import ROOT, environment, until

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others, and mounts disks")


@contextlib.contextmanager
def small_disk(folder, megabytes):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "test", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def read_only(folder):
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)


def filled(folder):
    """Nothing more fits on the disk; the file that takes its room."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return ballast


# --- whose a new file is


def owners(folder):
    return {path.name: (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()}


@pytest.fixture
def service(tmp_path):
    """A folder of the service's user, as systemd makes it."""
    folder = tmp_path / "service"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    return folder


@needs_root
@pytest.mark.parametrize("way", ["migrate", "import", "import-tutorial"])
def test_what_root_makes_belongs_to_the_folder_s_owner(service, tmp_path, way):
    """bin/admin as root, the server as somebody else: it can open the board all the same."""
    admin(at(tmp_path / "other.db"), "migrate")
    admin(at(tmp_path / "other.db"), "export", tmp_path / "board.jsonl")
    db = sqlite3.connect(tmp_path / "tutorial.db")
    db.execute("CREATE TABLE messages (msg_content TEXT NOT NULL, msg_time INTEGER NOT NULL)")
    db.close()
    if way == "import-tutorial":
        admin(at(service / "board.db"), "migrate")
    more = {"migrate": [], "import": [tmp_path / "board.jsonl"], "import-tutorial": [tmp_path / "tutorial.db"]}[way]
    admin(at(service / "board.db"), way, *more)
    assert owners(service) == {"board.db": (NOBODY, 0o600)}


@needs_root
async def test_the_server_s_files_belong_to_the_folder_s_owner(service):
    """A start by hand, as root: none of the three files locks the service out."""
    storage = await open_storage(f"sqlite:///{service}/board.db")
    try:
        await storage.append(None, "hello", None)
        assert owners(service) == dict.fromkeys(("board.db", "board.db-wal", "board.db-shm"), (NOBODY, 0o600))
    finally:
        await storage.close()


@needs_root
def test_a_restored_board_has_owner_and_mode_of_the_one_before(service, tmp_path):
    """Where there was none, the folder's owner. A backup belongs to the user who makes it."""
    path, copy = service / "board.db", tmp_path / "copy.db"
    admin(at(path), "migrate")
    path.chmod(0o640)
    admin(at(path), "backup", copy)
    assert owners(tmp_path)["copy.db"] == (0, 0o600)
    admin(at(path), "restore", "--replace", copy)
    assert owners(service)["board.db"] == (NOBODY, 0o640) and len(owners(service)) == 2
    path.unlink()
    admin(at(path), "restore", copy)
    assert owners(service)["board.db"] == (NOBODY, 0o600)


@needs_root
def test_the_doctor_sees_whose_board_it_is(service):
    """Root can write to any file, so that says nothing: what counts is who serves it."""
    admin(at(service / "board.db"), "migrate")
    assert problems(admin(at(service / "board.db"), "doctor")) == []
    os.chown(service / "board.db", 0, 0)
    said = problems(admin(at(service / "board.db"), "doctor", check=1))
    assert len(said) == 1 and "belongs to user 0, and its folder to user 65534" in said[0]


def test_a_restore_that_is_broken_off_leaves_the_board_in_its_place(tmp_path, monkeypatch):
    """There is never a moment without one, in which a start would make a new, empty board."""
    path, copy = tmp_path / "board.db", tmp_path / "copy.db"
    admin(at(path), "migrate")
    admin(at(path), "backup", copy)
    before = epoch(path)

    def broken_off(*names):
        raise OSError("the power fails")

    monkeypatch.setattr(os, "replace", broken_off)
    with pytest.raises(OSError, match="the power fails"):
        backup.restore(str(path), str(copy), replace=True)
    assert epoch(path) == before


# --- links


def test_a_restore_through_a_link_leaves_the_board_where_it_is(tmp_path):
    """board.db is a link to a volume: the new board is on the volume, and the link is a link."""
    volume, link, copy = tmp_path / "volume", tmp_path / "board.db", tmp_path / "copy.db"
    volume.mkdir()
    link.symlink_to("volume/real.db")
    admin(at(link), "migrate")
    assert (volume / "real.db").is_file()
    before = epoch(volume / "real.db")
    admin(at(link), "backup", copy)
    admin(at(link), "restore", "--replace", copy)
    assert link.is_symlink() and epoch(volume / "real.db") != before
    aside = [path for path in volume.iterdir() if path.name != "real.db"]
    assert len(aside) == 1 and epoch(aside[0]) == before
    assert problems(admin(at(link), "doctor")) == []


def test_a_link_that_leads_nowhere_is_no_new_file(tmp_path):
    """A backup or an export never goes where a link points that somebody has put there."""
    admin(at(tmp_path / "board.db"), "migrate")
    for command in ("backup", "export"):
        target = tmp_path / command
        target.symlink_to(tmp_path / "elsewhere")
        assert "there already" in admin(at(tmp_path / "board.db"), command, target, check=1).stderr
    assert not (tmp_path / "elsewhere").exists()


def epoch(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT epoch FROM board").fetchone()[0]


# --- taken away, or replaced


AWAY = {
    "removed": lambda path: [file.unlink() for file in path.parent.glob("board.db*")],
    "the database alone": lambda path: path.unlink(),
    "the log": lambda path: path.with_name("board.db-wal").unlink(),
    "the log's index": lambda path: path.with_name("board.db-shm").unlink(),
    "the folder": lambda path: path.parent.rename(path.parent.with_name("other")),
    "replaced": lambda path: (shutil.copy(path, path.with_name("new")), path.with_name("new").replace(path)),
}


@pytest.mark.parametrize("what", AWAY)
async def test_a_database_that_is_taken_away_takes_no_posts(tmp_path, what, caplog):
    """No post is answered as if it were kept; what was there can be read."""
    path = tmp_path / "board" / "board.db"
    path.parent.mkdir()
    storage = await open_storage(f"sqlite:///{path}")
    try:
        await storage.append(None, "before", None)
        await storage.before(None, 9)
        AWAY[what](path)
        for _ in range(2):
            with pytest.raises(UnavailableError, match="taken away or replaced"):
                await storage.append(None, "lost", None)
        with pytest.raises(UnavailableError):
            await storage.probe()
        assert storage.writing().is_failing
        assert [m.body for m in (await storage.before(None, 9)).messages] == ["before"]
        assert [record.levelname for record in caplog.records].count("ERROR") == 1
    finally:
        await storage.close()


def test_a_server_says_so_and_goes_on_when_its_files_are_back(start):
    """Without a post, within a moment: /readyz and the log; and the very same files are as good as ever."""
    server = start()
    server.post("before")
    aside = server.database.parent / "aside"
    aside.mkdir()
    files = list(server.database.parent.glob("board.db*"))
    assert len(files) == 3
    for file in files:
        file.rename(aside / file.name)
    until(lambda: "TAKEN AWAY" in server.log.read_text())
    until(lambda: server.get("/readyz").status_code == 503)
    assert server.post("lost").status_code == 503 and server.get("/readyz").status_code == 503
    assert server.get("/api/v1/messages").json()["messages"][0]["body"] == "before"
    for file in files:
        (aside / file.name).rename(file)
    until(lambda: server.get("/readyz").status_code == 200)
    assert server.post("after").status_code == 201
    assert server.stop() == 0
    log = server.log.read_text()
    assert log.count("TAKEN AWAY") == 1 and "is back" in log
    server.start()
    assert [m["body"] for m in server.get("/api/v1/messages").json()["messages"]] == ["before", "after"]


def test_several_who_look_at_once_say_it_once(tmp_path, caplog):
    """The writer looks on its thread, and /readyz on another: the second comes while the first writes its line."""
    path = tmp_path / "board.db"
    for end in parting.ENDS:
        (tmp_path / f"board.db{end}").write_text("x")
    files, said = parting.OpenFiles(str(path)), []

    def look():
        with pytest.raises(UnavailableError):
            files.check()

    def look_as_well(record):
        said.append(record.getMessage())
        if len(said) == 1:
            second = threading.Thread(target=look)
            second.start()
            second.join()
        return True

    caplog.handler.addFilter(look_as_well)
    path.unlink()
    look()
    caplog.handler.removeFilter(look_as_well)
    assert len(said) == 1


def test_a_file_is_known_by_device_and_number(tmp_path):
    """The same words in another file are another file; a changed file is the same."""
    path = tmp_path / "a"
    path.write_text("a")
    known = parting.identity(path)
    path.write_text("b")
    assert parting.identity(path) == known
    (tmp_path / "b").write_text("b")
    assert parting.identity(tmp_path / "b") != known and parting.identity(tmp_path / "c") is None


# --- full


@needs_root
def test_a_full_disk_is_not_ready(start, tmp_path):
    """/readyz says what posts are answered: 503 while they don't fit, and 200 by itself when they do again."""
    with small_disk(tmp_path / "disk", 2) as disk:
        server = start(database_url=f"sqlite:///{disk}/board.db")
        assert server.post("before").status_code == 201 and server.get("/readyz").status_code == 200
        ballast = filled(disk)
        until(lambda: server.post("x").status_code == 503)
        for _ in range(5):
            assert server.get("/readyz").status_code == 503 and server.post("x").status_code == 503
        ballast.unlink()
        until(lambda: server.get("/readyz").status_code == 200)  # without a post: nobody sends one to what is 503
        assert server.post("after").status_code == 201
        assert server.stop() == 0


@needs_root
def test_a_full_disk_is_seen_before_anybody_posts(start, tmp_path):
    """There is still room in the log for a page, but not for a message."""
    with small_disk(tmp_path / "disk", 2) as disk:
        server = start(database_url=f"sqlite:///{disk}/board.db")
        for n in range(5):
            server.post(f"before {n}")
        filled(disk)
        until(lambda: server.get("/readyz").status_code == 503)
        assert server.post("x").status_code == 503
        assert server.stop() == 0


async def test_a_probe_weighs_as_much_as_a_long_message(tmp_path):
    """In bytes that go to disk; and nothing of it stays."""
    storage = await open_storage(f"sqlite:///{tmp_path}/board.db")
    try:
        await storage.append(None, "a message", None)
        await storage.scrub()
        log = tmp_path / "board.db-wal"
        assert log.stat().st_size == 0
        await storage.append(None, "long words " * 363, "k" * 22, "192.0.2.1")
        post = log.stat().st_size
        for _ in range(3):
            await storage.scrub()
            await storage.probe()
            assert log.stat().st_size >= post > 10_000
        size = (await storage.stats()).bytes
        for _ in range(5):
            await storage.probe()
        assert (await storage.stats()).bytes == size
    finally:
        await storage.close()


@needs_root
def test_a_backup_needs_room_at_its_target_only(start, tmp_path):
    """SQLite's own place for sorting may be small; and where room is lacking is said."""
    server = start()
    db = sqlite3.connect(server.database)
    db.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) "
        "INSERT INTO messages (id, seq, body, created_at) SELECT i, i, hex(randomblob(50)), i FROM n"
    )
    db.execute("UPDATE board SET seq = 60000")
    db.commit()
    db.close()
    with small_disk(tmp_path / "disk", 1) as disk:
        run_in(tmp_path, at(server.database), "backup", tmp_path / "copy.db", SQLITE_TMPDIR=str(disk))
        run = run_in(tmp_path, at(server.database), "backup", disk / "copy.db", check=1)
        assert f"not enough room in {disk}" in run.stderr and list(disk.iterdir()) == []
        run_in(tmp_path, at(tmp_path / "new.db"), "restore", tmp_path / "copy.db", SQLITE_TMPDIR=str(disk))


# --- read-only


@needs_root
def test_a_board_on_a_read_only_disk_can_be_saved(start, tmp_path):
    """A disk that fails, or a snapshot: all that only reads works, and nothing is made there."""
    with small_disk(tmp_path / "disk", 16) as disk:
        server = start(database_url=f"sqlite:///{disk}/board.db")
        server.post("worth saving")
        assert server.stop() == 0
        read_only(disk)
        where = at(disk / "board.db")
        assert is_frozen(str(disk / "board.db"))
        copy, lines = tmp_path / "copy.db", tmp_path / "board.jsonl"
        assert "Backed up and compared: 1 message " in admin(where, "backup", copy).stdout
        assert "exported" in admin(where, "export", lines).stdout and "worth saving" in lines.read_text()
        assert "messages                1\n" in admin(where, "stats").stdout
        admin(where, "audit")
        assert "the database is whole" in admin(where, "doctor", check=1).stdout
        assert "has only backup, export, stats, audit and doctor" in admin(where, "invite", check=1).stderr
        admin(at(tmp_path / "new.db"), "restore", copy)
        admin(at(tmp_path / "newer.db"), "restore", disk / "board.db")
        assert [file.name for file in disk.iterdir()] == ["board.db"]


@needs_root
def test_what_a_crash_left_on_a_read_only_disk_is_not_passed_over(start, tmp_path):
    """Its log has posts that the database lacks: they come along, or it is said what to do, but never neither."""
    with small_disk(tmp_path / "disk", 16) as disk:
        server = start(database_url=f"sqlite:///{disk}/board.db")
        server.post("in the log")
        server.kill()
        for file in disk.iterdir():
            shutil.copy(file, tmp_path / file.name)
        read_only(disk)
        assert "1 message " in admin(at(disk / "board.db"), "backup", tmp_path / "first.db").stdout
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        (disk / "board.db-shm").unlink()  # as on a copy of database and log
        read_only(disk)
        run = run_in(tmp_path, at(disk / "board.db"), "backup", tmp_path / "copy.db", check=1)
        assert "copy it, with board.db-wal, to another disk" in run.stderr
        assert not (tmp_path / "copy.db").exists()
        assert "1 message " in admin(at(tmp_path / "board.db"), "backup", tmp_path / "copy.db").stdout


# --- other programs' copies


def test_a_copy_without_its_marks_is_explained(tmp_path):
    """sqlite3's .dump and .clone leave out two numbers; with them, the board is a board."""
    admin(at(tmp_path / "board.db"), "migrate")
    db, copy = sqlite3.connect(tmp_path / "board.db"), sqlite3.connect(tmp_path / "copy.db")
    with contextlib.closing(db), contextlib.closing(copy):
        copy.executescript("\n".join(db.iterdump()))
    before = (tmp_path / "copy.db").read_bytes()
    said = admin(at(tmp_path / "copy.db"), "stats", check=1).stderr
    assert "bin/admin backup makes complete copies" in said and "not Longboard's" not in said
    assert (tmp_path / "copy.db").read_bytes()[100:] == before[100:]
    marks = said.partition(".db 'PRAGMA")[2].partition("'")[0]
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        copy.executescript(f"PRAGMA{marks}")
    assert "messages                0\n" in admin(at(tmp_path / "copy.db"), "stats").stdout


async def test_a_board_of_an_old_version_without_marks_is_told_its_number(tmp_path):
    """Not that of today: the migrations that it lacks are still to come."""
    from storage.migrate import migrations

    with contextlib.closing(sqlite3.connect(tmp_path / "board.db")) as db:
        for migration in migrations("sqlite")[:2]:
            db.executescript(migration.sql)
    with pytest.raises(CannotOpenError, match="user_version = 2'"):
        await open_storage(f"sqlite:///{tmp_path}/board.db")


def test_a_board_in_memory_is_refused(tmp_path):
    """SQLite's own word for it would be the name of a file, and what is meant would be lost with each process."""
    for name in (":memory:", "/:memory:"):
        run = run_in(tmp_path, f"--database-url=sqlite:///{name}", "migrate", check=2)
        assert "in memory" in run.stderr and list(tmp_path.iterdir()) == []


# --- into a pipe


@pytest.fixture
def exported(tmp_path):
    """A board, and what an export of it has, without the line that says when it was made."""
    admin(at(tmp_path / "board.db"), "migrate")
    db = sqlite3.connect(tmp_path / "board.db")
    db.execute("INSERT INTO messages (id, seq, body, created_at) VALUES (1, 1, 'smile 😀', 5)")
    db.commit()
    db.close()
    admin(at(tmp_path / "board.db"), "export", tmp_path / "board.jsonl")
    return (tmp_path / "board.jsonl").read_text().splitlines()[1:]


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1"])
def test_an_export_goes_into_a_pipe(tmp_path, exported, name):
    """To gzip or ssh: nothing but the rows is there, whatever the terminal's language; no file of that name is made."""
    run = run_in(tmp_path, at(tmp_path / "board.db"), "export", name, LC_ALL="C", PYTHONIOENCODING="ascii")
    assert run.stdout.splitlines()[1:] == exported and "1 row exported" in run.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["board.db", "board.jsonl"]


def test_an_export_goes_into_a_fifo(tmp_path, exported):
    """As a reader that waits there already takes it."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE, text=True) as reader:
        run_in(tmp_path, at(tmp_path / "board.db"), "export", fifo)
        assert reader.stdout.read().splitlines()[1:] == exported
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_an_export_whose_reader_dies_is_no_success(tmp_path, exported):
    """ssh has lost its connection: status 1 and one line, and no import takes what has arrived for whole."""
    with contextlib.closing(sqlite3.connect(tmp_path / "board.db")) as db:
        db.execute(
            "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) "
            "INSERT INTO messages (id, seq, body, created_at) SELECT i, i, hex(randomblob(50)), i FROM n"
        )
        db.commit()
    command = [sys.executable, "-P", "-m", "admin", at(tmp_path / "board.db"), "export", "-"]
    export = subprocess.Popen(
        command, env=environment(PYTHONPATH=str(ROOT)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    first = export.stdout.readline()
    export.stdout.close()
    said = export.stderr.read()
    export.stderr.close()
    assert export.wait() == 1 and "ended before it was whole" in said and "Traceback" not in said, said
    (tmp_path / "part.jsonl").write_text(first)
    assert "not whole" in admin(at(tmp_path / "other.db"), "import", tmp_path / "part.jsonl", check=1).stderr


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_copy_of_the_database_is_a_file(tmp_path, exported, command):
    """It can't be checked and compared in a pipe, and no file named - is made or looked for."""
    said = admin(at(tmp_path / "board.db"), command, "-", check=1).stderr
    assert "file" in said and said.count("\n") == 1
