"""The oldest message first, with the form below, for those who choose so: what stays in view, and what moves nothing."""

import asyncio

from playwright.async_api import expect

from tests.browser.test_access import no_violations
from tests.browser.test_tabs import another
from tests.support.boards import post_on
from tests.support.browser import BROWSER_TEST, comes_true, is_wide, message, scroll, write
from tests.support.people import Person
from tests.support.server import until

pytestmark = BROWSER_TEST

IDS = "[...document.querySelectorAll('#messages article')].map((one) => Number(one.id.slice(1)))"
LOADED = "performance.getEntriesByType('resource').some((one) => one.name.includes('/order.'))"
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
    assert await page.evaluate(FOOT) == foot, "the form stays where it is"
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
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await no_violations(page)
    assert not await is_wide(page)
    await page.evaluate("document.documentElement.dir = 'rtl'")
    assert not await is_wide(page)
    await scroll(page, "end")
    await asyncio.to_thread(until, lambda: friend.api.get("/api/v1/boards/rowing").json()["unread"] == 0)
    await page.goto("/b/lounge/")
    await turned(page)
    assert 680 <= await page.evaluate(FOOT) <= 700, "the form is at the foot of the window on a short board, too"
