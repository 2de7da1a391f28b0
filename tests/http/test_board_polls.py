"""Polls of boards beside the first, on both ways of polling: what they are given, and what happens when rights change."""

import asyncio
import json
import re
import types

import pytest

from board.credentials import hash_secret, new_secret
from board.scopes import BOTS, GUESTS, MEMBERS, Scope
from handlers.boards.get import BoardGet
from storage import open_storage
from storage.boards import BoardChange
from storage.records import Author, Password
from tests.support.in_process import running, settled
from tests.support.wire import BROWSER, FIRST, Wire

REFUSED = {"error": {"code": "no_such_board", "message": "There is no such board."}}


@pytest.fixture(params=["on", "off"])
async def house(request, tmp_path, monkeypatch):
    """A board for everyone, one for members and one for the invited, with Ada, who is invited, and Bob."""
    parsed, get, wires = [], BoardGet.get, []

    async def counting(self, *slug):
        parsed.append(self.request.path)
        await get(self, *slug)

    monkeypatch.setattr(BoardGet, "get", counting)
    async with running(tmp_path, f"--repeats={request.param}") as house:
        storage, boards, tokens = house.storage, {}, {}
        house.board.waiters.request_tick = lambda: None  # ticks come when a test says so
        for slug, read_by in (("rowing", "everyone"), ("diving", "members"), ("hidden", "invited")):
            boards[slug] = await storage.create_board(None, slug, slug.capitalize(), read_by=read_by)
        for name in ("ada", "bob", "poster"):
            account, secret = await storage.create_account(name, name.capitalize(), Password(None)), new_secret("lb_")
            await storage.create_credential(account.id, "token", hash_secret(secret), "test")
            tokens[name] = account.id, BROWSER + f"Authorization: Bearer {secret}\r\n"
        await storage.invite(None, boards["hidden"].id, tokens["ada"][0])
        for board in boards.values():
            await storage.invite(None, board.id, tokens["poster"][0])
        await house.board.waiters.tick()
        yield types.SimpleNamespace(
            **vars(house) | {"parsed": parsed}, boards=boards, tokens=tokens, is_fast=request.param == "on", wires=wires
        )
        for wire in wires:
            wire.socket.close()


def board(house, slug):
    return house.board.waiters.directory.of(house.boards[slug].id)


def path_of(house, slug):
    return f"/b/{board(house, slug).slug}/get"


async def post(house, slug, text, author=None):
    author = author or Author(house.tokens["poster"][0], "Poster")
    message, _ = await house.storage.append(author, text, None, board_id=house.boards[slug].id)
    return message


class Reader:
    """A connection on which one board is polled."""

    def __init__(self, house, slug, name=None, hears=None, path=None):
        self.house, self.slug, self.hears = house, slug, hears
        self.path = path or ("/get" if slug is None else path_of(house, slug))
        self.headers = house.tokens[name][1] if name else BROWSER
        self.wire = Wire(house.port)
        house.wires.append(self.wire)
        waiters = house.board.waiters
        self.cursor = str((board(house, slug) if slug else waiters.first).cursor)

    async def ask(self, wait=0):
        await self.send(wait)
        return await self.reply()

    async def send(self, wait=25):
        cursor = self.cursor if self.hears is None else f"{self.cursor}&others={self.hears}"
        await asyncio.to_thread(self.wire.poll, cursor, wait, self.headers, self.path)

    async def park(self):
        """Polls until the bytes are known, then parks."""
        for _ in range(3):
            assert (await self.ask())[0] == 200
        before = self.house.board.waiters.parked
        await self.send()
        await settled(lambda: self.house.board.waiters.parked == before + 1)

    async def refusal(self):
        """Of a poll that was parked: at once where a handler held it, and else when it comes again, as it is told to."""
        status, reply = await self.reply()
        if status == 200:
            assert (reply["messages"], reply["retry_ms"]) == ([], 500)
            status, reply = await self.ask()
        return status, reply

    async def reply(self):
        status, _, reply = await asyncio.to_thread(self.wire.reply)
        self.cursor, self.hears = reply.get("cursor", self.cursor), reply.get("others", self.hears)
        return status, reply


