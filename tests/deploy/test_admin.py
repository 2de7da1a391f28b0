"""bin/admin: backups, exports, and looking whether all is well."""

import argparse
import concurrent.futures
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time

import pytest

from admin import proxy
from admin.__main__ import parser
from admin.exchange import bring_in
from settings import read_settings
from storage.errors import StorageError
from storage.new_files import give_name
from tests.support.admin import admin, at, problems, run_in
from tests.support.people import PASSWORD, Person
from tests.support.ports import free_port
from tests.support.postgres import psql
from tests.support.server import ROOT, environment, until


@pytest.fixture
def url(empty_url):
    """Without a board: it is made in the test."""
    return empty_url


@pytest.fixture
def board(start):
    """A board with something of everything, and people who may be asked later."""
    server = start()
    server.ada = Person(server, name="Ada Lovelace 😀")
    server.spammer = Person(server)
    server.ada.post("first\nwith a line")
    changed = server.ada.post("second")
    server.ada.api.patch(f"/api/v1/messages/{changed['id']}", json={"body": "second, changed"})
    server.bot = server.ada.api.post("/api/v1/tokens", json={"name": "a bot", "password": PASSWORD}).json()["token"]
    gone = server.spammer.post("to be deleted")
    server.spammer.api.delete(f"/api/v1/messages/{gone['id']}")
    server.post("by a guest", key="a-key-of-22-characters")
    admin(at(server.database), "suspend", server.spammer.username)
    db = sqlite3.connect(server.database)
    db.execute(
        "INSERT INTO identities VALUES (7, ?, '1', '2', 'Ada', 'image/png', x'89504e470d0a1a0a00ff', 5, 5, 'facebook')",
        (server.ada.id,),
    )
    db.execute("INSERT INTO suspensions VALUES (x'00', x'01', x'02', 99999999999999)")
    db.execute("INSERT INTO links VALUES (x'00', 'password', ?, 99999999999999, 'member')", (server.ada.id,))
    db.execute("INSERT INTO blocks VALUES ('192.0.2.1', 99999999999999)")
    db.execute("INSERT INTO erasures VALUES ('code', 5)")
    db.commit()
    db.close()
    return server


# --- where there is no board


@pytest.mark.parametrize(
    "command",
    [
        ["invite"], ["stats"], ["backup", "b.db"], ["export", "e.jsonl"],
    ],
)  # fmt: skip
def test_in_a_folder_without_a_board_nothing_is_made(tmp_path, command):
    """In the wrong folder, it says so."""
    assert f"there is no board at {tmp_path}/board.db" in run_in(tmp_path, *command, check=1).stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["audit"], ["backup", "b.db"], ["export", "e.jsonl"]])
def test_what_is_no_database_is_named_and_left(tmp_path, command):
    """One clear line, and the file is as it was."""
    file = tmp_path / "board.db"
    file.write_text("these are no bytes of a database, however long one looks at them\n" * 100)
    before = file.read_bytes()
    run = run_in(tmp_path, *command, check=1)
    assert "board.db" in run.stderr and run.stderr.count("\n") == 1
    assert file.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["board.db"]


@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "x", "1e3", ""])
def test_a_number_that_makes_no_sense_is_refused(number, capsys):
    """Status 2, without a traceback."""
    with pytest.raises(SystemExit) as end:
        parser().parse_args(["audit", f"-n={number}"])
    assert end.value.code == 2 and "whole number" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["backup", "restore", "export", "import", "stats", "doctor", "audit"])
def test_every_command_explains_itself(command, capsys):
    """--help says what it does; without what it needs, status 2."""
    with pytest.raises(SystemExit) as end:
        parser().parse_args([command, "--help"])
    assert end.value.code == 0 and "usage" in capsys.readouterr().out
    if command not in ("stats", "doctor", "audit"):
        with pytest.raises(SystemExit) as end:
            parser().parse_args([command])
        assert end.value.code == 2


# --- backup and restore


