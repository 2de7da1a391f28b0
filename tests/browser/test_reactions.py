"""Reactions on pages: two members and a guest see the same counts live, each presses their own, and forms do without scripts."""

import re

from playwright.async_api import expect

from tests.browser.test_access import no_violations
from tests.browser.test_tools import tool, use
from tests.support.browser import BROWSER_TEST, is_wide, message
from tests.support.people import Person

pytestmark = BROWSER_TEST

TAPPED = """button => {
  const { left, top, bottom, height } = button.getBoundingClientRect();
  const more = (44 - height) / 2 - 1;
  return [top - more, bottom + more].map((y) => document.elementFromPoint(left + 22, y) === button);
}"""


async def test_two_members_and_a_guest_see_each_reaction_at_once(start, visit):
    """Counts are live, a press is one's own, the focus stays, names are spoken; a page without any loads nothing for it."""
    server = start()
    ada, joe = Person(server, name="Ada"), Person(server, name="Joe")
    posted = ada.post("Erg session instead")
    id = posted["id"]
    first, second, guest = [await visit(server, person=person) for person in (ada, joe, None)]
    asked = []
    for page in (first, second, guest):
        page.on("request", lambda request: asked.append(request.url))
        await expect(message(page, "Erg session instead")).to_have_count(1)
    assert "reactions" not in await first.content() and not [url for url in asked if "reactions" in url]

    await use(first, "Erg session instead", "React")
    row = first.get_by_role("group", name="React", exact=True)
    await expect(row.get_by_role("button")).to_have_count(8)
    await expect(row.get_by_role("button").first).to_be_focused()
    sizes = await row.get_by_role("button").evaluate_all("all => all.map((one) => [one.offsetWidth, one.offsetHeight])")
    assert all(width >= 44 and height >= 44 for width, height in sizes), sizes
    await first.keyboard.press("Escape")
    await expect(row).to_have_count(0)
    await expect(tool(first, "React")).to_be_focused()
    await use(first, "Erg session instead", "React")
    await row.get_by_role("button", name="thumbs up").click()
    await expect(first.get_by_role("button", name="1 thumbs up")).to_have_attribute("aria-pressed", "true")
    toggle = first.get_by_role("button", name="1 thumbs up")
    assert await toggle.evaluate(TAPPED) == [True, True], "44 px can be tapped, as high as it looks or not"
    await expect(guest.get_by_role("img", name="1 thumbs up")).to_have_text("👍 1")
    assert await guest.locator(".toggles").count() == 0

    theirs = second.get_by_role("button", name=re.compile("thumbs up"))
    await expect(theirs).to_have_attribute("aria-pressed", "false")
    await theirs.press("Enter")
    for page in (first, second):
        await expect(page.get_by_role("button", name="2 thumbs up")).to_have_attribute("aria-pressed", "true")
    await expect(theirs).to_be_focused()
    await expect(guest.get_by_role("img", name="2 thumbs up")).to_be_visible()
    assert await first.title() == server.settings.get("title", "Longboard"), "nothing counts as new"
    await theirs.press("Enter")
    await expect(second.get_by_role("button", name="1 thumbs up")).to_have_attribute("aria-pressed", "false")

    joe.api.put(f"/api/v1/messages/{id}/reactions/heart")
    await expect(guest.locator(".reactions span")).to_have_text(["👍 1", "❤️ 1"])
    await guest.reload()
    await expect(guest.get_by_role("img", name="1 heart")).to_be_visible()
    await second.reload()
    await expect(second.get_by_role("button", name="1 heart")).to_have_attribute("aria-pressed", "true")
    await second.set_viewport_size({"width": 320, "height": 600})
    for scheme in ("light", "dark"):
        await second.emulate_media(color_scheme=scheme)
        await no_violations(second)
    assert not await is_wide(second)

    await use(first, "Erg session instead", "React")
    await row.get_by_role("button", name="thumbs up").click()
    joe.api.delete(f"/api/v1/messages/{id}/reactions/heart")
    for page in (first, second, guest):
        await expect(page.locator(".reactions, .toggles")).to_have_count(0)
    assert server.get(f"/api/v1/messages/{id}").json() == posted


async def test_reacting_on_the_page_of_a_message_works_with_and_without_scripts(start, visit):
    """The form adds and takes back, and is the only place that says it; messages around have buttons, which say it where
    somebody has been signed out, and go back."""
    server = start()
    ada = Person(server, name="Ada")
    id, beside = (ada.post(words)["id"] for words in ("words", "beside them"))
    plain = await visit(server, f"/m/{id}", person=ada, java_script_enabled=False)
    row = plain.get_by_role("form", name="Your reaction")
    await row.get_by_role("button", name="heart", exact=True).click()
    await expect(row.get_by_role("button", name="1 heart")).to_have_attribute("aria-pressed", "true")
    await expect(plain.get_by_role("img", name="1 heart")).to_have_count(0)

    visit.expect("status of 401")
    page = await visit(server, f"/m/{id}", person=ada)
    await page.locator(".toggles").wait_for(state="attached")
    await expect(page.locator(".toggles")).to_be_hidden()
    await page.get_by_role("form", name="Your reaction").get_by_role("button", name="eyes").click()
    await expect(page.get_by_role("button", name="1 eyes")).to_have_attribute("aria-pressed", "true")
    await no_violations(page)
    await page.goto(f"/m/{beside}")
    await expect(page.locator(".toggles").get_by_role("button")).to_have_count(2)
    await expect(page.get_by_role("button", name="1 heart")).to_have_attribute("aria-pressed", "true")
    await page.locator(".toggles").get_by_role("button", name="1 heart").click()
    await expect(page.locator(".toggles").get_by_role("button")).to_have_count(1)
    assert server.get(f"/api/v1/messages/{id}").json()["reactions"] == {"👀": 1}
    await no_violations(page)
    await page.context.clear_cookies()
    await page.locator(".toggles").get_by_role("button", name="1 eyes").click()
    await expect(page.get_by_role("status").filter(has_text="sign in")).to_be_visible()
    await expect(page.locator(".toggles").get_by_role("button")).to_have_attribute("aria-pressed", "true")
    await row.get_by_role("button", name="1 heart").click()  # which the page without scripts still shows
    await expect(row.get_by_role("button", name="1 eyes")).to_have_attribute("aria-pressed", "true")
    await expect(row.get_by_role("button", name="heart", exact=True)).to_have_attribute("aria-pressed", "false")
