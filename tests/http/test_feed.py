"""The feed, the manifest, the icons, robots.txt; and that a members' board shows a guest none of it, nor anything else."""

import asyncio
import re
import struct
import time
import xml.etree.ElementTree as ElementTree

import pytest
from tornado.httpclient import AsyncHTTPClient

from handlers import ROUTES
from handlers.http.aside import gzipped
from handlers.messages.feed import Made
from storage.boards import BoardChange
from tests.http.test_boards import hidden, make, post, promoted
from tests.support.browser import SCRIPTS
from tests.support.in_process import running
from tests.support.people import Person, refused

ATOM = "{http://www.w3.org/2005/Atom}"


def texts(feed, tag):
    return [element.text for element in ElementTree.fromstring(feed).iter(ATOM + tag)]


def test_the_feed_has_the_newest_messages_of_every_script(start):
    """Valid Atom: text as it is, stable ids, authors, times; the newest 50, newest first."""
    server = start(public_url="https://board.example.org", title="Tea & <scones>")
    ada = Person(server, name="Ada & <co>")
    for script in [*SCRIPTS, "]]> \ufffe\uffff end", *(f"number {n}" for n in range(45))]:
        server.post(script)
    mine = ada.post("By Ada")
    ada.api.patch(f"/api/v1/messages/{mine['id']}", json={"body": "Better by Ada"})
    response = server.get("/feed.atom")
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(response.content)
    entries = feed.findall(ATOM + "entry")
    assert (
        feed.findtext(ATOM + "title") == "Tea & <scones>" and feed.findtext(ATOM + "id") == "https://board.example.org/"
    )
    assert feed.find(f"{ATOM}link[@rel='self']").get("href") == "https://board.example.org/feed.atom"
    assert len(entries) == 50 and len({entry.findtext(ATOM + "id") for entry in entries}) == 50
    first = entries[0]
    assert (
        first.findtext(ATOM + "id")
        == f"https://board.example.org/m/{mine['id']}"
        == first.find(ATOM + "link").get("href")
    )
    assert first.findtext(ATOM + "content") == "Better by Ada"
    assert first.findtext(f"{ATOM}author/{ATOM}name") == "Ada & <co>"
    assert first.findtext(ATOM + "published") == mine["created_at"] < first.findtext(ATOM + "updated")
    assert feed.findtext(ATOM + "updated") == first.findtext(ATOM + "updated")
    contents = [entry.findtext(ATOM + "content") for entry in entries]
    assert set(SCRIPTS[-3:]) <= set(contents) and "]]> \ufffd\ufffd end" in contents
    assert all(entry.findtext(ATOM + "title") for entry in entries)
    assert f'href="{server.get("/").text.partition("/feed.atom")[1]}"' == 'href="/feed.atom"'


def test_an_empty_board_has_a_valid_feed_too(start):
    """A reader who subscribes before the first message gets no error."""
    server = start()
    assert texts(server.get("/feed.atom").content, "entry") == []
    assert texts(server.get("/feed.atom").content, "id") == [f"{server.url}/"]


def test_a_feed_that_did_not_change_is_not_sent_again(start):
    """By ETag or by time; after any change, also a deletion within the same second, it is."""
    server = start()
    ada = Person(server)
    message = ada.post("words")
    first = server.get("/feed.atom")
    etag, time = {"If-None-Match": first.headers["Etag"]}, {"If-Modified-Since": first.headers["Last-Modified"]}
    for headers in (etag, time, {"If-None-Match": "*"}, {"If-None-Match": f'"x", W/{first.headers["Etag"]}'}):
        again = server.get("/feed.atom", headers=headers)
        assert again.status_code == 304 and not again.content and again.headers["Etag"] == first.headers["Etag"]
    assert server.get("/feed.atom", headers={"If-None-Match": '"x"'} | time).status_code == 200
    assert server.get("/feed.atom", headers={"If-Modified-Since": "garbage"}).status_code == 200
    head = server.client.head("/feed.atom")
    assert head.status_code == 200 and not head.content
    ada.api.delete(f"/api/v1/messages/{message['id']}")
    for headers in (etag, time):
        assert server.get("/feed.atom", headers=headers).status_code == 200
    assert b"words" not in server.get("/feed.atom").content