def test_a_backup_of_a_busy_board_is_whole(board, tmp_path):
    """While people post: a copy of one moment, readable by its owner only, and nobody waits for it."""
    copy = tmp_path / "copy.db"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        posting = pool.submit(lambda: [board.post(f"busy {n}").status_code for n in range(40)])
        said = admin(at(board.database), "backup", copy).stdout
        assert posting.result() == [201] * 40
    assert "Backed up and compared" in said and stat.S_IMODE(copy.stat().st_mode) == 0o600
    db = sqlite3.connect(copy)
    bodies = [body for (body,) in db.execute("SELECT body FROM messages WHERE body LIKE 'busy%' ORDER BY id")]
    assert bodies == [f"busy {n}" for n in range(len(bodies))]
    assert db.execute("SELECT count(*) FROM accounts").fetchone()[0] == 2
    db.close()
    assert "there already" in admin(at(board.database), "backup", copy, check=1).stderr


@pytest.mark.parametrize("damage", ["DELETE FROM accounts WHERE id = 1", "UPDATE accounts SET later = 'y'"])
def test_a_backup_that_is_not_the_same_is_not_kept(board, tmp_path, monkeypatch, damage):
    """If the copy lacks anything, it never gets its name, also if that is in a column of a newer Longboard."""
    from storage.sqlite import backup

    with contextlib.closing(sqlite3.connect(board.database)) as db:
        if not db.execute("SELECT 1 FROM pragma_table_info('accounts') WHERE name = 'later'").fetchone():
            db.execute("ALTER TABLE accounts ADD COLUMN later TEXT DEFAULT 'x'")
    real = backup.check_copy

    def spoil(path):
        counts = real(path)
        db = sqlite3.connect(path)
        db.execute(damage)
        db.commit()
        db.close()
        return counts

    monkeypatch.setattr(backup, "check_copy", spoil)
    with pytest.raises(StorageError, match="not the same as the board in: accounts"):
        backup.back_up(str(board.database), str(tmp_path / "copy.db"))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("copy")]


def test_a_restored_board_is_as_it_was_under_another_epoch(board, start, tmp_path):
    """Messages and accounts are back, clients are reset, sessions and tokens have ended, bots go on."""
    copy, cursor, token = tmp_path / "copy.db", board.cursor, board.ada.sign_in()
    admin(at(board.database), "backup", copy)
    board.post("lost, as it came after the backup")
    folder = board.database.parent
    running = admin(at(board.database), "restore", copy, "--replace", check=1)
    assert "running, or in use: stop it first" in running.stderr
    board.stop()
    assert "--replace" in admin(at(board.database), "restore", copy, check=1).stderr
    said = admin(at(board.database), "restore", copy, "--replace").stdout
    assert "is now" in said and len(list(folder.glob("board.db.2*"))) == 1
    board.start()
    reply = board.news(cursor)
    assert reply["reset"] and "second, changed" in [m["body"] for m in reply["messages"]]
    assert "lost, as it came after the backup" not in str(reply)
    assert board.cursor.partition("-")[0] != cursor.partition("-")[0]
    assert board.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert board.get("/api/v1/me", headers={"Authorization": f"Bearer {board.bot}"}).status_code == 200
    assert board.ada.sign_in()


def test_a_damaged_board_can_be_replaced_and_a_damaged_backup_is_not_taken(board, tmp_path):
    """The backup is looked at first; what was there is put aside in any case."""
    copy = tmp_path / "copy.db"
    admin(at(board.database), "backup", copy)
    board.stop()
    whole = copy.read_bytes()
    copy.write_bytes(whole[:40_960] + b"\xff" * 8192 + whole[49_152:])
    before = board.database.read_bytes()
    admin(at(board.database), "restore", copy, "--replace", check=1)
    assert board.database.read_bytes() == before
    copy.write_bytes(whole)
    board.database.write_bytes(b"\xff" * 50_000)
    admin(at(board.database), "restore", copy, "--replace")
    board.start()
    assert board.get("/api/v1/messages").json()["messages"]


# --- export and import


def rows(path):
    """Without the first line, which says when."""
    return pathlib.Path(path).read_text().splitlines()[1:]


