"""Moving a board from SQLite to PostgreSQL: everything comes along, once, and open pages go on."""

import asyncio
import contextlib
import os
import sqlite3
import tempfile
from contextlib import aclosing

import pytest

from admin.__main__ import parser
from admin.move import move
from board.credentials import hash_secret
from storage import open_storage, open_transfer
from storage.errors import CannotOpenError, StorageError
from storage.people import Picture
from storage.postgres.transfer import PORTION, PostgreSQLTransfer, portions
from storage.records import OPERATOR, Asker, Author, Guest, Import, Password
from storage.sqlite.transfer import SQLiteTransfer
from storage.tables import TABLES
from tests.support.admin import admin
from tests.support.people import PASSWORD, Person, client
from tests.support.postgres import psql

LATER = 10**14


@pytest.fixture
def source(tmp_path):
    return f"sqlite:///{tmp_path}/board.db"


@pytest.fixture
def target(new_database):
    return new_database()


async def run(source, target):
    options = parser().parse_args(["move", "--from", source, "--to", target])
    await move(None, options)


async def fill(url):
    """Something in every table, and in every column that may be empty."""
    storage = await open_storage(url)
    ada = await storage.create_account("ada", "Ada 😀", Password("$argon2id$x"))
    await storage.create_account("bob", "Bob", Password("sha1:x", "Bob the tutor"))
    gone = await storage.create_account("gone", "Gone", Password(None))
    await storage.delete_account(gone.id, keep_messages=False)
    for n in range(5):
        await storage.append(Author(ada.id, ada.name), f"by Ada {n}\n好", f"{n:022}", "192.0.2.1")
        await storage.append(
            None, f"by a guest {n}", None, "192.0.2.2", guest=Guest(f"Zoe {n}", hash_secret(f"{n:022}"))
        )
    await storage.edit(1, "edited")
    await storage.delete(3)
    await storage.import_messages([Import("old words", 1_300_000_000_000, "t" * 22)])
    for kind in ("session", "token", "bot"):
        await storage.create_credential(ada.id, kind, kind.encode(), f"a {kind}")
    await storage.create_link("invite", b"invite", None, LATER)
    await storage.create_link("password", b"password", ada.id, LATER)
    identity = await storage.create_account_with_identity("facebook", "1", "2", "Grace", ["grace"])
    await storage.set_picture(identity.id, Picture("image/png", b"\x89PNG\0\xff"))
    await storage.create_credential(identity.account.id, "session", b"by facebook", "x", identity_id=identity.id)
    await storage.use_once(b"state", LATER)
    await storage.erase_identity("facebook", "1", "unknown", LATER, "code-1")
    await storage.erase_identity("facebook", "1", "unknown", LATER, "Code-2")
    await storage.block_address(None, 2, LATER)
    await storage.add_failed_tries({ada.id: 3})
    await storage.note_sign_in(ada.id, 1)
    await storage.suspend(None, "bob")
    await storage.create_identity(ada.id, "facebook", "1", "4", "Ada at Facebook")
    await storage.create_account_with_identity("facebook", "1", "3", "Erased", ["erased"])
    await storage.suspend(None, "erased")
    await storage.erase_identity("facebook", "1", "3", LATER, "code-3")
    board = await storage.create_board(ada, "rowing", "Rowing", read_by="invited", most_owned=1)
    await storage.invite(ada, board.id, identity.account.id)
    posted, _ = await storage.append(
        Author(ada.id, ada.name), "elsewhere by Ada", "e" * 22, "192.0.2.1", None, board.id
    )
    await storage.append(None, "a reply", None, reply_to=1)
    await storage.append(Author(ada.id, ada.name), "a reply", None, board_id=board.id, reply_to=posted.id)
    await storage.save_marks(
        {(ada.id, 1): 1, (ada.id, board.id): posted.id, (identity.account.id, board.id): posted.id}
    )
    await storage.set_role(None, "ada", "moderator")
    for id in (1, posted.id):
        await storage.pin(id, Asker(ada.id))
    await storage.set_role(None, "ada", "member")
    for id, kind in ((1, "heart"), (posted.id, "heart"), (posted.id, "eyes")):
        await storage.react(id, kind, Asker(ada.id))
    hook = await storage.make_hook(ada, board.id, "Bell", ["webhook_bell"], b"hook")
    await storage.post_by_hook(hook.id, b"hook", board.id, "by a hook", "digest", "192.0.2.3")
    await storage.add_webhook(ada, None, board.id, "https://a.example/", "standard", b"secret")
    times = "old_until = 1, paused_at = 2, next_at = 3, succeeded_at = 4, failed_at = 5"
    await storage._write(
        lambda tx: tx.run(f"UPDATE webhooks SET {times}, old_secret = secret, ended = 'gone', error = '410'")
    )
    await storage.close()


