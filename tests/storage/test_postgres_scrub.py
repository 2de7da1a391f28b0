"""What is gone from PostgreSQL's files when words were deleted, and clients after a restored database."""

import concurrent.futures
import contextlib
import pathlib
import subprocess

import pytest

from storage import open_storage
from storage.postgres import scrubbing
from storage.postgres.connection import connect
from storage.records import Password
from tests.storage.test_postgres import opened
from tests.support.admin import admin
from tests.support.people import PASSWORD, Person
from tests.support.postgres import cluster, programs, psql
from tests.support.server import until


@pytest.fixture
def url(new_database):
    return new_database()


def files(database, url, name):
    """The bytes of a table or an index, as they are on disk."""
    psql(url, "CHECKPOINT")
    path = database.folder / "data" / psql(url, f"SELECT pg_relation_filepath('longboard.{name}')")
    return b"".join(part.read_bytes() for part in pathlib.Path(path.parent).glob(f"{path.name}*"))


async def test_deleted_words_leave_the_indexes_of_postgresql(monkeypatch):
    """A GIN index keeps each word it ever had, whatever is vacuumed: it is built anew, and so are those of accounts."""
    with cluster() as database:
        psql(database.url("postgres"), "CREATE DATABASE board")
        url = database.url("board")
        async with opened(url) as storage:
            await storage.append(None, "stays zqstays", None)
            await storage.append(None, "zqdeleted", None)
            await storage.append(None, "zqedited", None)
            gone = await storage.create_account("zqaccount", "Gone", Password(None))
            await storage.delete(2)
            await storage.edit(3, "zqnew")
            await storage.delete_account(gone.id, keep_messages=False)
            psql(url, "VACUUM longboard.messages")
            assert b"zqdeleted" in files(database, url, "messages_by_words")  # or the test would show nothing
            await storage.scrub()
            index = files(database, url, "messages_by_words")
            assert b"zqstays" in index and b"zqnew" in index
            assert b"zqdeleted" not in index and b"zqedited" not in index
            assert b"zqaccount" not in files(database, url, "accounts_username_key")
            assert (await storage.search("zqstays", None, 9)).messages
            assert psql(url, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0"


async def test_scrubbing_is_due_once_a_day_and_only_after_something_went(url, monkeypatch):
    """Posts alone cost nothing; several nodes do it once."""
    done = []
    real = scrubbing.scrub_all

    async def counted(db):
        done.append(1)
        await real(db)

    monkeypatch.setattr(scrubbing, "scrub_all", counted)
    monkeypatch.setattr("storage.postgres.LOOK_SECONDS", 0.0)
    async with opened(url, 2) as nodes:
        await nodes[0].append(None, "one", None)
        await nodes[0].scrub()
        assert done == []
        await nodes[0].delete(1)
        for node in nodes:
            await node.scrub()
        assert len(done) == 1
        await nodes[0].append(None, "two", None)
        await nodes[1].edit(3, "changed")
        await nodes[0].scrub()
        assert len(done) == 1  # not again on the same day
        monkeypatch.setattr(scrubbing, "EVERY_MS", 0)
        await nodes[0].scrub()
        await nodes[1].scrub()
        assert len(done) == 2


async def test_scrubbing_is_due_for_other_boards_whatever_an_older_node_has_done(url, monkeypatch):
    """It notes only that it came to the end with the first board. Without other boards, it is not due for them."""
    async with opened(url) as storage, asyncpg_of(url) as db:
        await storage.append(None, "one", None)
        await storage.delete(1)
        await storage.scrub()
        psql(url, "COMMENT ON TABLE longboard.posts IS NULL")
        assert not await scrubbing.is_due(db)
        board = await storage.create_board(None, "rowing", "Rowing")
        there, _ = await storage.append(None, "two", None, board_id=board.id)
        assert not await scrubbing.is_due(db)
        await storage.delete(there.id, board_id=board.id)
        assert await scrubbing.is_due(db)
        await scrubbing.scrub_all(db)
        assert not await scrubbing.is_due(db)


@contextlib.asynccontextmanager
async def asyncpg_of(url):
    db = await connect(url)
    yield db
    await db.close()


async def test_what_a_node_that_died_left_of_an_index_is_cleared_away(url, monkeypatch):
    """Else it would cost each write for ever."""
    async with opened(url) as storage:
        await storage.append(None, "one", None)
        await storage.delete(1)
        psql(url, "CREATE INDEX messages_by_words_ccnew ON longboard.messages USING gin (search)")
        psql(
            url,
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'longboard.messages_by_words_ccnew'::regclass",
        )
        await storage.scrub()
    assert psql(url, "SELECT count(*) FROM pg_class WHERE relname = 'messages_by_words_ccnew'") == "0"


# --- a database that lacks what clients have seen


def restored(url, new_database, dump):
    """Another database with what was dumped."""
    target = new_database()
    subprocess.run(
        [programs() / "psql", "-qX", "-v", "ON_ERROR_STOP=1", target], input=dump, check=True, capture_output=True
    )
    return target


def test_clients_from_before_a_restore_begin_anew(start, url, new_database):
    """Their numbers are given again, to other words: with a new epoch nobody takes these for those."""
    server = start(database_url=url)
    ada = Person(server)
    server.post("in the backup")
    link = admin(f"--database-url={url}", "invite").stdout.partition("#")[2].split()[0]
    bot = ada.api.post("/api/v1/tokens", json={"name": "a bot", "password": PASSWORD}).json()["token"]
    dump = subprocess.run([programs() / "pg_dump", "--schema=longboard", url], check=True, capture_output=True).stdout
    server.post("lost")
    token = ada.api.headers["Authorization"]
    cursor = server.cursor
    server.stop()
    server.settings["database_url"] = target = restored(url, new_database, dump)
    said = admin(f"--database-url={target}", "new-epoch").stdout
    assert "new epoch" in said and "sign in again" in said
    server.start()
    server.post("another, with the same number")
    reply = server.news(cursor)
    assert reply["reset"] and [m["body"] for m in reply["messages"]] == [
        "in the backup",
        "another, with the same number",
    ]
    assert server.cursor.partition("-")[2] == cursor.partition("-")[2]  # what would have misled it
    statuses = [
        server.get("/api/v1/me", headers={"Authorization": shown}).status_code for shown in (token, f"Bearer {bot}")
    ]
    assert statuses == [401, 200]
    assert psql(target, "SELECT count(*) FROM longboard.links") == "0" and link


def test_a_running_board_and_its_pages_hear_of_a_new_epoch(start, url):
    """After a fail-over nobody needs to stop it, nor to sign in again; a parked poll is told at once."""
    server = start(database_url=url)
    ada = Person(server)
    server.post("words")
    cursor = server.cursor
    with concurrent.futures.ThreadPoolExecutor() as pool:
        parked = pool.submit(server.news, cursor, 25)
        server.until_parked(1)
        admin(f"--database-url={url}", "new-epoch", "--keep-sessions")
        assert parked.result()["reset"]
    assert server.cursor.partition("-")[0] != cursor.partition("-")[0]
    until(lambda: ada.api.get("/api/v1/me").status_code == 200)


def test_a_running_board_forgets_who_was_signed_in(start, url):
    """At once, not when what it knows of them is a minute old."""
    server = start(database_url=url, poll_seconds=600)
    ada = Person(server)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        parked = pool.submit(ada.api.get, f"/api/v1/messages?after={server.cursor}&wait=600")
        server.until_parked(1)
        admin(f"--database-url={url}", "new-epoch")
        assert parked.result().status_code == 401
    assert ada.api.get("/api/v1/me").status_code == 401


async def test_a_file_put_back_by_hand_has_a_new_epoch_as_well(tmp_path):
    """As by a tool that replicates it."""
    url = f"sqlite:///{tmp_path}/board.db"
    storage = await open_storage(url)
    before = [(await storage.snapshot(changes=1, page=1)).head.epoch, await storage.secret()]
    account = await storage.create_account("ada", "Ada", Password(None))
    for kind in ("session", "token", "bot"):
        await storage.create_credential(account.id, kind, kind.encode(), "x")
    await storage.close()
    admin(f"--database-url={url}", "new-epoch")
    storage = await open_storage(url)
    after = [(await storage.snapshot(changes=1, page=1)).head.epoch, await storage.secret()]
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert [one.kind for one in await storage.credentials(account.id)] == ["bot"]
    await storage.close()