def standing(path):
    head = json.loads(pathlib.Path(path).read_text().splitlines()[0])
    return {name: value for name, value in head.items() if name != "exported_at"}


def test_an_export_comes_back_the_same(board, url, tmp_path):
    """Everything that is exported is there again on either engine; once more changes nothing; people can sign in."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    planted = tmp_path / "first.jsonl.part"  # by a neighbour who would like to read along
    planted.touch()
    planted.chmod(0o666)
    assert "exported" in admin(at(board.database), "export", first).stdout
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    text = first.read_text()
    assert "second, changed" in text and "to be deleted" not in text and board.bot not in text
    count = len(rows(first)) - 1
    assert f"{count} rows brought in; 0 were here" in admin(f"--database-url={url}", "import", first).stdout
    assert f"0 rows brought in; {count} were here" in admin(f"--database-url={url}", "import", first).stdout
    admin(f"--database-url={url}", "export", second)
    assert rows(second) == rows(first) and standing(second) == standing(first)
    assert f"messages{'3':>17}" in admin(f"--database-url={url}", "stats").stdout
    assert problems(admin(f"--database-url={url}", "doctor")) == []


def test_an_export_of_an_older_version_is_taken(board, tmp_path):
    """It lacks what came later: when passwords were set, notices, and notes of suspensions."""
    whole, older = tmp_path / "whole.jsonl", tmp_path / "older.jsonl"
    admin(at(board.database), "export", whole)
    head, *lines, _ = whole.read_text().splitlines()
    kept = [row for row in map(json.loads, lines) if "suspensions" not in row]
    for row in kept:
        for table, column in (("accounts", "password_at"), ("identities", "notice_at")):
            assert table not in row or row[table].pop(column) is not None
    written = [head, *map(json.dumps, kept), json.dumps({"end": len(kept)})]
    older.write_text("".join(f"{line}\n" for line in written))
    target = at(tmp_path / "new.db")
    assert f"{len(kept)} rows brought in" in admin(target, "import", older).stdout
    db = sqlite3.connect(tmp_path / "new.db")
    assert db.execute("SELECT count(*), count(password_at) FROM accounts").fetchone() == (2, 0)
    db.close()


def test_a_restore_brings_no_link_back(board, tmp_path):
    """It may have been used since; and a note of a suspension is as good as before, whatever secret the board has."""
    admin(at(board.database), "backup", tmp_path / "copy.db")
    admin(at(tmp_path / "new.db"), "restore", tmp_path / "copy.db")
    db = sqlite3.connect(tmp_path / "new.db")
    assert db.execute("SELECT count(*) FROM links").fetchone() == (0,)
    assert db.execute("SELECT hex(salt), hex(identity_hash) FROM suspensions").fetchall() == [("00", "01")]
    db.close()


def test_a_board_on_postgresql_is_told_of_its_own_tools(tmp_path):
    """A backup of a file can't be made of it, and nothing is made."""
    for command in (["backup", "copy.db"], ["restore", "copy.db"]):
        run = run_in(tmp_path, "--database-url=postgres://nobody@127.0.0.1:9/none", *command, check=1)
        assert "pg_dump" in run.stderr and list(tmp_path.iterdir()) == []


def test_a_file_gets_its_name_where_there_are_no_links(tmp_path, monkeypatch):
    """On a memory stick, say; and never in the place of another file."""
    part, name = tmp_path / "part", tmp_path / "name"
    part.write_text("whole")

    def no_links(*names):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    give_name(str(part), str(name))
    assert name.read_text() == "whole" and not part.exists()
    part.write_text("another")
    with pytest.raises(PermissionError):
        give_name(str(part), str(name))
    assert name.read_text() == "whole"


