"""Accounts in a real browser: becoming a member, one's own words, sessions that end, and moderators."""

import asyncio
import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from tests.support.admin import admin
from tests.support.browser import BROWSER_TEST, is_as_after_reload, message, write
from tests.support.people import PASSWORD, Person, new_username
from tests.support.server import until

pytestmark = BROWSER_TEST


def promoted(server):
    """A new moderator."""
    person = Person(server, name="Mo Derator")
    admin(f"--database-url={server.settings['database_url']}", "promote", person.username)
    return person


async def sign_in(page, username, password=PASSWORD):
    await page.get_by_label("Username").fill(username)
    await page.get_by_label("Password").fill(password)
    async with page.expect_event("load"):
        await page.get_by_role("button", name="Sign in").click()


async def test_signing_up_posting_editing_and_deleting(server, visit):
    """A new member's words are under their name, can be mended and taken back, and everyone sees it live."""
    page, other = await asyncio.gather(visit(server), visit(server))
    username = new_username()
    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_role("link", name="Create account").click()
    await page.get_by_label("Username").fill(username.upper())
    await page.get_by_label("Display name (optional)").fill("Žofie & Cie")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.locator("#as")).to_have_text("Posting as Žofie & Cie")

    await write(page, "good mornign")
    await expect(message(other, "good mornign").locator(".author")).to_have_text("Žofie & Cie")
    await message(page, "good mornign").locator(".permalink").click()
    await page.get_by_label("Your message").fill("good morning")
    await page.get_by_role("button", name="Save").click()
    await expect(page).to_have_url(re.compile(r"/#m\d+$"))
    await expect(message(page, "good morning")).to_be_in_viewport()
    await expect(message(other, "good morning").locator(".edited")).to_have_text("edited")
    await expect(message(other, "good mornign")).to_have_count(0)

    await message(page, "good morning").locator(".permalink").click()
    await page.get_by_text("Delete this message").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(message(other, "good morning")).to_have_count(0)
    await expect(message(page, "good morning")).to_have_count(0)


async def test_two_members_follow_each_other(server, visit):
    """Each sees the other's name and words at once; on a stranger's message page one answers, and changes nothing."""
    ada, bob = Person(server, name="Ada"), Person(server, name="Bob")
    hers, his = await asyncio.gather(visit(server, person=ada), visit(server, person=bob))
    await write(hers, "Is anybody here?")
    await expect(message(his, "Is anybody here?").locator(".author")).to_have_text("Ada")
    await write(his, "I am, good evening!")
    await expect(message(hers, "I am, good evening!").locator(".author")).to_have_text("Bob")
    await is_as_after_reload(hers)
    await message(his, "Is anybody here?").locator(".permalink").click()
    await expect(message(his, "Is anybody here?")).to_have_count(1)
    forms = await his.locator("main form").evaluate_all("forms => forms.map((form) => form.getAttribute('action'))")
    assert forms == [urlsplit(his.url).path + "/react", "/add"]


async def test_a_wrong_password_is_said_at_its_field(server, visit):
    """The reason is tied to the fields, the username stays, and the right password leads where one wanted to go."""
    visit.expect("status of 401")
    person = Person(server)
    page = await visit(server, "/account")
    await page.get_by_role("main").get_by_role("link", name="Sign in").click()
    await sign_in(page, person.username, "not my password")
    await expect(page.get_by_role("alert")).to_have_text("Wrong username or password.")
    await expect(page.get_by_label("Username")).to_have_value(person.username)
    password = page.get_by_label("Password")
    await expect(password).to_be_focused()
    await expect(password).to_have_value("")
    for field in (page.get_by_label("Username"), password):
        await expect(field).to_have_accessible_description("Wrong username or password.")
    await sign_in(page, person.username)
    await expect(page.get_by_role("heading", name="Your account", exact=True)).to_be_visible()


