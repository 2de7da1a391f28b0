"""Replies on the page: what they quote, live in another window, offline, and without JavaScript."""

import time

from playwright.async_api import expect

from tests.browser.test_tabs import parked
from tests.browser.test_tools import point_at, tool, use
from tests.support.axe import DAY_AND_NIGHT, no_violations
from tests.support.browser import BROWSER_TEST, box_of, is_as_after_reload, is_wide, message, write
from tests.support.people import Person

pytestmark = BROWSER_TEST

LOADED = "(name) => performance.getEntriesByType('resource').some((one) => one.name.includes(name))"
HEBREW = "שלום עולם, " + "מילים ארוכות מאוד " * 20


def reply(server, reply_to, body, person=None):
    client = person.api if person else server.client
    response = client.post("/api/v1/messages", json={"body": body, "reply_to": reply_to})
    assert response.status_code == 201, response.text
    return response.json()["id"]


def edit(person, id, body):
    assert person.api.patch(f"/api/v1/messages/{id}", json={"body": body}).status_code == 200


def delete(person, id):
    assert person.api.delete(f"/api/v1/messages/{id}").status_code == 204


def quote(page, text):
    return message(page, text).locator(".quote")


async def test_a_reply_quotes_its_message_in_each_window_as_it_is_now(start, visit):
    """Written in one window, it is in another one with the author and the first words; these change with each edit, and
    of a deleted message nothing is left: not on open pages, nor on new ones."""
    server = start()
    ada = Person(server, name="Ada")
    first = ada.post("who `rows` on\n\nSunday?")["id"]
    page, other = await visit(server, person=Person(server, name="Bob")), await visit(server)
    await parked(server, 2)
    assert not await other.evaluate(LOADED, "quotes."), "a page without replies loads nothing of them"
    await use(page, "who rows on\n\nSunday?", "Reply")
    await expect(page.locator("#composer .replying")).to_contain_text("Replying to Ada")
    await expect(page.locator("#s")).to_be_focused()
    await page.fill("#s", "I do")
    await page.mouse.move(1, 1)
    await page.reload()
    await expect(page.locator("#composer .replying")).to_contain_text("Replying to Ada")
    await write(page, "I do")
    await expect(page.locator(".replying")).to_have_count(0)
    for one in (page, other):
        await expect(quote(one, "I do")).to_have_text("In reply to Ada who rows on Sunday?")
        await expect(quote(one, "I do").get_by_role("link")).to_have_attribute("href", f"/m/{first}")
        await is_as_after_reload(one)
    await quote(page, "I do").get_by_role("link").click()
    await expect(page).to_have_url(f"{server.url}/#m{first}")
    await write(page, "no reply")
    assert "reply_to" not in server.get("/api/v1/messages?limit=1").json()["messages"][0]
    edit(ada, first, "who rows on Monday?")
    for one in (page, other):
        await expect(quote(one, "I do")).to_have_text("In reply to Ada who rows on Monday?")
    await is_as_after_reload(other)
    delete(ada, first)
    for one in (page, other):
        await expect(quote(one, "I do")).to_have_text("In reply to a deleted message")
        assert "who rows" not in await one.content() and "Ada" not in await one.content()
    await is_as_after_reload(other)


async def test_a_reply_that_is_sent_before_its_script_is_there_is_a_reply(start, visit):
    """One clicks, writes and sends. The line that says whose message it is to comes late, and then is not needed."""
    server = start()
    asked = server.post("Who has the notes?").json()["id"]
    page = await visit(server)
    loading = await visit.hold(page, "**/reply.js*")
    await use(page, "Who has the notes?", "Reply")
    await page.keyboard.type("Me.")
    await page.keyboard.press("Control+Enter")
    await expect(message(page, "Me.")).to_have_count(1)
    async with page.expect_response("**/reply.js*"):
        loading.set()
    await use(page, "Who has the notes?", "Reply")
    await expect(page.locator(".replying")).to_have_count(1)
    await page.get_by_role("button", name="Cancel reply").click()
    await expect(page.locator(".replying")).to_have_count(0)
    await write(page, "To nobody.")
    posted = server.get("/api/v1/messages").json()["messages"]
    assert {one["body"]: one.get("reply_to") for one in posted if one["id"] != asked} == {
        "Me.": asked,
        "To nobody.": None,
    }