async def test_a_program_s_poll_of_a_board_is_parked_as_a_page_s_is(house):
    """By the same bytes; what comes is that board's."""
    path = f"/api/v1/boards/{board(house, 'hidden').slug}/messages"
    program, page = Reader(house, "hidden", "ada", path=path), Reader(house, "hidden", "ada")
    for reader in (program, page):
        await reader.park()
    await post(house, "rowing", "elsewhere")
    message = await post(house, "hidden", "to the invited")
    replies = [await reader.reply() for reader in (program, page)]
    assert [status for status, _ in replies] == [200, 200] and replies[0][1] == replies[1][1]
    assert [one["id"] for one in replies[0][1]["messages"]] == [message.id]
    assert (await Reader(house, "hidden", "bob", path=path).ask()) == (404, REFUSED)


async def test_a_board_is_found_by_its_slug_in_capitals(house):
    """As people type it."""
    path = path_of(house, "rowing")
    assert (await Reader(house, "rowing", path=path.upper().replace("/B/", "/b/").replace("/GET", "/get")).ask())[
        0
    ] == 200


async def test_a_bot_polls_the_board_that_its_token_was_made_for_and_hears_of_no_other(house):
    """Of the boards of the invited. Without its member's invitation it polls none."""
    ada, other = house.tokens["ada"][0], await house.storage.create_board(None, "x", "Another", read_by="invited")
    await house.storage.invite(None, other.id, ada)
    for name, reaches in (("bot of hidden", house.boards["hidden"].id), ("bot", None)):
        secret = new_secret("lb_")
        await house.storage.create_credential(ada, "bot", hash_secret(secret), name, board_id=reaches)
        house.tokens[name] = ada, BROWSER + f"Authorization: Bearer {secret}\r\n"
    await house.board.waiters.deliver()
    house.boards["other"] = other
    bot = Reader(house, "hidden", "bot of hidden", hears=0)
    await bot.park()
    assert (await Reader(house, "other", "bot of hidden").ask()) == (404, REFUSED)
    assert (await Reader(house, "hidden", "bot").ask()) == (404, REFUSED)
    for slug in ("other", "rowing"):
        await post(house, slug, "elsewhere", None if slug == "rowing" else Author(ada, "Ada"))
    await house.board.waiters.tick()
    assert set((await bot.reply())[1]["boards"]) == {"rowing"}
    await bot.park()
    await house.storage.uninvite(None, house.boards["hidden"].id, ada)
    await house.board.waiters.deliver()
    assert await bot.refusal() == (404, REFUSED)


async def test_a_change_wakes_the_polls_of_its_board_and_no_others(house):
    """Each poll is given the messages of its board; `watching` counts those who watch that."""
    rowing, diving, first = Reader(house, "rowing"), Reader(house, "diving", "bob"), Reader(house, None)
    for reader in (rowing, diving, first):
        await reader.park()
    message = await post(house, "rowing", "low tide")
    status, reply = await rowing.reply()
    assert (status, [one["id"] for one in reply["messages"]], reply["watching"]) == (200, [message.id], 1)
    assert house.board.waiters.parked == 2 and board(house, "diving").parked == 1
    await house.storage.append(None, "elsewhere", None)
    assert [one["body"] for one in (await first.reply())[1]["messages"]] == ["elsewhere"]
    assert house.board.waiters.parked == 1
    await post(house, "diving", "deep")
    assert [one["body"] for one in (await diving.reply())[1]["messages"]] == ["deep"]


async def test_the_newest_page_and_a_cursor_of_another_board(house):
    """Without a cursor, and with one that the board never gave, the newest page comes; on each board its own."""
    await post(house, "rowing", "low tide")
    await house.storage.append(None, "elsewhere", None)
    reader = Reader(house, "rowing")
    reader.cursor = str(house.board.waiters.first.cursor)
    status, reply = await reader.ask()
    assert status == 200 and reply["reset"] and [one["body"] for one in reply["messages"]] == ["low tide"]
    assert reply["cursor"] == str(board(house, "rowing").cursor)
    reader.path = "/get"
    status, reply = await reader.ask()
    assert reply["reset"] and [one["body"] for one in reply["messages"]] == ["elsewhere"]


