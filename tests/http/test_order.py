"""The order of reading that a board has: its pages are made in it, and all else stays as it is."""

import re

import pytest

from tests.support.boards import make_board, post_on, promote
from tests.support.people import Person

BOARDS = "/api/v1/boards"
PARTS = ("older", "messages", "newest", "outbox", "watching", "composer")
"""What stands from the head to the foot of a page with the oldest message first."""


@pytest.fixture
def talk(start):
    """A site whose board has an older page, and a frame: the server, the board's owner, and the ids of its messages."""
    server = start(embed_from="https://blog.example.org")
    owner = promote(server, Person(server, name="Ada"))
    make_board(owner, "Talk", "talk")
    ids = [post_on(owner.api, "talk", f"number {number}")["id"] for number in range(60)]
    return server, owner, ids


def set_order(owner, order):
    response = owner.api.patch(f"{BOARDS}/talk", json={"order": order})
    assert response.status_code == 200, response.text
    assert response.json()["order"] == order


def shown(text):
    return [int(id) for id in re.findall(r'<article[^>]* id="m(\d+)"', text)]


def parts(text):
    """The parts of a board's page, in the order in which they stand."""
    return sorted(PARTS, key=lambda id: text.index(f' id="{id}"'))


def without_key(response):
    """The page without what differs between visits: the form's key, and the last change of any board."""
    assert response.status_code == 200, response.text
    return re.sub(r' name="key" value="[^"]*"| data-others="\d+"', "", response.text)


def test_the_pages_of_a_board_have_its_order_for_everybody(talk):
    """The board's page, kept or not, in a frame too, its older pages, and those of its messages. With the newest first, they are the same
    bytes as before that was ever another: who does not use it pays nothing.
    """
    server, owner, ids = talk
    clients = {"guest": server.client, "member": owner.browser(), "cookie": server.open(cookies={"other": "x"})}
    paths = ("/b/talk/", f"/b/talk/?before={ids[30]}", f"/b/talk/?after={ids[9]}", f"/m/{ids[30]}", "/b/talk/embed")
    newest = {(who, path): without_key(client.get(path)) for who, client in clients.items() for path in paths}
    set_order(owner, "oldest")
    for (who, path), before in newest.items():
        now = without_key(clients[who].get(path))
        assert len(shown(now)) >= 10 and shown(now) == shown(before)[::-1] == sorted(shown(now)), (who, path)
        assert "order" not in before.lower() and '<html lang="en" data-order="oldest">' in now, (who, path)
    for path in ("/b/talk/embed", "/b/talk/"):
        now = without_key(server.get(path))
        assert parts(now) == list(PARTS) and parts(newest["guest", path]) != list(PARTS), path
        assert now.count("order.css") == 1 and "order.css" not in newest["guest", path], path
    # Each message but the first of all goes on the one above it, from either end.
    for text, first in ((now, ids[10]), (newest["guest", "/b/talk/"], ids[-1])):
        assert [int(id) for id in re.findall(r'<article class="message"[^>]* id="m(\d+)"', text)] == [first]
    history = without_key(server.get(f"/b/talk/?before={ids[30]}"))
    assert history.index('id="older"') < history.index('id="messages"') < history.index('id="newer"')
    page = without_key(clients["member"].get(f"/m/{ids[30]}"))
    assert page.index('id="replies"') < page.index('id="outbox"') < page.index('id="composer"')
    set_order(owner, "newest")
    after = {(who, path): without_key(clients[who].get(path)) for who, path in newest}
    assert after == newest


def test_replies_the_feed_and_searches_keep_their_order(talk):
    """Byte for byte, and with the same cursor: nothing on the board has changed."""
    server, owner, ids = talk
    paths = (f"{BOARDS}/talk/messages", f"{BOARDS}/talk/messages?before={ids[30]}", "/b/talk/get", f"{BOARDS}/talk/search?q=number",
             "/b/talk/feed.atom", "/b/talk/search?q=number")  # fmt: skip
    before = {path: server.get(path).content for path in paths}
    set_order(owner, "oldest")
    assert {path: server.get(path).content for path in paths} == before


