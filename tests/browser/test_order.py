"""The order of a board, and of a reader who has turned it: what is where, what stays in view, and what moves nothing."""

import asyncio
import re

from playwright.async_api import expect

from tests.browser.test_tabs import another
from tests.support.axe import DAY_AND_NIGHT, no_violations
from tests.support.boards import make_board, post_on, promote
from tests.support.browser import BROWSER_TEST, comes_true, is_wide, message, scroll, write
from tests.support.engines import until as comes
from tests.support.people import Person
from tests.support.server import until

pytestmark = BROWSER_TEST

IDS = "[...document.querySelectorAll('#messages article')].map((one) => Number(one.id.slice(1)))"
LOADED = "performance.getEntriesByType('resource').some((one) => /order[.]css|opening[.]js/.test(one.name))"
TAIL = "[...document.querySelectorAll('#messages article')].slice(-6).map((one) => [one.id, one.matches('.next')])"
AT_END = "Math.abs(innerHeight + scrollY - document.body.scrollHeight) <= 2"
TOP = "(id) => Math.round(document.getElementById(id).getBoundingClientRect().top)"
IN_VIEW = "[...document.querySelectorAll('#messages article')].find((one) => one.getBoundingClientRect().top > 100).id"
FOOT = "document.getElementById('composer').getBoundingClientRect().bottom"
CLEAR = """(names) => {
    const [one, other] = names.map((name) => document.querySelector(name)?.getBoundingClientRect() ?? new DOMRect());
    return one.height > 0 && other.height > 0 && (one.bottom <= other.top - 8 || other.bottom <= one.top - 8);
}"""
"""Whether both are there, and neither is under the other or at its edge."""
STAYS = "([id, top]) => Math.abs(document.getElementById(id).getBoundingClientRect().top - top) <= 2"


async def turn(page, name="Oldest first"):
    async with page.expect_navigation():
        await page.get_by_role("button", name=name).click()
    await turned(page)


async def turned(page):
    """Waits until the page has taken its order, and its messages are seen."""
    await comes_true(page, "document.querySelector('#messages time[title]') !== null")
    await comes_true(page, "getComputedStyle(document.querySelector('main')).visibility === 'visible'")


async def test_a_board_reads_as_a_conversation_for_who_turns_it(start, visit):
    """It opens at its end. What comes is followed there, and waits while one reads further up; older messages load above
    without moving what is read. The place, runs and the lines of days are as in the other order, which is the default.
    """
    server = start()
    ada, bob = Person(server, name="Ada"), Person(server, name="Bob")
    for number in range(120):
        ada.post(f"number {number}")
    page = await visit(server, person=bob, viewport={"width": 1000, "height": 700})
    assert not await page.evaluate(LOADED), "who has the newest first loads nothing of this"
    await turn(page)
    ids = await page.evaluate(IDS)
    assert ids == sorted(ids) and len(ids) >= 50
    await expect(message(page, "number 119")).to_be_in_viewport()
    await expect(page.locator("#s")).to_be_in_viewport()
    places = await page.evaluate(
        "['#older', '#messages', '#composer'].map((one) => document.querySelector(one).offsetTop)"
    )
    assert places == sorted(places)
    await expect(page.locator("#messages > :first-child")).to_have_class("day")
    await expect(page.locator("#messages article:not(.next)")).to_have_count(1)

    server.post("and then")
    await expect(message(page, "and then")).to_be_in_viewport()
    await write(page, "mine\n" * 12 + "end")
    await comes_true(page, AT_END)
    ada.post("after it")
    await expect(message(page, "after it")).to_be_in_viewport()
    ada.post("and again")
    await expect(page.locator("#messages article").last).to_have_class("message next fresh")
    await comes_true(page, AT_END)
    await write(page, "mine, too")
    await comes_true(page, AT_END)
    foot = await page.evaluate(FOOT)
    for name, opened in (("React", ".picker"), ("Edit", ".in-place")):
        await message(page, "mine, too").hover()
        await page.locator(".toolbar").get_by_role("button", name=name, exact=True).click()
        await comes_true(page, CLEAR, [opened, "#composer"])
    await page.get_by_role("button", name="Cancel", exact=True).click()
    await scroll(page, 300)
    assert abs(await page.evaluate(FOOT) - foot) <= 1, "the form stays where it is"
    await scroll(page, "end")
    tail = await page.evaluate(TAIL)
    await page.reload()
    await turned(page)
    assert await page.evaluate(TAIL) == tail
    await comes_true(page, AT_END)

    await scroll(page, 300)
    read = await page.evaluate(IN_VIEW)
    at = await page.evaluate(TOP, read)
    server.post("while you read")
    await expect(page.get_by_role("button", name="1 new")).to_be_in_viewport()
    await comes_true(page, STAYS, [read, at])
    await expect(message(page, "while you read")).to_have_count(0)
    await comes_true(page, "history.state.place !== null")
    await page.reload()
    await turned(page)
    await comes_true(page, f"document.getElementById('{read}') !== null")
    await comes_true(page, STAYS, [read, at])
    server.post("once more")
    await page.get_by_role("button", name="1 new").click()
    await expect(message(page, "once more")).to_be_in_viewport()
    await expect(page.locator("#messages article").last.locator(".permalink")).to_be_focused()

    first = (await page.evaluate(IDS))[0]
    await page.mouse.move(1, 1)
    await scroll(page, 0)
    top = await page.evaluate(TOP, f"m{first}")
    await comes_true(page, f"{IDS}.length >= 120")
    await comes_true(page, STAYS, [f"m{first}", top])
    assert (ids := await page.evaluate(IDS)) == sorted(ids)
    await expect(page.locator(".day")).to_have_count(1)
    await turn(page, "Newest first")
    ids = await page.evaluate(IDS)
    assert ids == sorted(ids, reverse=True)
    await expect(message(page, "once more")).to_be_in_viewport()