@pytest.mark.parametrize("reading", ["public", "members"])
async def test_a_session_that_ends_elsewhere_stops_the_page(start, visit, reading):
    """The open page says so and offers to sign in again; nothing goes out as a guest, and the draft is kept."""
    server = start(reading=reading, metrics_token="a-token-for-the-test")
    watcher = server.open(headers={"Authorization": "Bearer a-token-for-the-test"})
    visit.expect("status of 401")
    person = Person(server, name="Ada")
    page = await visit(server, person=person)
    await page.fill("#s", "half a tho")
    until(lambda: watcher.get("/healthz").json()["parked"] == 1)
    person.browser().post("/account/everywhere")
    await expect(page.locator("#sign")).to_contain_text("You have been signed out.")
    await page.locator("#s").press("Control+Enter")
    await expect(page.get_by_role("button", name="Post")).to_be_disabled()
    await page.locator("#sign").get_by_role("link", name="Sign in").click()
    await sign_in(page, person.username)
    await expect(page.locator("#s")).to_have_value("half a tho")
    await expect(page.locator(".message")).to_have_count(0)
    await page.fill("#s", "")
    await write(page, "a whole thought")
    await expect(message(page, "a whole thought").locator(".author")).to_have_text("Ada")


async def test_a_page_of_someone_who_left_in_another_tab_posts_nothing(server, visit):
    """Even when the browser has forgotten the session altogether, a page that says “Posting as Ada” means it."""
    visit.expect("status of 401|status of 409")
    ada, bob = Person(server, name="Ada"), Person(server, name="Bob")
    page = await visit(server, path=None, person=ada)
    await visit.hold(page, "**/get?*")  # its poll hears of nothing
    await page.goto("/")
    tab = await page.context.new_page()
    await tab.goto("/signin")
    await sign_in(tab, bob.username)
    await expect(tab.locator("#as")).to_have_text("Posting as Bob")
    await page.fill("#s", "who says this?")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#hint")).to_contain_text("You are signed in as somebody else by now.")
    await tab.goto("/signout")
    await tab.get_by_role("button", name="Sign out").click()
    await expect(tab.get_by_role("navigation")).to_have_text("Sign in")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#sign")).to_contain_text("You have been signed out.")
    await expect(message(tab, "who says this?")).to_have_count(0)


async def test_where_members_write_guests_are_shown_the_way_in(start, visit):
    """Instead of a form that would refuse them there is one line with a link; the page is live all the same."""
    server = start(posting="members")
    ada = Person(server, name="Ada")
    guest, page = await asyncio.gather(visit(server), visit(server, person=ada))
    await expect(guest.locator("#composer")).to_have_count(0)
    await write(page, "members only, but all may read")
    await expect(message(guest, "members only, but all may read")).to_have_count(1)
    await guest.locator("main").get_by_role("link", name="Sign in").click()
    await sign_in(guest, ada.username)
    await expect(guest.locator("#as")).to_have_text("Posting as Ada")


async def test_a_moderator_deletes_suspends_and_removes(start, visit):
    """It takes a moderator three clicks; the words leave every page, the spammer is out, and it is written down."""
    server = start(client_header="X-Forwarded-For")
    elsewhere = {"extra_http_headers": {"X-Forwarded-For": "203.0.113.5"}}
    visit.expect("status of 401")
    spammer, moderator = Person(server, name="Cheap Watches"), promoted(server)
    guest, page, his = await asyncio.gather(
        visit(server, **elsewhere), visit(server, person=moderator), visit(server, person=spammer, **elsewhere)
    )
    for text in ("Buy!", "Buy now!", "Buy it all!"):
        await write(his, text)

    await message(page, "Buy!").locator(".permalink").click()
    await page.get_by_text("Delete this message").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(message(guest, "Buy!")).to_have_count(0)
    await message(page, "Buy now!").locator(".permalink").click()
    await page.get_by_role("button", name="Suspend the account").click()
    await expect(page.get_by_role("heading", name="Audit log")).to_be_visible()
    await expect(his.locator("#sign")).to_contain_text("You have been signed out.")

    await page.goto("/")
    await message(page, "Buy now!").locator(".permalink").click()
    await page.get_by_label("Block guests from this address for").select_option("7")
    await page.get_by_role("button", name="Block the address").click()
    await page.goto("/")
    await message(page, "Buy it all!").locator(".permalink").click()
    await page.get_by_text("Remove everything by its author").click()
    await page.get_by_role("button", name="Delete all 2 messages").click()
    for action in ("removed all by", "blocked the address of", f"suspended {spammer.username}", "deleted message"):
        await expect(page.locator("tbody")).to_contain_text(action)
    await expect(guest.locator(".message")).to_have_count(0)
    visit.expect("status of 403")
    await guest.fill("#s", "I am blocked")
    await guest.keyboard.press("Control+Enter")
    await expect(guest.locator("#hint")).to_contain_text("Posting is blocked until")