def test_one_client_s_host_is_not_in_another_s_feed(server):
    """Without PUBLIC_URL the address is the one that was asked; it goes to nobody else."""
    theirs = server.get("/feed.atom", headers={"Host": "another-client.example"})
    assert b"http://another-client.example/" in theirs.content
    for path in ("/feed.atom", "/"):
        assert b"another-client.example" not in server.get(path).content


def test_the_board_can_be_put_on_a_home_screen(start):
    """The manifest has the board's name and icons of the sizes that phones ask for."""
    server = start(title="Tea & “scones”")
    response = server.get("/manifest.webmanifest")
    manifest = response.json()
    assert response.headers["Content-Type"] == "application/manifest+json" and manifest["name"] == "Tea & “scones”"
    for icon in manifest["icons"]:
        image = server.get(icon["src"])
        assert image.status_code == 200 and image.headers["Content-Type"] == icon["type"]
        if icon["type"] == "image/png":
            assert "{}x{}".format(*struct.unpack(">II", image.content[16:24])) == icon["sizes"]
    assert {icon["sizes"] for icon in manifest["icons"]} == {"any", "192x192", "512x512"}
    page = server.get("/")
    assert (
        'href="/manifest.webmanifest"' in page.text and "manifest-src 'self'" in page.headers["Content-Security-Policy"]
    )
    for path in ("/favicon.ico", "/apple-touch-icon.png"):
        assert server.get(path).content.startswith(b"\x89PNG")


def test_search_engines_are_told_what_to_leave_alone(start):
    """The forms of a public board; all of a members' one."""
    assert "Disallow: /search\n" in start().get("/robots.txt").text
    assert start(reading="members").get("/robots.txt").text == "User-agent: *\nDisallow: /\n"


# --- READING=members

OPEN = {
    "/signup": 200, "/signin": 200, "/signout": 200, "/password": 200, "/li": 301, "/lo": 301, "/api/": 301, "/privacy": 200,
    "/api": 200, "/api/v1/openapi.json": 200, "/favicon.ico": 200, "/apple-touch-icon.png": 200, "/robots.txt": 200,
    "/healthz": 200, "/readyz": 200, "/static/000000000000/board.css": 200,
}  # fmt: skip
"""What a guest may see of a members' board: the ways in, and what is the same for every board."""


def addresses():
    for pattern, *_ in ROUTES:
        path = pattern.replace("([0-9a-f]{12})/(.+)", "000000000000/board.css")
        yield re.sub(r"\([^)]*\)", "1", path).replace("\\", "")


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    from tests.support.server import Server

    server = Server(tmp_path_factory.mktemp("closed"), reading="members")
    member = Person(server, "quentin", name="Quentin Quartz")
    assert member.post("the quartz words")["id"] == 1
    server.member = member
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("path", list(addresses()))
def test_a_guest_sees_nothing_of_a_members_board(closed, path):
    """Every address there is, with every method: nothing opens but what this list names, and no word gets out."""
    answers = {method: closed.client.request(method, path) for method in ("GET", "HEAD", "POST", "PATCH", "DELETE")}
    for method, answer in answers.items():
        assert "quartz" not in answer.text.lower() and "quentin" not in answer.text.lower(), (method, path)
        if path not in OPEN and method in ("GET", "HEAD"):
            assert answer.status_code in (401, 404, 405), (method, path, answer.status_code)
        assert answer.status_code < 500 and not (method != "HEAD" and answer.status_code in (201, 204))
    if path in OPEN:
        assert answers["GET"].status_code == OPEN[path], path


def test_the_list_of_what_is_open_is_up_to_date(closed):
    """A new address is closed until somebody names it, and a member sees what a guest does not."""
    assert set(OPEN) <= set(addresses())
    browser = closed.member.browser()
    for path in ("/", "/m/1", "/search?q=quartz", "/feed.atom", "/api/v1/search?q=quartz", "/get", "/?before=9"):
        assert closed.get(path).status_code == 401 and "quartz" in browser.get(path).text, path
    for page in ("/signin", "/nothing"):
        assert "/feed.atom" not in closed.get(page).text and "/manifest" not in closed.get(page).text
        assert 'action="/search"' not in closed.get(page).text