async def everything(url):
    """All that can be asked of a storage."""
    storage = await open_storage(url)
    ids = [(await storage.account(name)).id for name in ("ada", "bob", "grace")]
    found = [
        await storage.snapshot(changes=1000, page=50),
        await storage.changes_after(0, 1000),
        await storage.secret(),
        [await storage.account_of(id) for id in ids],
        [await storage.credentials(id) for id in ids],
        [await storage.password(name) for name in ("ada", "bob", "grace")],
        await storage.identity("facebook", "1", "2"),
        await storage.identity("facebook", "1", "4"),
        await outcome(storage.create_account("erased", "Nobody", Password(None))),
        await outcome(storage.create_account_with_identity("facebook", "1", "3", "Erased", ["another"])),
        await storage.picture(ids[2]),
        await storage.audit(None, 100, OPERATOR),
        [await storage.failed_tries(id) for id in ids],
        await storage.link("password", b"password"),
        await storage.erased_at("code-1"),
        sorted(await storage.access_changes_after(0)),
        await storage.search("guest", None, 50),
        await storage.log_after(0, 1000),
        await storage.listed(OPERATOR, "", 100, {}),
        await storage.invited(2, OPERATOR, 0, 100),
        [await storage.standing(id, Asker(ids[0]), {}) for id in (1, 2)],
        await storage.search("elsewhere", None, 50, 2, OPERATOR),
        await storage.snapshot_on(2, OPERATOR, changes=100, page=50),
        await storage.reacted_by(ids[0], 0, 100),
        await storage.audit(None, 100, OPERATOR),
        await storage.hooks_on(await storage.account_of(ids[0]), 2),
        await storage.hook_by(1, b"hook"),
        await storage.post_by_hook(1, b"hook", 2, "by a hook", "digest", None),
    ]
    await storage.close()
    return found


async def outcome(attempt):
    """What kept it from being done."""
    try:
        await attempt
    except StorageError as error:
        return type(error)
    raise AssertionError("it was done")


async def test_everything_is_the_same_afterwards(source, target, capsys):
    """Messages, people, passwords, keys, secrets, links, the log: whatever is asked, the answer is the same."""
    await fill(source)
    before = await everything(source)
    db = sqlite3.connect(source.removeprefix("sqlite:///"))
    for table in TABLES:
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0], f"the test has nothing in {table}"
    db.close()
    await run(source, target)
    assert await everything(target) == before
    assert "12 messages" in capsys.readouterr().out


async def test_numbers_and_ids_go_on_where_they_were(source, target):
    """The next message has the next number, no id is given again, and a late retry posts nothing."""
    await fill(source)
    await run(source, target)
    storage = await open_storage(target)
    seq = (await storage.log_after(0, 1)).head.seq
    assert (await storage.create_account("next", "x", Password(None))).id == 7
    ada = await storage.account("ada")
    assert not (await storage.append(Author(ada.id, ada.name), "by Ada 4\n好", f"{4:022}"))[1]
    assert (await storage.append(None, "next", None, "192.0.2.9"))[0].id == seq + 1
    await storage.close()


async def test_the_source_is_marked_and_refused(source, target):
    """Nobody goes on posting to what was left behind; and it says how to go back."""
    await fill(source)
    await run(source, target)
    with pytest.raises(CannotOpenError, match=r"was moved to PostgreSQL \(127.0.0.1/.*DROP TABLE moved"):
        await open_storage(source)
    with pytest.raises(CannotOpenError, match="was moved"):
        await run(source, target)


@pytest.mark.parametrize("where", ["insert", "continue_numbers"])
async def test_a_move_that_breaks_off_has_changed_nothing(source, target, monkeypatch, where):
    """It can be repeated, and then it is whole."""
    await fill(source)
    before = await everything(source)

    async def fail(*_):
        raise ConnectionResetError("cut")

    with monkeypatch.context() as broken:
        broken.setattr(PostgreSQLTransfer, where, fail)
        with pytest.raises(StorageError, match="cut"):
            await run(source, target)
    assert psql(target, "SELECT count(*) FROM longboard.messages") == "0"
    assert await everything(source) == before
    await run(source, target)
    assert await everything(target) == before


async def test_a_move_that_was_whole_but_for_the_mark_only_sets_it(source, target, monkeypatch):
    """A break at the last moment leaves no board twice."""
    await fill(source)
    before = await everything(source)

    def fail(*_):
        raise OSError("power failure")

    with monkeypatch.context() as broken:
        broken.setattr(SQLiteTransfer, "mark_as_moved", fail)
        with pytest.raises(OSError, match="power"):
            await run(source, target)
    await run(source, target)
    with pytest.raises(CannotOpenError, match="was moved"):
        await open_storage(source)
    assert await everything(target) == before


async def test_what_arrives_is_compared(source, target, monkeypatch):
    """A row that is not as it was sent ends the move, with nothing kept."""
    await fill(source)
    real = PostgreSQLTransfer.insert

    async def careless(self, table, rows):
        await real(self, table, [(*row[:3], LATER - 1, *row[4:]) for row in rows] if table == "links" else rows)

    monkeypatch.setattr(PostgreSQLTransfer, "insert", careless)
    with pytest.raises(StorageError, match="table links"):
        await run(source, target)
    assert psql(target, "SELECT count(*) FROM longboard.messages") == "0"
    await (await open_storage(source)).close()


