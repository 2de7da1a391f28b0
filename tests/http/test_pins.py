"""The pinned message of a board over HTTP: who pins, who hears of it and how, and that no words outlive their message."""

import asyncio
import json
import re

import pytest
from tornado.httpclient import AsyncHTTPClient

from board.markup import MOST_MARKUP
from storage.records import Asker, Author, Password
from tests.http.test_boards import BOARDS, bot_of, hidden, make, post, promoted
from tests.support.in_process import running
from tests.support.people import Person, refused

PLACE = re.compile(r'<details class="pinned".*?</details>', re.DOTALL)


def pin(person, id, method="PUT"):
    return person.api.request(method, f"/api/v1/messages/{id}/pin")


def shown(client, path="/"):
    """The lines of pinned messages on a page."""
    return PLACE.findall(client.get(path).text)


def same(page):
    """A page without what differs between two requests."""
    return re.sub(r'data-cursor="[^"]+"|data-watching="\d+"|name="key" value="[^"]+"', "", page)


def test_all_hear_of_the_pinned_message_and_of_its_end(site_with_boards):
    """Polls have it as a change, a first read and a reset beside their messages, pages in a line: with its words as they are."""
    server, owner, path = site_with_boards
    bob = Person(server)
    api = f"{BOARDS}/rowing/messages" if path != "/" else "/api/v1/messages"
    posted = bob.api.post(api, json={"body": "Tea at **five**"}).json()
    plain, before = bob.api.get(api).json(), server.get(path).text
    assert "pinned" not in plain and "pinned" not in before and "pin.js" not in before
    cursor, id = plain["cursor"], posted["id"]
    done = pin(owner, id)
    now = posted | {"pinned": True}
    board = {} if path == "/" else {"board": "rowing"}
    assert (done.status_code, done.json()) == (200, now | board)
    assert pin(owner, id).json() == now | board, "twice is once"
    for _ in range(60):
        bob.api.post(api, json={"body": "far away"})
    news = bob.api.get(api, params={"after": cursor, "wait": 0}).json()["messages"]
    assert news[0] == now and len(news) == 61
    first = bob.api.get(api).json()
    assert first["pinned"] == now and now not in first["messages"]
    reset = bob.api.get(f"{path}get", params={"after": "elsewhere-3", "wait": 0}).json()
    assert reset["reset"] and reset["pinned"] == now
    assert bob.api.get(f"/api/v1/messages/{id}").json() == now | board
    [line] = shown(server, path)
    assert f'data-id="{id}"' in line and '</bdi> <span dir="auto" lang="">Tea at five</span>' in line
    assert "Tea at <strong>five</strong></div>" in line and 'href="/m/' in line
    assert shown(bob.browser(), path) == [line]
    bob.api.patch(f"/api/v1/messages/{id}", json={"body": "Tea at six"})
    [line] = shown(server, path)
    assert "Tea at six</span>" in line and "five" not in line
    other = bob.api.post(api, json={"body": "<b>Regatta</b> & \u202e cake"}).json()["id"]
    cursor = bob.api.get(api).json()["cursor"]
    pin(owner, other)
    news = bob.api.get(api, params={"after": cursor, "wait": 0}).json()["messages"]
    assert [(one["id"], one.get("pinned")) for one in news] == [(id, None), (other, True)], "in this order"
    assert "&lt;b&gt;Regatta&lt;/b&gt; &amp;" in shown(server, path)[0] and "Tea" not in shown(server, path)[0]
    bob.api.delete(f"/api/v1/messages/{other}")
    assert shown(server, path) == [] and "pinned" not in bob.api.get(api).json()
    refused(pin(owner, other), 404, "not_found")
    pin(owner, id)
    assert pin(owner, id, "DELETE").json()["body"] == "Tea at six"
    assert shown(server, path) == [] and "pinned" not in bob.api.get(f"/api/v1/messages/{id}").json()
    log = owner.browser().get("/audit").text
    assert f"unpinned message {id} by {bob.username}" in log and f"pinned message {other} by {bob.username}" in log


@pytest.fixture(params=["/", "/b/rowing/"])
def site_with_boards(request, start):
    """The first board of a site with one, or another one; and a moderator."""
    server = start()
    owner = promoted(server)
    if request.param != "/":
        make(owner)
    return server, owner, request.param


def test_a_pin_that_has_ended_leaves_nothing_behind(start):
    """The page of a board without one is the same bytes as ever, and so is what programs get, but for the numbers."""
    server = start()
    owner = promoted(server)
    id = owner.post("words")["id"]
    before, api = server.get("/").text, server.get("/api/v1/messages").json()
    feed = server.get("/feed.atom")
    pin(owner, id)
    assert same(server.get("/").text) != same(before)
    pin(owner, id, "DELETE")
    assert same(server.get("/").text) == same(before)
    assert server.get("/api/v1/messages").json() | {"cursor": ""} == api | {"cursor": ""}
    assert server.get("/feed.atom").content == feed.content


