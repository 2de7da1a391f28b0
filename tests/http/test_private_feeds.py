"""Feeds by an address with a secret: of boards that guests may not read, for as long as its owner may read them."""

import re

import pytest
from playwright.async_api import expect

from board.credentials import hash_secret
from tests.hostile.test_hidden_boards import exchanged
from tests.support.admin import admin
from tests.support.boards import invite, make_board, post_on, promote
from tests.support.people import PASSWORD, Person, client
from tests.support.server import until


class Reader:
    """Ada, who reads a board of the invited, and a program that reads its feed without anything but the address."""

    def __init__(self, start, **settings):
        self.server = server = start(log_requests="on", **settings)
        self.owner = promote(server, Person(server))
        self.ada = Person(server)
        self.slug = make_board(self.owner, "Committee", read_by="invited")
        invite(self.owner, self.slug, self.ada.username)
        post_on(self.owner.api, self.slug, "for the committee")
        server.post("for all")
        self.browser = self.ada.browser()

    def make(self, slug=None, password=PASSWORD):
        return self.browser.post("/account/feeds", data={"board": slug or self.slug, "password": password})

    def address(self, slug=None):
        page = self.make(slug)
        assert page.status_code == 200, page.text
        return re.search(r"<code>(http[^<]+)</code>", page.text)[1]

    def read(self, address, **options):
        return self.server.open().get(address, **options)


@pytest.fixture
def reader(start, url):
    return Reader(start, database_url=url)


def test_a_program_reads_one_board_by_the_address_and_nothing_else(reader):
    """As often as the feed of all, but no cache keeps it; the secret opens no other door, and no log has it."""
    address = reader.address()
    feed = reader.read(address)
    assert feed.status_code == 200 and "for the committee" in feed.text and "for all" not in feed.text
    assert feed.headers["Cache-Control"] == "private, no-store" and feed.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in feed.headers
    assert reader.read(address, headers={"If-None-Match": feed.headers["ETag"]}).status_code == 304
    secret = address.rpartition("=")[2]
    assert secret not in feed.text and len(secret) == 43
    for token in (secret, f"lb_{secret}", f"feed {secret}"):
        refused = client(reader.server, token).get("/api/v1/me")
        assert refused.status_code == 401, token
        for name in ("longboard", f"longboard-{reader.server.port}"):
            page = reader.server.open(headers={"Cookie": f"{name}={token}"}).get("/account")
            assert page.status_code == 401, token
    for path in (f"/feed.atom?key={secret}", f"/b/{reader.slug}/feed.atom?key={secret}"):
        assert "for the committee" not in reader.read(path).text
    assert reader.server.client.post(address).status_code == 405
    assert secret not in reader.browser.get("/account").text and "Committee" in reader.browser.get("/account").text
    kept = reader.browser.get("/account/download").text
    assert secret not in kept and hash_secret(f"feed {secret}").hex() not in kept and '"feed"' in kept
    log = reader.server.log.read_text()
    assert "/feed " in log and secret not in log and "has a new address of a private feed" in log


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_shown_once_is_in_view(start, visit):
    """On a phone, the account page is several screens long: the new address and the new token are where one looks."""
    reader = Reader(start)
    page = await visit(reader.server, "/account", reader.ada, viewport={"width": 390, "height": 700})
    for title, field, value in (("feeds", "#feed-password", None), ("bots", "[name=name]", "bot")):
        panel = page.locator(f"section[aria-labelledby={title}]")
        if value:
            await panel.locator(field).fill(value)
        await panel.locator("[type=password]").fill(PASSWORD)
        await panel.get_by_role("button", name=re.compile("^Make")).click()
        await expect(panel.locator(".made code")).to_be_in_viewport()
        await expect(panel.locator(".made")).to_be_focused()


def test_a_wrong_address_is_none(reader):
    """Whether it is empty, of the wrong form, somebody's token, or revoked."""
    bot = reader.ada.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD}).json()["token"]
    nothing = reader.read("/nothing-here", headers={"Accept": "application/json"})
    for key in ("", "x", "A" * 43, bot, bot.removeprefix("lb_"), "\u0661" * 43, "%00", "A" * 5000):
        wrong = reader.read("/feed", params={"key": key})
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (404, "not_found"), key
        assert wrong.content == nothing.content
    assert reader.read("/feed").status_code == nothing.status_code == 404


