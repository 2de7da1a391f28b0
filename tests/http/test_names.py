"""What stands beside names, on pages and in replies: it follows names and roles, also in what is kept in memory."""

import re

import httpx

from storage import open_storage
from storage.errors import UnavailableError
from storage.records import Author, Password
from tests.support.admin import run_in
from tests.support.in_process import running
from tests.support.people import PASSWORD, Person, refused
from tests.support.server import until

ADA, ADA_APART = '<bdi class="author" lang="">Ada</bdi> <a', '<bdi class="author" lang="">Ada</bdi> <bdi>@{}</bdi> <a'
CYRILLIC = "Аdа"


def test_what_is_shown_of_an_author_follows_names_and_roles(start):
    """On the board, the message's page and in quotes; in the feed, polls, history, search and reactions."""
    server = start()
    ada = Person(server, name="Ada")
    cursor = server.cursor
    posted = ada.post("low tide today")
    server.client.post("/api/v1/messages", json={"body": "a reply", "reply_to": posted["id"]}).raise_for_status()
    ada.api.put(f"/api/v1/messages/{posted['id']}/reactions/heart").raise_for_status()
    plain = {"id": ada.id, "name": "Ada"}

    def is_shown(author, header, quoted, feed):
        page, poll = server.get("/").text, server.get("/get", params={"after": cursor, "wait": 0}).json()
        assert posted["author"] == plain
        assert header in page and header in server.get(f"/m/{posted['id']}").text
        assert f'In reply to </span><bdi lang="">Ada</bdi>{quoted} <span dir="auto"' in page
        assert f"<author><name>{feed}</name></author>" in server.get("/feed.atom").text
        newest = server.get("/api/v1/messages").json()["messages"]
        found = server.get("/api/v1/search", params={"q": "low tide today"}).json()["messages"]
        one = server.get(f"/api/v1/messages/{posted['id']}").json()
        named = server.get("/api/v1/messages", params={"ids": posted["id"]}).json()["messages"]
        assert {m["id"]: m["author"] for m in poll["messages"]}[posted["id"]] == author
        assert [m["author"] for m in (*found, one, *named)] == [author] * 3
        assert [m["author"] for m in newest if m["id"] == posted["id"]] == [author]
        [member] = server.get(f"/api/v1/messages/{posted['id']}/reactions").json()["members"]
        assert member == {**author, "reactions": ["❤️"]}

    is_shown(plain, ADA, "", "Ada")
    other, apart = Person(server, name=CYRILLIC), {**plain, "username": ada.username}
    is_shown(apart, ADA_APART.format(ada.username), f" <bdi>@{ada.username}</bdi>", f"Ada @{ada.username}")
    assert other.post("from another")["author"] == {"id": other.id, "name": CYRILLIC, "username": other.username}
    other.browser().post("/account/name", data={"name": "Grace"})
    is_shown(plain, ADA, "", "Ada")
    assert f"{CYRILLIC}</bdi> <bdi>@{other.username}</bdi>" in server.get("/").text, "the name that it has no more"
    assert run_in(server.database.parent, "promote", ada.username)
    until(lambda: "<b>mod</b>" in server.get("/").text)
    is_shown({**plain, "role": "moderator"}, "Ada</bdi> <b>mod</b> <a", "", "Ada")
    assert refused(
        other.api.post("/api/v1/signup", json={"username": "x_1", "name": CYRILLIC, "password": PASSWORD}),
        422,
        "name_reserved",
    )
    assert run_in(server.database.parent, "demote", ada.username)
    until(lambda: "<b>mod</b>" not in server.get("/").text)
    is_shown(plain, ADA, "", "Ada")


async def test_another_process_hears_of_it_and_keeps_the_rest(tmp_path):
    """What it has in memory of each board says what the database says; without a change, what was made is not made again."""
    async with running(tmp_path) as house:
        ada = await house.storage.create_account("ada", "Ada", Password(None))
        board = await house.storage.create_board(None, "rowing", "Rowing")
        for board_id in (1, board.id):
            await house.storage.append(Author(ada.id, "Ada"), "words", None, board_id=board_id)
        waiters = house.board.waiters
        rowing = waiters.directory.of(board.id)
        await waiters.load(rowing)
        recents = [waiters.recent, rowing.recent]
        kept = [recent.newest() for recent in recents]
        elsewhere = await open_storage(f"sqlite:///{tmp_path}/board.db")
        try:
            await elsewhere.create_credential(ada.id, "token", b"x" * 32, "token")
            await elsewhere.revoke_all(ada.id)
            assert await waiters.deliver() and [recent.newest() for recent in recents] == kept
            assert all(new is old for new, old in zip([recent.newest() for recent in recents], kept, strict=True))
            await elsewhere.create_account("other", CYRILLIC, Password(None))
            assert await waiters.deliver()
        finally:
            await elsewhere.close()
        for recent in recents:
            assert re.findall(rb'"author":(\{.+?\})', recent.newest()) == [b'{"id":1,"name":"Ada","username":"ada"}']
            assert [one.author for one in (*recent.messages, *recent.page.messages)] == [Author(1, "Ada", "ada")] * 2
            assert b'"username":"ada"' in recent.after(0)


async def test_a_kept_page_follows_the_authors_that_it_quotes(tmp_path):
    """Also of a message that is not in memory any more."""
    async with running(tmp_path) as house:
        storage, url = house.storage, f"http://127.0.0.1:{house.port}/"
        ada = await storage.create_account("ada", "Ada", Password(None))
        first, _ = await storage.append(Author(ada.id, "Ada"), "words", None)
        for number in range(60):
            await storage.append(None, f"number {number}", None, reply_to=first.id)
        recent = house.board.waiters.recent
        recent.shrink_to(0)
        async with httpx.AsyncClient() as client:
            quoted = [(await client.get(url)).text.count("<bdi>@ada</bdi>") for _ in range(2)]
            made = recent.derived["front"]
            assert quoted == [0, 0] and made and ada.id in recent.author_ids
            await storage.create_account("other", CYRILLIC, Password(None))
            assert (await client.get(url)).text.count("<bdi>@ada</bdi>") == 50


async def test_a_process_that_could_not_read_how_authors_are_shown_tries_again(tmp_path, monkeypatch):
    async with running(tmp_path) as house:
        ada = await house.storage.create_account("ada", "Ada", Password(None))
        await house.storage.append(Author(ada.id, "Ada"), "words", None)
        presents, failed = house.storage.presents, []

        async def away(account_ids):
            if not failed:
                failed.append(account_ids)
                raise UnavailableError("away")
            return await presents(account_ids)

        monkeypatch.setattr(house.storage, "presents", away)
        await house.storage.create_account("other", CYRILLIC, Password(None))
        assert failed == [{ada.id}]
        assert await house.board.waiters.deliver()
        assert b'"username":"ada"' in house.board.waiters.recent.newest()