async def test_a_post_from_far_away_leads_back(start, visit):
    """To the message that was read, in either order; where nothing was left, and once it is in view again, nothing is offered."""
    server = start()
    for number in range(60):
        server.post(f"number {number}")
    page = await visit(server, viewport={"width": 1000, "height": 700})
    back = page.get_by_role("button", name="Back to where you were")
    await write(page, "from the top")
    await expect(back).to_have_count(0)
    for order, far in (("newest", 900), ("oldest", 300)):
        if order == "oldest":
            await turn(page)
        await scroll(page, far)
        read = await page.evaluate(IN_VIEW)
        at = await page.evaluate(TOP, read)
        await write(page, f"in the order of the {order}")
        await expect(message(page, f"in the order of the {order}")).to_be_in_viewport()
        await expect(back).to_be_in_viewport()
        posted = server.get("/api/v1/messages?limit=1").json()["messages"][0]["id"]
        await comes_true(page, CLEAR, [f"#m{posted}", "#back .news"])
        await back.click()
        await comes_true(page, STAYS, [read, at])
        await expect(back).to_have_count(0)
        await write(page, f"again in the order of the {order}")
        await expect(back).to_be_in_viewport()
        await scroll(page, far)
        await expect(back).to_have_count(0)


async def test_what_is_new_is_where_the_turned_page_opens(club, visit):
    """On each board: below the line, with what was read above it; the read mark moves at the end. Nothing is wider than a
    phone, from the right, too; axe finds nothing by day and by night.
    """
    server, owner, friend, _ = club
    for number in range(30):
        id = post_on(owner.api, "rowing", f"row {number}")["id"]
    page = await visit(server, "/b/rowing/", friend, viewport={"width": 320, "height": 700})
    assert owner.api.put(f"/api/v1/messages/{id}/pin").status_code == 200
    async with page.expect_response("**/read"):
        await turn(page)
    await expect(page.locator("#pinned summary")).to_be_in_viewport(ratio=1)
    elsewhere = await another(page, "/api")
    await page.close()
    for number in range(20):
        post_on(owner.api, "rowing", f"new {number}")
    page = await another(elsewhere, "/b/rowing/")
    await expect(page.locator(".since")).to_contain_text("20 new since")
    await expect(page.locator(".since")).to_be_in_viewport()
    await expect(page.locator(".since + article .body")).to_have_text("new 0")
    await expect(page.locator("#composer")).to_be_in_viewport()
    await page.emulate_media(reduced_motion="reduce")
    await no_violations(page, *DAY_AND_NIGHT)
    assert not await is_wide(page)
    await page.evaluate("document.documentElement.dir = 'rtl'")
    assert not await is_wide(page)
    await scroll(page, "end")
    await asyncio.to_thread(until, lambda: friend.api.get("/api/v1/boards/rowing").json()["unread"] == 0)
    assert owner.api.patch("/api/v1/boards/lounge", json={"order": "oldest"}).status_code == 200
    await page.goto("/b/lounge/")
    await turned(page)
    assert 680 <= await page.evaluate(FOOT) <= 700, "the form is at the foot of the window on a short board, too"