ENDS = {
    "is revoked": lambda reader: reader.browser.post(
        "/account/revoke/" + re.search(r'feeds".*?/account/revoke/(\d+)', reader.browser.get("/account").text, re.S)[1]
    ),
    "changes the password": lambda reader: reader.browser.post(
        "/account/password", data={"password": PASSWORD, "new": "quite another one"}
    ),
    "signs out everywhere": lambda reader: reader.browser.post("/account/everywhere"),
    "is no longer invited": lambda reader: reader.owner.api.delete(
        f"/api/v1/boards/{reader.slug}/members/{reader.ada.username}"
    ),
    "is suspended": lambda reader: admin(
        f"--database-url={reader.server.settings['database_url']}", "suspend", reader.ada.username
    ),
    "is recovered": lambda reader: recover(reader),
    "deletes the account": lambda reader: reader.browser.post(
        "/account/delete", data={"password": PASSWORD, "messages": "keep"}
    ),
    "loses the board": lambda reader: reader.owner.api.delete(f"/api/v1/boards/{reader.slug}?name=Committee"),
}


def recover(reader):
    said = admin(f"--database-url={reader.server.settings['database_url']}", "password", reader.ada.username)
    link = re.search(r"#([\w-]+)", said.stdout)[1]
    return reader.server.open().post("/password", data={"link": link, "password": "quite another one"})


@pytest.mark.parametrize("what", ENDS)
def test_it_ends_at_once_when_its_owner(start, what):
    """Nothing is remembered of what could be read a moment before: the answer is that to an address that never was."""
    reader = Reader(start)
    address = reader.address()
    assert reader.read(address).status_code == 200
    done = ENDS[what](reader)
    assert getattr(done, "status_code", 200) < 400, done.text
    until(lambda: reader.read(address).status_code == 404)  # what another process did, within a moment
    ended, never = (
        exchanged(reader.server, "GET", f"/feed?key={key}", ["Accept: application/json"])
        for key in (address.rpartition("=")[2], "A" * 43)
    )
    assert ended == never and b"404" in ended


def test_only_a_member_who_shows_who_it_is_makes_one_and_only_of_a_closed_board(reader):
    """Who finds an open session makes no address that outlives it; nobody learns of a board by asking for its feed."""
    assert reader.make(password="wrong").status_code == 401
    open_to_all = reader.make("first")
    assert open_to_all.status_code == 422 and "needs no secret address" in open_to_all.text
    stranger = Person(reader.server).browser()
    answers = [
        stranger.post("/account/feeds", data={"board": slug, "password": PASSWORD})
        for slug in (reader.slug, "never-was")
    ]
    assert [one.status_code for one in answers] == [404, 404]
    hidden, never = (re.sub(r"<time.*?</time>", "", one.text) for one in answers)
    assert hidden.replace(reader.slug, "NAME") == never.replace("never-was", "NAME")
    assert "Private feeds" not in stranger.get("/account").text, "who has no such board is shown nothing"
    api = client(reader.server, reader.ada.api.headers["Authorization"].removeprefix("Bearer "))
    assert api.post("/account/feeds", data={"board": reader.slug, "password": PASSWORD}).status_code == 403


def test_there_are_only_so_many(start):
    """Together with bots' tokens; and each read counts for its owner."""
    reader = Reader(start)
    for _ in range(49):
        reader.address()
    assert reader.ada.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD}).status_code == 201
    full = reader.make()
    assert full.status_code == 422 and "<code>http" not in full.text


def test_where_only_members_read_the_first_board_has_one_too(start):
    """And it is a feed for that board only."""
    reader = Reader(start, reading="members", posting="members")
    reader.ada.post("for members")
    feed = reader.read(reader.address("first"))
    assert feed.status_code == 200 and "for members" in feed.text and "for the committee" not in feed.text
    assert reader.read("/feed.atom").status_code == 401


def test_guesses_are_bounded_for_each_address(start):
    """As all that reads from storage."""
    server = start(limits="on")
    statuses = [server.get(f"/feed?key={number:043d}").status_code for number in range(400)]
    assert statuses[0] == 404 and statuses[-1] == 429
