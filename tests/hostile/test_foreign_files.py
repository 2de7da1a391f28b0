"""What bin/admin reads and did not make itself: pipes, databases with foreign things in them, damaged texts, doubles."""

import contextlib
import os
import sqlite3
import subprocess
import sys

import pytest

from admin.lines import ExportFile
from storage import open_storage
from storage.errors import CannotOpenError, StorageError, UnavailableError
from storage.migrate import migrations
from storage.records import GUEST
from storage.sqlite import backup, texts
from storage.sqlite.checkup import check_up
from storage.sqlite.schema import APPLICATION_ID
from storage.sqlite.transfer import SQLiteTransfer
from tests.storage.test_import_rows import ROWS, import_into, lines
from tests.support.admin import admin, at
from tests.support.patience import PATIENCE
from tests.support.server import ROOT, environment


@pytest.fixture
def url(empty_url):
    """Without a board: it is made in the test."""
    return empty_url


@contextlib.contextmanager
def opened(path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        yield db


def make_board(path, messages=3):
    admin(at(path), "migrate")
    with opened(path) as db:
        db.executemany(
            "INSERT INTO messages (id, seq, body, created_at) VALUES (?1, ?1, 'words', 5)",
            [(number,) for number in range(1, messages + 1)],
        )
        db.execute("UPDATE board SET seq = ?", (messages,))
    return path


def rows_of(path, sql):
    with opened(path) as db:
        return db.execute(sql).fetchall()


# --- pipes


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "fifo"])
def test_an_export_is_imported_from_a_pipe(tmp_path, url, name):
    """All of it, although a pipe can be read only once; what it was copied to is gone, also where it is refused."""
    export, fifo = lines(), tmp_path / "fifo"
    if name == "fifo":
        os.mkfifo(fifo)
    there = sorted(tmp_path.iterdir())
    command = [sys.executable, "-m", "admin", f"--database-url={url}", "import", str(fifo) if name == "fifo" else name]
    for text, words in (
        (export, f"{len(ROWS)} rows brought in; 0 were here"),
        (export, f"0 rows brought in; {len(ROWS)} were here"),
    ):
        run = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if name == "fifo":
            fifo.write_text(text)
            text = ""
        assert words in run.communicate(text, timeout=PATIENCE)[0] and run.returncode == 0
    assert [path for path in sorted(tmp_path.iterdir()) if not path.name.startswith("board.db")] == there


def test_a_pipe_that_is_no_export_is_refused_at_its_first_wrong_line(tmp_path):
    """One without an end, too: little of it is read."""
    for endless in ("/dev/zero", "/dev/urandom"):
        said = admin(at(tmp_path / "board.db"), "import", endless, check=1).stderr
        assert "line 1 " in said and "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


async def test_rows_that_are_not_there_the_second_time_are_an_error(tmp_path, monkeypatch):
    """Whoever believes that all is imported may delete the old board."""
    real, readings = ExportFile.lines, []

    def shorter(file):
        readings.append(file)
        found = list(real(file))
        return iter(found if len(readings) == 1 else found[:3])

    monkeypatch.setattr(ExportFile, "lines", shorter)
    with pytest.raises(
        StorageError, match=f"changed during the import: of the {len(ROWS)} rows that were checked, 2 were read again"
    ):
        await import_into(f"sqlite:///{tmp_path}/board.db", lines(), tmp_path)
    assert len(readings) == 2


@pytest.mark.parametrize(
    "command", [["restore"], ["import-tutorial"], ["move"], ["stats"], ["backup"], ["export"], ["new-epoch"]]
)
@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_a_database_in_a_pipe_is_refused_in_words(tmp_path, command, kind):
    """SQLite would wait for ever for the one who writes into it."""
    what = {"pipe": tmp_path / "fifo", "folder": tmp_path / "folder", "device": "/dev/zero"}[kind]
    if kind == "pipe":
        os.mkfifo(what)
    elif kind == "folder":
        what.mkdir()
    board = make_board(tmp_path / "board.db") if command == ["import-tutorial"] else tmp_path / "new.db"
    arguments = {
        "restore": [at(board), "restore", what],
        "import-tutorial": [at(board), "import-tutorial", what],
        "move": ["move", f"--from=sqlite:///{what}", "--to=postgres://nobody@localhost/none"],
        "backup": [at(what), "backup", tmp_path / "copy.db"],
        "export": [at(what), "export", tmp_path / "copy.jsonl"],
    }.get(command[0], [at(what), *command])
    said = admin(*arguments, check=1).stderr
    assert "a pipe, a device or a folder" in said and said.count("\n") == 1