PARTS = """() => ["older", "messages", "newest", "composer"].sort((one, other) => {
    const before = document.getElementById(one).compareDocumentPosition(document.getElementById(other));
    return before & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1;
})"""
UPWARD, DOWNWARD = ["older", "messages", "newest", "composer"], ["composer", "newest", "messages", "older"]


async def is_in(page, order, first, last):
    """Whether the document, and what one sees of it, has this order, between the ids of the oldest and the newest shown."""
    ids = await page.evaluate(IDS)
    tops = await page.evaluate("[...document.querySelectorAll('#messages article')].map((one) => one.offsetTop)")
    return (
        ids == sorted(ids, reverse=order == "newest")
        and {ids[0], ids[-1]} == {first, last}
        and tops == sorted(tops)
        and await page.evaluate(PARTS) == (UPWARD if order == "oldest" else DOWNWARD)
    )


async def test_a_board_has_its_order_and_each_reader_may_turn_it(start, visit):
    """Each order of the board, with each choice of the reader, with JavaScript and without. A choice is of one board, and stays
    what it is when the board's order changes; who goes back to the board's order follows it from then on.
    """
    server = start()
    owner = promote(server, Person(server, name="Ada"))
    make_board(owner, "Talk", "talk"), make_board(owner, "Other", "other")
    ids = [post_on(server.client, "talk", f"number {number}")["id"] for number in range(60)]
    post_on(server.client, "other", "elsewhere")
    page = await visit(server, "/b/talk/", viewport={"width": 1000, "height": 700})
    plain = await visit(server, path=None, java_script_enabled=False)
    # The board's order, which button is pressed then, and what the reader sees.
    for board, press, seen in (
        ("newest", None, "newest"), ("oldest", None, "oldest"), ("oldest", "Newest first", "newest"), ("newest", None, "newest"),
        ("newest", "Oldest first", "oldest"), ("oldest", None, "oldest"), ("newest", None, "oldest"), ("newest", "Newest first", "newest"),
        ("oldest", None, "oldest"), ("oldest", "Newest first", "newest"), ("oldest", "Oldest first", "oldest"), ("newest", None, "newest"),
    ):  # fmt: skip
        assert owner.api.patch("/api/v1/boards/talk", json={"order": board}).status_code == 200
        await page.goto("/b/talk/")
        await turned(page)
        if press:
            await turn(page, press)
        assert await is_in(page, seen, ids[10], ids[-1]), (board, press, seen)
        await expect(message(page, "number 59")).to_be_in_viewport()
        await expect(page.locator("#s")).to_be_in_viewport()
        if not press:
            await plain.goto("/b/talk/")
            assert await is_in(plain, board, ids[10], ids[-1]), (board, press, seen)
    assert "order" not in (await page.evaluate("Object.keys(localStorage).join()"))
    await page.goto("/b/other/")
    await turn(page)
    await page.goto("/b/talk/")
    await turned(page)
    assert await is_in(page, "newest", ids[10], ids[-1]), "another board's choice is not this one's"


