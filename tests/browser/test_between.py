"""What stands between a browser and the board and answers in its place: proxies, firewalls, hotels' portals. None of them
ends a page, empties it, or makes it ask without a pause."""

import pytest
from playwright.async_api import expect

from tests.support.browser import BROWSER_TEST, message

pytestmark = BROWSER_TEST
PAGE = {"content_type": "text/html", "body": "<h1>Not what you asked for</h1>"}


async def answer(page, path, answers):
    """Answers these one after the other, then lets the board do it. The list is empty once all were given."""

    async def handle(route):
        await (route.fulfill(**answers.pop(0)) if answers else route.continue_())

    await page.route(path, handle)


@pytest.mark.parametrize("reply", [PAGE, {"json": {"error": "unauthorized"}}, {"json": {"error": {"code": 401}}}])
async def test_a_proxys_401_does_not_sign_anybody_out(start, visit, reply):
    """Only the board's own words end a page: it keeps what it shows, and goes on when the proxy is through."""
    visit.expect("status of 401")
    server = start()
    server.post("from before")
    page = await visit(server, path=None)
    answers = [{"status": 401, **reply}, {"status": 401, **reply}]
    await answer(page, "**/get?*", answers)
    await page.goto("/")
    server.post("from after")
    await expect(message(page, "from after")).to_have_count(1)
    assert not answers
    await expect(message(page, "from before")).to_have_count(1)
    await expect(page.locator("#s")).to_be_editable()


async def test_a_pause_of_a_month_is_not_taken_for_none(start, visit):
    """A timer holds 24 days; what is asked beyond is no reason to ask again at once."""
    visit.expect("status of 503")
    server = start()
    page = await visit(server, path=None)
    await page.clock.install()
    asked = []

    async def handle(route):
        asked.append(route.request.url)
        await route.fulfill(status=503, headers={"Retry-After": "99999999"}, body="")

    await page.route("**/get?*", handle)
    await page.goto("/")
    await expect(page.locator("#sign")).to_have_text("Reconnecting…")
    await page.clock.run_for(60_000)
    assert len(asked) == 1
