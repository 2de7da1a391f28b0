"""The list of tables and columns is that of both engines' schemas, and what it says of deletions and of time is done."""

import contextlib
import sqlite3
import time

import pytest

from storage import open_storage, open_transfer
from storage.records import DAY_MS, DELETED_NAME
from storage.tables import BOARD, OF_ONE_ENGINE, TABLES
from tests.support.postgres import psql

IN_SQLITE = {"bigint": "INTEGER", "boolean": "INTEGER", "bytea": "BLOB", "text": "TEXT"}
TEXTS = {
    "username": "ada_{}",
    "role": "member",
    "picture_kind": "image/png",
    "readers": "members",
    "writers": "members",
    "reaction": "heart",
    "mentions": ";{};",
}
"""Texts of these kinds; of others, any will do."""
CHECKED = {
    ("credentials", "kind"): "session",
    ("links", "kind"): "password",
    **dict.fromkeys([("boards", "deleted_at"), ("messages", "pinned_at"), ("posts", "pinned_at")]),
}
"""Columns for which the schema has a list of values; a board is there; and of its messages only one could be pinned."""


@pytest.fixture
def url(empty_url):
    """Without a board: it is made in the test."""
    return empty_url


def look(url, of_sqlite, of_postgres):
    """Rows of text that the database itself gives."""
    if url.startswith("postgres"):
        return {tuple(line.split("|")) for line in psql(url, of_postgres).splitlines()}
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
        return {tuple(map(str, row)) for row in db.execute(of_sqlite)}


async def test_every_table_and_column_of_the_database_is_decided(url):
    """A new one must be in storage/tables.py, or it would stay behind."""
    await (await open_storage(url)).close()
    found = look(
        url,
        """SELECT t.name, c.name, c.type, iif(c."notnull" OR c.pk, 'NO', 'YES')
        FROM pragma_table_list t, pragma_table_info(t.name) c
        WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%'""",
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'longboard'",
    )
    engine = "postgres" if url.startswith("postgres") else "sqlite"
    apart = {(table, column) for table, columns in OF_ONE_ENGINE[engine].items() for column in columns}
    apart |= {("board", column) for column in BOARD}
    assert apart <= {row[:2] for row in found}
    types = IN_SQLITE if engine == "sqlite" else {type: type for type in IN_SQLITE}
    assert {row for row in found if row[:2] not in apart} == {
        (name, column.name, types[column.type], "YES" if column.null else "NO")
        for name, table in TABLES.items()
        for column in table.columns
    }


async def test_the_keys_that_the_database_counts_up_are_known(url):
    """One that the list doesn't know would be given twice after a move."""
    await (await open_storage(url)).close()
    found = look(
        url,
        "SELECT name FROM sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%'",
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'longboard' AND is_identity = 'YES'",
    )
    assert {(name,) for name, table in TABLES.items() if table.counts} == found


async def test_no_table_of_the_list_refers_to_a_later_one(url):
    """Rows could not arrive before those that they need."""
    await (await open_storage(url)).close()
    found = look(
        url,
        """SELECT t.name, f."table" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f""",
        "SELECT r.relname, n.relname FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid "
        "JOIN pg_class n ON n.oid = c.confrelid WHERE c.contype = 'f'",
    )
    order = list(TABLES)
    assert ("credentials", "accounts") in found
    assert all(order.index(needed) < order.index(table) for table, needed in found)


async def test_what_ends_with_an_account_does_so_by_the_schema(url):
    """A node of the last release, which doesn't know a new table, may be the one that deletes the account."""
    await (await open_storage(url)).close()
    found = look(
        url,
        """SELECT t.name, f."from" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f
        WHERE f."table" = 'accounts' AND f.on_delete = 'CASCADE'""",
        "SELECT relname, attname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid "
        "JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] "
        "WHERE contype = 'f' AND confrelid = 'longboard.accounts'::regclass AND confdeltype = 'c'",
    )
    ending = {(name, table.owner) for name, table in TABLES.items() if table.owner and table.erasure == "deleted"}
    assert found == ending - {("accounts", "id")}