# --- foreign schemas

FOREIGN = {
    "trigger spy": "CREATE TRIGGER spy AFTER INSERT ON messages BEGIN DELETE FROM messages WHERE id < NEW.id; END",
    "view notes": "CREATE VIEW notes AS SELECT body FROM messages",
    "table notes": "CREATE TABLE notes (text)",
    "index notes": "CREATE INDEX notes ON messages (body)",
    "view blocks": "DROP TABLE blocks; CREATE VIEW blocks (address, until) AS SELECT code, at FROM erasures",
    "table blocks is another": "DROP TABLE blocks; CREATE TABLE blocks (address TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT",
    "table messages is another": "ALTER TABLE messages ADD COLUMN twice TEXT AS (body || body)",
    "table audit is another": "ALTER TABLE audit ADD COLUMN more TEXT CHECK (id < 9)",
    "table audit is another ": "ALTER TABLE audit ADD COLUMN more TEXT DEFAULT '--' CHECK (id < 9)",
    "lacks the index messages_by_key": "DROP INDEX messages_by_key",
    "table words_x": "CREATE TABLE words_x (text)",
    "table words_1 is another": "CREATE VIRTUAL TABLE words_1 USING fts5 (words, prefix = '1 2 3 4 5 6 7 8 9')",
    "table sqlite_stat1 is another": "ANALYZE; PRAGMA writable_schema = ON;"
    "UPDATE sqlite_schema SET sql = 'CREATE TABLE sqlite_stat1(tbl,idx,stat CHECK (0))' WHERE name = 'sqlite_stat1'",
}  # fmt: skip


@pytest.mark.parametrize("words", FOREIGN)
async def test_a_foreign_schema_is_refused(tmp_path, words):
    """A trigger would delete what is posted, a view would make each post fail. Nothing is made of such a file."""
    board, new = tmp_path / "board.db", tmp_path / "new.db"
    await (await open_storage(f"sqlite:///{board}")).close()
    with opened(board) as db:
        db.executescript(FOREIGN[words])
    with pytest.raises(CannotOpenError, match=f"may do harm.* {words.strip()}"):
        backup.restore(str(new), str(board), replace=False)
    with pytest.raises(CannotOpenError, match=f"may do harm.* {words.strip()}"):
        await SQLiteTransfer.open_alone(str(board))
    assert not new.exists()
    assert any(words.strip() in said and not is_well for is_well, said in check_up(str(board)))


def test_what_sqlite_and_longboard_add_is_no_foreign_schema(tmp_path):
    """Parts of the index, statistics of ANALYZE, a copy by .dump, and another way to write the same statement."""
    board = make_board(tmp_path / "board.db")
    with opened(board) as db:
        db.execute("INSERT INTO messages (id, seq, body, created_at) VALUES (20000, 20000, 'far', 5)")
        db.execute("UPDATE board SET seq = 20000")
    admin(at(board), "export", tmp_path / "board.jsonl")
    admin(at(tmp_path / "other.db"), "import", tmp_path / "board.jsonl")
    with opened(tmp_path / "other.db") as db:
        assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name IN ('words_0', 'words_1')").fetchone() == (2,)
        db.execute("ANALYZE")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, '(', ' ( -- so' || char(10)) WHERE name = 'blocks'")
    admin(at(tmp_path / "new.db"), "restore", tmp_path / "other.db")
    assert "messages                4\n" in admin(at(tmp_path / "new.db"), "stats").stdout


@pytest.mark.parametrize("version", range(1, len(migrations("sqlite")) + 1))
def test_a_board_of_each_older_version_is_backed_up_and_restored(tmp_path, version):
    """As one does before and after an update; with a trigger it is refused as well."""
    board = tmp_path / "old.db"
    with opened(board) as db:
        for migration in migrations("sqlite")[:version]:
            db.executescript(migration.sql)
        db.executescript(f"PRAGMA user_version = {version}; PRAGMA application_id = {APPLICATION_ID}")
        db.execute("INSERT INTO messages (id, seq, body, created_at) VALUES (1, 1, 'words', 5)")
        db.execute("UPDATE board SET seq = 1")
    assert "compared: 1 message " in admin(at(board), "backup", tmp_path / "copy.db").stdout
    assert "Restored: 1 message " in admin(at(tmp_path / "new.db"), "restore", tmp_path / "copy.db").stdout
    assert "messages                1\n" in admin(at(tmp_path / "new.db"), "stats").stdout
    with opened(tmp_path / "copy.db") as db:
        db.execute(FOREIGN["trigger spy"])
    assert "the trigger spy" in admin(at(tmp_path / "other.db"), "restore", tmp_path / "copy.db", check=1).stderr


