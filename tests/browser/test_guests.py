"""Guests on the page: the name that one gives, and changing one's own words for some minutes, with and without JavaScript."""

import re

from playwright.async_api import expect

from tests.browser.test_tools import ACTIONS, edit, point_at, use
from tests.support.axe import DAY_AND_NIGHT, no_violations
from tests.support.boards import promote
from tests.support.browser import BROWSER_TEST, NETWORK, box_of, is_as_after_reload, is_wide, message, write
from tests.support.people import Person

pytestmark = BROWSER_TEST

MINE, OTHERS = ["Reply", "Copy link", "Edit", "Delete", "More"], ["Reply", "Copy link", "More"]
OWN = "Object.keys(localStorage).filter((name) => name.startsWith('own/'))"
LATE = f"{OWN}.forEach((name) => localStorage.setItem(name, `${{'s'.repeat(22)}} 2020-01-01T00:00:00Z`))"


async def tools(page, text):
    await page.mouse.move(1, 1)
    await point_at(page, text)
    return await page.locator(".toolbar").evaluate(ACTIONS)


TOO_LATE = """Object.keys(localStorage).filter((name) => name.startsWith("own/"))
    .forEach((name) => localStorage.setItem(name, localStorage.getItem(name).replace(/ .*/, " 2020-01-01T00:00:00Z")))"""


async def test_a_guest_is_known_by_name_and_mends_what_is_theirs(start, visit):
    """In each window it says that it is a guest; only the browser that wrote it changes it, after a reload and after an
    outage, too, as long as there is time. No cookie is set.
    """
    visit.expect(f"{NETWORK}|status of 4")
    server = start()
    page, other = await visit(server), await visit(server)
    name = page.get_by_label("Your name (optional)")
    await name.fill("Guest")
    await page.fill("#s", "low tide")
    await page.get_by_role("button", name="Post", exact=True).click()
    await expect(page.locator("#hint")).to_contain_text("Please take another")
    await expect(page.locator("#s")).to_have_value("low tide")
    await name.fill("Zoe")
    await page.get_by_role("button", name="Post", exact=True).click()
    for one in (page, other):
        await expect(message(one, "low tide").locator("header")).to_contain_text("Zoe (guest)")
        await expect(message(one, "low tide")).to_have_accessible_name(re.compile(r"^Zoe \(guest\) [\d:]+"))
        await expect(message(one, "low tide").locator(".face")).to_have_text("G")
    await page.locator("#outbox article").wait_for(state="detached")
    assert (await tools(page, "low tide"), await tools(other, "low tide")) == (MINE, OTHERS)
    await page.reload()
    await expect(name).to_have_value("Zoe")
    assert await tools(page, "low tide") == MINE
    box = await edit(page, "low tide")
    await box.fill("high tide")
    kept = await page.evaluate("JSON.stringify(localStorage)")
    await page.evaluate(TOO_LATE)  # by this computer's clock: the server says whether it is
    await page.keyboard.press("Control+Enter")
    await expect(message(page, "high tide")).to_have_count(1)
    await page.evaluate("(kept) => Object.assign(localStorage, JSON.parse(kept))", kept)
    await use(other, "high tide", "Reply")
    await expect(other.locator(".replying")).to_contain_text("Replying to Zoe (guest)")
    await write(other, "at six")
    await expect(message(page, "at six").locator(".quote")).to_have_text("In reply to Zoe (guest) high tide")
    await page.evaluate("document.activeElement.blur()")
    for one in (page, other):
        await one.mouse.move(1, 1)
        await is_as_after_reload(one)
    server.kill()
    await page.fill("#s", "still here")
    await page.get_by_role("button", name="Post", exact=True).click()
    await expect(page.locator("#outbox article header")).to_contain_text("Zoe (guest)")
    server.start()
    await expect(page.locator("#messages").get_by_text("still here")).to_have_count(1)
    await page.locator("#outbox article").wait_for(state="detached")
    await use(page, "still here", "Delete")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    for one in (page, other):
        await expect(message(one, "still here")).to_have_count(0)
    await page.evaluate(LATE)
    await page.reload()
    assert await tools(page, "high tide") == OTHERS
    assert await page.evaluate(OWN) == [] and await page.context.cookies() == []


