"""Tabs of several boards, of which one polls: what the others hear, say and send; and what goes wrong on the way."""

import asyncio
import json
import re

from playwright.async_api import expect

from tests.browser.test_board_changes import listed_again
from tests.browser.test_boards import WIDE, entry, has_seen, look_at, parked
from tests.browser.test_reading import hide
from tests.browser.test_tabs import another, comes_to_front
from tests.support.boards import LISTED, make_board, post_on
from tests.support.browser import BROWSER_TEST, NETWORK, comes_true, message
from tests.support.server import until

pytestmark = BROWSER_TEST
SHOWN = """window.shown = [];
window.Notification = class { constructor(title, { body }) { window.shown.push(title, body); } };
Notification.permission = "granted";
Notification.requestPermission = async () => "granted";"""


async def test_a_tab_that_could_not_ask_asks_again(club, visit):
    """Word of its board came, and the request was lost: at the next word, whatever that is of, it asks again."""
    visit.expect(NETWORK)
    server, owner, friend, _ = club
    rowing = await visit(server, "/b/rowing/", friend)
    first = await another(rowing, "/")
    await comes_to_front(first, rowing)
    await parked(server, 1)
    lost = asyncio.Event()
    rowing.on("requestfailed", lambda request: lost.set() if "wait=0" in request.url else None)
    await rowing.route("**/b/rowing/get?**", lambda route: route.abort("connectionreset"))
    post_on(owner.api, "rowing", "nearly missed")
    await lost.wait()
    await rowing.unroute("**/b/rowing/get?**")
    server.post("of the first board")
    await expect(message(rowing, "nearly missed")).to_have_count(1)


async def test_only_one_tab_reads_the_list_again(club, visit):
    """It tells the others, which may not even reach the server."""
    server, owner, friend, _ = club
    rowing = await visit(server, "/b/rowing/", friend, **WIDE)
    await comes_true(rowing, LISTED)
    first = await another(rowing, "/")
    await comes_true(first, LISTED)
    await comes_to_front(first, rowing)
    await parked(server, 1)
    await visit.hold(rowing, "**/api/v1/boards")
    make_board(owner, "Fair", "fair")
    await expect(entry(first, "Fair")).to_have_count(1)
    await expect(entry(rowing, "Fair")).to_have_count(1)


async def test_what_was_read_for_somebody_else_is_not_taken(club, visit):
    """A page of a guest hears what a member's page has read, and shows nothing of it."""
    server, *_ = club
    guest = await visit(server, "/b/rowing/", **WIDE)
    await comes_true(guest, LISTED)
    await guest.evaluate(
        """() => {
            window.heard = 0;
            new BroadcastChannel("longboard/boards").onmessage = () => window.heard++;  // after the page has
        }"""
    )
    other = await another(guest, "/api")
    for number, (me, names) in enumerate([(7, ["Riverside", "Rowing"]), (0, ["Fair"])], 1):
        board = {
            "slug": "fair",
            "name": "Fair",
            "about": "",
            "read_by": "everyone",
            "archived_at": None,
            "newest": None,
        }
        told = {"boards": [board], "more": True, "me": me}
        await other.evaluate("(told) => new BroadcastChannel('longboard/boards').postMessage(told)", told)
        await comes_true(guest, f"heard >= {number}")
        assert await guest.locator("#boards li bdi").all_inner_texts() == names


async def test_a_board_with_a_name_of_javascript_is_one_like_any_other(club, visit):
    """Every object has a `constructor`: word of other boards is none of this one, nor has it a mark before it is read."""
    server, owner, friend, hidden = club
    make_board(owner, "Builders", "constructor")
    builders = await visit(server, "/b/constructor/", friend, **WIDE)
    await comes_true(builders, LISTED)
    first = await another(builders, "/")
    await comes_to_front(first, builders)
    await parked(server, 1)
    asked = []
    builders.on("request", lambda request: asked.append(request.url) if "/get" in request.url else None)
    for slug, name in (("lounge", "Lounge"), ("rowing", "Rowing"), (hidden, "Committee")):
        post_on(owner.api, slug, "of another board")
        await expect(entry(builders, name)).to_have_class("new")
    post_on(owner.api, "constructor", "a wall")
    await expect(message(builders, "a wall")).to_have_count(1)
    assert len(asked) in (1, 2)  # the first word may be asked for, as the other tab has ended a poll


async def test_the_first_message_of_a_board_is_new(club, visit):
    """Also to a guest who has seen that the board was empty; over reloads, until it is opened."""
    server, owner, *_ = club
    make_board(owner, "Builders", "constructor")
    page = await visit(server, "/b/rowing/", **WIDE)
    await comes_true(page, "localStorage.getItem('read-marks/')?.includes('constructor')")
    await expect(page.locator("#boards a.new")).to_have_count(0)
    await parked(server, 1)
    wall = post_on(owner.api, "constructor", "a wall")
    await expect(entry(page, "Builders")).to_have_class("new")
    await listed_again(page, "/b/rowing/")
    await expect(entry(page, "Builders")).to_have_class("new")
    await page.goto("/b/constructor/")
    await has_seen(page, "constructor", wall["id"])
    await listed_again(page, "/")
    await expect(entry(page, "Builders")).not_to_have_class("new")


# --- read marks


