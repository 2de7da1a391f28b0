"""What names boards is judged once more before it is sent: also while storage is away, and for clients that have left."""

import asyncio

import pytest

from board.credentials import AWAY_SECONDS, FRESH_SECONDS
from storage.boards import BoardChange
from storage.errors import UnavailableError
from storage.records import OPERATOR, Author
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


@pytest.mark.parametrize("end", ["uninvite", "delete"])
@pytest.mark.parametrize(("path", "reads"), [("/audit", "audit"), ("/boards", "listed"), ("/api/v1/boards", "listed")])
async def test_no_word_of_a_hidden_board_is_sent_after_the_right_to_it_has_ended(
    tmp_path, monkeypatch, path, reads, end
):
    """Storage has given it; by the time it is sent, the invitation is taken back, or the board deleted."""
    async with board_of(tmp_path, ["words"]) as house:
        cookie, hidden = await club_of(house)
        await house.storage.set_role(None, "ada", "moderator")
        await house.storage.set_board(None, hidden.id, BoardChange(name="Layoffs in May"))
        reply = await house.get(path, **cookie)
        assert reply.code == 200 and b"Layoffs" in reply.body
        real = getattr(house.storage, reads)

        async def ending(*arguments):
            given = await real(*arguments)
            if monkeypatch.undo() or end == "uninvite":
                await house.storage.uninvite(None, hidden.id, 1)
            else:
                await house.storage.delete_board(None, hidden.id)
            return given

        monkeypatch.setattr(house.storage, reads, ending)
        reply = await house.get(path, **cookie)
        assert reply.code == (200 if reads == "audit" else 503)  # the log is read once more
        assert b"Layoffs" not in reply.body
        reply = await house.get(path, **cookie)
        assert reply.code == 200 and b"Layoffs" not in reply.body


async def test_no_entry_about_a_hidden_board_is_sent_after_a_look_in_which_the_right_ended(tmp_path, monkeypatch):
    """Something else about the account has changed, so it is looked at again; the invitation is taken back by then."""
    async with board_of(tmp_path, ["words"]) as house:
        cookie, hidden = await club_of(house)
        await house.storage.set_role(None, "ada", "moderator")
        await house.storage.set_board(None, hidden.id, BoardChange(name="Layoffs in May"))
        read, look = house.storage.audit, house.storage.boards_open_to

        async def changing(*arguments):
            given = await read(*arguments)
            await house.storage.set_role(None, "ada", "moderator")
            return given

        async def ending(account_id):
            given = await look(account_id)
            monkeypatch.undo()
            await house.storage.uninvite(None, hidden.id, account_id)
            return given

        assert b"Layoffs" in (await house.get("/audit", **cookie)).body
        monkeypatch.setattr(house.storage, "audit", changing)
        monkeypatch.setattr(house.storage, "boards_open_to", ending)
        reply = await house.get("/audit", **cookie)
        assert reply.code == 503 and b"Layoffs" not in reply.body


async def test_a_token_s_board_is_not_named_after_the_right_to_it_has_ended(tmp_path, monkeypatch):
    """A list of tokens reads the boards one by one."""
    async with board_of(tmp_path, ["words"]) as house:
        cookie, hidden = await club_of(house)
        open_one = await house.storage.board("rowing", OPERATOR)
        for number, board in enumerate((hidden, open_one)):
            await house.storage.create_credential(1, "bot", b"%032d" % number, "Bot", board_id=board.id)
        assert hidden.slug.encode() in (await house.get("/api/v1/tokens", **cookie)).body
        real = house.storage.board_of

        async def ending(id, asker):
            given = await real(id, asker)
            if id == hidden.id:
                await house.storage.uninvite(None, hidden.id, 1)
            return given

        monkeypatch.setattr(house.storage, "board_of", ending)
        reply = await house.get("/api/v1/tokens", **cookie)
        assert reply.code == 503 and hidden.slug.encode() not in reply.body
        monkeypatch.undo()
        reply = await house.get("/api/v1/tokens", **cookie)
        assert reply.code == 200 and hidden.slug.encode() not in reply.body and b"rowing" in reply.body


async def test_what_one_did_oneself_stays_in_the_log_and_what_memory_lacks_is_read_first(tmp_path, monkeypatch):
    """One's own deeds on a board that one can't read any more; and a board that storage has just opened to all."""
    async with board_of(tmp_path, ["words"]) as house:
        cookie, hidden = await club_of(house)
        await house.storage.set_role(None, "ada", "moderator")
        ada = await house.storage.account_of(1)
        await house.storage.set_board(ada, hidden.id, BoardChange(name="Layoffs in May"))
        await house.storage.uninvite(None, hidden.id, 1)
        reply = await house.get("/audit", **cookie)
        assert reply.code == 200 and b"board %d" % hidden.id in reply.body and b"Layoffs" not in reply.body
        monkeypatch.setattr(house.storage, "on_commit", None)
        await house.storage.set_board(None, hidden.id, BoardChange(read_by="everyone"))
        for path in ("/audit", "/boards"):
            assert (await house.get(path, **cookie)).code == 200
