"""What concerns an id, an author or an address asks the messages of all boards, and reads no more than it gives."""

import asyncio
import functools
import json
import sqlite3

import pytest

from storage import open_storage
from storage.about import read_posted
from storage.accounts import rename_author
from storage.housekeeping import read_gone_authors
from storage.listing import read_listing
from storage.moderation import source_of
from storage.names import read_called
from storage.postgres.search import MESSAGES_AT_ONCE, read_bodies
from storage.postgres.tx import PostgreSQLTx
from storage.records import FIRST_BOARD, GUEST, OPERATOR, Asker
from storage.removal import delete_newest
from storage.rows import author_of
from storage.sqlite.about import JOIN_LAST
from storage.sqlite.tx import SQLiteTx, finish
from tests.storage.test_sqlite import difference, steps
from tests.support.postgres import psql

AUTHOR, AT_ONCE = 1, 50
FILL = """
    INSERT INTO boards (id, slug, name, about, rules, read_by, write_by, created_at, floor, changed)
    VALUES (2, 'rowing', 'Rowing', '', '', 'everyone', 'guests', 1, 0, 0);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0})
    INSERT INTO messages (id, seq, author_id, author_name, body, created_at, address)
    SELECT i, i, 1, 'Ada', 'message ' || i, i, '192.0.2.1' FROM n WHERE i % 10 > {1};
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0})
    INSERT INTO posts (id, seq, board_id, author_id, author_name, body, created_at, address)
    SELECT i, i, 2, 1, 'Ada', 'message ' || i, i, '192.0.2.1' FROM n WHERE i % 10 <= {1};
    UPDATE board SET seq = {0};"""