async def test_a_message_that_is_not_on_the_page_is_asked_for_once(start, visit):
    """By all its replies together; what changes while the answer is on its way wins; and a kept page is made new when
    such a message changes. If the request fails, it is repeated."""
    visit.expect("status of 503")
    server = start()
    ada = Person(server, name="Ada")
    old, gone, kept = (ada.post(body)["id"] for body in ("long ago", "to be deleted", HEBREW))
    reply(server, kept, "on the kept page")
    for number in range(50):
        server.post(f"number {number}")
    page, asked = await visit(server, viewport={"width": 320, "height": 600}), []
    page.on("request", lambda request: asked.append(request.url) if "ids=" in request.url else None)
    await parked(server, 1)
    await page.route("**/messages?ids=*", lambda route: route.fulfill(status=503, json={}), times=1)
    for id, body in ((old, "one"), (old, "two"), (gone, "three")):
        reply(server, id, body)
    await expect(quote(page, "one")).to_have_text("In reply to Ada long ago")
    await expect(quote(page, "two")).to_have_text("In reply to Ada long ago")
    await expect(quote(page, "three")).to_have_text("In reply to Ada to be deleted")
    count = len(asked)
    edit(ada, old, "not so long ago")
    delete(ada, gone)
    await expect(quote(page, "two")).to_have_text("In reply to Ada not so long ago")
    await expect(quote(page, "three")).to_have_text("In reply to a deleted message")
    for text in ("not so long ago", "a deleted message"):
        assert text in server.get("/").text
    assert "to be deleted" not in server.get("/").text + await page.content()
    let_go = await visit.hold(page, "**/messages?ids=*")
    reply(server, kept, "four")
    async with page.expect_request("**/messages?ids=*"):
        pass
    delete(ada, kept)
    let_go.set()
    await expect(quote(page, "four")).to_have_text("In reply to a deleted message")
    assert len(asked) > count and not await is_wide(page)
    await message(page, "number 30").evaluate("(one) => one.scrollIntoView({ block: 'center' })")
    await point_at(page, "number 30")
    before = await box_of(message(page, "number 30"))
    await tool(page, "Reply").click()
    await expect(page.locator("#composer .replying")).to_be_in_viewport(ratio=1)
    await expect(page.locator("#s")).to_be_focused()
    after = await box_of(message(page, "number 30"))
    assert abs(after["y"] - before["y"]) < 1, "far down the page, too, what one replies to stays where it was"
    assert await page.evaluate("scrollY") > 600
    await quote(page, "one").get_by_role("link").click()
    await expect(page).to_have_url(f"{server.url}/m/{old}")


async def test_a_reply_to_a_message_that_was_deleted_comes_back_to_be_posted_without_it(start, visit):
    """Written offline, it waits in the outbox with what it replies to, also over a reload; it is refused with the reason,
    and goes out as a message like others. A letter of the last release goes out as it was."""
    visit.expect("status of 422|net::ERR_")
    server = start()
    ada = Person(server, name="Ada")
    gone = [ada.post(words)["id"] for words in ("stays", "goes")][1]
    page = await visit(server)
    await page.route("**/add", lambda route: route.abort("connectionreset"))
    for words in ("stays", "goes"):
        await use(page, words, "Reply")
        await page.fill("#s", f"to what {words}")
        await page.keyboard.press("Control+Enter")
    await expect(page.locator("#outbox .message")).to_have_count(2)
    letters = await page.evaluate("Object.values(localStorage).filter((text) => text.includes('replyTo'))")
    assert len(letters) == 2 and not any("Ada" in letter for letter in letters)
    await page.evaluate(
        """([at, key]) => localStorage.setItem(`outbox//${at}-${key}`,
            JSON.stringify({ text: "of the last release", key, at }))""",
        [int(time.time() * 1000), "k" * 32],
    )
    delete(ada, gone)
    await page.reload()
    await page.unroute("**/add")  # not before: the reason of a refusal would be gone with the page
    await expect(quote(page, "to what stays")).to_have_text("In reply to Ada stays")
    await expect(message(page, "of the last release")).to_have_count(1)
    await expect(page.locator("#hint")).to_contain_text("is gone. It can be posted without it.")
    await expect(page.locator("#s")).to_have_value("to what goes")
    await expect(page.locator(".replying")).to_have_count(0)
    await page.get_by_role("button", name="Post").click()
    await expect(message(page, "to what goes")).to_have_count(1)
    await expect(quote(page, "to what goes")).to_have_count(0)