def test_a_backup_without_the_row_of_its_board_is_refused(tmp_path):
    """A server could not start with it."""
    board = make_board(tmp_path / "board.db")
    with opened(board) as db:
        db.execute("DELETE FROM board")
    assert "no row" in admin(at(tmp_path / "new.db"), "restore", board, check=1).stderr


# --- texts that are not UTF-8

DAMAGE = {
    "body of messages, id 2": "UPDATE messages SET body = CAST(x'ff41' AS TEXT) WHERE id = 2",
    "name of accounts, id 1": "INSERT INTO accounts (username, name, created_at) VALUES ('ada', CAST(x'c3' AS TEXT), 5)",
    "address of blocks, address '": "INSERT INTO blocks VALUES (CAST(x'80' AS TEXT), 99999999999999)",
    "target of audit, id 1": "INSERT INTO audit (at, actor_name, action, target) VALUES (5, 'a', 'b', CAST(x'eda080' AS TEXT))",
}  # fmt: skip


@pytest.mark.parametrize("words", DAMAGE)
def test_a_text_that_is_not_utf8_is_named(tmp_path, words):
    """By whatever reads it, as one line without the text itself; a copy that a server can't read is no copy."""
    board = make_board(tmp_path / "board.db")
    with opened(board) as db:
        db.execute(DAMAGE[words])
    copy = tmp_path / "copy.db"
    for command in (["backup", copy], ["export", tmp_path / "copy.jsonl"]):
        said = admin(at(board), *command, check=1).stderr
        assert f"{words}" in said and "not UTF-8" in said and said.count("\n") == 1
    said = admin(at(copy), "restore", board, check=1).stderr
    assert words in said and said.count("\n") == 1
    assert words in admin(at(board), "doctor", check=1).stdout
    assert sorted(path.name for path in tmp_path.iterdir() if "board" not in path.name) == []


def test_a_server_that_can_not_read_a_message_names_it(tmp_path):
    """It says so when it starts, and not what the message says."""
    board = make_board(tmp_path / "board.db")
    with opened(board) as db:
        db.execute("UPDATE messages SET body = CAST('a secret ' || x'ff' AS TEXT) WHERE id = 2")
    command = [sys.executable, str(ROOT / "server.py"), at(board), "--port=0"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment())
    assert run.returncode == 1 and "Traceback" not in run.stderr
    assert "body of messages, id 2, is not UTF-8" in run.stderr and "a secret" not in run.stderr


async def test_a_running_server_looks_for_the_row_once(tmp_path, monkeypatch):
    """Whoever asks for that message again and again does not make it read the whole board again and again."""
    storage = await open_storage(f"sqlite:///{tmp_path}/board.db")
    for _ in range(3):
        await storage.append(None, "words", None)
    with opened(tmp_path / "board.db") as db:
        db.execute("UPDATE messages SET body = CAST(x'ff41' AS TEXT) WHERE id = 2")
    looks, real = [], texts.damaged_texts
    monkeypatch.setattr(texts, "damaged_texts", lambda *args, **more: looks.append(args) or real(*args, **more))
    for _ in range(5):
        with pytest.raises(UnavailableError, match="body of messages, id 2, is not UTF-8"):
            await storage.message(2, GUEST)
        with pytest.raises(UnavailableError, match="body of messages, id 2, is not UTF-8"):
            await storage.edit(2, "anew")
    assert (await storage.message(3, GUEST)).body == "words" and len(looks) == 2  # the reader's and the writer's
    await storage.close()


async def test_a_board_with_a_damaged_text_does_not_move(tmp_path, new_database):
    """It is said in words, and nothing has moved."""
    board, target = make_board(tmp_path / "board.db"), new_database()
    with opened(board) as db:
        db.execute("UPDATE messages SET body = CAST(x'ff41' AS TEXT) WHERE id = 2")
    said = admin("move", f"--from=sqlite:///{board}", f"--to={target}", check=1).stderr
    assert "body of messages, id 2, is not UTF-8" in said and "Traceback" not in said
    assert "messages                3\n" in admin(at(board), "stats").stdout


# --- hashes that cost too much

