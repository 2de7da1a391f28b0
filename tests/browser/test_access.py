"""The pages for everyone: axe's rules, screen readers, the keyboard, little motion, forced colours, both directions."""

import asyncio

from playwright.async_api import expect

from tests.browser.test_looks import pages  # noqa: F401 - a fixture
from tests.browser.test_tabs import parked
from tests.support.axe import DAY_AND_NIGHT, no_violations
from tests.support.browser import BROWSER_TEST, NETWORK, is_wide, message, scroll, write
from tests.support.patience import BRIEFLY

pytestmark = BROWSER_TEST


async def test_axe_finds_nothing_on_any_page(pages, visit):  # noqa: F811
    """Names, roles, contrast and order: no rule of axe-core is broken, by day or by night."""
    server, person, for_all, for_members = pages
    visit.expect("status of 404")
    for who, paths in ((None, [*for_all, "/search", "/search?q=mine"]), (person, for_members)):
        page = await visit(server, person=who, reduced_motion="reduce")
        for path in paths:
            await page.goto(path)
            if await page.locator("details").count():
                await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
            await no_violations(page, *DAY_AND_NIGHT)


async def test_axe_finds_nothing_while_things_are_happening(start, visit):
    """Nor with news waiting, a refused message, one on its way, the list of keys open, or the connection lost."""
    visit.expect(f"{NETWORK}|status of 422")
    server = start()
    for number in range(40):
        server.post(f"number {number}\n\n```\ncode\n```")
    page = await visit(server, reduced_motion="reduce")
    await page.route("**/add", lambda route: route.fulfill(status=422, json={"error": {"code": "x", "message": "No."}}))
    await page.fill("#s", "refused")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#hint")).to_have_text("No.")
    await no_violations(page)
    await page.unroute("**/add")
    await scroll(page, 1500)
    server.post("news")
    await expect(page.locator("#news")).to_be_visible()
    await no_violations(page)
    await scroll(page, 0)
    server.kill()
    await page.fill("#s", "waiting")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#outbox .late")).to_have_count(1)
    await expect(page.locator("#sign")).to_have_text("Reconnecting…")
    await no_violations(page)
    server.start()


async def test_a_screen_reader_hears_how_many_came_not_each_of_them(start, visit):
    """One or a few new messages are read out; of twelve at once, after a reconnect, it hears the number."""
    server = start()
    visit.expect(NETWORK)
    page = await visit(server)
    log = page.get_by_role("log")
    await parked(server, 1)
    server.post("just one")
    await expect(message(page, "just one")).to_have_count(1)
    await expect(log).to_have_attribute("aria-live", "polite")
    await expect(page.locator("#spoken")).to_be_empty()
    server.kill()
    server.start()
    # Before the page is back: in one transaction's time, and so in one reply.
    await page.context.set_offline(True)
    for number in range(12):
        server.post(f"missed {number}")
    await page.context.set_offline(False)
    await expect(page.locator("#spoken")).to_have_text("12 new messages")
    await expect(log).to_have_attribute("aria-live", "off")
    await expect(message(page, "missed 11")).to_have_count(1)


async def test_the_keys_do_what_the_list_of_them_says(start, visit):
    """From the list to the newest message, to the next, to its own page, to writing and out again, without a mouse."""
    server = start()
    for number in range(30):
        server.post(f"number {number}")
    page = await visit(server)
    press = page.keyboard.press
    await press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(dialog).to_be_visible()
    await press("Escape")
    await expect(dialog).to_be_hidden()
    focused = "document.activeElement.closest('.message')?.innerText ?? document.activeElement.id"
    await press("j")
    assert "number 29" in await page.evaluate(focused)
    await press("j")
    await press("j")
    assert "number 27" in await page.evaluate(focused)
    await press("k")
    assert "number 28" in await page.evaluate(focused)
    await press("n")
    assert await page.evaluate(focused) == "s"
    await page.keyboard.type("jk?.")
    await expect(page.locator("#s")).to_have_value("jk?.")
    await press("Escape")
    await press(".")
    assert "number 29" in await page.evaluate(focused)
    await press("Enter")
    await expect(page).to_have_url(f"{server.url}/m/30")
    await page.goto("/")
    await press("/")
    await expect(page).to_have_url(f"{server.url}/search")


async def test_single_keys_can_be_switched_off(start, visit):
    """For those who speak to their computer, a letter must do nothing (WCAG 2.1.4); the choice is kept."""
    server = start()
    server.post("only one")
    page = await visit(server)
    await page.get_by_role("button", name="Keyboard shortcuts").click()
    await page.get_by_label("Enable shortcuts").uncheck()
    await page.get_by_role("button", name="Close").click()
    await page.reload()
    await page.locator("h1").focus()
    await page.keyboard.press("Tab")  # loads what listens
    await page.keyboard.press("n")
    await asyncio.sleep(BRIEFLY)
    assert await page.evaluate("document.activeElement.id") != "s"
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


async def test_each_message_and_each_line_has_its_own_direction(start, visit):
    """Hebrew is set from the right and English from the left, one under the other, on a page that leans to neither."""
    server = start()
    hebrew = server.post("שלום עולם\nHello").json()["id"]
    english = server.post("Hello\nשלום עולם").json()["id"]
    page = await visit(server)
    directions = "(id) => getComputedStyle(document.querySelector(`#m${id} .body`)).direction"
    for _ in ("as the server made it", "as the page did"):
        assert await page.evaluate(directions, hebrew) == "rtl"
        assert await page.evaluate(directions, english) == "ltr"
        assert not await is_wide(page)
        hebrew = server.post("שלום עולם\nHello").json()["id"]
        english = server.post("Hello\nשלום עולם").json()["id"]
        await expect(page.locator(f"#m{english}")).to_have_count(1)


async def test_at_200_percent_and_in_forced_colours_everything_is_there(start, visit):
    """Half the width on twice the pixels, in a high-contrast theme: no sideways scrolling, buttons have edges."""
    server = start()
    server.post("x" * 300 + " `" + "y" * 300 + "`\n```\n" + "z" * 300 + "\n```")
    page = await visit(server, viewport={"width": 640, "height": 400}, device_scale_factor=2, forced_colors="active")
    await write(page, "in forced colours")
    assert not await is_wide(page)
    for name in ("Post", "Keyboard shortcuts"):
        button = page.get_by_role("button", name=name)
        edge, paper = await button.evaluate(
            "(e) => [getComputedStyle(e).borderColor, getComputedStyle(e).backgroundColor]"
        )
        assert edge != paper, name
        await expect(button).to_be_in_viewport()


async def test_who_asks_for_little_motion_gets_little(server, visit):
    """Nothing slides; what is new only glows."""
    page = await visit(server, reduced_motion="reduce")
    await write(page, "quietly")
    server.post("also quietly")
    article = message(page, "also quietly")
    await expect(article).to_have_count(1)
    moves = "(e) => e.getAnimations().flatMap((a) => a.effect.getKeyframes()).some((k) => 'transform' in k)"
    assert not await article.evaluate(moves)
