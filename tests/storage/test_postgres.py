"""What is PostgreSQL's own: its one order over all nodes, news and lost news, migrations, and what it costs."""

import asyncio
import contextlib
import random

import asyncpg
import pytest

from storage import open_storage
from storage.errors import CannotOpenError, UnavailableError
from storage.postgres import connection, notify, schema, search, writer
from storage.records import Password
from tests.storage.test_storage import bodies
from tests.support.patience import PATIENCE
from tests.support.postgres import psql
from tests.support.postgres_proxy import proxy


@pytest.fixture
def url(new_database):
    return new_database()


@contextlib.asynccontextmanager
async def opened(url, count=1):
    storages = [await open_storage(url) for _ in range(count)]
    try:
        yield storages[0] if count == 1 else storages
    finally:
        for storage in storages:
            await storage.close()


class Watcher:
    """A node's reading forward, as the board does it: all that it saw, in order."""

    def __init__(self, storage):
        self.storage = storage
        self.seen = []
        self.seq = 0
        self.looks = 0
        self.task = asyncio.create_task(storage.watch(self.read))

    async def read(self):
        self.looks += 1
        try:
            changes = await self.storage.changes_after(self.seq, 1000)
        except UnavailableError:
            return False
        self.seq = changes.head.seq
        self.seen += [message.body for message in changes.messages]
        return True

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.01)

    async def end(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@contextlib.asynccontextmanager
async def watching(*storages):
    watchers = [Watcher(storage) for storage in storages]
    try:
        yield watchers[0] if len(watchers) == 1 else watchers
    finally:
        for watcher in watchers:
            await watcher.end()


# --- writing


async def test_waiting_posts_share_one_statement(url, monkeypatch):
    """100 posts that arrive together are a handful of trips and commits, not 100."""
    batches = []
    real = writer.post
    monkeypatch.setattr(writer, "post", lambda db, posts: batches.append(len(posts)) or real(db, posts))
    async with opened(url) as storage:
        await asyncio.gather(*(storage.append(None, str(n), None) for n in range(100)))
    assert sum(batches) == 100 and len(batches) <= 3


async def test_all_nodes_see_one_order_without_gaps(url):
    """While three nodes post at once, whoever reads forward meets every message, once, in the order of numbers."""
    async with opened(url, 3) as nodes, watching(*nodes) as watchers:
        await nodes[0].append(None, "first", None)
        await asyncio.gather(
            *(node.append(None, f"{n}/{i}", None) for n, node in enumerate(nodes) for i in range(100)),
            *(node.edit(1, "edited") for node in nodes),
        )
        await asyncio.gather(*(watcher.until(lambda w=watcher: w.seq == 304) for watcher in watchers))
        for watcher in watchers:
            posted = [body for body in watcher.seen if body not in ("edited", "first")]
            assert len(posted) == len(set(posted)) == 300
            for n in range(3):
                own = [body for body in posted if body.startswith(f"{n}/")]
                assert own == [f"{n}/{i}" for i in range(100)]


async def test_what_was_acknowledged_is_synced(url):
    """Whatever the database's default, a commit waits for the disk; and nothing waits for ever."""
    psql(url, f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = off")
    async with opened(url) as storage, storage._writer._connections.acquire() as db:
        assert await db.fetchval("SHOW synchronous_commit") == "on"
        assert await db.fetchval("SHOW lock_timeout") == "2s"
        assert await db.fetchval("SHOW idle_in_transaction_session_timeout") == "2s"
        assert await db.fetchval("SHOW statement_timeout") == "10s"


async def test_a_node_paused_in_a_transaction_holds_nobody(url, monkeypatch):
    """Its turn is taken from it; others are refused for a moment at most, then they post again."""
    monkeypatch.setattr(connection, "TURN_SECONDS", 0.3)
    async with opened(url) as storage:
        paused = await connection.connect(url)
        await paused.execute("BEGIN; SELECT take_turn()")
        with contextlib.suppress(UnavailableError):
            await storage.append(None, "at once", None)
        async with asyncio.timeout(PATIENCE):
            while not paused.is_closed():
                await asyncio.sleep(0.01)
        assert (await retry(lambda: storage.append(None, "after", None)))[1]
        paused.terminate()


async def test_what_postgresql_can_not_keep_takes_no_neighbours_with_it(url):
    """Text is cleaned before it comes here; if some ever is not, only it is refused."""
    async with opened(url) as storage:
        outcomes = await asyncio.gather(
            *(storage.append(None, body, None) for body in ("a", "nul\0", "b")), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [tuple, asyncpg.CharacterNotInRepertoireError, tuple]
        assert bodies((await storage.changes_after(0, 10)).messages) == ["a", "b"]


async def test_a_message_of_a_hundred_thousand_different_words_is_kept_and_found(url):
    """As long as MESSAGE_LENGTH may be, in a script without spaces: PostgreSQL's own limit fails nobody's post."""
    rng = random.Random(1)
    body = "".join(chr(rng.randrange(0x20000, 0x2A6D0)) for _ in range(100_000))
    async with opened(url) as storage:
        posts = [storage.append(None, words, None) for words in ("before", body, "after")]
        kept = [message.body for message, _ in await asyncio.gather(*posts)]
        assert kept == ["before", body, "after"]
        found = await storage.search(body[:2], None, 10)
        assert [message.body for message in found.messages] == [body]


async def test_too_many_writes_are_refused_rather_than_queued_for_ever(url, monkeypatch):
    """A database that can't keep up makes the rest come back later."""
    monkeypatch.setattr(writer, "MAX_WAITING", 5)
    async with opened(url) as storage:
        outcomes = await asyncio.gather(
            *(storage.append(None, str(n), None) for n in range(20)), return_exceptions=True
        )
    assert sum(isinstance(outcome, UnavailableError) for outcome in outcomes) == 15


async def test_a_write_that_waited_for_too_long_is_refused(url, monkeypatch):
    """Whoever sent it has given up by then, or comes again with the same key."""
    monkeypatch.setattr(writer, "PATIENCE", 0.05)
    async with opened(url) as storage:
        started = asyncio.Event()

        async def slowly(db):
            started.set()
            await db.execute("SELECT pg_sleep(0.2)")

        slow = asyncio.create_task(storage._writer.write(slowly))
        await started.wait()
        with pytest.raises(UnavailableError, match="waited"):
            await storage.append(None, "late", None)
        await slow
        assert (await storage.changes_after(0, 10)).messages == []


# --- news


async def test_news_come_at_once(url, monkeypatch):
    """A post on one node is read on another because it was told, not because of a tick."""
    monkeypatch.setattr(notify, "TICK", 60)
    async with opened(url, 2) as (one, other), watching(other) as watcher:
        await watcher.until(lambda: watcher.looks)
        await one.append(None, "news", None)
        await watcher.until(lambda: watcher.seen == ["news"])


async def test_revocations_are_news_too(url, monkeypatch):
    """And what changes nothing that anybody shows, such as when a token was used, is none."""
    monkeypatch.setattr(notify, "TICK", 60)
    async with opened(url, 2) as (one, other), watching(other) as watcher:
        account = await one.create_account("ada", "Ada", Password(None))
        credential = await one.create_credential(account.id, "token", b"hash", "x")
        await watcher.until(lambda: watcher.looks)
        await asyncio.sleep(0.1)
        looks = watcher.looks
        await one.save_uses({credential.id: 10**14})
        await one.probe()
        await one.revoke_credential(account.id, credential.id)
        await watcher.until(lambda: watcher.looks > looks)
        assert watcher.looks == looks + 1
        assert await other.access_changes_after(0) == [account.id]


async def test_lost_news_are_made_up_for(url):
    """If notifications are lost on the way, the next look finds what they were about, within seconds."""
    with proxy(url) as way:
        async with opened(way.url) as storage, opened(url) as other, watching(storage) as watcher:
            await watcher.until(lambda: watcher.looks)
            way.loses_news = True
            await other.append(None, "unheard", None)
            await watcher.until(lambda: watcher.seen == ["unheard"])


async def test_a_cut_connection_is_made_anew_and_nothing_is_missed(url):
    """Whatever was committed while nobody listened is read on coming back."""
    with proxy(url) as way:
        async with opened(way.url) as storage, opened(url) as other, watching(storage) as watcher:
            await watcher.until(lambda: watcher.looks)
            way.cut()
            await other.append(None, "meanwhile", None)
            await watcher.until(lambda: watcher.seen == ["meanwhile"])
            way.cut()
            await other.append(None, "again", None)
            await watcher.until(lambda: watcher.seen == ["meanwhile", "again"])


async def test_a_frozen_connection_is_given_up(url, monkeypatch):
    """A network that swallows everything without a word: reads and posts end, and work again when it is back."""
    with proxy(url) as way:
        async with opened(way.url) as storage:
            await storage.append(None, "before", None)
            way.is_frozen = True
            with monkeypatch.context() as hasty:
                hasty.setattr(connection, "CONNECT_SECONDS", 0.5)
                hasty.setattr(writer, "READ_SECONDS", 0.5)
                with pytest.raises(UnavailableError, match="in time"):
                    await storage.append(None, "lost?", "k" * 22)
            way.is_frozen = False
            await retry(lambda: storage.append(None, "lost?", "k" * 22))
            assert bodies((await storage.changes_after(0, 10)).messages) == ["before", "lost?"]


async def retry(act):
    """Until it is no longer refused, as a page's outbox does."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await act()
            except UnavailableError:
                await asyncio.sleep(0.05)


# --- search


async def test_words_that_another_version_has_cut_are_cut_anew(url, monkeypatch):
    """While it goes on the answer says so; what is changed or deleted meanwhile is left as it is then."""
    async with opened(url) as storage:
        for n in range(7):
            await storage.append(None, f"tide {n}", None)
        await storage.delete(3)
        assert (await storage.search("tide", None, 9)).is_complete
    psql(url, "UPDATE longboard.messages SET search = NULL")
    monkeypatch.setattr(search, "VERSION", "new")
    monkeypatch.setattr(search, "MESSAGES_AT_ONCE", 2)
    async with opened(url) as storage:
        assert not storage._is_complete
        found = await storage.search("tide", None, 9)
        async with asyncio.timeout(PATIENCE):
            while not found.is_complete:
                found = await storage.search("tide", None, 9)
        assert bodies(found.messages) == [f"tide {n}" for n in (6, 5, 4, 3, 1, 0)]
        assert psql(url, "SELECT words FROM longboard.board") == "new"


# --- connections


async def test_a_node_has_five_connections_at_most(url):
    """Small plans of hosted databases allow twenty, for all nodes together."""
    async with opened(url) as storage, watching(storage) as watcher:
        await watcher.until(lambda: watcher.looks)
        await asyncio.gather(
            *(storage.append(None, str(n), None) for n in range(20)),
            *(storage.before(None, 10) for _ in range(20)),
            *(storage.search("x", None, 10) for _ in range(5)),
            *(storage.changes_after(0, 10) for _ in range(5)),
        )
        assert 4 <= int(connections(url)) <= 5
    assert connections(url) == "0"


def connections(url):
    return psql(
        url,
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'longboard' AND datname = current_database()",
    )


@pytest.mark.parametrize("sign", ["refuses_parameters", "ignores_parameters", "loses_news"])
async def test_a_pooler_in_transaction_mode_is_recognised(url, sign):
    """PgBouncer refuses the time limits, or lets nothing be heard: the operator reads what to do."""
    with proxy(url) as way:
        way.hides_pid = True
        setattr(way, sign, True)
        with pytest.raises(CannotOpenError, match="PgBouncer") as caught:
            await open_storage(way.url)
        knows_mode = sign != "refuses_parameters"  # PgBouncer refuses those in any mode
        assert ("transaction mode" in str(caught.value)) == knows_mode
    assert psql(url, "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'longboard')") == "0"


async def test_a_pooler_that_plays_along_is_fine(url):
    """In session mode a connection is PostgreSQL's own for as long as it lasts."""
    with proxy(url) as way:
        way.hides_pid = True
        async with opened(way.url) as storage:
            await storage.append(None, "x", None)
            assert bodies((await storage.changes_after(0, 10)).messages) == ["x"]


# --- migrations


async def test_nodes_that_start_at_once_migrate_once(url):
    """However many come upon a new database at the same moment, it becomes one board."""
    storages = await asyncio.gather(*(open_storage(url) for _ in range(6)))
    assert len({(await storage.snapshot(changes=1, page=1)).head.epoch for storage in storages}) == 1
    for storage in storages:
        await storage.close()


async def test_a_newer_database_that_can_t_be_used_is_refused(url):
    """An old Longboard never works on a database that says so."""
    async with opened(url):
        pass
    psql(url, "INSERT INTO longboard.migrations VALUES (99, 'from the future')")
    psql(url, "UPDATE longboard.board SET compatible = 98")
    with pytest.raises(CannotOpenError, match="newer Longboard"):
        await open_storage(url)


async def test_what_else_is_in_the_database_is_left_alone(url):
    """Another program's tables may have the same names; only a schema of ours must be ours."""
    psql(url, "CREATE TABLE messages (words text); INSERT INTO messages VALUES ('theirs')")
    async with opened(url) as storage:
        await storage.append(None, "ours", None)
    assert psql(url, "SELECT words FROM public.messages") == "theirs"
    psql(url, "DROP TABLE longboard.migrations CASCADE")
    with pytest.raises(CannotOpenError, match="not Longboard's"):
        await open_storage(url)


async def test_a_user_who_may_not_make_the_schema_is_told(url):
    """And once the owner has made it, all is well."""
    name = url.rpartition("/")[2]
    psql(url, f"CREATE ROLE {name} LOGIN")
    poor = url.replace("postgres@", f"{name}@")
    try:
        with pytest.raises(CannotOpenError, match=r"may not.*CREATE SCHEMA"):
            await open_storage(poor)
        psql(url, f"CREATE SCHEMA longboard AUTHORIZATION {name}")
        async with opened(poor) as storage:
            await storage.append(None, "x", None)
    finally:
        psql(url, f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


async def test_postgresql_that_is_too_old_is_refused(url, monkeypatch):
    """In words, not with a syntax error."""
    monkeypatch.setattr(schema, "OLDEST", 99)
    with pytest.raises(CannotOpenError, match="99 or newer"):
        await open_storage(url)