def test_each_board_has_a_feed_for_those_who_read_it(start):
    """With its own name and address; to others, and where no board ever was, it is one refusal."""
    server = start()
    moderator = promoted(server)
    make(moderator, name="All boats")
    slug, message = hidden(moderator), post(server.client, "rowing", "Low tide")
    post(moderator.api, slug, "secret")
    feed = server.get("/b/rowing/feed.atom")
    tree = ElementTree.fromstring(feed.text)
    assert tree.findtext(f"{ATOM}title") == "All boats" and tree.findtext(f"{ATOM}id") == f"{server.url}/b/rowing/"
    assert [entry.findtext(f"{ATOM}id") for entry in tree.iter(f"{ATOM}entry")] == [f"{server.url}/m/{message['id']}"]
    assert feed.headers["Cache-Control"] == "no-cache"
    etag, time = {"If-None-Match": feed.headers["ETag"]}, {"If-Modified-Since": feed.headers["Last-Modified"]}
    for known in (etag, time):
        assert server.get("/b/rowing/feed.atom", headers=known).status_code == 304
    moderator.api.patch("/api/v1/boards/rowing", json={"name": "Few boats"})
    for known in (etag, time):
        renamed = server.get("/b/rowing/feed.atom", headers=known)
        assert renamed.status_code == 200 and "Few boats" in renamed.text
    moderator.api.delete(f"/api/v1/messages/{message['id']}")
    for known in (etag, time, {"If-None-Match": renamed.headers["ETag"]}):
        assert server.get("/b/rowing/feed.atom", headers=known).status_code == 200
    assert server.get("/b/first/feed.atom").content == server.get("/feed.atom").content
    mine = moderator.api.get(f"/b/{slug}/feed.atom")
    assert "secret" in mine.text and mine.headers["Cache-Control"] == "private, no-cache"
    refused(server.get(f"/b/{slug}/feed.atom"), 404, "no_such_board")
    assert "<entry>" not in server.get("/feed.atom").text


async def test_the_feed_does_not_tell_that_a_first_hidden_board_is_made_or_a_last_one_deleted(tmp_path, monkeypatch):
    """Its time is that of the newest state of the messages, however much later it is."""
    now = 1_800_000_000
    monkeypatch.setattr(time, "time", lambda: now)
    async with running(tmp_path) as house:
        client, storage, heads = AsyncHTTPClient(), house.storage, []

        async def look():
            answer = await client.fetch(f"http://127.0.0.1:{house.port}/feed.atom")
            heads.append((answer.headers["Last-Modified"], answer.headers["Etag"], answer.body))

        await storage.append(None, "low tide", None)
        await look()
        hidden = await storage.create_board(None, "x", "Name", read_by="invited")
        for deed in (storage.set_board(None, hidden.id, BoardChange(name="X")), storage.delete_board(None, hidden.id)):
            await house.board.waiters.deliver()
            now += 10
            await look()
            await deed
        await house.board.waiters.deliver()
        now += 10
        await look()
        assert heads == heads[:1] * 4
        await storage.append(None, "high tide", None)
        await look()
        assert heads[-1][0] != heads[0][0]


async def test_the_feed_of_a_board_is_made_once_for_each_state(tmp_path, monkeypatch):
    """However many ask for it at once; it is in the bound of what is kept of all boards, and goes with it."""
    made = []
    monkeypatch.setattr(Made, "make", lambda feed: made.append(feed) or Made(feed, gzipped(feed), f'"{len(made)}"'))
    async with running(tmp_path) as house:
        boards = [await house.storage.create_board(None, slug, "Name") for slug in ("rowing", "diving")]
        client, waiters = AsyncHTTPClient(), house.board.waiters

        async def feed_of(slug):
            answers = await asyncio.gather(
                *(client.fetch(f"http://127.0.0.1:{house.port}/b/{slug}/feed.atom") for _ in range(5))
            )
            assert len({answer.body for answer in answers}) == 1
            return answers[0].body

        async def is_made_again(act):
            count = len(made)
            await act
            await waiters.deliver()
            first, again = await feed_of("rowing"), await feed_of("rowing")
            assert len(made) == count + 1 and first == again == made[-1]

        await is_made_again(house.storage.append(None, "low tide", None, board_id=boards[0].id))
        await is_made_again(house.storage.set_board(None, boards[0].id, BoardChange(name="Rowing")))
        board, other = (waiters.directory.of(one.id) for one in boards)
        assert board.recent.size > len(made[-1])
        await feed_of("diving")
        assert waiters.recents.size >= board.recent.size > len(made[0])
        waiters.recents.drop(board)
        await is_made_again(waiters.load(other))
        await is_made_again(house.storage.append(None, "high tide", None, board_id=boards[0].id))
