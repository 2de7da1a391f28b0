"""What names boards is judged once more before it is sent: also while storage is away, and for clients that have left."""

import asyncio

import pytest

from board.credentials import AWAY_SECONDS, FRESH_SECONDS
from storage.errors import UnavailableError
from storage.records import Author
from tests.hostile.test_reading import board_of, member
from tests.support.in_process import settled

NAMING = ("/", "/b/rowing/", "/m/1", "/search?q=words&board=*", "/api/v1/search?q=words&board=*")


async def away(*arguments):
    raise UnavailableError("away")


async def club_of(house):
    """Makes a member who is invited to a hidden board, besides an open one. Returns its cookie, and the hidden board."""
    cookie = {"Cookie": f"longboard={await member(house)}"}
    rowing = await house.storage.create_board(None, "rowing", "Rowing")
    await house.storage.append(None, "words for all", None, board_id=rowing.id)
    hidden = await house.storage.create_board(None, "layoffs", "Layoffs", read_by="invited")
    await house.storage.invite(None, hidden.id, 1)
    await house.storage.append(Author(1, "Ada"), "words for few", None, board_id=hidden.id)
    await house.board.waiters.deliver()
    return cookie, hidden


@pytest.mark.parametrize("path", NAMING)
async def test_a_member_is_answered_while_storage_is_away_for_longer_than_a_right_is_fresh(tmp_path, monkeypatch, path):
    """By what is believed then, as polls are. After that time, and if nothing is known, there is a refusal."""
    async with board_of(tmp_path, ["words"]) as house:
        cookie, _ = await club_of(house)
        assert b"Layoffs" in (await house.get("/", **cookie)).body
        reply = await house.get(path, **cookie)
        assert reply.code == 200
        for name in ("credential", "boards_open_to"):
            monkeypatch.setattr(house.storage, name, away)
        clock = house.board.credentials.clock
        for seconds, code in ((FRESH_SECONDS + 30, 200), (AWAY_SECONDS + 30, 503)):
            monkeypatch.setattr(house.board.credentials, "clock", lambda later=seconds: clock() + later)
            reply = await house.get(path, **cookie)
            assert reply.code == code and (b"words" in reply.body) == (code == 200)


async def test_a_request_whose_client_has_left_is_not_judged_for_ever(tmp_path, monkeypatch):
    """Even where each look finds that something has changed since."""
    async with board_of(tmp_path, ["words"]) as house:
        cookie, _ = await club_of(house)
        looks, find = [], house.board.credentials.find

        async def look(secret, *, use):
            looks.append(use)
            return await find(secret, use=use)

        monkeypatch.setattr(house.board.credentials, "find", look)
        monkeypatch.setattr(house.board.credentials, "is_unchanged", lambda account_id, since: False)
        _, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(f"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nCookie: {cookie['Cookie']}\r\n\r\n".encode())
        await settled(lambda: len(looks) > 5)
        assert house.application.settings["context"].under_way
        writer.close()
        await settled(lambda: not house.application.settings["context"].under_way)
        assert not any("_look_and_finish" in task.get_coro().__qualname__ for task in asyncio.all_tasks())