async def test_a_mark_that_was_refused_is_sent_again(club, visit):
    """When the page goes out of view, at the latest."""
    visit.expect("status of 503")
    server, _, friend, _ = club
    page = await visit(server, None, friend)
    await page.route("**/read", lambda route: route.fulfill(status=503, body="{}"), times=1)
    await look_at(page, "/b/rowing/")
    assert friend.api.get("/api/v1/boards/rowing").json()["read"] is None
    await comes_true(page, LISTED)
    await hide(page)
    newest = friend.api.get("/api/v1/boards/rowing").json()["newest"]
    await asyncio.to_thread(until, lambda: friend.api.get("/api/v1/boards/rowing").json()["read"] == newest)


async def test_a_page_moves_nobody_else_s_mark(club, visit):
    """Somebody else has signed in in this browser: what the old page sees is not what they have read."""
    visit.expect("status of 409")
    server, owner, friend, _ = club
    page = await visit(server, None, friend)
    await look_at(page, "/b/rowing/")
    await parked(server, 1)
    cookies = owner.browser().cookies
    await page.context.add_cookies([{"name": name, "value": cookies[name], "url": server.url} for name in cookies])
    mark = owner.api.get("/api/v1/boards/rowing").json()["read"]
    post_on(friend.api, "rowing", "seen by the old page")
    await expect(message(page, "seen by the old page")).to_have_count(1)
    async with page.expect_response("**/read") as answer:
        await hide(page)
    assert (await answer.value).status == 409
    assert owner.api.get("/api/v1/boards/rowing").json()["read"] == mark


# --- notifications


async def test_a_notification_comes_also_for_a_tab_that_does_not_poll(club, visit):
    """If nobody looks at any tab; once, with the words of the message. Of several, one that mentions the reader comes first,
    also if the tab could not ask after the first word of them."""
    visit.expect(NETWORK)
    server, owner, friend, _ = club
    rowing = await visit(server, None, friend)
    await rowing.context.add_init_script(SHOWN)
    await rowing.goto("/b/rowing/")
    await rowing.locator("#notify").click()
    await expect(rowing.locator("#notify")).to_have_attribute("aria-pressed", "true")
    first = await another(rowing, "/")
    await expect(first.locator("#notify")).to_have_attribute("aria-pressed", "true")
    await comes_to_front(first, rowing)
    await parked(server, 1)
    post_on(owner.api, "rowing", "while one looks at the first board")
    await expect(message(rowing, "while one looks at the first board")).to_have_count(1)
    await hide(first)
    post_on(owner.api, "rowing", "ding")
    await expect(message(rowing, "ding")).to_have_count(1)
    await comes_true(rowing, "shown.length")
    server.post("dong")
    await expect(message(first, "dong")).to_have_count(1)
    assert await first.evaluate("shown") == ["Guest", "dong"]
    assert await rowing.evaluate("shown") == ["Ada", "ding"]
    lost = asyncio.Event()
    rowing.on("requestfailed", lambda request: lost.set() if "wait=0" in request.url else None)
    await rowing.route("**/b/rowing/get?**", lambda route: route.abort("connectionreset"))
    post_on(owner.api, "rowing", f"@{friend.username} to you")
    await lost.wait()
    await rowing.unroute("**/b/rowing/get?**")
    post_on(owner.api, "rowing", "to all")
    await expect(message(rowing, "to all")).to_have_count(1)
    await comes_true(rowing, "shown.length === 4")
    assert await rowing.evaluate("shown.slice(2)") == ["Ada mentions you", f"@{friend.username} to you"]


# --- what waits


async def test_a_tab_that_was_open_before_sends_what_another_could_not(club, visit):
    """The tab in which it was written is closed; another board's, opened before that, sends it to where it is for."""
    visit.expect(NETWORK)
    server, _, friend, _ = club
    first = await visit(server, "/", friend)
    rowing = await another(first, "/b/rowing/")
    await rowing.route("**/add", lambda route: route.abort("connectionreset"))
    held = await visit.hold(first, "**/add")
    await rowing.fill("#s", "wait for me")
    await rowing.keyboard.press("Control+Enter")
    await expect(rowing.locator("#outbox article")).to_have_count(1)
    await rowing.close()
    held.set()
    await asyncio.to_thread(until, lambda: "wait for me" in server.get("/api/v1/boards/rowing/messages").text)
    assert "wait for me" not in server.get("/api/v1/messages").text


async def test_a_server_of_the_last_release_refuses_no_letter(club, visit):
    """During an upgrade it knows no boards, so there is nothing at their addresses. That passes."""
    visit.expect("status of 404")
    server, _, friend, _ = club
    page = await visit(server, "/b/rowing/", friend)
    error = {"code": "not_found", "message": "There is nothing here."}
    older = json.dumps({"error": error})
    await page.route(
        "**/add", lambda route: route.fulfill(status=404, content_type="application/json", body=older), times=1
    )
    await page.fill("#s", "wait for me")
    await page.keyboard.press("Control+Enter")
    await expect(message(page, "wait for me")).to_have_count(1)
    await expect(page.locator("#outbox .message")).to_have_count(0)
    await expect(page.locator("#s")).to_have_value("")
    assert len(re.findall("wait for me", server.get("/api/v1/boards/rowing/messages").text)) == 1
