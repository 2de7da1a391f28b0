"""What a connection to PostgreSQL brings along: what the session inherits, and what the server said when it was opened."""

import asyncio
import contextlib
import pathlib
import tempfile

import asyncpg
import pytest

from storage import open_storage
from storage.errors import CannotOpenError, UnavailableError
from storage.postgres import pools
from tests.storage.test_postgres import opened, retry, watching
from tests.storage.test_storage import bodies
from tests.support.postgres import cluster, psql, standby
from tests.support.server import until

HOSTILE = {
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "idle_session_timeout": "5s",
    "transaction_timeout": "5s",
    "statement_timeout": "1ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "1ms",
    "synchronous_commit": "off",
    "search_path": "pg_catalog",
    "row_security": "off",
    "TimeZone": "Asia/Kathmandu",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "bytea_output": "escape",
    "client_encoding": "LATIN1",
    "standard_conforming_strings": "off",
    "gin_fuzzy_search_limit": "1",
    "jit": "on",
    "plan_cache_mode": "force_generic_plan",
    "client_min_messages": "debug5",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "extra_float_digits": "-15",
    "xmloption": "document",
}
"""Each as somebody may have set it for a database or for a user, for good reasons of another program."""

HARMLESS = {"client_min_messages", "array_nulls", "transform_null_equals", "extra_float_digits", "xmloption"}
"""What may stay: no statement of ours depends on it."""


@pytest.fixture
def url(new_database):
    return new_database()


async def use(url):
    """What a board does, from the tables on."""
    async with opened(url) as storage, watching(storage) as watcher:
        await watcher.until(lambda: watcher.looks)
        for n in range(3):
            await storage.append(None, f"tide {n} 😀", f"{n:022}")
        await storage.edit(1, "tide, edited é")
        await storage.delete(2)
        await storage.probe()
        await watcher.until(lambda: watcher.seq == 5)
        found = await storage.search("tide", None, 9)
        assert bodies(found.messages) == ["tide 2 😀", "tide, edited é"]
        assert not (await storage.append(None, "tide 2 😀", f"{2:022}"))[1]
        async with storage._writer._connections.acquire() as db:
            in_force = {name for name, value in HOSTILE.items() if await db.fetchval(f"SHOW {name}") == value}
            assert in_force == HARMLESS
            return await db.fetchval("SHOW client_encoding")


async def test_whatever_the_database_sets_for_its_sessions_a_board_works(url):
    """Before the board's tables are made; what is not pinned is shown to do no harm."""
    for name, value in HOSTILE.items():
        psql(url, f"ALTER DATABASE {url.rpartition('/')[2]} SET {name} = '{value}'")
    assert await use(url) == "UTF8"


async def test_whatever_a_user_is_given_for_its_sessions_a_board_works(url):
    """The same, for a user who owns nothing but what it makes."""
    name = url.rpartition("/")[2]
    psql(url, f"CREATE ROLE {name} LOGIN; GRANT CREATE ON DATABASE {name} TO {name}")
    try:
        for setting, value in HOSTILE.items():
            psql(url, f"ALTER ROLE {name} SET {setting} = '{value}'")
        assert await use(url.replace("postgres@", f"{name}@")) == "UTF8"
    finally:
        psql(url, f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


async def test_a_database_that_tells_nodes_nothing_is_refused(url):
    """A user for replication runs no triggers."""
    psql(url, f"ALTER DATABASE {url.rpartition('/')[2]} SET session_replication_role = replica")
    with pytest.raises(CannotOpenError, match="session_replication_role"):
        await open_storage(url)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "WIN1252", "EUC_JP"])
