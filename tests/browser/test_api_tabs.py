"""The languages of the examples on /api, as tabs."""

import asyncio

from playwright.async_api import expect

from tests.support.axe import DAY_AND_NIGHT, no_violations
from tests.support.browser import BROWSER_TEST, box_of, is_wide

pytestmark = BROWSER_TEST
NAMES = ["read", "poll", "stream", "post", "account", "reply", "hook"]
SHOWN = (
    """() => [...document.querySelectorAll("div.way")].filter((one) => one.checkVisibility()).map((one) => one.id)"""
)
STATE = """() => [...document.querySelectorAll("[role=tab]")].map((tab) => [
    tab.ariaSelected === "true", tab.tabIndex === 0, document.getElementById(tab.getAttribute("aria-controls")).checkVisibility(),
])"""
WATCH = """
    window.moved = 0;
    const add = (entries) => entries.forEach((one) => { moved += one.value; });
    const observer = new PerformanceObserver((list) => add(list.getEntries()));
    observer.observe({ type: "layout-shift" });
    window.howMuch = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
        add(observer.takeRecords());
        done(moved);
    })));
"""
"""How much of the page has moved by itself since it was first drawn: howMuch()."""


async def shows(page, way):
    """This language is shown everywhere, and no other; the tabs say so."""
    assert await page.evaluate(SHOWN) == [f"{name}-{way}" for name in NAMES]
    state = await page.evaluate(STATE)
    assert len(state) == 3 * len(NAMES) and all(len(set(one)) == 1 for one in state)
    return True


async def test_one_choice_is_for_all_examples_and_stays(server, visit):
    """By mouse and keyboard, where the tab is; after a reload nothing moves. No cookie is set."""
    page = await visit(server, "/api")
    assert await shows(page, "curl")
    tab = page.locator("#reply").locator("..").get_by_role("tab", name="Python")
    await tab.scroll_into_view_if_needed()
    before = await box_of(tab)
    await tab.click()
    after = await box_of(tab)
    assert await shows(page, "python") and abs(before["y"] - after["y"]) < 2
    for key, way in {
        "ArrowRight": "javascript", "ArrowDown": "javascript", "Home": "curl", "ArrowLeft": "javascript",
        "End": "javascript", "Control+Home": "javascript",
    }.items():  # fmt: skip
        await page.keyboard.press(key)
        assert await shows(page, way), key
        await expect(page.locator(f"#reply-{way}-tab")).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("tabpanel", name="Python").locator("pre:focus")).to_have_count(1)
    await page.add_init_script(WATCH)
    await page.reload()
    assert await shows(page, "python") and await page.evaluate("howMuch()") == 0
    await no_violations(page, *DAY_AND_NIGHT)
    assert await page.context.cookies() == []
    await page.emulate_media(media="print")
    await expect(page.locator("#read-python h3")).to_be_visible()
    await expect(page.locator(".choice").first).to_be_hidden()
    assert await page.evaluate(SHOWN) == [f"{name}-python" for name in NAMES]
    await page.evaluate("localStorage.setItem('way', 'cobol')")
    await page.reload()
    await page.emulate_media(media="screen")
    assert await shows(page, "curl")


async def test_without_javascript_all_languages_are_there_each_with_its_heading(server, visit):
    page = await visit(server, "/api", java_script_enabled=False, viewport={"width": 320, "height": 640})
    for name in NAMES:
        for way, label in {"curl": "curl", "python": "Python", "javascript": "JavaScript"}.items():
            await expect(page.locator(f"#{name}-{way}").get_by_role("heading", name=label, exact=True)).to_be_visible()
            await expect(page.locator(f"#{name}-{way} pre").first).to_be_visible()
    assert await page.get_by_role("button").count() == 0


async def test_from_right_to_left_code_stays_and_arrows_turn(server, visit):
    """On a small phone, where storage is forbidden, too."""
    page = await visit(server, None, viewport={"width": 320, "height": 640})
    await page.add_init_script(
        """Object.defineProperty(window, "localStorage", { get() { throw new Error("forbidden"); } });"""
    )
    await page.goto("/api")
    await page.evaluate("document.documentElement.dir = 'rtl'")
    await page.locator("#read-curl-tab").focus()
    for way in ("python", "javascript", "curl"):
        await page.keyboard.press("ArrowLeft")
        assert await shows(page, way) and not await is_wide(page)
        code = page.locator(f"#read-{way} pre").first
        assert await code.evaluate("(one) => getComputedStyle(one).direction") == "ltr"
    first, second = await asyncio.gather(*(box_of(page.locator(f"#read-{way}-tab")) for way in ("curl", "python")))
    assert first["x"] > second["x"]
    await no_violations(page, *DAY_AND_NIGHT)