def test_an_imported_board_works(board, start, tmp_path):
    """On a board that runs already: open pages are reset, search finds, numbers go on, people sign in as before."""
    file = tmp_path / "board.jsonl"
    admin(at(board.database), "export", file)
    other = start()
    cursor = other.cursor
    with concurrent.futures.ThreadPoolExecutor() as pool:
        parked = pool.submit(other.news, cursor, 25)
        other.until_parked(1)
        admin(at(other.database), "import", file)
        assert parked.result()["reset"]
    until(lambda: "by a guest" in other.get("/api/v1/messages").text)
    assert other.get("/api/v1/messages?q=changed").status_code == 200
    assert "second, <mark>changed</mark>" in other.get("/search?q=changed").text
    assert other.post("new here").json()["id"] > int(board.cursor.partition("-")[2])
    token = other.client.post("/api/v1/signin", json={"username": board.ada.username, "password": PASSWORD})
    assert token.status_code == 200
    assert Person(other).id > board.spammer.id
    assert other.post("by a guest", key="a-key-of-22-characters").status_code == 200
    admin(at(other.database), "import", file)  # it has gone on, but has all of that


def test_an_import_that_was_killed_is_repeated(tmp_path):
    """What was brought in stays, and once more brings the rest, each row once."""
    file, target, count = tmp_path / "board.jsonl", tmp_path / "board.db", 4000
    blank = {
        "author_id": None,
        "author_name": None,
        "edited_at": None,
        "key": None,
        "fingerprint": None,
        "address": None,
    }
    messages = [
        {"messages": {"id": n, "seq": n, "body": f"words {n}", "created_at": n, **blank}} for n in range(1, count)
    ]
    head = {"longboard": 1, "seq": count, "floor": 0, "last": {}, "counts": {}}
    file.write_text("".join(json.dumps(line) + "\n" for line in [head, *messages, {"end": len(messages)}]))
    command = [sys.executable, "-m", "admin", at(target), "import", str(file)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until(lambda: 0 < rows_in(target) < count - 1)
    process.kill()
    process.wait()
    there = rows_in(target)
    assert 0 < there < count - 1
    assert f"{count - 1 - there} rows brought in; {there} were here" in admin(at(target), "import", file).stdout
    db = sqlite3.connect(target)
    assert [body for (body,) in db.execute("SELECT body FROM messages ORDER BY id")] == [
        f"words {n}" for n in range(1, count)
    ]
    assert db.execute("SELECT seq, floor FROM board").fetchone() == (count, 0)
    db.close()


def rows_in(path):
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0
    with contextlib.closing(db):
        try:
            return db.execute("SELECT count(*) FROM messages").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


def test_an_import_never_overwrites(board, start, tmp_path):
    """A board with other rows under the same numbers is left as it is."""
    file = tmp_path / "board.jsonl"
    admin(at(board.database), "export", file)
    other = start()
    Person(other).post("mine")
    before = other.get("/api/v1/messages").json()["messages"]
    assert "another row 1 in accounts" in admin(at(other.database), "import", file, check=1).stderr
    assert other.get("/api/v1/messages").json()["messages"] == before


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda lines: lines[:-1], "not whole"), (lambda lines: lines[:3] + lines[4:], "not whole"),
        (lambda lines: [], "not whole"), (lambda lines: lines[1:], "not made by bin/admin"),
        (lambda lines: [*lines[:2], "{", *lines[3:]], "line 3 is no JSON"),
        (lambda lines: [*lines[:2], "[" * 100_000, *lines[3:]], "line 3 is no JSON"),
        (lambda lines: [*lines[:2], "[1]", *lines[3:]], "line 3 is no object"),
        (lambda lines: [*lines[:2], '{"board": {"secret": 1}}', *lines[3:]], "line 3: this is no row"),
        (lambda lines: [*lines[:2], '{"blocks": {"address": "a", "until": 1e400}}', *lines[3:]], "no row"),
        (lambda lines: [*lines[:2], '{"blocks": {"address": "\\ud800", "until": 1}}', *lines[3:]], "no row"),
        (lambda lines: [*lines[:2], '{"blocks": {"address": "a", "until": "x"}}', *lines[3:]], "line 3: until of blocks"),
        (lambda lines: [lines[0].replace('"seq": 1', '"seq": 10000000000000000000'), *lines[1:]], "line 1.*whole number"),
        (lambda lines: [lines[0].replace('"seq": 1', '"seq": 9223372036854775807'), *lines[1:]], "line 1.*whole number"),
        (lambda lines: [lines[0].replace('"floor": 0', '"floor": 2'), *lines[1:]], "floor must not be above"),
        (lambda lines: [lines[0].replace('"last": {}', '"last": {"accounts": -1}'), *lines[1:]], "line 1.*whole number"),
        (lambda lines: [lines[0].replace('"last": {}', '"last": 7'), *lines[1:]], "line 1"),
    ],
)  # fmt: skip
async def test_what_is_no_whole_export_is_refused(tmp_path, spoil, words):
    """Before anything is written, where it can be seen beforehand."""
    whole = [
        '{"longboard": 1, "seq": 1, "floor": 0, "last": {}, "counts": {}}',
        '{"blocks": {"address": "192.0.2.1", "until": 5}}', '{"blocks": {"address": "192.0.2.2", "until": 5}}',
        '{"blocks": {"address": "192.0.2.3", "until": 5}}', '{"end": 3}',
    ]  # fmt: skip
    bad = tmp_path / "bad.jsonl"
    bad.write_text("".join(f"{line}\n" for line in spoil(whole)))
    settings = read_settings([f"--database-url=sqlite:///{tmp_path}/board.db"], {})
    with pytest.raises(StorageError, match=words):
        await bring_in(settings, argparse.Namespace(file=str(bad)))
    assert not (tmp_path / "board.db").exists()