async def test_the_first_board_has_a_slug_too(house):
    await house.storage.append(None, "elsewhere", None)
    reader = Reader(house, None)
    reader.path, reader.cursor = "/b/first/get", str(board(house, "rowing").cursor)
    assert [one["body"] for one in (await reader.ask())[1]["messages"]] == ["elsewhere"]
    await reader.park()
    await house.storage.append(None, "more", None)
    assert [one["body"] for one in (await reader.reply())[1]["messages"]] == ["more"]


async def test_polls_of_a_board_are_known_by_their_bytes(house):
    """Its slug is a part of them."""
    readers = [Reader(house, "rowing") for _ in range(4)]
    for _ in range(12):
        for reader in readers:
            assert (await reader.ask())[0] == 200
            await asyncio.sleep(0.002)  # as any network would: Tornado has to begin to wait for the next
    assert len(house.parsed) in (range(1, FIRST + 1) if house.is_fast else [48])


@pytest.mark.parametrize("name", [None, "bob"])
async def test_to_those_who_may_not_read_it_there_is_no_board(house, name):
    """Status, headers and words are those for one that never was; also on a connection that is known."""
    answers = []
    for slug in ("hidden", "rowing"):
        reader = Reader(house, slug, name)
        reader.path = reader.path if slug == "hidden" else "/b/" + "0" * len(board(house, "hidden").slug) + "/get"
        await reader.send(0)
        status, head, reply = await asyncio.to_thread(reader.wire.reply)
        assert (status, reply) == (404, REFUSED)
        answers.append(re.sub("Date: .*", "", head))
    assert answers[0] == answers[1]
    assert (await Reader(house, "hidden", "ada").ask())[0] == 200


@pytest.mark.parametrize("name", [None, "bob"])
async def test_a_board_that_closes_lets_nobody_go_on(house, name):
    """Parked: told to come again, then that there is none; before the first message that they may not read."""
    reader, other = Reader(house, "rowing", name), Reader(house, "diving", "bob")
    await reader.park()
    await other.park()
    await house.storage.set_board(None, house.boards["rowing"].id, BoardChange(read_by="invited"))
    await post(house, "rowing", "secret")
    assert await reader.refusal() == await reader.ask() == (404, REFUSED) and house.board.waiters.parked == 1
    late = Reader(house, "rowing", name)  # a new connection, on which the same bytes were known
    late.path, late.cursor = reader.path, reader.cursor
    assert await late.ask() == (404, REFUSED)
    reader.path = path_of(house, "rowing")  # to know its new address helps nobody
    assert await reader.ask() == (404, REFUSED)


async def test_members_go_on_where_guests_may_not(house):
    """Made a board of members: each is judged again, and the one who may goes on with the same cursor."""
    guest, member = Reader(house, "rowing"), Reader(house, "rowing", "bob")
    await guest.park()
    await member.park()
    await house.storage.set_board(None, house.boards["rowing"].id, BoardChange(read_by="members"))
    message = await post(house, "rowing", "for members")
    assert await guest.refusal() == (404, REFUSED)
    status, reply = await member.reply()
    assert (status, reply["messages"], reply["retry_ms"]) == (200, [], 500)
    assert [one["id"] for one in (await member.ask())[1]["messages"]] == [message.id]


async def test_an_invitation_that_is_taken_back_ends_a_parked_poll(house):
    """At once, and on the same connection; the bytes that were known are good for nothing any more."""
    reader = Reader(house, "hidden", "ada")
    await reader.park()
    await house.storage.uninvite(None, house.boards["hidden"].id, house.tokens["ada"][0])
    await post(house, "hidden", "secret")
    assert await reader.reply() == (404, REFUSED)
    assert await reader.ask() == await Reader(house, "hidden", "ada").ask() == (404, REFUSED)
    await house.storage.invite(None, house.boards["hidden"].id, house.tokens["ada"][0])
    assert [one["body"] for one in (await reader.ask())[1]["messages"]] == ["secret"]


