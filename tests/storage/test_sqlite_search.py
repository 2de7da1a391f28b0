"""The search index as SQLite keeps it: made while the board runs, gone with the words, bounded in time."""

import asyncio
import sqlite3
import threading

import pytest

from storage import open_storage
from storage.errors import CannotOpenError, NotFoundError, UnavailableError
from storage.records import GUEST, Import
from storage.sqlite import connection, search, word_index
from storage.sqlite.checkup import check_up
from storage.sqlite.schema import migrate
from tests.storage import test_storage
from tests.storage.test_search_storage import find
from tests.storage.test_storage import bodies
from tests.support.browser import SCRIPTS
from tests.support.patience import PATIENCE

storage = test_storage.storage


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/board.db"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "board.db"


def fill(path, count, body="message"):
    """Messages as a Longboard without a search index left them."""
    asyncio.run(open_and_close(path))
    with sqlite3.connect(path) as db:
        db.executemany(
            "INSERT INTO messages (id, seq, body, created_at) VALUES (?, ?, ?, 1)",
            ((n, n, f"{body} {n}") for n in range(1, count + 1)),
        )
        db.execute("UPDATE board SET seq = ?", (count,))
    db.close()


async def open_and_close(path):
    await (await open_storage(f"sqlite:///{path}")).close()


async def test_an_old_board_is_indexed_while_it_runs(path, monkeypatch):
    """The newest is found first; until all is, a search says that it is not complete; posts go on meanwhile."""
    monkeypatch.setattr(word_index, "IDS_IN_A_PART", 100)
    await asyncio.to_thread(fill, path, 1000)
    monkeypatch.setattr(search.Search, "start_indexing", lambda storage: None)
    storage = await open_storage(f"sqlite:///{path}")
    assert not (await storage.search("message", None, 50)).is_complete
    await storage.append(None, "posted meanwhile", None)
    found = await storage.search("message", None, 5)
    assert bodies(found.messages) == ["message 1000"] and not found.is_complete
    await storage._index_all()
    found = await storage.search("message", None, 2000)
    assert len(found.messages) == 1000 and found.is_complete
    assert await find(storage, "posted") == ["posted meanwhile"]
    await storage.close()


async def test_indexing_goes_on_where_it_was_stopped(path, monkeypatch):
    """A restart in the middle does nothing twice and leaves nothing out."""
    monkeypatch.setattr(word_index, "IDS_IN_A_PART", 100)
    await asyncio.to_thread(fill, path, 1000)
    made, real = [], search.ensure
    monkeypatch.setattr(search, "ensure", lambda db, index, number: made.append(number) or real(db, index, number))
    while 0 not in made:
        before = len(made)
        storage = await open_storage(f"sqlite:///{path}")
        while len(made) == before:
            await asyncio.sleep(0.001)
        await storage.close()
    assert made == list(range(10, -1, -1))


async def test_indexing_waits_out_a_busy_database(path, monkeypatch):
    """A fault that passes leaves no hole in the index until some restart."""
    await asyncio.to_thread(fill, path, 10)
    monkeypatch.setattr(search, "RETRY_SECONDS", 0.01)
    failing, real = [1, 2, 3], search.ensure

    def ensure(db, index, number):
        if failing:
            failing.pop()
            raise sqlite3.OperationalError("database or disk is full")
        real(db, index, number)

    monkeypatch.setattr(search, "ensure", ensure)
    storage = await open_storage(f"sqlite:///{path}")
    while not (await storage.search("nonesuch", None, 1)).is_complete:
        await asyncio.sleep(0.001)
    assert not failing and len(await find(storage, "message")) == 10
    await storage.close()