# --- stats and doctor


def test_stats_count_what_is_there(board):
    """Numbers that can be read at a glance."""
    said = admin(at(board.database), "stats").stdout
    found = {line[:24].strip(): line[24:].strip() for line in said.splitlines()}
    expected = {"messages": "3", "deleted messages": "1", "accounts": "2", "suspended": "1", "bots' tokens": "1",
                "of the last day": "3", "linked identities": "1", "last change": "6"}  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_the_doctor_finds_a_sound_board_sound(board):
    """Status 0, and a line for each thing that was looked at."""
    run = admin(at(board.database), "doctor")
    assert problems(run) == [] and run.stdout.count("ok  ") >= 8


def test_the_doctor_finds_what_is_wrong(board):
    """Permissions, the clock, the schema, the settings, damage: each is named, with status 1."""
    folder = board.database.parent
    board.stop()
    board.database.chmod(0o644)
    db = sqlite3.connect(board.database)
    db.execute("UPDATE messages SET created_at = created_at + 3600000")
    db.execute("PRAGMA user_version = 99")
    db.execute("UPDATE board SET compatible = 99")
    db.commit()
    db.close()
    found = problems(run_in(folder, "doctor", check=1, DYNO="web.1", PUBLIC_URL="https://a.example", LIMITS="off"))
    for words in ("dyno", "CLIENT_HEADER", "LIMITS=off", "read by others", "number 99", "ahead of this machine"):
        assert any(words in problem for problem in found), words
    size = board.database.stat().st_size
    with board.database.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * 4096)
    assert any("damaged" in p or "can't be read" in p for p in problems(run_in(folder, "doctor", check=1)))


class Proxy(http.server.ThreadingHTTPServer):
    """Passes requests on, with faults of the test's choice."""

    def __init__(self, board, faults):
        super().__init__(("127.0.0.1", 0), Passing)
        self.board, self.faults = board, faults
        self.url = f"http://127.0.0.1:{self.server_port}"


class Passing(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        faults, headers = self.server.faults, dict(self.headers.items())
        if "believes" not in faults:
            headers.pop("X-Real-Ip", None)
            headers["X-Real-Ip"] = "198.51.100.9"
        if "hides" in faults:
            headers["Host"] = "backend:8080"
        reply = self.server.board.open().get(self.path, headers=headers)
        if "cuts" in faults and "wait=2" in self.path:
            self.send_error(504)
            return
        if "holds up" in faults and "wait=1" in self.path:
            time.sleep(4)  # the fault itself
        self.send_response(reply.status_code)
        for name, value in reply.headers.items():
            if "strips" not in faults or not name.lower().startswith(("content-sec", "x-")):
                self.send_header(name, value)
        if "compresses" in faults:
            self.send_header("Content-Encoding", "identity")
        if "caches" in faults:
            self.send_header("Age", "5")
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, *arguments):
        pass