async def test_a_conversation_works_without_javascript(start, visit):
    """A post leads to where it is shown; older messages are pages that go on upward. Nothing is wider than a phone, also from
    the right; axe finds nothing by day and by night.
    """
    server = start(reading_order="oldest")
    for number in range(101):
        server.post(f"number {number}")
    page = await visit(server, java_script_enabled=False, viewport={"width": 320, "height": 700})
    await page.get_by_role("link", name="Jump to newest").click()
    await expect(message(page, "number 100")).to_be_in_viewport()
    await page.get_by_label("Your message").fill("by form")
    await page.get_by_role("button", name="Post").click()
    await expect(message(page, "by form")).to_be_in_viewport()
    await expect(page.get_by_label("Your message")).to_be_in_viewport()
    found = []
    while True:
        found = await page.locator(".body").all_text_contents() + found
        older = page.get_by_role("link", name="Older messages")
        if not await older.is_visible():
            break
        await older.click()
        await expect(page.get_by_role("heading", name="Older messages")).to_be_attached()
        await expect(page.locator("#messages article").last).to_be_in_viewport()
    assert found == [*(f"number {number}" for number in range(101)), "by form"]
    await page.get_by_role("link", name="Newer messages").click()
    await expect(page.locator("#messages article").first).to_have_text(re.compile("number 2"))
    live = await visit(server, viewport={"width": 320, "height": 700})
    await turned(live)
    for scheme in ("light", "dark"):
        await live.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await no_violations(live)
    assert not await is_wide(live)
    await live.evaluate("document.documentElement.dir = 'rtl'")
    assert not await is_wide(live)
    assert await live.evaluate(FOOT) <= 700


async def test_a_page_is_seen_while_its_script_does_not_come(start, visit):
    """The script goes to the end of the page before that is seen; but a request that hangs hides nothing."""
    server = start(reading_order="oldest")
    server.post("hello")
    page = await visit(server)
    await visit.hold(page, "**/opening.js")
    await page.reload(wait_until="commit")
    await turned(page)
    await expect(message(page, "hello")).to_be_visible()


async def test_one_finds_the_way_in_either_order(start, visit):
    """From far away a button leads to the newest, without any news; the way back from a quoted message leads to where one was,
    also to the end; and a message's page has its neighbours and its new replies in the order of the board, or of its reader.
    """
    server = start(reading_order="oldest")
    ada = Person(server, name="Ada")
    first = server.post("the first of all").json()["id"]
    for number in range(40):
        server.post(f"number {number}\n" + "and so on\n" * 3)
    last = ada.api.post("/api/v1/messages", json={"body": "to that", "reply_to": first}).json()["id"]
    page = await visit(server, viewport={"width": 1000, "height": 700})
    jump = page.get_by_role("button", name="Jump to newest")
    for order in ("oldest", "newest"):
        if order == "newest":
            await turn(page, "Newest first")
        await turned(page)
        await expect(message(page, "to that")).to_be_in_viewport()
        await expect(jump).to_be_hidden()
        await message(page, "to that").locator(".quote a").click()
        await expect(message(page, "the first of all")).to_be_in_viewport()
        await expect(message(page, "to that")).not_to_be_in_viewport()
        await page.go_back()
        await expect(message(page, "to that")).to_be_in_viewport()
        await page.go_forward()
        await expect(message(page, "the first of all")).to_be_in_viewport()
        await expect(jump).to_be_in_viewport()
        await jump.click()
        await expect(message(page, "to that")).to_be_in_viewport()
        await expect(page.locator(f"#m{last} .permalink")).to_be_focused()
        await expect(jump).to_be_hidden()
        at = await another(page, f"/m/{last - 5}")
        ids = await at.evaluate(IDS)
        assert ids == sorted(ids, reverse=order == "newest") and len(ids) >= 6, order
        await expect(at.locator(f"#m{last - 5} + .tools")).to_have_count(1)
        for word in ("one", "two"):
            ada.api.post("/api/v1/messages", json={"body": f"{word}, {order}", "reply_to": last - 5})
            await expect(message(at, f"{word}, {order}")).to_have_count(1)
        shown = await at.locator("#replies .body").all_text_contents()
        assert shown == [f"{word}, {order}" for word in (("one", "two") if order == "oldest" else ("two", "one"))]
        above = await at.evaluate(
            "document.getElementById('replies').compareDocumentPosition(document.getElementById('composer'))"
        )
        assert above == (4 if order == "oldest" else 2), "new replies are on the form's side of the newest"
        await at.close()
        last = ada.api.post("/api/v1/messages", json={"body": "to that", "reply_to": first}).json()["id"]
        ada.api.delete(f"/api/v1/messages/{last - 3}")
        await page.reload()
        await scroll(page, "end" if order == "oldest" else 0)


