"""Reactions on pages: two members and a guest see the same counts live, each presses their own, and forms do without scripts."""

import re

from playwright.async_api import expect

from tests.browser.test_tools import tool, use
from tests.support.axe import DAY_AND_NIGHT, no_violations
from tests.support.browser import BROWSER_TEST, NETWORK, is_wide, message
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
    await no_violations(second, *DAY_AND_NIGHT)
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


COUNTS = "window.presses = 0; addEventListener('click', () => window.presses++, { capture: true })"
NO_WIDER = """(one) => {
    const { width, height } = one.getBoundingClientRect();
    return width <= 2 + 32 * ([...one.children].filter((button) => !button.hidden).length - 1) && height === 26;
}"""


async def test_one_press_reacts_where_nobody_has_yet(start, visit):
    """One click by mouse, one key by keyboard; with the finger a touch opens the sheet, and another one reacts. The same
    again takes it back. The toolbar is no wider than it was with one button less."""
    server = start()
    ada = Person(server, name="Ada")
    id = ada.post("no reaction yet")["id"]

    def reactions():
        return server.get(f"/api/v1/messages/{id}").json().get("reactions")

    page = await visit(server, person=ada)
    await page.evaluate(COUNTS)
    chip, like = page.get_by_role("button", name="1 thumbs up"), tool(page, "Thumbs up")
    await message(page, "no reaction yet").locator(".body").hover()
    await expect(like).to_have_attribute("aria-pressed", "false")
    assert await page.locator(".toolbar").evaluate(NO_WIDER)
    await like.click()
    await expect(chip).to_have_attribute("aria-pressed", "true")
    assert (await page.evaluate("window.presses"), reactions()) == (1, {"👍": 1})
    await expect(like).to_have_attribute("aria-pressed", "true")
    await no_violations(page)
    await like.click()
    await expect(chip).to_have_count(0)
    await expect(like).to_have_attribute("aria-pressed", "false")
    assert (await page.evaluate("window.presses"), reactions()) == (2, None)

    await page.mouse.move(1, 1)
    await page.reload()
    await page.locator(f"#m{id} .permalink").focus()
    await page.keyboard.press("l")
    await expect(chip).to_have_attribute("aria-pressed", "true")
    await page.reload()  # which of them are one's own is not known by the page
    await page.locator(f"#m{id} .permalink").focus()
    await page.keyboard.press("l")
    await expect(chip).to_have_count(0)
    await page.locator("#s").fill("")
    await page.keyboard.press("l")
    await expect(page.locator("#s")).to_have_value("l")
    assert reactions() is None

    for width in (320, 390):
        phone = await visit(
            server, person=ada, viewport={"width": width, "height": 700}, has_touch=True, is_mobile=True
        )
        await phone.evaluate(COUNTS)
        for name, sums in (("heart", {"❤️": 1}), ("heart", None)):
            before = await phone.evaluate("window.presses")
            await phone.locator(f"#m{id} .permalink").tap()
            row = phone.get_by_role("dialog").get_by_role("group", name="React").get_by_role("button")
            await expect(row).to_have_count(8)
            sizes = await row.evaluate_all("all => all.map((one) => [one.offsetWidth, one.offsetHeight])")
            assert all(min(size) >= 44 for size in sizes), sizes
            choice = phone.get_by_role("dialog").get_by_role("button", name=name)
            await expect(choice).to_have_attribute("aria-pressed", "false" if sums else "true")
            await choice.tap()
            await expect(phone.get_by_role("dialog")).to_have_count(0)
            await expect(phone.get_by_role("button", name="1 heart")).to_have_count(1 if sums else 0)
            assert (await phone.evaluate("window.presses") - before, reactions()) == (2, sums)
        assert not await is_wide(phone)


async def test_a_thumbs_up_that_fails_says_so(start, visit):
    """The script that reacts can't be had, then the member has been signed out: the button is as before, with the reason."""
    visit.expect(f"{NETWORK}|status of 401")
    server = start()
    ada = Person(server, name="Ada")
    id = ada.post("no reaction yet")["id"]
    page = await visit(server, f"/m/{id}", person=ada)
    await page.route("**/reactions.js*", lambda route: route.abort(), times=1)
    await use(page, "no reaction yet", "Thumbs up")
    await expect(page.locator(".told")).to_have_text("The board can't be reached. Try again.")
    await page.context.clear_cookies()
    await tool(page, "Thumbs up").click()
    await expect(page.get_by_role("status").filter(has_text="sign in")).to_be_visible()
    await expect(tool(page, "Thumbs up")).to_have_attribute("aria-pressed", "false")
