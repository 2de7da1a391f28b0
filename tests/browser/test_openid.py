"""Logging in with OpenID Connect as people do it: a real browser, a real board, and a provider that nobody here wrote."""

import pytest
from playwright.async_api import expect

from tests.http.test_owner import said
from tests.support.browser import BROWSER_TEST, box_of
from tests.support.openid import CLIENT, SECRET, provider_mock, start_board
from tests.support.people import PASSWORD, Person

pytestmark = BROWSER_TEST

ADA = {"sub": "ada", "name": "Ada Lovelace"}


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    with provider_mock(tmp_path_factory.mktemp("provider"), ADA) as mock:
        yield mock


@pytest.fixture
def begin(start, monkeypatch, mock):
    """Starts a board with that provider, called School."""
    return lambda **settings: start_board(
        start, monkeypatch, f"school {mock.url} {CLIENT} {SECRET} My school", **settings
    )


async def spare_the_network(page):
    """The provider's page has a style sheet from elsewhere, and no icon."""
    headers = {"Access-Control-Allow-Origin": "*"}
    for path in ("https://cdn.jsdelivr.net/**", "**/favicon.ico"):
        await page.route(path, lambda route: route.fulfill(body="", content_type="text/css", headers=headers))


async def come_by(page, button="ada"):
    await spare_the_network(page)
    await page.get_by_role("link", name="Continue with My school").click()
    await expect(page.get_by_role("heading", name="Authorize Client")).to_be_visible()
    await page.get_by_role("button", name=button, exact=True).click()


async def is_signed_in(page, name):
    await page.goto("/account")
    await expect(page.get_by_role("navigation", name="Account")).to_contain_text(name)


@pytest.mark.parametrize("scripts", [True, False])
async def test_sign_in_for_the_first_time_and_again(begin, visit, scripts):
    """From the button to a message under the name from there; with scripts and without."""
    page = await visit(begin(), "/signin", java_script_enabled=scripts)
    await come_by(page)
    await expect(page.get_by_role("heading", name="Welcome, Ada Lovelace")).to_be_visible()
    assert "code=" not in page.url and "state=" not in page.url
    await page.get_by_label("Username").fill("countess")
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_label("Your message").fill("Hello from school")
    await page.get_by_role("button", name="Post").click()
    await expect(page.locator("#messages .message").filter(has_text="Hello from school")).to_contain_text(ADA["name"])
    await page.goto("/signout")
    await page.locator("main").get_by_role("button", name="Sign out").click()
    await page.goto("/signin")
    await come_by(page)
    await is_signed_in(page, "Ada Lovelace")
    await expect(page.get_by_text("signed in as countess")).to_be_visible()


async def test_link_and_unlink(begin, visit):
    """No policy of ours stands in the way of the redirects, and the account page has it among the ways in."""
    board = begin()
    page = await visit(board, "/account", Person(board, name="The Countess"))
    panel = page.locator("#oidc_school")
    await panel.get_by_label("Password").fill(PASSWORD)
    await panel.get_by_role("button", name="Link My school").click()
    await spare_the_network(page)
    await page.get_by_role("link", name="Continue to My school").click()
    await page.get_by_role("button", name="ada", exact=True).click()
    await expect(panel).to_contain_text("Linked with My school, where you are Ada Lovelace")
    await expect(page.get_by_role("status").filter(has_text="A My school account, Ada Lovelace")).to_be_visible()
    await panel.get_by_label("Password").fill(PASSWORD)
    await panel.get_by_role("button", name="Unlink My school").click()
    await expect(page.get_by_role("status")).to_have_text("My school is unlinked from your account.")


async def test_a_live_session_is_asked_first(begin, visit):
    """Somebody else is signed in, and stays so until the click."""
    board = begin()
    page = await visit(board, "/signin", Person(board, name="Olga"))
    await come_by(page)
    await expect(page.get_by_role("heading", name="Go on as Ada Lovelace?")).to_be_visible()
    await page.get_by_role("link", name="Stay Olga").click()
    await is_signed_in(page, "Olga")
    await page.goto("/signin")
    await come_by(page)
    await page.get_by_role("button", name="Go on as Ada Lovelace").click()
    await expect(page.get_by_role("heading", name="Welcome, Ada Lovelace")).to_be_visible()


async def test_the_owner_of_a_board_without_passwords(begin, visit):
    """The link from the log, the one button, and a moderator's account that asks for no password anywhere."""
    board = begin(passwords="off", signup="closed")
    page = await visit(board, f"/signup?owner#{said(board)[0]}")
    await come_by(page)
    await page.get_by_role("button", name="Go on").click()
    await page.goto("/account")
    await expect(page.get_by_text("You are a moderator")).to_be_visible()
    await expect(page.locator("input[type=password]")).to_have_count(0)
    await page.get_by_label("Name of the bot").fill("bot")
    await page.get_by_role("button", name="Make a token").click()
    await expect(page.get_by_role("status").filter(has_text="Here is the new token")).to_be_in_viewport()


async def test_the_pages_without_passwords_look_whole(begin, visit):
    """Buttons stand under the heading, inside the page, on a phone too."""
    page = await visit(begin(passwords="off"), "/signin", viewport={"width": 320, "height": 640})
    for path in ("/signin", "/signup"):
        await page.goto(path)
        button = page.get_by_role("link", name="Continue with My school")
        heading, box = await box_of(page.get_by_role("heading", level=1)), await box_of(button)
        assert heading["y"] < box["y"] < 400 and box["x"] >= 0 and box["x"] + box["width"] <= 320
        await expect(page.locator("form:visible")).to_have_count(0)