async def test_a_reply_that_waits_shows_what_it_is_to(start, visit):
    """As a posted one does, over a reload, and as that message is now. The line stays while it becomes a posted one."""
    visit.expect("net::ERR_")
    server = start()
    ada = Person(server, name="Ada")
    first, gone = ada.post("who `rows` on Sunday?")["id"], ada.post("to be deleted")["id"]
    page = await visit(server)
    await parked(server, 1)
    await page.route("**/add", lambda route: route.abort("connectionreset"))
    for to, words in (("who rows on Sunday?", "I do"), ("to be deleted", "why?")):
        await use(page, to, "Reply")
        await page.fill("#s", words)
        await page.keyboard.press("Control+Enter")
    waiting = page.locator("#outbox .message")
    await expect(waiting.filter(has_text="I do").locator(".quote")).to_have_text("In reply to Ada who rows on Sunday?")
    await expect(waiting.filter(has_text="why?").locator(".quote")).to_have_text("In reply to Ada to be deleted")
    edit(ada, first, "who `rows` on Monday?")
    delete(ada, gone)
    for _ in range(2):
        await expect(waiting.filter(has_text="I do").get_by_role("link", name="Ada")).to_have_attribute(
            "href", f"/m/{first}"
        )
        await expect(waiting.locator(".quote")).to_have_text(
            ["In reply to a deleted message", "In reply to Ada who rows on Monday?"]
        )
        await page.reload()
    await visit.hold(page, "**/get?*")  # else a poll may bring what was posted before the answer to the post does
    await page.reload()
    await waiting.filter(has_text="why?").get_by_role("button", name="Discard").click()
    await expect(waiting.locator(".quote")).to_have_text("In reply to Ada who rows on Monday?")
    await page.route("**/messages?ids=*", lambda route: route.abort("connectionreset"))
    await page.unroute("**/add")
    await expect(page.locator("#messages .message").filter(has_text="I do").locator(".quote")).to_have_text(
        "In reply to Ada who rows on Monday?"
    )
    await expect(waiting).to_have_count(0)


async def test_one_replies_without_javascript(start, visit):
    """By the form on the message's page. Axe finds nothing there, nor on the board, by day and by night."""
    server = start()
    first = server.post(HEBREW).json()["id"]
    page = await visit(server, f"/m/{first}", java_script_enabled=False)
    await page.get_by_label("Reply to this message").fill("from the plain form")
    await page.get_by_role("button", name="Reply", exact=True).click()
    await expect(quote(page, "from the plain form")).to_contain_text("In reply to Guest שלום עולם")
    await expect(quote(page, "from the plain form").locator("span").last).to_have_css("direction", "rtl")
    lively = await visit(server, reduced_motion="reduce", viewport={"width": 320, "height": 700})
    await use(lively, HEBREW.strip(), "Reply")
    await expect(lively.locator("#composer .replying")).to_be_visible()
    await no_violations(lively, *DAY_AND_NIGHT)
    assert not await is_wide(lively)
    await lively.get_by_role("button", name="Cancel reply").click()
    await expect(lively.locator(".replying")).to_have_count(0)
    await lively.goto(f"/m/{first + 1}")
    await no_violations(lively, *DAY_AND_NIGHT)
    assert not await is_wide(lively)
