"""The board without JavaScript: everything by forms and links."""

import re

import pytest
from playwright.async_api import expect

from tests.support.browser import BROWSER_TEST, message
from tests.support.people import PASSWORD, Person, new_username

pytestmark = BROWSER_TEST


@pytest.fixture
def plain(visit):
    """Visits with JavaScript switched off."""
    return lambda *arguments, **options: visit(*arguments, java_script_enabled=False, **options)


async def post(page, text):
    await page.get_by_label("Your message").fill(text)
    await page.get_by_role("button", name="Post").click()


async def test_one_posts_by_the_form(server, plain):
    """Press the button and the message is there; reloading posts nothing again."""
    page = await plain(server)
    await post(page, "by the plain form")
    await expect(message(page, "by the plain form")).to_have_count(1)
    await page.reload()
    await expect(message(page, "by the plain form")).to_have_count(1)


async def test_older_messages_are_pages_behind_links(start, plain):
    """One link after the other leads to the very first message, and each message is on one page."""
    server = start()
    for number in range(101):
        server.post(f"number {number}")
    page = await plain(server)
    found = []
    while True:
        found += await page.locator(".body").all_text_contents()
        older = page.get_by_role("link", name="Older messages")
        if not await older.is_visible():
            break
        await older.click()
        await expect(page.get_by_role("heading", name="Older messages")).to_be_visible()
    assert found == [f"number {number}" for number in reversed(range(101))]
    await page.get_by_role("link", name="Back to the newest").click()
    await expect(page.locator(".body").first).to_have_text("number 100")


async def test_a_refusal_keeps_the_text(server, plain, visit):
    """The reason stands under what was typed, tied to it, and a shorter one goes through."""
    visit.expect("status of 422")
    page = await plain(server)
    await post(page, "y" * 4001)
    await expect(page.locator("#hint")).to_have_text("A message may have 4000 characters; this one has 4001.")
    box = page.get_by_label("Your message")
    await expect(box).to_have_value("y" * 4001)
    await expect(box).to_be_focused()
    assert "hint" in await box.get_attribute("aria-describedby")
    await post(page, "shorter")
    await expect(message(page, "shorter")).to_have_count(1)


async def test_a_far_too_long_form_is_our_own_page_with_the_words(server, plain, visit):
    """As far as the server reads at all: a quarter of a megabyte, where a message may have 4,000 characters."""
    visit.expect("status of 413")
    page = await plain(server)
    await post(page, "漢" * 28_000)
    await expect(page.locator("#hint")).to_have_text("This is far more than a message may hold.")
    assert await page.get_by_label("Your message").input_value() == "漢" * 28_000


async def test_signing_up_posting_editing_and_deleting(server, plain, visit):
    """The whole life of an account's message, with forms alone."""
    visit.expect("status of 422")
    page, username = await plain(server), new_username()
    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_role("link", name="Create account").click()
    await page.get_by_label("Username").fill(username)
    await page.get_by_label("Display name (optional)").fill("Åsa Öberg")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("navigation")).to_have_text("Åsa Öberg")
    await expect(page.locator("#as")).to_have_text("Posting as Åsa Öberg")

    await post(page, "with a misteak")
    await expect(message(page, "with a misteak").locator(".author")).to_have_text("Åsa Öberg")
    await message(page, "with a misteak").locator(".permalink").click()
    box = page.get_by_label("Your message")
    await expect(box).to_have_value("with a misteak")
    await box.fill("z" * 4001)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("4000 characters")
    await expect(box).to_have_value("z" * 4001)
    await box.fill("without a mistake")
    await page.get_by_role("button", name="Save").click()
    await expect(page).to_have_url(re.compile(r"/#m\d+$"))
    await expect(message(page, "without a mistake").locator(".edited")).to_have_text("edited")

    await message(page, "without a mistake").locator(".permalink").click()
    await page.get_by_text("Delete this message").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.locator("#composer")).to_be_visible()
    await expect(message(page, "without a mistake")).to_have_count(0)


async def test_a_session_that_has_ended_posts_nothing_as_a_guest(server, plain, visit):
    """Signed out elsewhere, the form says so and keeps the text; only its author decides to go on as a guest."""
    visit.expect("status of 401")
    person = Person(server)
    page = await plain(server, person=person)
    person.browser().post("/account/everywhere")
    await post(page, "said as myself")
    await expect(page.locator("#hint")).to_have_text("You have been signed out. Please sign in again.")
    await expect(page.get_by_label("Your message")).to_have_value("said as myself")
    await expect(page.locator("#composer").get_by_role("link", name="Sign in")).to_be_visible()
    await page.goto("/")
    await expect(message(page, "said as myself")).to_have_count(0)