def test_who_may_not_pin_is_refused_and_nothing_is_pinned(url, start):
    """Guests, members with their own messages, bots also of moderators, owners of other boards; what is hidden is not found;
    an archived board keeps what it has.
    """
    server = start(database_url=url)
    moderator, owner, bob = promoted(server), promoted(server), Person(server)
    make(owner)
    other = Person(server)
    own = bob.post("my own")["id"]
    there = post(bob.api, "rowing", "words")["id"]
    secret = post(owner.api, hidden(owner), "secret")["id"]
    for method in ("PUT", "DELETE"):
        for id in (own, there, secret, 10**17):
            refused(server.client.request(method, f"/api/v1/messages/{id}/pin"), 401, "sign_in_first")
        for id in (own, there):
            refused(pin(bob, id, method), 403, "moderators_only")
            refused(pin(other, id, method), 403, "moderators_only")
        for id in (secret, 10**17, "x", -1):
            refused(pin(moderator, id, method), 404, "not_found")
            refused(pin(bob, id, method), 404, "not_found")
        refused(bot_of(moderator).request(method, f"/api/v1/messages/{own}/pin"), 403, "moderators_only")
        refused(bot_of(owner).request(method, f"/api/v1/messages/{there}/pin"), 403, "moderators_only")
    refused(server.client.post(f"/api/v1/messages/{own}/pin"), 405, "method_not_allowed")
    assert "pinned" not in server.get("/api/v1/messages").json()
    assert pin(owner, secret).status_code == 200 and pin(moderator, there).status_code == 200
    owner.api.patch(f"{BOARDS}/rowing", json={"owner": bob.username})
    assert pin(bob, there, "DELETE").status_code == 200, "whose board it is by now"
    assert pin(bob, there).status_code == 200
    bob.api.patch(f"{BOARDS}/rowing", json={"archived": True})
    for method in ("PUT", "DELETE"):
        refused(pin(bob, there, method), 403, "archived")
    assert shown(server, "/b/rowing/") and f"/m/{there}/pin" not in bob.browser().get(f"/m/{there}").text


def test_the_form_on_the_page_of_a_message_works_without_scripts(start):
    """For those who may; not from another site, nor as somebody else."""
    server = start()
    ada, bob = promoted(server), Person(server)
    id, browser = bob.post("words")["id"], ada.browser()
    assert "/pin" not in bob.browser().get(f"/m/{id}").text and "/pin" not in server.get(f"/m/{id}").text
    assert f'action="/m/{id}/pin"' in browser.get(f"/m/{id}").text
    foreign = browser.post(f"/m/{id}/pin", data={}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403 and browser.post(f"/m/{id}/pin", data={"as": "other"}).status_code == 409
    assert bob.browser().post(f"/m/{id}/pin", data={}).status_code == 403 and shown(server) == []
    done = browser.post(f"/m/{id}/pin", data={"as": ada.username})
    assert (done.status_code, done.headers["Location"]) == (303, f"/m/{id}") and len(shown(server)) == 1
    assert 'name="remove"' in browser.get(f"/m/{id}").text
    browser.post(f"/m/{id}/pin", data={"as": ada.username, "remove": "1"})
    assert shown(server) == []


@pytest.mark.parametrize("repeats", ["on", "off"])
async def test_polls_that_are_parked_hear_of_each_pin(tmp_path, repeats):
    """Of two moderators who pin at once, too: in the end, each client has the one that the board has."""
    async with running(tmp_path, f"--repeats={repeats}") as house:
        storage, client = house.storage, AsyncHTTPClient(force_instance=True)
        for name in ("ada", "bob"):
            await storage.create_account(name, name, Password(None))
            await storage.set_role(None, name, "moderator")
        ids = [(await storage.append(Author(1, "ada"), f"words {n}", None))[0].id for n in range(4)]
        url, cursor, known = f"http://127.0.0.1:{house.port}/get", house.board.waiters.recent.cursor, None

        async def pin_at_once():
            await asyncio.gather(*(storage.pin(id, Asker(by)) for _ in range(5) for by in (1, 2) for id in ids))
            await storage.append(None, "the end", None)

        tries, bodies = asyncio.create_task(pin_at_once()), []
        while "the end" not in bodies:
            reply = json.loads((await client.fetch(f"{url}?after={cursor}&wait=25", request_timeout=100)).body)
            cursor, bodies = reply["cursor"], [one["body"] for one in reply["messages"]]
            for one in reply["messages"]:
                known = one["id"] if one.get("pinned") else None if known == one["id"] else known
        await tries
        assert known == (await storage.snapshot(changes=1, page=1)).pinned.id == house.board.waiters.recent.pinned.id
        client.close()


def test_the_longest_pinned_message_is_shown_whole_and_bounded(start):
    """With as much markup as a message may have; the line itself is short."""
    server = start()
    ada = promoted(server)
    words = ("[a](https://a.b) " * 300)[:4000].strip()
    id = ada.post(words)["id"]
    pin(ada, id)
    [line] = shown(server)
    summary, _, rest = line.partition("</summary>")
    assert len(summary) < 600 and "a (a.b) a" in summary and "…</span>" in summary
    assert 100 < rest.count("<a ") <= MOST_MARKUP + 1