PUBLIC = "http://board.example.org"
"""Set, so that no other name is answered; the proxies of these tests are at this machine's, which always are."""
FAULTS = {
    "believes": "claim any address with X-Real-Ip", "holds up": "replies are delayed",
    "strips": "are changed on the way", "compresses": "polls are compressed", "caches": "may be cached",
}  # fmt: skip


def test_the_doctor_asks_by_another_name_and_by_http(start):
    """A board that answers to every name, one that leads to itself, and one that is served in clear."""
    board = start(metrics_token="m" * 20)
    settings = read_settings([f"--public-url={board.url}"], {})
    assert [words for is_well, words in proxy.check_names(board.url, settings) if not is_well] == [
        "at a name that is not its own, the board is shown"
    ]
    behind = start(public_url=PUBLIC)
    assert all(is_well for is_well, _ in proxy.check_names(behind.url, settings))
    hides = Proxy(behind, {"hides": ""})
    with_thread = threading.Thread(target=hides.serve_forever, daemon=True)
    with_thread.start()
    try:
        board.stop()
        behind.stop()
        behind.settings["public_url"] = hides.url
        behind.start()
        found = [words for is_well, words in proxy.check_names(hides.url, settings) if not is_well]
    finally:
        hides.shutdown()
        with_thread.join()
        hides.server_close()
    assert any("redirects to itself" in words for words in found)
    clear = start()
    assert proxy.is_served(clear.url, "/", {}) and not proxy.is_served("http://127.0.0.1:9", "/", {})
    assert not proxy.is_served(start(public_url="https://a.example", scheme_header="X-Forwarded-Proto").url, "/",
                               {"X-Forwarded-Proto": "http"})  # fmt: skip


@pytest.mark.parametrize("faults", [{}, {"cuts": "with 504"}, FAULTS], ids=["sound", "cuts", "others"])
def test_the_doctor_looks_at_the_proxy(start, faults):
    """Whether a poll is held, headers can be spoofed, and compression, caches or buffers are in the way."""
    token = "a-token-for-the-doctor"
    server = start(poll_seconds=2, metrics_token=token, client_header="X-Real-Ip", public_url=PUBLIC)
    proxy = Proxy(server, faults)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        settings = {"POLL_SECONDS": "2", "METRICS_TOKEN": token, "PUBLIC_URL": proxy.url, "CLIENT_HEADER": "X-Real-Ip"}
        run = run_in(server.database.parent, "doctor", proxy.url, check=int(bool(faults)), **settings)
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
    assert token not in run.stdout + run.stderr
    found = problems(run)
    assert len(found) == len(faults), run.stdout
    for words in faults.values():
        assert any(words in problem for problem in found), (words, run.stdout)