async def test_a_page_opens_at_what_is_new_also_far_up(club, visit):
    """It loads what is needed for that, but not more than some hundred messages; if more are new, it says so, and leads there."""
    server, owner, friend, _ = club
    assert owner.api.patch("/api/v1/boards/rowing", json={"order": "oldest"}).status_code == 200
    page = await visit(server, "/b/rowing/", friend, viewport={"width": 1000, "height": 700})
    elsewhere = await another(page, "/api")
    for count, label in ((130, "130 new since"), (400, None)):
        await scroll(page, "end")
        await asyncio.to_thread(until, lambda: friend.api.get("/api/v1/boards/rowing").json()["unread"] == 0)
        await page.close()
        for number in range(count):
            post_on(owner.api, "rowing", f"new {number} of {count}")
        page = await another(elsewhere, "/b/rowing/")
        if label:
            await expect(page.locator(".since[role]")).to_contain_text(label)
        else:
            go = page.get_by_role("button", name="new: go to where you stopped")
            await expect(go).to_be_visible()
            await comes_true(page, "document.querySelectorAll('#messages article').length >= 250")
            assert await page.locator("#messages article").count() <= 300, "one more page is near the end of the first"
            await expect(message(page, f"new {count - 1} of {count}")).to_be_in_viewport()
            await go.click()
        await expect(page.locator(".since[role]")).to_be_in_viewport()
        await expect(page.locator(".since[role] + article .body")).to_have_text(f"new 0 of {count}")


async def test_an_open_page_is_told_that_the_order_was_changed(club, visit):
    """With a link that shows it so, and nothing moves before. Who has turned the board for themselves is not told."""
    server, owner, friend, _ = club
    page = await visit(server, "/b/rowing/", friend)
    assert owner.api.patch("/api/v1/boards/rowing", json={"about": "Boats."}).status_code == 200
    await expect(page.locator(".about")).to_have_text("Boats.")
    for order in ("oldest", "newest"):
        before = await page.evaluate(PARTS)
        assert owner.api.patch("/api/v1/boards/rowing", json={"order": order}).status_code == 200
        await expect(page.locator(".changed")).to_contain_text(f"This board has the {order} message first now.")
        assert await page.evaluate(PARTS) == before
        await page.locator(".changed a").click()
        await turned(page)
        assert await page.evaluate(PARTS) == (UPWARD if order == "oldest" else DOWNWARD)
        await expect(page.locator(".changed")).to_have_count(0)
    await turn(page)
    assert owner.api.patch("/api/v1/boards/rowing", json={"order": "oldest", "about": "Oars."}).status_code == 200
    await expect(page.locator(".about")).to_have_text("Oars.")
    await expect(page.locator(".changed")).to_have_count(0)


async def test_each_engine_opens_a_conversation_at_its_end(start, visit_each):
    """What comes is followed there, older messages load above without moving what is read, and its reader turns it."""
    server = start(reading_order="oldest")
    ids = [server.post(f"number {number}").json()["id"] for number in range(80)]
    page = await visit_each(server)
    await comes(page, AT_END)
    server.post("and then")
    await comes(page, "document.querySelector('#messages article:last-of-type .body').textContent === 'and then'")
    await comes(page, AT_END)
    await page.evaluate("() => { scrollTo(0, 0); return true }")
    await comes(page, f"{IDS}.length >= 81")
    assert await page.evaluate(IDS) == [*ids, ids[-1] + 1]
    await comes(page, "scrollY > 500")
    await page.evaluate("() => { scrollTo(0, document.body.scrollHeight); return true }")  # where the button is
    await comes(page, AT_END)
    await page.evaluate("() => { document.querySelector('.around .plain:not([id])').click(); return true }")
    await comes(page, f"{IDS}[0] === {ids[-1] + 1} && scrollY < 10")
    assert await page.evaluate(PARTS) == DOWNWARD