async def test_what_another_version_cut_is_made_anew(path, monkeypatch):
    """After an update that cuts words in another way, old messages are found, changed and deleted as ever."""
    monkeypatch.setattr(word_index, "VERSION", "old")
    monkeypatch.setattr(word_index, "words", lambda body: [word[::-1] for word in body.split()])
    storage = await open_storage(f"sqlite:///{path}")
    ids = [(await storage.append(None, f"regrettable {n}", None))[0].id for n in range(3)]
    await storage.close()
    monkeypatch.undo()
    monkeypatch.setattr(search.Search, "start_indexing", lambda storage: None)
    storage = await open_storage(f"sqlite:///{path}")
    await storage.delete(ids[0])
    await storage.edit(ids[1], "better")
    assert await find(storage, "regrettable") == ["regrettable 2"] and await find(storage, "better") == ["better"]
    await storage.close()
    assert b"elbatterger" not in path.read_bytes()


@pytest.mark.parametrize("way", ["delete", "edit", "remove_all"])
async def test_deleted_words_are_gone_from_the_index(path, way):
    """No word of a deleted message can be found in the file with any tool, among thousands that stay."""
    storage = await open_storage(f"sqlite:///{path}")
    for number in range(300):
        await storage.append(None, f"ordinary words {number} " + SCRIPTS[number % len(SCRIPTS)], None)
    message, _ = await storage.append(None, "regrettable 悔恨", None, "192.0.2.1")
    for number in range(300):
        await storage.append(None, f"later words {number}", None)
    act = {"delete": (message.id,), "edit": (message.id, "fine"), "remove_all": (None, message.id)}[way]
    await getattr(storage, way)(*act)
    assert await find(storage, "regrettable") == [] and len(await find(storage, "later", limit=500)) == 300
    await storage.close()
    assert not path.with_name("board.db-wal").exists()
    content = path.read_bytes()
    assert b"regrettable" not in content and b"egrettabl" not in content and "悔恨".encode() not in content


async def words_in(storage):
    """(word, number of the message) for all that the index has, and the rows it counts, as FTS5 itself tells."""

    def look(db):
        found, rows = [], 0
        for (number,) in db.execute("SELECT number FROM search_parts").fetchall():
            db.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.words_in USING fts5vocab(main, words_{number}, instance)"
            )
            found += db.execute("SELECT term, doc FROM temp.words_in").fetchall()
            db.execute("DROP TABLE temp.words_in")
            rows += db.execute(f"SELECT block FROM words_{number}_data WHERE id = 1").fetchone()[0][0]
        return sorted(found, key=lambda pair: pair[1]), rows

    return await storage._writer._connection.run(look)


@pytest.mark.parametrize("part", [word_index.IDS_IN_A_PART, 3])
async def test_what_is_posted_and_changed_in_one_transaction_is_indexed_as_it_is_then(storage, monkeypatch, part):
    """A post, an edit and a removal may be committed together: the index has the last state, once, and nothing else."""
    monkeypatch.setattr(word_index, "IDS_IN_A_PART", part)
    batches, real = [], connection.commit
    monkeypatch.setattr(
        connection, "commit", lambda db, units, *rest: batches.append(len(units)) or real(db, units, *rest)
    )
    before = (await storage.append(None, "before", None))[0].id
    outcomes = await asyncio.gather(
        storage.append(None, "first", None),
        storage.append(None, "second", None),
        storage.edit(before + 1, "edited"),
        storage.delete(before + 2),
        storage.edit(before, "changed"),
        storage.delete(99),
        storage.append(None, "last", None),
        return_exceptions=True,
    )
    assert batches == [1, 7] and [isinstance(one, NotFoundError) for one in outcomes].count(True) == 1
    last = outcomes[-1][0].id
    assert await words_in(storage) == ([("changed", before), ("edited", before + 1), ("last", last)], 3)
    await storage.delete(before + 1)
    await storage.edit(last, "")
    assert await words_in(storage) == ([("changed", before)], 1)


