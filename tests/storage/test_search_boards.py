"""Finding messages on many boards at once: what every storage engine does, and that nobody is told of hidden boards."""

import asyncio
import contextlib
import functools
import itertools
import pathlib
import sqlite3
import threading
import types

import pytest

from storage import open_storage, rows
from storage.asking import read_readable
from storage.boards import BoardChange
from storage.errors import NotFoundError, SearchBusyError, SearchTooLongError, UnavailableError
from storage.postgres import search as postgres_search
from storage.queries import parse
from storage.records import FIRST_BOARD, GUEST, OPERATOR, Asker
from storage.sqlite import search, word_index
from tests.storage import test_storage
from tests.storage.test_boards import AS_ADA, AS_BOB, made
from tests.storage.test_boards_plans import Explaining
from tests.storage.test_storage import ADA, BOB, bodies
from tests.support.in_process import settled
from tests.support.postgres import psql

storage = test_storage.storage


async def find_in(storage, board_ids, query, asker=GUEST, before=None, limit=50):
    return bodies((await storage.search_in(board_ids, query, before, limit, asker)).messages)


async def test_what_is_found_on_many_boards_comes_newest_first_and_once(storage, monkeypatch):
    """Whichever board has it, in whichever part of the index; pages go on where the last one ended."""
    monkeypatch.setattr(word_index, "IDS_IN_A_PART", 4)
    boards = [FIRST_BOARD, *[(await made(storage, f"b{number}")).id for number in range(3)]]
    posted = [
        (await storage.append(None, f"low tide {number}", None, board_id=boards[number * 7 % 5 % 4]))[0]
        for number in range(23)
    ]
    await storage.append(None, "other words", None, board_id=boards[1])
    expected = [(one.id, one.board_id) for one in reversed(posted)]
    for order in (boards, boards[::-1]):
        for limit in (1, 2, 3, 7, 22, 23, 24):
            seen, before, older = [], None, True
            while older:
                page = await storage.search_in(order, "tide", before, limit, GUEST)
                assert len(page.messages) <= limit and page.is_complete
                seen += [(one.id, one.board_id) for one in page.messages]
                before, older = page.messages[-1].id, page.older
            assert seen == expected, (order, limit)
    assert len({board for _, board in expected}) == 4
    assert await find_in(storage, boards[2:], '"tide 12"') + await find_in(storage, boards[:2], '"tide 12"') == [
        "low tide 12"
    ]
    assert await find_in(storage, boards, "?!") == []


async def test_each_asker_finds_what_they_may_read(storage):
    """Boards of the invited for those who own them or are invited, and for their bots' tokens made for these; archived
    boards, no deleted ones. Boards that never were change nothing.
    """
    ada, boards = await storage.account("ada"), {"first": FIRST_BOARD}
    for name, read_by in {"open": "everyone", "club": "members", "hers": "invited", "archived": "everyone",
                          "deleted": "everyone"}.items():  # fmt: skip
        boards[name] = (await made(storage, name, actor=ada, read_by=read_by)).id
    for name, id in boards.items():
        await storage.append(ADA, f"tide {name}", None, board_id=id)
    await storage.invite(None, boards["hers"], BOB.id)
    await storage.set_board(None, boards["archived"], BoardChange(is_archived=True))
    await storage.delete_board(None, boards["deleted"])
    bots = [
        Asker(ADA.id, (await storage.create_credential(ADA.id, "bot", bytes([n]), "a bot", board_id=id)).id)
        for n, id in enumerate((None, boards["hers"]))
    ]
    everywhere = [*boards.values(), 99, 10**18, -1]

    async def found_by(asker):
        return [body.removeprefix("tide ") for body in await find_in(storage, everywhere, "tide", asker)]

    whole = ["archived", "hers", "club", "open", "first"]
    assert await found_by(GUEST) == ["archived", "open", "first"]
    assert await found_by(bots[0]) == ["archived", "club", "open", "first"]
    assert [await found_by(asker) for asker in (AS_ADA, AS_BOB, bots[1], OPERATOR)] == [whole] * 4
    await storage.uninvite(None, boards["hers"], BOB.id)
    assert await found_by(AS_BOB) == await found_by(bots[0])
    for query in ("tide", "", '"'):
        with pytest.raises(NotFoundError):
            await storage.search_in([boards["hers"], boards["deleted"], 99], query, None, 9, GUEST)


