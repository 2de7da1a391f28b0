"""Names on the page: what stands beside them, in messages and in quotes, as the server has it."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.browser.test_replies import quote, reply
from tests.support.admin import run_in
from tests.support.browser import BROWSER_TEST, is_as_after_reload, is_wide, message
from tests.support.people import Person
from tests.support.server import until

pytestmark = BROWSER_TEST

ARABIC = "محمد بن عبدالله " * 3  # 47 letters, on one line with a long username


async def test_messages_and_quotes_say_who_is_meant(start, visit):
    """On an open page as after a reload; on a small phone, by day and by night, with names of both directions."""
    server = start()
    ada, other = Person(server, name="Ada"), Person(server, "x" * 32, name=ARABIC)
    Person(server, name=ARABIC)
    assert run_in(server.database.parent, "promote", ada.username)
    until(lambda: ada.api.get("/api/v1/me").json()["account"]["role"] == "moderator")
    small = {"width": 320, "height": 700}
    pages = [await visit(server, color_scheme=scheme, viewport=small) for scheme in ("light", "dark")]
    first = ada.post("by a moderator")["id"]
    second = reply(server, first, "by one of two", other)
    reply(server, second, "by a guest")
    hook = ada.api.post("/api/v1/boards/first/hooks", json={"name": "Gauge"}).json()["url"]
    assert server.client.post(hook, json={"text": "by a *webhook*"}).content == b"ok"
    ada.post("with **markup**")
    for page in pages:
        await expect(message(page, "by a moderator").locator("header")).to_contain_text("Ada mod")
        await expect(message(page, "by one of two").locator("header")).to_contain_text(f"{ARABIC.strip()} @{'x' * 32}")
        await expect(quote(page, "by one of two")).to_have_text("In reply to Ada by a moderator")
        await expect(quote(page, "by a guest")).to_have_text(f"In reply to {ARABIC.strip()} @{'x' * 32} by one of two")
        await expect(message(page, "by a webhook").locator("header")).to_contain_text("Gauge bot")
        await expect(message(page, "with markup").locator("strong")).to_have_text("markup")
        await is_as_after_reload(page)
        found = await Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert not await is_wide(page)
    await pages[0].goto(f"/m/{second}")
    await expect(pages[0]).to_have_title(f"{ARABIC.strip()} @{'x' * 32}: by one of two · Longboard")
    assert not await is_wide(pages[0])
