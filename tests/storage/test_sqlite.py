"""What is SQLite's own: group commit, faults of the disk, migrations, and the cost of reading."""

import asyncio
import contextlib
import os
import pathlib
import sqlite3
import stat
import threading

import aiosqlite
import pytest

from storage import open_storage
from storage.errors import CannotOpenError, UnavailableError
from storage.migrate import migrations
from storage.reading import read_anywhere, read_message, read_page, read_page_after
from storage.records import GUEST
from storage.sqlite import connection, messages
from storage.sqlite.schema import APPLICATION_ID, statements
from storage.sqlite.tx import SQLiteTx, finish
from tests.support.patience import BRIEFLY, PATIENCE


@pytest.fixture
def path(tmp_path):
    return tmp_path / "board.db"


@contextlib.asynccontextmanager
async def opened(path):
    storage = await open_storage(f"sqlite:///{path}")
    try:
        yield storage
    finally:
        await storage.close()


async def test_waiting_posts_share_one_commit(path, monkeypatch):
    """100 posts that arrive together cost a handful of disk syncs, not 100."""
    commits = []
    real = connection.commit
    monkeypatch.setattr(
        connection, "commit", lambda db, units, *rest: commits.append(len(units)) or real(db, units, *rest)
    )
    async with opened(path) as storage:
        await asyncio.gather(*(storage.append(None, str(n), None) for n in range(100)))
    assert sum(commits) == 100 and len(commits) <= 3


async def test_what_was_acknowledged_is_synced(path):
    """WAL with synchronous=FULL: a commit is on disk before it is answered."""
    async with opened(path) as storage:
        run = storage._writer._connection.run
        assert await run(lambda db: db.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"
        assert await run(lambda db: db.execute("PRAGMA synchronous").fetchone()[0]) == 2
        assert await run(lambda db: db.execute("PRAGMA secure_delete").fetchone()[0]) == 1


async def test_the_call_that_aiosqlite_keeps_to_itself_is_still_there():
    """`run` stands on aiosqlite's _execute, for which the version is pinned."""
    assert aiosqlite.__version__ == "0.22.1"
    assert callable(aiosqlite.Connection._execute)


async def test_a_database_busy_for_long_refuses_and_recovers(path, monkeypatch):
    """While another process holds the database, posts are refused; afterwards they work, and reads never stop."""
    monkeypatch.setattr(connection, "BUSY_MS", 50)
    async with opened(path) as storage:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="locked"):
            await storage.append(None, "refused", None)
        assert (await storage.before(None, 1)).messages == []
        other.execute("ROLLBACK")
        other.close()
        assert (await storage.append(None, "kept", None))[0].seq == 1