async def test_a_fault_in_the_indexing_keeps_nothing_and_holds_up_nobody(storage, monkeypatch):
    """What can't be indexed is not half kept: that transaction fails as a whole, the next is as ever."""
    with monkeypatch.context() as patched:
        patched.setattr(word_index, "words", lambda body: 1 / 0)
        outcomes = await asyncio.gather(*(storage.append(None, "lost", None) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError] * 3
    await storage.append(None, "kept", None)
    assert bodies((await storage.before(None, 5)).messages) == ["kept"] == await find(storage, "kept")


async def test_a_search_that_is_slow_within_one_part_ends_in_time(storage, monkeypatch):
    """Where the same words stand everywhere, to look for a phrase of them takes long."""
    words = "ab cd " * 600
    await storage.import_messages([Import(words, 1, f"repeated-{n:020}") for n in range(800)])
    monkeypatch.setattr(search, "SEARCH_SECONDS", 0.002)
    with pytest.raises(UnavailableError, match="took more"):
        await storage.search('"' + "ab cd " * 7 + 'cd"', None, 10)
    monkeypatch.setattr(search, "SEARCH_SECONDS", 60)
    assert (await storage.search('"' + "ab cd " * 7 + 'cd"', None, 10)).messages == []


async def test_a_slow_search_ends_in_time(storage, monkeypatch):
    """With what it has found, or else by saying that it took too long."""
    await storage.append(None, "found", None)
    monkeypatch.setattr(search, "SEARCH_SECONDS", -1)
    with pytest.raises(UnavailableError, match="took more"):
        await storage.search("found", None, 5)
    monkeypatch.setattr(search, "SEARCH_SECONDS", 60)
    monkeypatch.setattr(search, "SEARCHES_WAITING_MAX", 2)
    outcomes = await asyncio.gather(*(storage.search("found", None, 5) for _ in range(4)), return_exceptions=True)
    assert [isinstance(outcome, UnavailableError) for outcome in outcomes] == [False, False, True, True]
    assert await find(storage, "found") == ["found"]


async def test_a_slow_search_holds_up_nothing_else(storage, monkeypatch):
    """Pages, polls and posts have connections of their own."""
    go_on = threading.Event()
    monkeypatch.setattr(search, "to_match", lambda wanted, mark: go_on.wait(PATIENCE) and '"found"')
    searching = asyncio.create_task(storage.search("found", None, 5))
    message, _ = await storage.append(None, "found", None)
    assert await storage.message(message.id, GUEST) == message and (await storage.changes_after(0, 5)).messages == [
        message
    ]
    assert not searching.done()
    go_on.set()
    await searching


async def test_the_doctor_sees_what_is_not_indexed_yet(path, monkeypatch):
    """An index that is still being made is named, a whole one is well."""
    await asyncio.to_thread(fill, path, 10)
    said = "the search index lacks old messages; the running board adds them bit by bit"
    assert (False, said) in check_up(str(path))
    storage = await open_storage(f"sqlite:///{path}")
    while not (await storage.search("nonesuch", None, 1)).is_complete:
        await asyncio.sleep(0.001)
    await storage.close()
    assert (True, "the search index has all messages") in check_up(str(path))


def test_a_python_without_fts5_is_told_so():
    """Rather a clear word at the start than posts that fail."""

    class NoFts5:
        def execute(self, sql):
            assert "fts5" in sql
            return self

        def fetchone(self):
            return None

    with pytest.raises(CannotOpenError, match="FTS5"):
        migrate(NoFts5(), "board.db")


async def test_a_part_without_the_word_costs_next_to_nothing(path, monkeypatch):
    """So a million messages are as good as a thousand: what grows is only the number of parts."""
    monkeypatch.setattr(word_index, "IDS_IN_A_PART", 100)
    await asyncio.to_thread(fill, path, 2000, "好天気")
    storage = await open_storage(f"sqlite:///{path}")
    while not (await storage.search("nonesuch", None, 1)).is_complete:
        await asyncio.sleep(0.001)
    await storage.edit(7, "鷦鷯の巣")
    ran = []

    def count(db):
        db.set_progress_handler(lambda: ran.append(1), 1)
        try:
            return search.read_found(db, search.parse("鷦鷯"), None, 5, 60)
        finally:
            db.set_progress_handler(None, 0)

    found = await storage._search_reader.read(count)
    assert bodies(found.messages) == ["鷦鷯の巣"] and len(ran) < 21 * 100, len(ran)
    await storage.close()
