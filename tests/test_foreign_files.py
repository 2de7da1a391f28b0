"""What bin/admin reads and did not make itself: pipes, databases with foreign things in them, damaged texts, doubles."""

import contextlib
import os
import sqlite3
import subprocess
import sys

import pytest

from admin.lines import ExportFile
from storage.records import StorageError
from tests.conftest import ROOT, environment
from tests.patience import PATIENCE
from tests.test_admin import at
from tests.test_import import admin
from tests.test_import_rows import import_into, lines


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
    for text, words in ((export, "7 rows brought in; 0 were here"), (export, "0 rows brought in; 7 were here")):
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
    with pytest.raises(StorageError, match="changed meanwhile: of the 7 rows that were checked, 2 were read again"):
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