"""All by one author: a tenth of it on another board; or, with -1, all on the first."""
READS = {
    "the newest of an author": lambda tx, count: delete_newest(tx, None, "author_id = $1", AUTHOR),
    "the newest of an author where one reads": lambda tx, count: delete_newest(
        tx, Asker(AUTHOR), "author_id = $1", AUTHOR
    ),
    "the newest from an address": lambda tx, count: delete_newest(tx, OPERATOR, "address = $1", "192.0.2.1"),
    "what an author has posted": lambda tx, count: read_posted(tx, AUTHOR, count // 2, AT_ONCE),
    "the author": lambda tx, count: author_of(tx, count // 2),
    "authors whose accounts are gone": lambda tx, count: read_gone_authors(tx, 0),
    "the source": lambda tx, count: source_of(tx, GUEST, count // 2),
}


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch):
    monkeypatch.setattr("storage.removal.REMOVED_AT_ONCE", AT_ONCE)
    monkeypatch.setattr("storage.removal.delete_all", nothing)


async def nothing(*_):
    return {}


async def make(url):
    await (await open_storage(url)).close()


def in_sqlite(path, count, elsewhere):
    asyncio.run(make(f"sqlite:///{path}"))
    db = sqlite3.connect(path, isolation_level=None)
    db.create_function("now_ms", 0, lambda: 0)
    db.executescript(FILL.format(count, elsewhere))
    return db


@pytest.mark.parametrize("elsewhere", [-1, 0])
def test_reads_of_all_boards_take_as_many_steps_whatever_is_there(tmp_path, elsewhere):
    """Same plans, and as many of SQLite's steps with a thousand messages as with a hundred thousand."""
    small, large = (in_sqlite(tmp_path / f"{count}.db", count, elsewhere) for count in (1_000, 100_000))
    try:
        for name, read in READS.items():

            def work(db, count, read=read):
                return finish(read(SQLiteTx(db), count))

            assert difference(work, (small, 1_000), (large, 100_000)) == "", name
    finally:
        small.close()
        large.close()


BOARDS = """
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0})
    INSERT INTO boards (id, slug, name, about, rules, read_by, write_by, created_at, floor, changed)
    SELECT i + 1, 'board-' || i, 'Board', '', '', 'everyone', 'guests', 1, i, i FROM n;
    INSERT INTO slugs (slug, board_id, ended) SELECT slug, id, false FROM boards;"""


def test_what_has_changed_of_boards_difference_however_many_there_are(tmp_path):
    """Each invitation and each change of a board has it read, for delivery."""
    found = []
    for count in (100, 9_000):
        db = in_sqlite(tmp_path / f"{count}.db", 10, -1)
        db.executescript(f"DELETE FROM boards;{BOARDS.format(count)}")
        found.append(steps(db, lambda db, count: finish(read_listing(SQLiteTx(db), count - 1, JOIN_LAST)), count))
        listing = finish(read_listing(SQLiteTx(db), count - 1, JOIN_LAST))
        assert [one.slug for one in listing.boards] == [f"board-{count}"] and not listing.old_slugs
        db.close()
    (few, plans), (many, plans_of_many) = found
    assert plans == plans_of_many and abs(many - few) <= 20, f"{few} steps became {many}"


def test_a_name_is_changed_in_one_statement_where_there_is_one_board(tmp_path):
    """Who has thirty thousand messages is not looked up twice."""
    db, seen = in_sqlite(tmp_path / "board.db", 100, -1), []
    db.set_trace_callback(seen.append)
    assert finish(rename_author(SQLiteTx(db), AUTHOR, "Other")) == {FIRST_BOARD}
    assert len([sql for sql in seen if "messages" in sql]) == 1
    assert finish(rename_author(SQLiteTx(db), AUTHOR, "Other")) == set()
    db.close()


ACCOUNTS = """
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0})
    INSERT INTO accounts (username, name, role, created_at) SELECT 'user_' || i, 'Name ' || i, 'member', 1 FROM n;"""


def test_those_to_invite_are_found_in_one_statement(tmp_path):
    """By their usernames at the same cost however many accounts there are; ten names read them once, as two do."""
    ten = [f"user_{n}" for n in range(1, 11)]
    found = {}
    for count in (100, 10_000):
        db = in_sqlite(tmp_path / f"{count}.db", 10, -1)
        db.executescript(ACCOUNTS.format(count))
        for names in (0, 2, 10):
            called = [f"Name {n}" for n in range(1, names + 1)]
            found[count, names], plans = steps(
                db, lambda db, _, called=called: finish(read_called(SQLiteTx(db), ten, called, 6)), count
            )
            assert len([plan for plan in plans if plan.startswith("SCAN accounts")]) == (names > 0), plans
        db.close()
    assert abs(found[10_000, 0] - found[100, 0]) <= 20
    assert found[10_000, 10] < 2 * found[10_000, 2]


class Explaining:
    """A database of which each read says how many messages it has read."""

    def __init__(self, db):
        self._db = db
        self.read = 0

    async def fetch(self, sql, *values, timeout=None):
        ((plan,),) = await self._db.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *values)
        self.read += sum(map(rows_of, nodes(json.loads(plan)[0]["Plan"])))
        return await self._db.fetch(sql, *values)

    async def fetchrow(self, sql, *values):
        return next(iter(await self.fetch(sql, *values)), None)


def nodes(plan):
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


def rows_of(node):
    if node.get("Relation Name") not in ("messages", "posts"):
        return 0
    return node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))


@pytest.mark.parametrize("elsewhere", [-1, 0])
async def test_reads_of_all_boards_read_no_more_than_they_give(new_database, elsewhere):
    """PostgreSQL's own count of rows, of which there are thirty thousand."""
    url, count = new_database(), 30_000
    storage = await open_storage(url)
    psql(url, f"SET search_path = longboard; {FILL.format(count, elsewhere)} ANALYZE")
    reads = READS | {"bodies": lambda tx, count: read_bodies(tx._db, "messages", count)}
    try:
        for name, read in reads.items():
            most = MESSAGES_AT_ONCE if name == "bodies" else AT_ONCE
            assert await storage._reader.read(functools.partial(rows_read, read, count)) <= most + 5, name
    finally:
        await storage.close()


async def rows_read(read, count, db):
    explaining = Explaining(db)
    await read(PostgreSQLTx(explaining), count)
    return explaining.read
