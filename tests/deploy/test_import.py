"""bin/admin import-tutorial: a board made by the tutorial comes along, whole and once."""

import concurrent.futures
import sqlite3

import pytest

from admin.pace import patiently
from tests.support.admin import admin
from tests.support.server import until


@pytest.fixture
def data(tmp_path):
    """A data.db as the tutorial makes it, with odd things in it."""
    path = tmp_path / "data.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE messages (msg_content TEXT NOT NULL, msg_time INTEGER NOT NULL)")
    rows = [(f"message {n} <b>é😀</b>", str(1_300_000_000_000 + n * 1000)) for n in range(1200)]
    rows += [("  ", 1), ("with\0NUL", 1_300_000_000_000), (b"\xff bytes", 1_300_000_000_000), ("x" * 9000, "soon")]
    db.executemany("INSERT INTO messages VALUES (?, ?)", rows)
    db.commit()
    db.close()
    return path


def test_everything_comes_in_order_with_its_own_time_while_the_server_runs(start, data):
    """Open pages see the messages arrive; repeating the import changes nothing."""
    server = start()
    server.post("was here before")
    cursor = server.cursor
    url = f"--database-url={server.settings['database_url']}"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        parked = pool.submit(server.news, cursor, 25)
        server.until_parked(1)
        assert (
            "1203 messages brought in; 0 were here already, 1 was blank" in admin(url, "import-tutorial", data).stdout
        )
        assert parked.result()["messages"][0]["body"] == "message 0 <b>é😀</b>"
    assert "0 messages brought in; 1203 were here" in admin(url, "import-tutorial", data).stdout
    bodies, times, more = [], [], True
    until(lambda: server.cursor.endswith("-1204"))
    while more:
        reply = server.get(f"/api/v1/messages?after={cursor}&wait=0").json()
        cursor, more = reply["cursor"], reply.get("more")
        bodies += [m["body"] for m in reply["messages"]]
        times += [m["created_at"] for m in reply["messages"]]
    assert bodies[:1200] == [f"message {n} <b>é😀</b>" for n in range(1200)]
    assert bodies[1200:] == ["withNUL", "\ufffd bytes", "x" * 9000]
    assert times[1] == "2011-03-13T07:06:41.000Z"


def test_posting_goes_on_during_an_import(start, data):
    """Nobody has to wait for it."""
    server = start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        importing = pool.submit(admin, f"--database-url={server.settings['database_url']}", "import-tutorial", data)
        statuses = [server.post(f"meanwhile {n}").status_code for n in range(50)]
        importing.result()
    assert statuses == [201] * 50


def test_what_is_no_tutorial_s_board_is_refused(tmp_path, data):
    """A clear line and status 1; the board is left as it is."""
    url = f"--database-url=sqlite:///{tmp_path}/board.db"
    (tmp_path / "text").write_text("no database at all")
    for file, words in ((tmp_path / "none.db", "there is no file"), (tmp_path / "text", "not a board")):
        run = admin(url, "import-tutorial", file, check=1)
        assert words in run.stderr and "Traceback" not in run.stderr
    assert not (tmp_path / "board.db").exists()
    admin("import-tutorial", check=2)
    admin(check=2)
    assert "import-tutorial" in admin("--help").stdout


async def test_a_running_server_gets_its_turn_also_between_rows_that_are_known(monkeypatch):
    """Looking them up takes the lock, too."""
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)

    async def write():
        return 0

    monkeypatch.setattr("admin.pace.asyncio.sleep", pause)
    assert await patiently(write) == 0
    assert len(pauses) == 1
