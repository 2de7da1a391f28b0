"""Searches with conditions: by author, by day, with a link; the same in both engines, and by few steps."""

# ruff: noqa: F811 (the fixture of the suite for storage)
import sqlite3
import sys

import pytest

from storage.boards import BoardChange
from storage.errors import BadDateError, NotFoundError, SearchTooLongError
from storage.queries import parse
from storage.records import FIRST_BOARD, GUEST
from storage.sqlite import search, word_index
from storage.sqlite.search import read_by_conditions
from tests.storage.test_boards import AS_ADA, AS_BOB, made
from tests.storage.test_storage import ADA, BOB, bodies, storage  # noqa: F401 (a fixture)

DAY_MS = 86_400_000
SAID = ((ADA, "low tide"), (BOB, "high tide"), (None, "low tide, https://example.org"), (ADA, "www.example.org, at six"),
        (BOB, "use https or http always"), (ADA, "HTTP://EXAMPLE.ORG/tide"))  # fmt: skip
FOUND = {
    "from:ada": [5, 3, 0], "from:bob": [4, 1], "from:guests": [2], "from:nobody": [], "from:ada tide": [5, 0], "from:bob low": [],
    "has:link": [5, 3, 2], "has:link tide": [5, 2], "has:link from:ada": [5, 3], "from:guests has:link low": [2],
    "before:1970-01-04": [2, 1, 0], "after:1970-01-04": [5, 4], "after:1970-01-02 before:1970-01-05": [3, 2], "tide after:1970-01-04": [5],
    "before:1970-01-01": [], "after:9999-12-31": [], "from:ada after:1970-01-02 before:1970-01-05 has:link at": [3],
    '"from:ada"': [], "": [], "tide": [5, 2, 1, 0],
}  # fmt: skip


async def say(storage, board_id):
    """One message a day, from 1 January 1970."""
    table = "messages" if board_id == FIRST_BOARD else "posts"
    said = []
    for day, (author, body) in enumerate(SAID):
        message, _ = await storage.append(author, body, None, board_id=board_id)
        change = f"UPDATE {table} SET created_at = $1 WHERE id = $2"
        await storage._write(lambda tx, day=day, id=message.id, sql=change: tx.run(sql, day * DAY_MS + DAY_MS // 2, id))
        said.append(message.id)
    return said


async def find(storage, boards, query, before=None, limit=50, asker=GUEST):
    return [one.id for one in (await storage.search_in(boards, query, before, limit, asker)).messages]


@pytest.mark.parametrize("parts", ["one part", "several"])
async def test_messages_are_found_by_conditions_and_words(storage, monkeypatch, parts):
    """On the first board, on another, and on both; with few results at a time as with all."""
    if parts == "several":
        monkeypatch.setattr(word_index, "IDS_IN_A_PART", 4)
    boards = [FIRST_BOARD, (await made(storage)).id]
    ids = [await say(storage, board_id) for board_id in boards]
    for query, places in FOUND.items():
        for board_id, there in zip(boards, ids, strict=True):
            assert await find(storage, [board_id], query) == [there[place] for place in places], query
        everywhere = [ids[at][place] for at in (1, 0) for place in places]
        assert await find(storage, boards, query) == everywhere, query
        seen: list = []
        while page := await find(storage, boards, query, seen[-1] if seen else None, 2):
            seen += page
        assert seen == everywhere, query


async def test_deleted_messages_are_found_by_no_condition(storage):
    ids = await say(storage, FIRST_BOARD)
    for id in ids:
        await storage.delete(id)
    assert [query for query in FOUND if await find(storage, [FIRST_BOARD], query)] == []


async def test_who_left_is_found_by_no_name(storage):
    """Their words are still there, as a deleted account's."""
    ids = await say(storage, FIRST_BOARD)
    await storage.delete_account(BOB.id, keep_messages=True)
    assert await find(storage, [FIRST_BOARD], "from:bob") == [] and await find(
        storage, [FIRST_BOARD], "from:guests"
    ) == [ids[2]]
    assert await find(storage, [FIRST_BOARD], "high") == [ids[1]]


async def test_a_hidden_board_is_not_searched_by_conditions(storage):
    """As by words: one who may not read it finds nothing there, and alone it is refused as none."""
    hidden = await made(storage, actor=await storage.account("ada"))
    ids = await say(storage, hidden.id)
    await storage.set_board(None, hidden.id, BoardChange(read_by="invited"))
    for query in ("from:ada", "has:link", "before:2000-01-01", "from:ada has:link"):
        assert await find(storage, [FIRST_BOARD, hidden.id], query, asker=AS_BOB) == []
        assert set(await find(storage, [FIRST_BOARD, hidden.id], query, asker=AS_ADA)) <= set(ids)
        with pytest.raises(NotFoundError):
            await find(storage, [hidden.id], query, asker=AS_BOB)
    assert await find(storage, [hidden.id], "from:ada", asker=AS_ADA) == [ids[5], ids[3], ids[0]]


async def test_no_day_is_refused(storage):
    for boards in ([FIRST_BOARD], [FIRST_BOARD, (await made(storage)).id]):
        with pytest.raises(BadDateError):
            await find(storage, boards, "tide before:noon")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_search_by_conditions_ends_when_its_time_is_over(storage, monkeypatch):
    """It has then found nothing; what was found before is given."""
    await say(storage, FIRST_BOARD)
    monkeypatch.setattr(search, "SEARCH_SECONDS", -1)
    monkeypatch.setattr(search, "STEPS", 1)
    for query in ("from:nobody", "before:1970-01-01", "has:link tide before:1970-01-01"):
        with pytest.raises(SearchTooLongError):
            await find(storage, [FIRST_BOARD], query)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_conditions_are_found_by_an_index_and_in_order(storage, url):
    """Nothing is sorted. The index of authors serves the first board only: others share it, and time would tell of them."""
    board = await made(storage)
    plans = {}
    with sqlite3.connect(url.removeprefix("sqlite:///")) as db:

        class Explaining:
            def execute(self, sql, values):
                plans[sql] = " / ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values))
                return iter(())

        for board_id, index in (
            (FIRST_BOARD, "messages_by_author (author_id=? AND id>? AND id<?)"),
            (board.id, "posts_by_board (board_id=? AND id>? AND id<?)"),
        ):
            for query in (
                "from:ada",
                "from:guests",
                "before:2040-01-01",
                "from:ada before:2040-01-01 after:2000-01-01",
            ):
                plans.clear()
                list(read_by_conditions(Explaining(), parse(query).only, sys.maxsize, board_id, 0, 9))
                [plan] = plans.values()
                assert "SORT" not in plan and "TEMP" not in plan and "SCAN" not in plan, plan
                assert (index in plan) or (board_id == FIRST_BOARD and "from:ada" not in query), plan
    db.close()