async def test_a_database_that_is_not_utf8_is_refused(new_database, encoding):
    """In words, before anything is made; the usual default of a Windows server is one of them."""
    url = new_database(f"ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'")
    with pytest.raises(CannotOpenError, match=rf"in {encoding}, .* Longboard needs UTF8: CREATE DATABASE"):
        await open_storage(url)
    assert psql(url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'longboard'") == "0"


async def test_a_character_that_the_database_can_not_keep_is_a_503_and_takes_no_neighbours_along(url, monkeypatch):
    """If one ever comes to a database that is none of UTF-8: the others are kept, and it is no fault of ours."""
    from storage.postgres import writer

    real = writer.post

    async def post(db, posts):
        if any("😀" in one.body for one in posts):
            raise asyncpg.UntranslatableCharacterError("has no equivalent in encoding")
        return await real(db, posts)

    async with opened(url) as storage:
        monkeypatch.setattr(writer, "post", post)
        posts = [storage.append(None, body, None) for body in ("a", "😀", "b")]
        outcomes = await asyncio.gather(*posts, return_exceptions=True)
        assert isinstance(outcomes[1], UnavailableError) and "no equivalent" in str(outcomes[1])
        assert bodies((await storage.changes_after(0, 10)).messages) == ["a", "b"]


# --- what the server said when a connection was opened


async def test_posting_comes_back_after_the_database_was_read_only(url, start):
    """A host does that when a quota is reached, and cuts connections; those made then must not stay as they are."""
    name = url.rpartition("/")[2]
    server = start(database_url=url)
    assert server.post("before").status_code == 201
    psql(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    psql(
        url,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()",
    )
    until(lambda: "read-only" in server.log.read_text() or server.post("meanwhile").status_code == 503)
    until(lambda: server.get("/readyz").status_code == 503)
    assert server.get("/api/v1/messages").json()["messages"]
    psql(
        f"{url}?options=-c%20default_transaction_read_only%3Doff",
        f"ALTER DATABASE {name} RESET default_transaction_read_only",
    )
    until(lambda: server.post("after").status_code == 201)
    until(lambda: server.get("/readyz").status_code == 200)


async def test_every_connection_of_a_node_is_opened_anew_when_a_write_was_refused(url, monkeypatch):
    """Also those that read and listen, which may be those of a server that has lost its place; once a second at most."""
    monkeypatch.setattr(pools, "RENEW_SECONDS", 3600)
    async with opened(url) as storage, watching(storage) as watcher:
        await storage.append(None, "before", None)
        await storage.before(None, 1)
        await watcher.until(lambda: watcher.seen == ["before"])
        first = pids(url)

        async def refused(db):
            await db.execute("SET LOCAL transaction_read_only = on")
            await db.execute("UPDATE board SET seq = seq")

        for _ in range(3):
            with pytest.raises(UnavailableError, match="read-only"):
                await storage._writer.write(refused)
        assert storage._generation.number == 1
        await storage.append(None, "after", None)
        await storage.before(None, 1)
        await watcher.until(lambda: watcher.seen == ["before", "after"])
        await watcher.until(lambda: len(pids(url)) >= 4 and not pids(url) & first)


def pids(url):
    return set(
        psql(
            url,
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'longboard' AND datname = current_database()",
        ).split()
    )


async def test_a_board_follows_its_database_to_another_host(tmp_path):
    """The address names both, the standby first; when it is promoted, posting goes on without a restart."""
    with cluster() as first, tempfile.TemporaryDirectory(prefix="longboard-pg-") as folder:
        second = standby(first, pathlib.Path(folder))
        try:
            hosts = f"127.0.0.1:{second.port},127.0.0.1:{first.port}"
            async with opened(f"postgres://postgres@{hosts}/postgres") as storage, watching(storage) as watcher:
                await storage.append(None, "before", None)
                await watcher.until(lambda: watcher.seen == ["before"])
                written = psql(first.url("postgres"), "SELECT pg_current_wal_lsn()")
                copied = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
                until(lambda: psql(second.url("postgres"), copied) == "t")
                first.stop()
                with contextlib.suppress(UnavailableError):
                    await storage.append(None, "meanwhile", None)
                psql(second.url("postgres"), "SELECT pg_promote()")
                await retry(lambda: storage.append(None, "after", "k" * 22))
                await watcher.until(lambda: watcher.seen == ["before", "after"])
        finally:
            second.stop()