@contextlib.contextmanager
def haproxy(board, folder, *lines):
    """A real one in front of the board; its address."""
    port = free_port()
    (folder / "haproxy.cfg").write_text("\n".join([
        "defaults", "  mode http", "  timeout connect 5s", "  timeout client 60s", "  timeout server 60s",
        "frontend f", f"  bind 127.0.0.1:{port}", *(f"  {line}" for line in lines), "  default_backend b",
        "backend b", f"  server s 127.0.0.1:{board.port}", "",
    ]))  # fmt: skip
    process = subprocess.Popen(["haproxy", "-f", str(folder / "haproxy.cfg"), "-db"], stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def answers(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True


COMPRESSION = ("compression algo gzip", "compression type application/json text/html")


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not here")
@pytest.mark.parametrize(
    ("lines", "header", "found"),
    [
        (("option forwardfor",), "X-Forwarded-For", []),
        ((*COMPRESSION, "option forwardfor"), "X-Forwarded-For", ["polls are compressed"]),
        (("option forwardfor",), "", ["which is the proxy's"]),
        (("http-request return status 200 content-type text/plain string hello if { path /healthz }",), "",
         ["does not answer as a board does"]),
    ],
    ids=["sound", "compressing", "unnamed", "rewriting"],
)  # fmt: skip
def test_the_doctor_looks_through_haproxy(start, tmp_path, lines, header, found):
    """Compression is seen, and does not blind it; the address that limits see is compared with who asks."""
    token = "a-token-for-the-doctor"
    server = start(poll_seconds=1, metrics_token=token, client_header=header, public_url=PUBLIC)
    server.post("words enough to be worth compressing " * 50)
    with haproxy(server, tmp_path, *lines) as url:
        settings = {"POLL_SECONDS": "1", "METRICS_TOKEN": token, "PUBLIC_URL": url, "CLIENT_HEADER": "X-Forwarded-For"}
        run = run_in(server.database.parent, "doctor", url, check=int(bool(found)), **settings)
    said = problems(run)
    assert len(said) == len(found) and all(words in said[n] for n, words in enumerate(found)), run.stdout
    assert "not looked at" not in run.stdout and "unseen" not in run.stdout, run.stdout


def test_the_doctor_never_says_ok_of_what_it_did_not_look_at(start):
    """Without METRICS_TOKEN there is less to see, and on a members' board still less: it says so, and no more."""
    server = start(poll_seconds=1, reading="members", client_header="X-Forwarded-For", public_url=PUBLIC)
    settings = {"POLL_SECONDS": "1", "PUBLIC_URL": server.url, "CLIENT_HEADER": "X-Forwarded-For"}
    run = run_in(server.database.parent, "doctor", server.url, **settings)
    unseen = [line for line in run.stdout.splitlines() if "METRICS_TOKEN" in line]
    assert len(unseen) == 2 and all(line.startswith("unseen ") for line in unseen), run.stdout
    assert run.stdout.count("unseen ") == 2


def test_the_doctor_looks_into_postgresql(new_database):
    """Without making or migrating anything: what is missing, what is not for a board, and that all is well."""
    url = new_database()
    at_url = f"--database-url={url}"
    assert any("no board in this database" in problem for problem in problems(admin(at_url, "doctor", check=1)))
    assert psql(url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'longboard'") == "0"
    admin(at_url, "migrate")
    run = admin(at_url, "doctor")
    assert problems(run) == [] and run.stdout.count("ok  ") >= 7
    psql(
        url,
        "UPDATE longboard.board SET words = 'old', compatible = 98; INSERT INTO longboard.migrations VALUES (99, 'new')",
    )
    psql(url, f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on")
    found = problems(admin(at_url, "doctor", check=1))
    for words in ("schema is number 99", "can't be written to: cannot execute"):
        assert any(words in problem for problem in found), found
    latin = new_database("ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
    assert any("UTF8" in problem for problem in problems(admin(f"--database-url={latin}", "doctor", check=1)))


def test_the_doctor_says_so_where_nobody_answers(board, tmp_path):
    """A wrong address is a finding, not a traceback."""
    run = run_in(board.database.parent, "doctor", "http://127.0.0.1:9", check=1)
    assert any("can't be reached" in problem for problem in problems(run))


def test_copies_are_only_seen_whole(board, tmp_path, monkeypatch):
    """A backup that fails half-way, for want of space, say, leaves nothing behind."""
    if shutil.which("prlimit") is None:
        pytest.skip("only where a process's files can be limited")
    target = tmp_path / "copy.db"
    command = [sys.executable, "-m", "admin", at(board.database), "backup", str(target)]
    run = subprocess.run(
        ["prlimit", "--fsize=40960", *command], cwd=ROOT, capture_output=True, text=True, env=environment()
    )
    assert run.returncode == 1 and "Traceback" not in run.stderr, run.stderr
    assert os.listdir(tmp_path) == [path.name for path in tmp_path.iterdir() if not path.name.startswith("copy")]