async def test_a_deleted_board_and_one_with_a_new_name(house):
    """The old name goes on to lead there; a deleted board leads nowhere."""
    reader = Reader(house, "rowing")
    await reader.park()
    await house.storage.set_board(None, house.boards["rowing"].id, BoardChange(slug="sculling"))
    assert (await reader.reply())[1]["retry_ms"] == 500
    await reader.park()
    await house.storage.delete_board(None, house.boards["rowing"].id)
    assert await reader.refusal() == await reader.ask() == (404, REFUSED)


async def test_a_guest_on_a_members_site_is_told_before_anything_is_looked_up(tmp_path):
    async with running(tmp_path, "--reading=members") as house:
        await house.storage.create_board(None, "rowing", "Rowing")
        for slug in ("rowing", "nothing"):
            with Wire(house.port) as wire:
                await asyncio.to_thread(wire.poll, "x-1", 0, BROWSER, f"/b/{slug}/get")
                status, _, reply = await asyncio.to_thread(wire.reply)
            assert (status, reply["error"]["code"]) == (401, "sign_in_first")


# --- word of the others


async def hear_all(*readers):
    """Has them told of all that there is, and parks them."""
    for reader in readers:
        await reader.house.board.waiters.tick()
        while "others" in (await reader.ask())[1]:
            pass
        await reader.park()


async def test_a_poll_hears_of_the_other_boards_that_it_may_read(house):
    """Of their newest message and who wrote it; of no other, and nothing of what is in it."""
    waiters = house.board.waiters
    guest, ada, bob, deaf = (Reader(house, None, *who) for who in ((None, 0), ("ada", 0), ("bob", 0), (None, None)))
    await hear_all(guest, ada, bob)
    await deaf.park()
    rowing = await post(house, "rowing", "low tide")
    hidden = await post(house, "hidden", "secret", Author(house.tokens["ada"][0], "Ada"))
    await waiters.tick()
    slug = board(house, "hidden").slug
    for reader, boards, others in (
        (guest, {}, rowing),
        (bob, {}, rowing),
        (ada, {slug: [hidden.id, house.tokens["ada"][0]]}, hidden),
    ):
        status, reply = await reader.reply()
        assert (status, reply["messages"], reply["others"]) == (200, [], others.seq)
        assert reply["boards"] == boards | {"rowing": [rowing.id, house.tokens["poster"][0]]} and "list" not in reply
        assert "secret" not in json.dumps(reply) and "tide" not in json.dumps(reply)
    assert waiters.parked == 1


@pytest.mark.parametrize("name", [None, "bob"])
async def test_of_boards_that_it_may_not_read_a_poll_hears_nothing(tmp_path, name):
    """Not that there are any, nor when something happens there: a reply is the same bytes as where there is none."""
    async with running(tmp_path) as house:
        storage, waiters = house.storage, house.board.waiters
        waiters.request_tick = lambda: None
        house = types.SimpleNamespace(**vars(house), boards={}, tokens={}, wires=[])
        for who in ("bob", "eve"):
            account, secret = await storage.create_account(who, who, Password(None)), new_secret("lb_")
            await storage.create_credential(account.id, "token", hash_secret(secret), "test")
            house.tokens[who] = account.id, BROWSER + f"Authorization: Bearer {secret}\r\n"
        await storage.append(None, "low tide", None)
        readers = [Reader(house, None, name, 0), Reader(house, None, name, 10**9), Reader(house, None, name, 0)]
        await readers[2].park()
        before = [await reader.ask() for reader in readers[:2]]
        eve = Author(house.tokens["eve"][0], "Eve")
        hidden = await storage.create_board(None, "x", "Hidden", read_by="invited")
        other = await storage.create_board(None, "x", "Other", read_by="invited")

        async def nothing_is_told():
            await waiters.deliver()
            await waiters.tick()
            assert [await reader.ask() for reader in readers[:2]] == before and waiters.parked == 1

        await nothing_is_told()
        await storage.invite(None, hidden.id, eve.id)
        await nothing_is_told()
        message, _ = await storage.append(eve, "secret", None, board_id=hidden.id)
        await nothing_is_told()
        await storage.set_board(None, hidden.id, BoardChange(name="Renamed"))
        await nothing_is_told()
        await storage.set_name(house.tokens["bob"][0], "Robert")  # which has nothing to do with boards
        await nothing_is_told()
        await storage.delete(message.id, board_id=hidden.id)
        await nothing_is_told()
        await storage.uninvite(None, hidden.id, eve.id)
        await nothing_is_told()
        for board_id in (hidden.id, other.id):
            await storage.delete_board(None, board_id)
            await nothing_is_told()
        for wire in house.wires:
            wire.socket.close()