async def test_a_full_disk_refuses_what_does_not_fit_and_keeps_the_rest(path):
    """A full database is no catastrophe: what was there stays, what fits later is kept."""
    async with opened(path) as storage:
        await storage.append(None, "before", None)
        pages = await storage._writer._connection.run(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
        await limit_pages(storage, pages + 2)
        with pytest.raises(UnavailableError, match="full"):
            await storage.append(None, "x" * 50_000, None)
        await limit_pages(storage, 10_000)
        await storage.append(None, "after", None)
        assert [m.body for m in (await storage.changes_after(0, 9)).messages] == ["before", "after"]


async def limit_pages(storage, pages):
    await storage._writer._connection.run(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchone())


async def test_too_many_waiting_writes_are_refused_at_once(path, monkeypatch):
    """The queue is bounded: rather an honest no than an answer in minutes."""
    monkeypatch.setattr(connection, "MAX_WAITING", 5)
    async with opened(path) as storage:
        outcomes = await asyncio.gather(
            *(storage.append(None, str(n), None) for n in range(20)), return_exceptions=True
        )
    refused = [outcome for outcome in outcomes if isinstance(outcome, UnavailableError)]
    assert len(refused) == 15


async def test_a_slow_reader_holds_up_no_delivery(path):
    """Pages, look-ups and clients that are far behind wait for each other; news wait for none of them."""
    async with opened(path) as storage:
        await storage.append(None, "news", None)
        go_on = threading.Event()
        reading = asyncio.create_task(storage._reader.read(lambda db: go_on.wait(PATIENCE)))
        far_behind = asyncio.create_task(storage.changes_page(0, 10))
        for _ in range(3):
            assert [m.body for m in (await storage.changes_after(0, 10)).messages] == ["news"]
        assert not far_behind.done()
        go_on.set()
        await asyncio.gather(reading, far_behind)


async def test_readers_can_not_write(path):
    """Reading goes over connections that could not harm the database if they tried."""
    async with opened(path) as storage:
        for reader in (storage._reader, storage._changes_reader):
            with pytest.raises(UnavailableError, match="readonly"):
                await reader.read(lambda db: db.execute("DELETE FROM board"))


async def test_a_closed_storage_says_so(path):
    """A read that comes during shutdown is refused like any other."""
    async with opened(path) as storage:
        pass
    with pytest.raises(UnavailableError):
        await storage.before(None, 1)


async def test_only_its_owner_can_read_a_new_database(path):
    """It holds secrets: the file and the ones beside it are private from the start."""
    async with opened(path) as storage:
        await storage.append(None, "x", None)
        for file in path.parent.iterdir():
            assert stat.S_IMODE(os.stat(file).st_mode) == 0o600, file


async def test_deleted_words_are_gone_from_the_file(path):
    """A deleted message can't be found in the database with any tool."""
    async with opened(path) as storage:
        message, _ = await storage.append(None, "regrettable words", "k" * 22)
        await storage.delete(message.id)
    assert b"regrettable" not in path.read_bytes()
    assert not pathlib.Path(f"{path}-wal").exists()


def files_with(path, words):
    return [file.name for file in path.parent.iterdir() if words in file.read_bytes()]


async def test_deleted_words_are_gone_while_the_board_runs(path):
    """Housekeeping empties SQLite's log, in which words outlive their deletion."""
    async with opened(path) as storage:
        message, _ = await storage.append(None, "regrettable words", None)
        await storage.edit(message.id, "lamentable words")
        await storage.delete(message.id)
        assert files_with(path, b"regrettable") and files_with(path, b"lamentable")  # else this shows nothing
        await storage.scrub()
        assert not files_with(path, b"regrettable") and not files_with(path, b"lamentable")
        await storage.append(None, "goes on", None)


async def test_housekeeping_gives_way_to_a_reader_and_never_holds_up_posts_for_long(path):
    """Somebody may look at an old moment of the database for minutes: a backup, say. The log is emptied afterwards."""
    async with opened(path) as storage:
        message, _ = await storage.append(None, "regrettable words", None)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN")
        other.execute("SELECT * FROM board").fetchone()
        await storage.delete(message.id)
        scrubbing, posting = asyncio.create_task(storage.scrub()), storage.append(None, "meanwhile", None)
        await asyncio.wait_for(posting, connection.BUSY_MS / 1000)
        await scrubbing
        assert files_with(path, b"regrettable")
        other.close()
        await storage.scrub()
        assert not files_with(path, b"regrettable")


async def test_too_many_waiting_reads_are_refused_at_once(path, monkeypatch):
    """As for writes: whoever pages through all of history in a thousand requests gets a no, and memory is bounded."""
    monkeypatch.setattr(connection, "MAX_WAITING", 5)
    async with opened(path) as storage:
        outcomes = await asyncio.gather(*(storage.changes_page(0, 10) for _ in range(20)), return_exceptions=True)
        assert sum(isinstance(outcome, UnavailableError) for outcome in outcomes) == 15
        assert (await storage.changes_after(0, 10)).messages == []


# --- opening


async def test_a_newer_database_that_can_t_be_used_is_refused(path):
    """An old Longboard never works on a database that says so."""
    async with opened(path):
        pass
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.execute("UPDATE board SET compatible = 98")
    db.commit()
    db.close()
    with pytest.raises(CannotOpenError, match="newer Longboard"):
        await open_storage(f"sqlite:///{path}")


async def test_another_program_s_database_is_refused_and_left_as_it_is(path):
    """Nobody's file is turned into a board by a mistyped DATABASE_URL."""
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE messages (msg_content TEXT NOT NULL, msg_time INTEGER NOT NULL)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(CannotOpenError, match="import-tutorial"):
        await open_storage(f"sqlite:///{path}")
    db = sqlite3.connect(path)
    assert [row[0] for row in db.execute("SELECT name FROM sqlite_schema")] == ["messages"]
    db.close()
    assert len(path.read_bytes()) == len(before)


async def test_what_is_no_database_is_refused(path):
    """A text file stays a text file."""
    path.write_text("dear diary " * 1000)
    with pytest.raises(CannotOpenError, match="not a database"):
        await open_storage(f"sqlite:///{path}")
    assert path.read_text().startswith("dear diary")


def test_a_failed_opening_leaves_nothing_running(path):
    """The error is all that is heard of it: no thread that reports to a loop which has ended."""
    path.write_text("dear diary " * 1000)
    for _ in range(100):
        with pytest.raises(CannotOpenError):
            asyncio.run(open_storage(f"sqlite:///{path}"))


@pytest.mark.parametrize("where", ["missing/board.db", "."])
async def test_a_path_that_can_not_be_opened_is_named(tmp_path, where):
    """The operator reads which path, and why."""
    with pytest.raises(CannotOpenError, match=str(tmp_path)):
        await open_storage(f"sqlite:///{tmp_path}/{where}")


async def test_two_processes_that_start_at_once_migrate_once(path):
    """Opening a new database twice at the same moment gives one board."""
    storages = await asyncio.gather(*(open_storage(f"sqlite:///{path}") for _ in range(12)))
    epochs = {(await storage.snapshot(changes=1, page=1)).head.epoch for storage in storages}
    for storage in storages:
        await storage.close()
    assert len(epochs) == 1


async def test_the_log_says_that_an_older_database_was_migrated(path, caplog):
    """A new one has nothing to say, and neither has one that is as it should be."""
    caplog.set_level("INFO")
    for _ in range(2):
        async with opened(path):
            assert "was migrated" not in caplog.text
    path.unlink()
    db = sqlite3.connect(path)
    oldest, newest = migrations("sqlite")[0], len(migrations("sqlite"))
    db.executescript(f"{oldest.sql}; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1")
    db.close()
    async with opened(path):
        assert f"The database was migrated from schema 1 to {newest}." in caplog.text


async def test_a_new_database_that_another_process_is_writing_to_is_waited_for(path):
    """Whoever comes second while the first still sets it up waits a moment, and then opens it."""
    first = sqlite3.connect(path, isolation_level=None)
    first.execute("BEGIN IMMEDIATE")
    opening = asyncio.create_task(open_storage(f"sqlite:///{path}"))
    await asyncio.sleep(BRIEFLY)
    assert not opening.done()
    first.execute("ROLLBACK")
    first.close()
    await (await opening).close()


def test_statements_are_cut_where_sql_ends_them():
    """A semicolon inside a string or a trigger does not end a statement."""
    sql = "CREATE TABLE a (b TEXT DEFAULT ';');\nCREATE TRIGGER t AFTER INSERT ON a BEGIN\n  SELECT 1;\nEND;\n"
    assert len(list(statements(sql))) == 2
    assert all(list(statements(migration.sql)) for migration in migrations("sqlite"))


# --- the cost of reading


def filled(path, count):
    asyncio.run(make(path))
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN")
    db.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT INTO messages (id, seq, body, created_at) SELECT i, i, 'message ' || i, i FROM n",
        (count,),
    )
    db.execute("UPDATE board SET seq = ?", (count,))
    db.execute("COMMIT")
    return db