OURS = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA"
COSTLY = [
    OURS.replace("m=19456", "m=65537"), OURS.replace("t=2", "t=5"), OURS.replace("p=1", "p=5"),
    OURS.replace("aGFzaA", "A" * 129), OURS.replace("c29tZXNhbHQ", "A" * 129),
    "sha1:" + OURS.replace("m=19456", "m=262144"),
]  # fmt: skip
SPELLINGS = [
    OURS.replace("id$v=19$m=19456", "i$m=1000000"), OURS.replace("t=2", "t=4294967295"), OURS.replace("p=1", "p=" + "9" * 5000),
]  # fmt: skip


@pytest.mark.parametrize("hash", COSTLY)
async def test_an_import_refuses_a_hash_that_costs_too_much(tmp_path, hash):
    """One try at that account would hold up all who sign in; what libraries make by default is taken."""
    with pytest.raises(StorageError, match="line 2: password of accounts"):
        await import_into(f"sqlite:///{tmp_path}/board.db", lines([("accounts", "password", hash)]), tmp_path)
    default = OURS.replace("m=19456,t=2,p=1", "m=65536,t=3,p=4")
    await import_into(f"sqlite:///{tmp_path}/board.db", lines([("accounts", "password", default)]), tmp_path)


@pytest.mark.parametrize("hash", COSTLY + SPELLINGS)
async def test_a_database_with_a_hash_that_costs_too_much_is_refused(tmp_path, hash):
    """By whatever brings the hashes of another database into a board; the account is named."""
    board = tmp_path / "board.db"
    await (await open_storage(f"sqlite:///{board}")).close()
    account = "INSERT INTO accounts (username, name, password, created_at) VALUES (?, 'A', ?, 5)"
    with opened(board) as db:
        db.execute(account, ("bob", OURS))
    backup.restore(str(tmp_path / "first.db"), str(board), replace=False)
    with opened(board) as db:
        db.execute(account, ("ada", hash))
    with pytest.raises(StorageError, match="hold up everybody's sign-in, of 'ada':"):
        backup.restore(str(tmp_path / "new.db"), str(board), replace=False)
    with pytest.raises(StorageError, match="hold up everybody's sign-in, of 'ada':"):
        await SQLiteTransfer.open_alone(str(board))
    assert not (tmp_path / "new.db").exists()
    assert any("'ada'" in said and "'bob'" not in said and not is_well for is_well, said in check_up(str(board)))


async def test_a_database_in_another_encoding_is_refused(tmp_path):
    """Its hashes and texts would be compared byte by byte, and not found."""
    board = tmp_path / "board.db"
    with opened(board) as db:
        db.execute("PRAGMA encoding = 'UTF-16'")
        db.executescript("CREATE TABLE first (a); DROP TABLE first")
    await (await open_storage(f"sqlite:///{board}")).close()
    with pytest.raises(CannotOpenError, match="encoding is UTF-16"):
        backup.restore(str(tmp_path / "new.db"), str(board), replace=False)


# --- what is no tutorial's board

NO_TUTORIAL = {
    "without rowid": "CREATE TABLE messages (msg_content PRIMARY KEY, msg_time) WITHOUT ROWID",
    "view": "CREATE VIEW messages (msg_content, msg_time) AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT i, i FROM n",
    "view of users": "CREATE VIEW users (uusr, upwd) AS SELECT load_extension('x'), 1",
    "virtual": "CREATE VIRTUAL TABLE messages USING fts5 (msg_content, msg_time)",
}  # fmt: skip


@pytest.mark.parametrize("kind", NO_TUTORIAL)
def test_what_only_looks_like_a_tutorial_s_board_is_refused(tmp_path, kind):
    """In one line, and at once: a view may go on for ever."""
    with opened(tmp_path / "data.db") as db:
        db.executescript(NO_TUTORIAL[kind])
    said = admin(at(make_board(tmp_path / "board.db")), "import-tutorial", tmp_path / "data.db", check=1).stderr
    assert "not a board made by the tutorial" in said and said.count("\n") == 1


def test_a_damaged_tutorial_s_board_is_named(tmp_path):
    """In one line, as far as it could be read."""
    with opened(tmp_path / "data.db") as db:
        db.execute("CREATE TABLE messages (msg_content TEXT, msg_time INTEGER)")
        db.executemany("INSERT INTO messages VALUES (?, 5)", [("words " * 1000,) for _ in range(3000)])
    with (tmp_path / "data.db").open("r+b") as file:
        for page in range(500, 3000, 7):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    said = admin(at(make_board(tmp_path / "board.db")), "import-tutorial", tmp_path / "data.db", check=1).stderr
    assert "data.db can't be read" in said and "Traceback" not in said
