"""The boards that tests get are as new as those that they would make: tests/support/fresh.py, and a database given back."""

import contextlib
import sqlite3

import pytest

from storage import open_storage
from storage.records import Password
from tests.support import fresh
from tests.support.postgres import SHAPE, Databases, psql

DUMP = """
SELECT format('SELECT %L, row_to_json(rows)::jsonb - ARRAY[''epoch'', ''secret''] FROM %s AS rows', relname, oid::regclass)
FROM pg_class WHERE relnamespace = 'longboard'::regnamespace AND relkind = 'r' ORDER BY relname
\\gexec
SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'longboard' ORDER BY 1;
SELECT relname, reltuples, pg_relation_size(pg_class.oid) FROM pg_class
WHERE relnamespace = 'longboard'::regnamespace AND relkind = 'r' AND relname <> 'migrations' ORDER BY 1
"""

CHANGES = (
    "ALTER TABLE longboard.accounts ADD COLUMN more integer",
    "CREATE INDEX more ON longboard.messages (body)",
    "DROP INDEX longboard.messages_by_author",
    "ALTER TABLE longboard.board DISABLE TRIGGER moved",
    "DROP TRIGGER moved ON longboard.board",
    "CREATE OR REPLACE FUNCTION longboard.take_turn() RETURNS void LANGUAGE sql AS ''",
    "ALTER TABLE longboard.accounts ALTER COLUMN name DROP NOT NULL",
    "ALTER TABLE longboard.accounts DROP CONSTRAINT accounts_role_check",
    "GRANT SELECT ON longboard.accounts TO PUBLIC",
    "INSERT INTO longboard.migrations VALUES (99, 'more')",
    "INSERT INTO longboard.accounts (username, name, created_at) VALUES ('ada', 'Ada', 1); ANALYZE longboard.accounts",
    "CREATE TABLE public.more (id integer)",
)
"""Each makes a database another than that of a new board."""


@pytest.fixture
def databases(request):
    """On the server of all tests, with none that other tests have given back."""
    shared = request.config.databases
    assert shared.server, "it runs, for other tests, too"
    databases = Databases(shared.folder)
    databases.numbers = shared.numbers
    return databases


async def use(url):
    """Leaves rows, and numbers that were given out."""
    storage = await open_storage(url)
    await storage.append(None, "words", None)
    account = await storage.create_account("ada", "Ada", Password("a hash"))
    secret = await storage.secret()
    await storage.close()
    return account.id, secret


async def test_a_copied_file_has_all_that_a_made_one_has_but_its_secret(tmp_path):
    fresh.make(f"sqlite:///{tmp_path}/made.db")
    fresh.make_file(tmp_path / "one.db")
    fresh.make_file(tmp_path / "two.db")
    dumps, own = [], set()
    for name in ("made", "one", "two"):
        with contextlib.closing(sqlite3.connect(tmp_path / f"{name}.db")) as db:
            own |= {
                *db.execute("SELECT epoch FROM board").fetchone(),
                *db.execute("SELECT secret FROM board").fetchone(),
            }
            pragmas = [
                db.execute(f"PRAGMA {pragma}").fetchone()
                for pragma in ("application_id", "user_version", "journal_mode")
            ]
            db.execute("UPDATE board SET epoch = '', secret = x''")
            dumps.append((*pragmas, *db.iterdump()))
    assert dumps[0] == dumps[1] == dumps[2] and len(dumps[0]) > 50
    assert len(own) == 6, "each has its own epoch and secret"
    assert (tmp_path / "one.db").stat().st_mode == (tmp_path / "made.db").stat().st_mode


async def test_a_database_that_was_given_back_has_a_new_board(databases):
    url = databases.create_board()
    try:
        new = psql(url, DUMP)
        account, secret = await use(url)
        assert psql(url, DUMP) != new
        databases.give_back(url)
        assert databases.create_board() == url
        assert psql(url, DUMP) == new
        again = await use(url)
        assert again[0] == account and again[1] != secret and len(again[1]) == len(secret)
    finally:
        psql(databases.server, f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


def test_a_database_whose_schema_was_changed_is_not_given_out_as_a_board(databases):
    url = databases.create_board()
    try:
        shapes = [psql(url, f"BEGIN; {change}; {SHAPE}; ROLLBACK") for change in ("SELECT \\g /dev/null", *CHANGES)]
        assert len(set(shapes)) == len(shapes), "each is seen"
        psql(url, CHANGES[0])
        databases.give_back(url)
        assert databases.boards == []
        assert databases.create() == url and psql(url, "SELECT to_regnamespace('longboard')") == ""
    finally:
        psql(databases.server, f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")
