"""What was right a moment ago may not be any more: over HTTP, with a clock that the test moves."""

import asyncio
import hashlib
import json
import re
import urllib.parse

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from board import site as site_module
from board.credentials import SESSION_SECONDS, hash_secret
from board.site import Site
from board.site.parts import Rules
from handlers import Application
from settings import read_settings
from storage import open_storage
from storage.records import GUEST, Password
from tests.support.in_process import running
from tests.support.patience import PATIENCE
from tests.support.people import PASSWORD
from tests.unit.test_credentials import HOUR, Clock, clock  # noqa: F401 (a fixture)

DAY = 24 * HOUR


class Browser:
    """Sends its cookie along, and keeps the one it is given, as a browser does."""

    def __init__(self, url, client):
        self.url, self.client = url, client
        self.cookie = None

    async def ask(self, method, path, form=None, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Cookie": self.cookie} if self.cookie else {}
        body = None if method == "GET" else urllib.parse.urlencode(form or {})
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        request = HTTPRequest(
            self.url + path, method, headers, body, follow_redirects=False, request_timeout=2 * PATIENCE
        )
        response = await self.client.fetch(request, raise_error=False)
        for cookie in response.headers.get_list("Set-Cookie"):
            pair = cookie.partition(";")[0]
            if re.match(r"longboard(-\d+)?=", pair):  # not the one for /signin alone
                self.cookie = pair if pair.partition("=")[2].strip('"') else None
        return response

    async def get(self, path, **options):
        return await self.ask("GET", path, **options)

    async def post(self, path, token=None, **form):
        return await self.ask("POST", path, form, token)


@pytest.fixture
async def house(tmp_path, clock):  # noqa: F811
    """A board inside the test, and its browsers."""
    storage = await open_storage(f"sqlite:///{tmp_path}/board.db")
    board = await Site.open(storage, max_parked=10, limits=True, clock=clock, rules=Rules())
    server = HTTPServer(Application(board, read_settings([f"--poll-seconds={PATIENCE}"], {})))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    client = AsyncHTTPClient(force_instance=True, max_clients=100)

    class House:
        def __init__(self):
            self.board, self.storage = board, storage

        def browser(self):
            return Browser(f"http://127.0.0.1:{sockets[0].getsockname()[1]}", client)

        async def member(self):
            browser = self.browser()
            assert (await browser.post("/signup", username="ada", password=PASSWORD)).code == 303
            return browser

        async def token(self):
            response = await self.browser().post("/api/v1/signin", username="ada", password=PASSWORD)
            return json.loads(response.body)["token"]

    yield House()
    client.close()
    server.stop()
    await server.close_all_connections()
    await board.close()
    await storage.close()


def code(response):
    return response.code, json.loads(response.body)["error"]["code"]


@pytest.mark.parametrize("path", ["/signin", "/api/v1/signin", "/account/password"])
async def test_a_password_that_is_changed_while_it_is_checked_opens_nothing(house, monkeypatch, path):
    """The check takes a while; whoever was locked out in between is out."""
    thief = await house.member()
    verify = house.board.passwords.verify

    async def verify_slowly(known, password, asker):
        right = await verify(known, password, asker)
        await house.storage.set_password(1, Password("changed meanwhile"), old=known, keep=1)
        return right

    monkeypatch.setattr(house.board.passwords, "verify", verify_slowly)
    response = await thief.post(path, username="ada", password=PASSWORD, new="words of a thief")
    assert response.code == 401, response.body
    assert (await house.storage.password("ada"))[1] == Password("changed meanwhile")
    assert [c.id for c in await house.storage.credentials(1)] == [1]


async def test_five_sign_ins_at_once_with_an_old_hash_all_work(house):
    """A hash from a tutorial's board is made anew by the first; the others find the new one."""
    sha1 = hashlib.sha1(f"Ada:{PASSWORD}".encode()).hexdigest()
    await house.storage.create_account("ada", "Ada", await house.board.passwords.wrap(sha1, "Ada"))
    assert (await house.storage.password("ada"))[1].hash.startswith("sha1:")
    signing = [house.browser().post("/api/v1/signin", username="ada", password=PASSWORD) for _ in range(5)]
    assert [response.code for response in await asyncio.gather(*signing)] == [200] * 5
    assert not (await house.storage.password("ada"))[1].hash.startswith("sha1:")


async def test_a_token_that_was_revoked_this_moment_makes_no_other(house):
    """What this process still remembers of it does not count."""
    await house.member()
    token = await house.token()
    guest = house.browser()
    assert (await guest.get("/api/v1/me", token=token)).code == 200
    house.storage.on_commit = None  # as if another process wrote: nobody tells this one yet
    await house.storage.revoke_all(1)
    assert (await guest.get("/api/v1/me", token=token)).code == 200
    assert code(await guest.post("/api/v1/tokens", token=token, name="bot", password=PASSWORD)) == (
        401,
        "invalid_token",
    )
    assert await house.storage.credentials(1) == []


async def test_someone_suspended_this_moment_edits_and_deletes_nothing(house):
    """Nor somebody whose message it is not."""
    ada = await house.member()
    await ada.post("/add", s="words")
    house.storage.on_commit = None  # as if another process wrote: nobody tells this one yet
    await house.storage.suspend(None, "ada")
    for path in ("/m/1/edit", "/m/1/delete"):
        assert (await ada.post(path, s="other words")).code == 403
    assert (await house.storage.message(1, GUEST)).body == "words"


async def test_a_browser_in_use_stays_signed_in(house, clock):  # noqa: F811
    """Its cookie is renewed once a day by what people do there, and not by its polls."""
    ada = await house.member()
    for _ in range(10):
        clock.now += DAY + 60
        assert "Set-Cookie" not in (await ada.get("/get?wait=0")).headers
        response = await ada.get("/")
        cookie = response.headers.get("Set-Cookie", "")
        assert f"Max-Age={SESSION_SECONDS}" in cookie and "HttpOnly" in cookie and "SameSite=Lax" in cookie
        clock.now += HOUR
        assert "Set-Cookie" not in (await ada.get("/account")).headers
    assert (await ada.post("/add", s="still here")).code == 303
    assert (await house.storage.message(1, GUEST)).author.id == 1


async def test_posting_by_the_api_with_the_page_s_cookie_is_a_use(house, clock):  # noqa: F811
    """Only polls are none."""
    ada = await house.member()
    for _ in range(3):
        clock.now += SESSION_SECONDS - 60
        assert (await ada.post("/api/v1/messages", body="x")).code == 201


async def test_a_new_password_is_a_new_secret_for_the_browser_that_stays(house):
    """A copy of the old one is worth nothing, while another tab's poll just asks again with the new one."""
    ada, thief = await house.member(), house.browser()
    thief.cookie = before = ada.cookie
    cursor = json.loads((await ada.get("/get")).body)["cursor"]
    poll = asyncio.create_task(thief.get(f"/get?after={cursor}"))  # the tab, with the cookie as it was
    while house.board.waiters.parked < 1:
        await asyncio.sleep(0.01)
    response = await ada.post("/account/password", password=PASSWORD, new="quite new words")
    assert response.code == 303 and ada.cookie != before
    assert (await ada.get("/account")).code == 200
    for reply in (await poll, await thief.get(f"/get?after={cursor}")):
        assert reply.code == 200
        said = json.loads(reply.body)
        assert (said["messages"], said["cursor"], said["retry_ms"]) == ([], cursor, 1000)
        assert "watching" not in said
    assert code(await thief.get("/api/v1/me")) == (401, "signed_out")
    house.board.credentials.clock.now += 120
    assert code(await thief.get(f"/get?after={cursor}")) == (401, "signed_out")


async def test_names_and_tokens_are_not_changed_without_end(house, monkeypatch):
    """Each change is written down, and makes every page look again who is asking."""
    ada = await house.member()
    token = await house.token()
    codes = [(await ada.post("/account/name", name=f"Ada {n}")).code for n in range(15)]
    codes += [
        (await ada.post("/api/v1/tokens", token=token, name=f"bot {n}", password=PASSWORD)).code for n in range(15)
    ]
    assert codes == [303] * 15 + [201] * 5 + [429] * 10
    response = await ada.post("/account/name", name="Ada L.")
    assert response.code == 429 and int(response.headers["Retry-After"]) > 0


async def test_housekeeping_scrubs(house, monkeypatch, tmp_path):
    """Without anybody's doing, deleted words leave the files."""
    monkeypatch.setattr(site_module, "SAVE_SECONDS", 0.05)
    ada = await house.member()
    await ada.post("/add", s="regrettable words")
    await ada.post("/m/1/delete")
    keeping = asyncio.create_task(house.board.housekeeping())
    async with asyncio.timeout(PATIENCE):
        while any(b"regrettable" in file.read_bytes() for file in tmp_path.iterdir()):
            await asyncio.sleep(0.02)
    assert not keeping.done(), "it goes on for as long as the board"
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_whoever_pages_through_history_stands_in_nobody_s_way(house, monkeypatch):
    """A program that is thousands of changes behind reads on its own, never in the place of deliver()."""
    await asyncio.gather(*(house.storage.append(None, str(n), None) for n in range(1200)))
    await house.board.waiters.deliver()

    async def taken(*arguments):
        raise AssertionError("this reader is for deliver()")

    monkeypatch.setattr(house.storage, "changes_after", taken)
    epoch = house.board.waiters.recent.epoch
    reply = json.loads((await house.browser().get(f"/api/v1/messages?after={epoch}-0")).body)
    assert len(reply["messages"]) == 200 and reply["more"]
    assert house.storage._reader is not house.storage._changes_reader


async def test_a_session_that_ended_before_its_reply_is_not_given_out(tmp_path, monkeypatch):
    """The browser would come with its new secret from then on, and be told each time that it was signed out."""
    async with running(tmp_path) as house:
        hashed = await house.board.passwords.hash(PASSWORD)
        account = await house.storage.create_account("ada", "Ada", hashed)
        await house.storage.create_credential(account.id, "session", hash_secret("old"), "A browser")
        set_password = house.storage.set_password

        async def suspended_meanwhile(*arguments, **options):
            await set_password(*arguments, **options)
            await house.storage.suspend(None, "ada")

        monkeypatch.setattr(house.storage, "set_password", suspended_meanwhile)
        client = AsyncHTTPClient(force_instance=True)
        body = urllib.parse.urlencode({"password": PASSWORD, "new": "another long passphrase"})
        url, cookie = f"http://127.0.0.1:{house.port}/account/password", {"Cookie": "longboard=old"}
        reply = await client.fetch(
            url, method="POST", body=body, headers=cookie, raise_error=False, follow_redirects=False
        )
        client.close()
    given = [value.partition(";")[0] for value in reply.headers.get_list("Set-Cookie")]
    assert reply.code == 401 and [value for value in given if value.startswith("longboard=")] == ['longboard=""']