async def make(path):
    async with opened(path):
        pass


READS = {
    "the page": lambda db, count: messages.read_snapshot(db, 1000, 50),
    "older messages": lambda db, count: finish(read_page(SQLiteTx(db), count // 2, 50)),
    "newer messages": lambda db, count: finish(read_page_after(SQLiteTx(db), count // 2, 50)),
    "a poll": lambda db, count: messages.read_changes(db, count - 1, 1000),
    "far behind": lambda db, count: messages.read_changes(db, count // 2, 200),
    "one message": lambda db, count: finish(read_message(SQLiteTx(db), 1, count // 2)),
    "one message of any board": lambda db, count: finish(read_anywhere(SQLiteTx(db), count // 2, GUEST)),
    "a key": lambda db, count: messages.posted_with(db, None, "no such key", None),
}


def steps(db, read, count):
    """How many instructions SQLite's virtual machine ran for it, and by which plans."""
    ran, seen = [], []
    db.set_progress_handler(lambda: ran.append(1), 1)
    db.set_trace_callback(seen.append)
    read(db, count)
    db.set_trace_callback(None)
    db.set_progress_handler(None, 0)
    plans = [row[3] for sql in seen for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
    return len(ran), plans


def difference(read, *sized):
    """What differs between the work of a read in one database and in another, each with its count: nothing if the plans are
    the same, and as many steps, but for five.
    """
    (few, plans), (many, plans_of_many) = (steps(db, read, count) for db, count in sized)
    if plans != plans_of_many:
        return f"{plans} became {plans_of_many}"
    return f"{few} steps became {many}" if abs(many - few) > 5 else ""


def test_reading_costs_the_same_with_a_thousand_messages_and_with_a_million(tmp_path):
    """The board is as quick after years as on its first day: same plans, same number of SQLite's steps."""
    small, large = filled(tmp_path / "small.db", 1_000), filled(tmp_path / "large.db", 1_000_000)
    try:
        for name, read in READS.items():
            assert difference(read, (small, 1_000), (large, 1_000_000)) == "", name
            _, plans = steps(small, read, 1_000)
            assert not any("SCAN messages" in plan and "USING" not in plan for plan in plans if name != "the page")
    finally:
        small.close()
        large.close()


async def test_a_unit_that_waits_for_something_else_is_refused():
    """On the writer's thread nothing would ever wake it: a unit awaits nothing but its transaction."""
    with pytest.raises(AssertionError, match="not its transaction"):
        finish(asyncio.sleep(1))


async def test_a_removal_that_can_not_be_done_is_no_success(path):
    """What is looked for by a number that no row can have is not there; to delete by it is a fault."""
    async with opened(path) as storage:
        await storage.append(None, "stays", None)
        assert await storage._read(lambda tx: tx.all("SELECT id FROM messages WHERE id < $1", 2**70)) == []
        with pytest.raises(OverflowError):
            await storage._write(lambda tx: tx.delete_messages("messages", "id < $1", 2**70))
        assert len((await storage.before(None, 9)).messages) == 1