async def test_those_that_hear_get_the_same_news_as_all(house):
    """One reply for each change, however many there are, and whether or not they hear."""
    waiters = house.board.waiters
    readers = [Reader(house, "rowing", hears=0) for _ in range(3)]
    await hear_all(*readers)
    deaf = Reader(house, "rowing")
    await deaf.park()
    message = await post(house, "rowing", "low tide")
    replies = [(await reader.reply())[1] for reader in (*readers, deaf)]
    assert [one["id"] for one in replies[0]["messages"]] == [message.id] and "others" not in replies[0]
    assert replies == replies[:1] * 4
    await post(house, "diving", "deep")
    await waiters.tick()
    await readers[0].send(0)
    assert "others" not in (await readers[0].reply())[1]  # a guest may not read where the news is
    await post(house, "rowing", "high tide")
    assert [one["body"] for one in (await readers[0].ask())[1]["messages"]] == ["high tide"]


async def test_a_poll_that_is_away_during_a_tick_is_told_when_it_comes_back(house):
    """Its own board's news answered it just before the others were told."""
    waiters, reader = house.board.waiters, Reader(house, "rowing", hears=0)
    await hear_all(reader)
    for text in ("low tide", "high tide"):
        await post(house, "rowing", text)
        assert [one["body"] for one in (await reader.reply())[1]["messages"]] == [text]
        message, _ = await house.storage.append(None, "on the first", None)
        await waiters.tick()
        await reader.send()  # the same bytes as before, but for the cursor
        assert (await reader.reply())[1]["boards"] == {"first": [message.id, None]}
        await reader.send()
        await settled(lambda: waiters.parked == 1)


async def test_a_number_that_was_never_given_is_corrected_with_news(house):
    """As after an older copy of the database was put back: its client would hear of nothing."""
    reader = Reader(house, "rowing", hears=10**9)
    await house.board.waiters.tick()
    assert "others" not in (await reader.ask())[1]
    await post(house, "rowing", "low tide")
    newest = house.board.waiters.directory.newest_for(GUESTS)
    assert (await reader.ask())[1]["others"] == newest < 10**9


async def test_polls_that_have_heard_differently_are_all_expected(house, monkeypatch):
    """Clients of one kind need not have heard of the same: the next request of each is known without taking it apart."""
    await house.board.waiters.tick()
    heard = house.board.waiters.directory.newest_for(GUESTS)
    readers = [Reader(house, "rowing", hears=number) for number in (heard, heard + 1, heard + 2)]
    for _ in range(12):
        for reader in readers:
            assert "others" not in (await reader.ask())[1]
            await asyncio.sleep(0.002)
    if not house.is_fast:
        assert len(house.parsed) == 36
        return
    assert 1 <= len(house.parsed) <= FIRST
    monkeypatch.setattr(type(house.server.path.memo), "classify", None)
    assert [(await reader.ask())[0] for reader in readers] == [200] * 3


