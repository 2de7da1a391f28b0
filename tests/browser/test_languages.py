"""The board in another language, written from right to left, on a narrow screen."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.support.all_pages import AllPages
from tests.support.browser import BROWSER_TEST, is_wide, message
from tests.support.pseudo import TAG, in_pseudo, ours, write_catalogue

pytestmark = BROWSER_TEST
DIRECTION = "(name) => getComputedStyle(document.querySelector(name)).direction"
IS_CUT = "(one) => one.scrollWidth > one.clientWidth"


async def test_a_walk_from_right_to_left_at_320_pixels(start, visit, tmp_path):
    """Scripts and pages say nothing in English, nothing is wider than the screen, and axe finds nothing."""
    pages = AllPages(start, locales=write_catalogue(tmp_path / "locales"))
    options = {"locale": TAG, "viewport": {"width": 320, "height": 640}}
    page = await visit(pages.server, person=pages.member, reduced_motion="reduce", **options)
    assert await page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    assert await page.evaluate(DIRECTION, "#s") == "rtl", "an empty box begins where its placeholder does"
    await page.fill("#s", "zzz")
    assert await page.evaluate(DIRECTION, "#s") == "ltr"
    await page.get_by_role("button", name=in_pseudo("Post"), exact=True).click()
    await expect(message(page, "zzz")).to_have_count(1)
    pages.server.post("zznw", guest_name="Zgst")
    await expect(message(page, "zznw")).to_have_count(1)
    await page.fill("#s", "z" * 5000)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#hint")).to_contain_text("5000")
    for path in (None, "/search?q=z", f"/m/{pages.by_member}", "/account", "/boards", "/signin", "/privacy"):
        if path:
            await page.goto(path)
        assert await page.evaluate("document.documentElement.lang") == TAG
        left = ours(await page.content())
        assert not left, (path, left)
        assert not await is_wide(page), path
        if path and path.startswith("/m/"):
            assert "-3px 0px" in await page.evaluate("getComputedStyle(document.querySelector('.this')).boxShadow")
        found = await Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
    assert await page.title() == f"{in_pseudo('Privacy')} · Zzq"
    await page.context.clear_cookies()
    await page.goto("/")
    assert not await page.get_by_role("link", name=in_pseudo("Sign in")).evaluate(IS_CUT)
    assert not await is_wide(page)