def test_open_pages_hear_that_the_order_has_changed(talk):
    """A poll that is parked on the board is answered at once, and one that hears of the boards is told to read the list."""
    server, owner, _ = talk
    reply = server.get(f"{BOARDS}/talk/messages").json()
    told = server.get(f"/b/talk/get?after={reply['cursor']}&others=0").json()
    set_order(owner, "oldest")
    word = server.get(f"/b/talk/get?after={reply['cursor']}&others={told['others']}&wait=20").json()
    assert word["list"] is True and word["messages"] == []
    assert [one["order"] for one in server.get(BOARDS).json()["boards"]] == ["newest", "oldest"]


def test_the_order_is_chosen_by_form_and_in_the_api_and_anything_else_is_refused(talk):
    """By those who may set up the board. The form leaves it as it is if it does not say it; the log of acts has a change."""
    server, owner, _ = talk
    browser, friend = owner.browser(), Person(server)

    def checked(path="/b/talk/settings"):
        return re.findall('name="order" value="([a-z]+)" checked', browser.get(path).text)

    assert checked() == ["newest"] == checked("/boards/new")
    assert browser.post("/b/talk/settings", data={"name": "Talk", "order": "oldest"}).status_code == 303
    assert checked() == ["oldest"]
    assert re.search(r"changed (?:<[^>]*>|the board| )*Talk", browser.get("/audit").text)
    assert browser.post("/b/talk/settings", data={"name": "Talk", "order": "random"}).status_code == 303
    assert browser.post("/b/talk/settings", data={"name": "Talk"}).status_code == 303
    assert checked() == ["oldest"]
    for value in ("random", "", 1, ["newest"], "Newest"):
        assert owner.api.patch(f"{BOARDS}/talk", json={"order": value}).status_code == 400, value
    assert friend.api.patch(f"{BOARDS}/talk", json={"order": "newest"}).status_code == 403
    assert owner.api.patch(f"{BOARDS}/first", json={"order": "oldest"}).status_code == 403
    assert checked() == ["oldest"]
    made = owner.api.post(BOARDS, json={"name": "More", "slug": "more", "order": "oldest"}).json()
    assert made["order"] == "oldest" == server.get(f"{BOARDS}/more").json()["order"]
    location = browser.post("/boards/new", data={"name": "By form", "order": "oldest"}).headers["Location"]
    assert parts(server.get(location).text) == list(PARTS)


def test_a_refused_form_has_the_order_that_was_chosen(talk):
    _, owner, _ = talk
    refused = owner.browser().post("/b/talk/settings", data={"name": "", "order": "oldest"})
    assert refused.status_code == 422
    assert re.findall('name="order" value="([a-z]+)" checked', refused.text) == ["oldest"]


def test_a_setting_says_the_order_of_the_first_board(start):
    """Its page is kept and sent the quick way in either; without JavaScript, a post leads to where it is shown."""
    server = start(reading_order="oldest", embed_from="https://blog.example.org")
    ids = [server.post(f"number {number}").json()["id"] for number in range(60)]
    assert server.get(f"{BOARDS}/first").json()["order"] == "oldest"
    texts = [
        without_key(server.open(headers={"Accept-Encoding": encoding}, cookies=cookies).get("/"))
        for encoding in ("gzip", "identity")
        for cookies in ({}, {"other": "x"})
    ]
    assert texts.count(texts[0]) == 4 and shown(texts[0]) == ids[10:] and parts(texts[0]) == list(PARTS)
    server.post("one more")
    assert shown(server.get("/").text) == [*ids[11:], ids[-1] + 1]
    framed = server.get("/embed").text
    assert shown(framed) == [*ids[11:], ids[-1] + 1] and parts(framed) == list(PARTS)
    assert server.client.post("/add", data={"s": "by form"}).headers["Location"] == "/#newest"
    assert server.client.post("/embed", data={"s": "by form"}).headers["Location"] == "/embed#newest"
    plain = start()
    assert plain.client.post("/add", data={"s": "by form"}).headers["Location"] == "/"
    assert plain.get(f"{BOARDS}/first").json()["order"] == "newest"


def test_a_post_by_form_leads_to_where_the_board_shows_it(talk):
    server, owner, _ = talk
    leads = []
    for order in ("newest", "oldest"):
        set_order(owner, order)
        leads.append(server.client.post("/b/talk/add", data={"s": f"by form, {order}"}).headers["Location"])
    assert leads == ["/b/talk/", "/b/talk/#newest"]