async def test_who_is_invited_is_told_to_read_the_list_again(house):
    """And nobody else is woken for it; also if they have heard of what came after the board was made."""
    waiters = house.board.waiters
    ada, bob = Reader(house, None, "ada", 0), Reader(house, None, "bob", 0)
    await post(house, "diving", "deep")
    await hear_all(ada, bob)
    assert bob.hears > house.boards["hidden"].changed
    await house.storage.invite(None, house.boards["hidden"].id, house.tokens["bob"][0])
    await waiters.tick()
    assert (await bob.reply())[1]["list"] is True
    assert waiters.parked == 1
    message = await post(house, "hidden", "for both")
    await waiters.tick()
    assert (await ada.reply())[1]["boards"] == {board(house, "hidden").slug: [message.id, house.tokens["poster"][0]]}


async def test_no_bot_hears_of_its_member_s_invitations(house):
    """Their list is as before; those who run it need not be those who were invited. Nor of a board that its member makes."""
    waiters, (ada, _), secrets = house.board.waiters, house.tokens["ada"], {}
    for name, reaches in (("bot of hidden", house.boards["hidden"].id), ("bot", None)):
        secrets[name] = new_secret("lb_")
        await house.storage.create_credential(ada, "bot", hash_secret(secrets[name]), name, board_id=reaches)
        house.tokens[name] = ada, BROWSER + f"Authorization: Bearer {secrets[name]}\r\n"
    other = await house.storage.create_board(None, "x", "Another", read_by="invited")
    bots, person = [Reader(house, None, name, 0) for name in secrets], Reader(house, None, "ada", 0)
    await hear_all(*bots, person)
    for deed in (house.storage.invite, house.storage.uninvite):
        await deed(None, other.id, ada)
        await waiters.tick()
        assert (await person.reply())[1]["list"] is True
        await house.storage.append(None, "low tide", None)
        for bot in bots:
            status, reply = await bot.reply()
            assert (
                status == 200 and [one["body"] for one in reply["messages"]] == ["low tide"] and "others" not in reply
            )
        await hear_all(*bots, person)
    await house.storage.invite(None, other.id, ada)
    await waiters.tick()
    for name, bot in zip(secrets, bots, strict=True):
        assert "others" not in (await Reader(house, None, name, bot.hears).ask())[1]
    newest = b',"others":%d' % waiters.directory.newest_for(BOTS)
    assert waiters.others.correction(10**9, BOTS, ada) == newest != waiters.others.correction(10**9, MEMBERS, ada)


async def test_whose_board_is_deleted_is_told_to_read_the_list_again(house):
    """If they could read it."""
    waiters = house.board.waiters
    ada, bob = Reader(house, None, "ada", 0), Reader(house, None, "bob", 0)
    await hear_all(ada, bob)
    await house.storage.delete_board(None, house.boards["hidden"].id)
    await waiters.tick()
    assert (await ada.reply())[1]["list"] is True
    assert waiters.parked == 1
    await house.storage.delete_board(None, house.boards["diving"].id)
    await waiters.tick()
    assert (await bob.reply())[1]["list"] is True


async def test_who_was_invited_while_no_server_ran_is_told_by_the_next(tmp_path):
    """A page that is there since before lacks the board in its list."""
    async with running(tmp_path) as house:
        board = await house.storage.create_board(None, "x", "Name", read_by="invited")
        ada = await house.storage.create_account("ada", "Ada", Password(None))
        await house.board.waiters.deliver()
    storage = await open_storage(f"sqlite:///{tmp_path}/board.db")
    await storage.invite(None, board.id, ada.id)
    await storage.close()
    async with running(tmp_path) as house:
        waiters = house.board.waiters
        waiters.request_tick = lambda: None
        await waiters.deliver()
        await waiters.tick()
        scope = Scope(True, frozenset({board.id}))
        word = waiters.others.word(board.changed, waiters.first, scope, ada.id)
        assert word == b',"others":%d,"list":true' % waiters.directory.changed
        assert waiters.others.word(board.changed, waiters.first, scope, ada.id + 1) is None


async def test_an_odd_others_is_refused(house):
    reader = Reader(house, "rowing")
    for odd in ("x", "-1", "1" * 19):
        reader.hears = odd
        status, reply = await reader.ask()
        assert (status, reply["error"]["code"]) == (400, "bad_number")