async def test_every_rule_of_the_schema_is_looked_at_beforehand(url):
    """A new one can't be found by the database only, in the middle of an import."""
    await (await open_storage(url)).close()
    found = look(
        url,
        """SELECT t.name, (SELECT group_concat(coalesce(c.name, 'author_id')) FROM pragma_index_info(i.name) c)
        FROM pragma_table_list t, pragma_index_list(t.name) i
        WHERE t.schema = 'main' AND t.type = 'table' AND i."unique" """,
        "SELECT relname, string_agg(coalesce(attname, 'author_id'), ',' ORDER BY place) FROM pg_index "
        "JOIN pg_class ON pg_class.oid = indrelid AND relnamespace = 'longboard'::regnamespace "
        "CROSS JOIN unnest(indkey) WITH ORDINALITY AS keys (number, place) "
        "LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = number WHERE indisunique GROUP BY relname, indexrelid",
    )
    keys = {(name, table.key) for name, table in TABLES.items()}
    listed = {(name, ",".join(columns)) for name, table in TABLES.items() for columns in table.unique}
    assert listed | keys == {row for row in found if row[0] in TABLES} | keys


# --- what the list says is done


def first_of(table):
    """A key of the table; the messages of all boards have their ids from one sequence."""
    return 300 if table == "posts" else 100


def row_of(table, number, account, at=None):
    """A row with something in each column."""
    row = []
    for column in TABLES[table].columns:
        if column.name == TABLES[table].owner:
            row.append(account)
        elif CHECKED.get((table, column.name), 0) is None:
            row.append(None)
        elif column.type in ("bigint", "boolean"):
            row.append(at if column.kind == "time" and at else number if column.type == "bigint" else False)
        elif column.type == "bytea":
            row.append(b"%d" % number)
        else:
            text = CHECKED.get((table, column.name)) or TEXTS.get(column.kind, f"{column.name} {{}}")
            row.append(text.format(number))
    return tuple(row)


@contextlib.asynccontextmanager
async def board_with(url, *rows):
    """A storage whose board has these (table, row), and a function that returns its rows now, by their keys."""
    transfer = await open_transfer(url, create=True)
    for table, row in rows:
        assert await transfer.put(table, [row]) == 1
    await transfer.aclose()

    async def now(table):
        reading = await open_transfer(url, create=False)
        await reading.read(lambda tx: tx.one("SELECT 1"))
        found = {row[0]: row for rows in [rows async for rows in reading.rows(table)] for row in rows}
        await reading.aclose()
        return found

    storage = await open_storage(url)
    yield storage, now
    await storage.close()


@pytest.mark.parametrize("keeps", [True, False])
async def test_deleting_an_account_leaves_of_it_what_the_list_says(url, keeps):
    """In each table and column; the rows of others, and those of nobody, stay as they were, but with a message goes its
    guest's secret.
    """
    rows = [(table, row_of(table, first_of(table) + account, account)) for table in TABLES for account in (1, 2)]
    async with board_with(url, *rows) as (storage, now):
        await storage.delete_account(1, keep_messages=keeps)
        for name, before in rows:
            table, after = TABLES[name], (await now(name)).get(before[0])
            if name == "guest_secrets" and before[0] == first_of("messages") + 1 and not keeps:
                assert after is None, name
            elif table.owner is None or before[table.names.index(table.owner)] == 2:
                assert after == before, name
            elif table.erasure == "deleted" or (name in ("messages", "posts") and not keeps):
                assert after is None, name
            else:
                changed = {c: value for c, was, value in zip(table.names, before, after, strict=True) if was != value}
                if "changed" in table.names:
                    del changed["changed"]  # every node reads the row again
                assert changed.keys() == {column.name for column in table.columns if column.erased}, name
                assert set(changed.values()) <= {None, DELETED_NAME}, name


async def test_a_row_ends_when_the_list_says(url):
    """Not before, and one without an end stays, however old it is; but for addresses, which messages lose."""
    present = time.time_ns() // 1_000_000
    limits = {name: present - table.ends[1] * DAY_MS for name, table in TABLES.items() if table.ends}
    rows = [("accounts", row_of("accounts", 1, 1)), ("accounts", row_of("accounts", 2, 2))]
    for name in list(TABLES)[1:]:
        limit = limits.get(name, 120_000)
        first = first_of(name)
        rows += [(name, row_of(name, first, 1, limit - 60_000)), (name, row_of(name, first + 1, 2, limit + 600_000))]
    async with board_with(url, *rows) as (storage, now):
        await storage.forget(0, 0, 0)
        for name, before in rows:
            after = (await now(name)).get(before[0])
            if name in ("messages", "posts"):
                assert after == (*before[:-1], None)
            elif name == "hooks":
                assert after == (*before[:-1], None), "what it posted in the last ten seconds"
            elif name in limits and before[TABLES[name].names.index(TABLES[name].ends[0])] < limits[name]:
                assert after is None, name
            else:
                assert after == before, name