async def test_a_page_with_a_named_guest_is_for_everyone(start, visit):
    """By day and by night, narrow and from right to left; without JavaScript the form posts the name. A member has no
    such field.
    """
    server = start()
    plain = await visit(server, java_script_enabled=False)
    for path in ("/", "/add"):
        await plain.goto(server.url + path)
        await plain.get_by_label("Your name (optional)").fill("زويا " * 9)
        await plain.fill("#s", f"from {path}")
        await plain.get_by_role("button", name="Post", exact=True).click()
        await expect(message(plain, f"from {path}").locator("header")).to_contain_text("(guest)")
    await plain.goto(f"{server.url}/m/1")
    await plain.get_by_label("Your name (optional)").fill("Zoe")
    await plain.get_by_label("Reply to this message").fill("yes")
    await plain.get_by_role("button", name="Reply", exact=True).click()
    await expect(message(plain, "yes").locator("header")).to_contain_text("Zoe (guest)")
    page = await visit(server, viewport={"width": 320, "height": 700})
    await no_violations(page, *DAY_AND_NIGHT)
    assert not await is_wide(page)
    await page.evaluate("document.documentElement.dir = 'rtl'")
    assert not await is_wide(page)
    member = await visit(server, person=Person(server))
    await expect(member.get_by_label("Your name (optional)")).to_have_count(0)


async def test_a_guest_has_the_same_name_on_the_page_of_a_message(start, visit):
    """On a phone the field is as high as a finger needs, with letters that no phone zooms in on. On the page of one's own
    message it can be changed, as long as there is time.
    """
    server = start()
    page = await visit(server, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    name, way = page.get_by_label("Your name (optional)"), page.locator(".note").get_by_role("button", name="Edit")
    await name.fill("Zoe")
    await write(page, "low tide")
    other = server.post("somebody else's").json()["id"]
    await page.goto(f"/m/{other}")
    await expect(name).to_have_value("Zoe")
    await expect(way).to_have_count(0)
    for path in (f"/m/{other - 1}", "/"):
        await page.goto(path)
        assert (await box_of(name))["height"] >= 44, path
        await expect(name).to_have_css("font-size", "16px")
    await page.goto(f"/m/{other - 1}")
    await name.fill("Zoe Two")
    await no_violations(page)
    await way.click()
    await expect(page.locator(f"#m{other - 1} .in-place textarea")).to_be_focused()
    await expect(name).to_have_value("Zoe Two")
    await page.evaluate(LATE)
    await page.goto(f"/m/{other - 1}")
    await expect(name).to_have_value("Zoe Two")
    await expect(way).to_have_count(0)


SIGNS = """() => [...document.querySelectorAll(".quote, #pinned summary, .replying")].map((line) => {
    const sign = [...line.querySelectorAll("bdi")].find((one) => one.textContent === "(guest)");
    const [inner, outer] = [sign, line].map((one) => one?.getBoundingClientRect() ?? { left: 0, right: 0 });
    const isWhole = sign !== undefined && sign.scrollWidth <= sign.clientWidth;
    return isWhole && inner.left >= outer.left && inner.right <= Math.min(outer.right, innerWidth);
})"""
"""Whether the sign of a guest is whole, in each line that has a name."""


async def test_however_long_a_name_a_guest_is_known_as_one(start, visit):
    """In a quote, in the pinned line and in the line of a reply, on a phone and on a desk, live and after a reload."""
    server = start()
    ada = promote(server, Person(server, name="Grace Hopper"))
    names = ["Grace Hopper, moderator and owner of this board, o", "a b"]
    ids = [
        server.client.post("/api/v1/messages", json={"body": f"I am {name[:3]}", "guest_name": name}).json()["id"]
        for name in names
    ]
    pages = [await visit(server, person=ada, viewport={"width": width, "height": 640}) for width in (320, 1280)]
    for id, name in zip(ids, names, strict=True):
        ada.api.put(f"/api/v1/messages/{id}/pin")
        ada.api.post("/api/v1/messages", json={"body": f"re {name[:3]}", "reply_to": id})
        for page in pages:
            await use(page, f"I am {name[:3]}", "Reply")
            await expect(page.locator("#pinned summary")).to_contain_text(f"I am {name[:3]}")
            await expect(message(page, f"re {name[:3]}").locator(".quote")).to_contain_text(name)
            await expect(page.locator(".replying")).to_contain_text(f"Replying to {name} (guest)")
            lines = await page.evaluate(SIGNS)
            assert len(lines) > 2 and all(lines), (name, lines)
            assert not await is_wide(page)
            await page.reload()
            await expect(page.locator(".replying")).to_contain_text("(guest)")
            assert all(await page.evaluate(SIGNS)), name