async def test_rights_and_messages_are_those_of_one_moment(url, monkeypatch):
    """A board is closed, and a secret written there, after the rights were read: the secret is not found."""
    engine = search if url.startswith("sqlite") else postgres_search
    storage = await open_storage(url)
    board = await made(storage)
    await storage.append(None, "tide for all", None, board_id=board.id)
    real, seen = engine.read_readable, []

    async def close_and_write():
        other = await open_storage(url)
        await other.set_board(None, board.id, BoardChange(read_by="invited"))
        await other.append(None, "tide is a secret", None)
        seen.append(await other.log_after(0, 9))
        await other.close()

    async def read_and_close(tx, board_ids, asker):
        found = await real(tx, board_ids, asker)
        closing = close_and_write()
        await asyncio.to_thread(asyncio.run, closing) if engine is postgres_search else asyncio.run(closing)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(engine, "read_readable", read_and_close)
        assert await find_in(storage, [FIRST_BOARD, board.id], "tide") == ["tide for all"]
    assert len(seen[0].messages) == 2
    assert await find_in(storage, [FIRST_BOARD, board.id], "tide") == ["tide is a secret"]
    await storage.close()


# --- within bounds


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_search_whose_time_is_over_has_found_whole_parts(storage, monkeypatch):
    """What it gives has no holes, whichever board it was at; the next page goes on there."""
    monkeypatch.setattr(word_index, "IDS_IN_A_PART", 4)
    board, real = await made(storage), search.read_in_part
    for number in range(12):
        await storage.append(None, f"tide {number}", None, board_id=(FIRST_BOARD, board.id)[number % 2])
    boards, clock = [FIRST_BOARD, board.id], Clock()
    whole = await find_in(storage, boards, "tide")

    def slow_in_the_oldest(db, number, wanted, before, board_id, *rest):
        clock.now += 100 if number == 0 and board_id == FIRST_BOARD else 0
        return real(db, number, wanted, before, board_id, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(search, "time", clock)
        patched.setattr(search, "read_in_part", slow_in_the_oldest)
        page = await storage.search_in(boards, "tide", None, 50, GUEST)
    assert 0 < len(page.messages) < len(whole) and page.older
    rest = await find_in(storage, boards, "tide", before=page.messages[-1].id)
    assert bodies(page.messages) + rest == whole


class Clock:
    """In the place of the module `time`: it stands still, and counts how often it was looked at."""

    def __init__(self):
        self.now = 0.0
        self.looks = 0

    def monotonic(self):
        self.looks += 1
        return self.now


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_all_boards_together_have_the_time_of_one_search(storage, monkeypatch):
    """It is over at the third board. The connection is as good as before when a statement is broken off."""
    boards = [FIRST_BOARD, *[(await made(storage, f"b{number}")).id for number in range(5)]]
    await storage.append(None, "tide", None, board_id=boards[-1])
    times, seen = [], []

    @contextlib.asynccontextmanager
    async def timed(seconds):
        async with asyncio.timeout(None) as time:
            times.append((seconds, time))
            yield

    def messages_in(board_id):
        seen.append(board_id)
        if len(seen) == 3:
            times[-1][1].reschedule(0)  # which is long ago
            return f"pg_sleep(600), {rows.messages_in(board_id)}"
        return rows.messages_in(board_id)

    with monkeypatch.context() as patched:
        patched.setattr(postgres_search, "asyncio", types.SimpleNamespace(timeout=timed))
        patched.setattr(postgres_search, "messages_in", messages_in)
        with pytest.raises(SearchTooLongError):
            await storage.search_in(boards, "tide", None, 9, GUEST)
    assert [seconds for seconds, _ in times] == [postgres_search.SEARCH_SECONDS] and seen == boards[:3]
    assert [await find_in(storage, boards, "tide") for _ in range(5)] == [["tide"]] * 5


A_TURN = 0.001
"""Seconds after which a search that is held up looks whether it may go on."""


async def test_a_search_in_one_board_waits_for_no_more_than_one_in_several(url, storage, monkeypatch):
    """On SQLite for none. Nor is it refused when as many in several wait as may."""
    engine = search if url.startswith("sqlite") else postgres_search
    boards = [FIRST_BOARD, (await made(storage)).id]
    await storage.append(None, "tide", None)
    real, began, go_on, ended = engine.read_readable, threading.Event(), threading.Event(), []

    async def slow(tx, board_ids, asker):
        if len(board_ids) > 1 and not began.is_set():
            began.set()
            while not go_on.wait(A_TURN):  # SQLite's thread waits here, and PostgreSQL's loop goes on
                await (asyncio.sleep(A_TURN) if engine is postgres_search else tx.one("SELECT 1"))
        return await real(tx, board_ids, asker)

    async def look(name, there):
        await find_in(storage, there, "tide")
        ended.append(name)

    monkeypatch.setattr(engine, "read_readable", slow)
    monkeypatch.setattr(engine, "SEARCHES_WAITING_MAX", 3)
    several = [asyncio.create_task(look(f"several {number}", boards)) for number in range(3)]
    await settled(began.is_set)
    with pytest.raises(SearchBusyError):
        await find_in(storage, boards, "tide")
    one = asyncio.create_task(look("one", boards[:1]))
    try:
        await settled(lambda: ended == ["one"] or engine is postgres_search)
    finally:
        go_on.set()
    await asyncio.gather(one, *several)
    assert ended.index("one") == (0 if engine is search else 1)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_board_is_searched_in_parts_where_it_has_messages(storage, monkeypatch):
    """By the statements that look for words: one for each part and board, however many boards and parts there are."""
    monkeypatch.setattr(word_index, "IDS_IN_A_PART", 4)
    boards = [FIRST_BOARD, *[(await made(storage, f"b{number}")).id for number in range(5)]]
    posted = [await storage.append(None, "tide", None, board_id=boards[number // 4]) for number in range(24)]
    where = {(message.id // 4, message.board_id) for message, _ in posted}
    for there in (boards, boards[1:2], boards[2:4]):
        reader, said = storage._search_reader if len(there) == 1 else await storage._reader_of_several(), []
        await reader.read(lambda db, said=said: db.set_trace_callback(said.append))
        assert await find_in(storage, there, "absent") == []
        await reader.read(lambda db: db.set_trace_callback(None))
        looks = [one for one in said if " MATCH " in one and one.startswith("SELECT rowid")]
        assert len(looks) == len([board for _, board in where if board in there])


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_first_search_in_several_boards_opens_no_other_file(url, storage):
    """A site with one board has no connection for them; one that opens it later finds the file that it has open."""
    boards = [FIRST_BOARD, (await made(storage)).id]
    assert storage._wide_search_reader is None
    path = pathlib.Path(url.removeprefix("sqlite:///"))
    path.rename(path.with_name("away.db"))
    with pytest.raises(UnavailableError):
        await find_in(storage, boards, "tide")
    path.with_name("away.db").rename(path)
    assert await find_in(storage, boards, "tide") == []


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_an_index_that_is_not_complete_is_told_where_it_is_searched(storage):
    """That of the first board, and that of all others."""
    board = await made(storage)
    for id in (FIRST_BOARD, board.id):
        await storage.append(None, "tide", None, board_id=id)
    await storage._writer.write(lambda db: db.execute("DELETE FROM post_parts"))
    for boards, is_complete, count in (([FIRST_BOARD], True, 1), ([board.id], False, 0), ([1, board.id], False, 1)):
        found = await storage.search_in(boards, "tide", None, 9, GUEST)
        assert (found.is_complete, len(found.messages)) == (is_complete, count)


async def test_few_statements_judge_however_many_boards():
    """Else each number of boards would be one that the engine prepares, and keeps in the place of another."""
    said = set()

    class Saying:
        async def all(self, sql, *values):
            said.add(sql)
            assert set(values[3:]) == set(others)
            return [(id,) for id in others]

    for count in range(1, 100):
        others = list(range(2, 2 + count))
        assert await read_readable(Saying(), [FIRST_BOARD, *others], GUEST) == [FIRST_BOARD, *others]
    assert len(said) == 5


# --- time tells nothing of hidden boards

MANY = 3_000
TELLING = (
    "zebra",
    "ze",
    '"zebra crossing"',
    "tide",
    "tide zebra",
    "from:ada",
    "from:ada zebra",
    "before:2040-01-01",
    "has:link",
)


async def fill(storage, said):
    """A board for everyone, and a hidden one with many messages, which say this."""
    boards = [(await made(storage, slug, read_by=read_by)).id for slug, read_by in
              (("open", "everyone"), ("hidden", "invited"))]  # fmt: skip
    await storage.append(None, "low tide", None, board_id=boards[0])
    posts = (storage.append(ADA, f"{said} {number}", None, board_id=boards[1]) for number in range(MANY))
    await storage.invite(None, boards[1], ADA.id)
    while some := list(itertools.islice(posts, 500)):
        await asyncio.gather(*some)
    return [FIRST_BOARD, *boards]


def test_a_search_takes_no_steps_for_what_a_hidden_board_says(tmp_path, monkeypatch):
    """Of SQLite's virtual machine. Who may read it takes other steps, so they are counted."""
    counts = []
    for said in ("zebra crossing", "tiger crossing"):
        path = tmp_path / f"{said}.db"
        boards = asyncio.run(filled(f"sqlite:///{path}", said))
        with sqlite3.connect(path) as db:
            counts.append({(who, query): looked(db, monkeypatch, boards, who, query) for who in (GUEST, AS_BOB, AS_ADA)
                           for query in TELLING})  # fmt: skip
        db.close()
    zebras, others = counts
    for who, query in zebras:
        if who != AS_ADA or query == "zebra":
            assert (zebras[who, query] == others[who, query]) == (who != AS_ADA), (who, query)


async def filled(url, said):
    storage = await test_storage.open_with_people(url)
    boards = await fill(storage, said)
    await storage.close()
    return boards


def looked(db, monkeypatch, boards, who, query):
    clock = Clock()
    with monkeypatch.context() as patched:
        patched.setattr(search, "time", clock)
        patched.setattr(search, "STEPS", 1)  # each step is a look at the clock
        search.read_found(db, parse(query), None, 20, 60, boards, who)
    return clock.looks


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_a_search_reads_no_row_of_a_hidden_board(storage, url):
    """By PostgreSQL's own count of rows. Who may read the board reads some, so they are counted."""
    boards = await fill(storage, "zebra crossing")
    psql(url, "VACUUM ANALYZE longboard.posts")

    async def read(asker, query, db):
        explaining = Explaining(db)
        await postgres_search.read_found(explaining, parse(query), None, 20, boards, asker)
        return explaining.read

    for query in TELLING:
        for asker in (GUEST, AS_BOB, AS_ADA):
            count = await storage._reader.read(functools.partial(read, asker, query))
            assert count <= 1 or asker == AS_ADA, query
            assert count >= 1 or query == "tide zebra" or asker != AS_ADA, query