async def test_a_board_in_use_is_not_moved(source, target):
    """Neither from under a running server, nor onto another board."""
    await fill(source)
    running = await open_storage(source)
    with pytest.raises(StorageError, match="stop the board first"):
        await run(source, target)
    await running.close()
    other = await open_storage(target)
    await other.append(None, "somebody's", None)
    await other.close()
    with pytest.raises(StorageError, match=r"a board in .* already"):
        await run(source, target)
    for wrong in ("sqlite:////no/such/file.db", "board.db"):
        with pytest.raises(StorageError):
            await run(wrong, target)


async def test_the_move_keeps_others_out_of_the_source(source):
    """Between its transactions, too: a post that came in then would be left behind."""
    path = source.removeprefix("sqlite:///")
    await fill(source)
    alone = await SQLiteTransfer.open_alone(path)
    for _ in range(2):
        with (
            contextlib.closing(sqlite3.connect(path, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("SELECT count(*) FROM messages")
        await alone.write(lambda tx: tx.run("UPDATE board SET seq = seq"))
    await alone.aclose()
    await (await open_storage(source)).close()


def test_open_pages_go_on_after_a_move(start, target):
    """Cursors, sessions, tokens and passwords are good on the new database: the page notices a restart at most."""
    server = start()
    person = Person(server)
    browser = person.browser()
    token = person.api.headers["Authorization"].removeprefix("Bearer ")
    person.post("before")
    cursor = server.cursor
    last = server.post("last", key="k" * 22).json()
    assert server.stop() == 0
    moved = admin(
        "--database-url=sqlite:///unused.db", "move", "--from", server.settings["database_url"], "--to", target
    )
    assert "The board has moved" in moved.stdout, moved.stderr
    server.settings["database_url"] = target
    server.start()
    reply = server.news(cursor)
    assert reply["messages"] == [last] and "reset" not in reply
    assert server.post("last", key="k" * 22).status_code == 200
    assert client(server, token).get("/api/v1/me").json()["account"]["id"] == person.id
    assert server.open(cookies=browser.cookies).get("/account").status_code == 200
    signed_in = server.client.post("/api/v1/signin", json={"username": person.username, "password": PASSWORD})
    assert signed_in.status_code == 200
    assert asyncio.run(words_of(target)) == ["before", "last"]


async def words_of(url):
    storage = await open_storage(url)
    page = await storage.before(None, 10)
    await storage.close()
    return [message.body for message in page.messages]


def test_migrate_makes_the_database_ready(target):
    """Before the first server starts, such as in a release phase; again is harmless."""
    for _ in range(2):
        done = admin(f"--database-url={target}", "migrate")
        assert done.stdout == "The database is ready.\n", done.stderr
    assert psql(target, "SELECT count(*) FROM longboard.board") == "1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_a_board_that_can_not_be_read_is_refused_in_words():
    """One of another user: no traceback of sqlite3."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        await (await open_storage(f"sqlite:///{folder}/board.db")).close()
        os.seteuid(65534)
        try:
            with pytest.raises(CannotOpenError, match="can't be"):
                await SQLiteTransfer.open_alone(f"{folder}/board.db")
        finally:
            os.seteuid(0)


# --- the connection to PostgreSQL


LIMIT = "SELECT current_setting('idle_in_transaction_session_timeout')"


async def test_who_keeps_others_from_writing_may_not_pause(target):
    """A reader waits for a disk or a pipe, and holds nobody up."""
    async with aclosing(await open_transfer(target, create=True)) as transfer:
        assert tuple(await transfer.write(lambda tx: tx.one(LIMIT))) == ("2s",)
    async with aclosing(await open_transfer(target, create=False)) as transfer:
        assert tuple(await transfer.write(lambda tx: tx.one(LIMIT))) == ("2s",)
        assert tuple(await transfer.read(lambda tx: tx.one(LIMIT))) == ("0",)


async def test_a_move_may_wait_for_its_source(source, target, monkeypatch):
    await fill(source)
    limits, real = [], PostgreSQLTransfer.insert

    async def look(self, *arguments):
        limits.append(tuple(await self.tx.one(LIMIT)))
        await real(self, *arguments)

    monkeypatch.setattr(PostgreSQLTransfer, "insert", look)
    await run(source, target)
    assert set(limits) == {("0",)}


async def test_a_goodbye_that_is_not_answered_hides_nothing(target, monkeypatch):
    """What was done stays done, and what had failed says why."""

    async def never(*_, **__):
        raise TimeoutError

    with pytest.raises(StorageError, match="the reason"):
        async with aclosing(await open_transfer(target, create=True)) as transfer:
            monkeypatch.setattr(type(transfer._db), "close", never)
            raise StorageError("the reason")
    transfer._db.terminate()


def test_large_pictures_go_in_portions():
    """A statement has a few megabytes, also for 500 large pictures."""
    rows = [(number, None, b"x" * size) for number, size in enumerate([1, PORTION, PORTION // 2, PORTION // 2, 2, 3])]
    assert list(portions(rows)) == [rows[:2], rows[2:4], rows[4:]]
    assert list(portions([])) == []
