"""Logging in with Facebook as people do it: a real browser, a real board, and the fake Facebook on another site."""

import contextlib
import os
import re
import sqlite3

import pytest
from playwright.async_api import async_playwright, expect

from tests.support.browser import PATIENCE_MS
from tests.support.facebook import APP_SECRET, fake_facebook, free_port, start_board
from tests.support.people import PASSWORD, Person

pytestmark = pytest.mark.browser


@pytest.fixture
def both(start):
    port = free_port()
    with fake_facebook(port) as fake:
        board = start_board(start, fake.url, port)
        yield board, fake
        log = board.log.read_text()
        assert "Traceback" not in log and "ERROR" not in log and APP_SECRET not in log, log


@contextlib.asynccontextmanager
async def chromium():
    path = os.environ.get("CHROMIUM")
    assert path, "The browser tests need the path of a Chromium in CHROMIUM, as bin/test sets it."
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


class Desk:
    """A browser of its own, with the board in front; what its console complains about is kept."""

    def __init__(self, page, board, fake):
        self.page, self.board, self.fake, self.said = page, board, fake, []
        page.on("console", lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))

    async def begin(self, path="/signin"):
        await self.page.goto(self.board.url + path)
        await self.page.get_by_role("link", name="Continue with Facebook").click()

    async def answer(self, button="Continue", person="Ada Lovelace"):
        await expect(self.page.get_by_role("heading", name="Log in to the app")).to_be_visible()
        await self.page.get_by_label(person).check()
        await self.page.get_by_role("button", name=button, exact=True).click()

    async def sign_in(self, person="Ada Lovelace"):
        await self.begin()
        await self.answer(person=person)

    async def at_facebook(self, person, button, **fields):
        """Does something on the fake's own page, in another tab."""
        tab = await self.page.context.new_page()
        await tab.goto(self.fake.url)
        section = tab.locator("section").filter(has=tab.get_by_role("heading", name=person))
        for label, text in fields.items():
            await section.get_by_label(label).fill(text)
        await section.get_by_role("button", name=button).click()
        await tab.wait_for_load_state()
        said = await tab.locator("#said").inner_text() if await tab.locator("#said").count() else ""
        await tab.close()
        return said

    async def is_signed_in(self, name):
        await self.page.goto(self.board.url + "/account")
        await expect(self.page.get_by_role("navigation", name="Account")).to_contain_text(name)

    async def is_signed_out(self):
        await self.page.goto(self.board.url + "/")
        await expect(self.page.get_by_role("link", name="Sign in")).to_be_visible()


@contextlib.asynccontextmanager
async def desk(both, **options):
    async with chromium() as browser:
        context = await browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        yield Desk(await context.new_page(), *both)


async def test_the_whole_life_of_a_member_who_came_by_facebook(both):
    """Sign in, cancel, sign in again, another name at Facebook, permission taken back, deletion and its page."""
    board, _ = both
    async with desk(both) as d:
        await d.begin()
        await d.answer("Cancel")
        await expect(d.page.get_by_role("heading", name="You cancelled at Facebook")).to_be_visible()
        await d.page.get_by_role("link", name="Try again").click()
        await d.answer()
        await expect(d.page.get_by_role("heading", name="Welcome, Ada Lovelace")).to_be_visible()
        assert "#_=_" not in d.page.url and "code=" not in d.page.url
        await expect(d.page.locator("img.face")).to_have_js_property("naturalWidth", 160)
        await d.page.get_by_label("Username").fill("countess")
        await d.page.get_by_role("button", name="Go on").click()
        await expect(d.page).to_have_url(re.compile(rf"^{board.url}/#?$"))
        await d.page.get_by_label("Your message").fill("Hello from Facebook")
        await d.page.get_by_role("button", name="Post").click()
        message = d.page.locator("#messages .message").filter(has_text="Hello from Facebook")
        await expect(message).to_contain_text("Ada Lovelace")

        await d.at_facebook("Ada Lovelace", "Change name", Name="Ada King")
        await d.sign_in("Ada King")
        await d.is_signed_in("Ada King")
        await expect(d.page.get_by_text("signed in as countess")).to_be_visible()

        assert await d.at_facebook("Ada King", "Remove the app") == "The app answered:\n\n200 {}"
        await d.is_signed_out()
        await d.sign_in("Ada King")
        await d.is_signed_in("Ada King")

        said = await d.at_facebook("Ada King", "Have my data deleted")
        url = re.search(r'"url":"([^"]+)"', said)[1]
        await d.is_signed_out()
        await expect(message).to_contain_text("deleted account")
        await d.page.goto(url)
        await expect(d.page.get_by_role("heading", name="It is deleted")).to_be_visible()
        db = sqlite3.connect(board.database)
        for table in ("accounts", "identities", "credentials"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
        db.close()
        assert not [said for said in d.said if "403" not in said], d.said  # the page after Cancel


async def test_a_member_links_and_unlinks_in_the_browser(both):
    """No policy of ours stands in the way of the redirects, and the password is asked for each time."""
    board, _ = both
    person = Person(board, name="The Countess")
    async with desk(both) as d:
        await d.page.goto(board.url + "/signin")
        await d.page.get_by_label("Username").fill(person.username)
        await d.page.get_by_label("Password").fill(PASSWORD)
        await d.page.get_by_role("button", name="Sign in").click()
        await d.page.goto(board.url + "/account")
        panel = d.page.locator("#facebook")
        await panel.get_by_label("Password").fill("wrong password")
        await panel.get_by_role("button", name="Link Facebook").click()
        await expect(panel.get_by_role("alert")).to_have_text("This is not your password.")
        await panel.get_by_label("Password").fill(PASSWORD)
        await panel.get_by_role("button", name="Link Facebook").click()
        await d.page.get_by_role("link", name="Continue to Facebook").click()
        await d.answer()
        await expect(d.page.locator("#facebook")).to_contain_text("Linked with Facebook, where you are Ada Lovelace")
        await d.page.get_by_role("button", name="Sign out", exact=True).first.click()
        await d.sign_in()
        await d.is_signed_in("The Countess")
        await panel.get_by_label("Password").fill(PASSWORD)
        await panel.get_by_role("button", name="Unlink Facebook").click()
        await expect(d.page.get_by_role("button", name="Link Facebook", exact=True)).to_be_visible()
        await d.page.goto(board.url + "/signout")
        await d.page.locator("main").get_by_role("button", name="Sign out").click()
        await d.sign_in()
        await expect(d.page.get_by_role("heading", name="Welcome, Ada Lovelace")).to_be_visible()
        assert not [said for said in d.said if "401" not in said], d.said  # the wrong password


async def test_a_member_without_a_password_gets_one_and_leaves_facebook(both):
    """Set a password, unlink, and come in by it."""
    board, _ = both
    async with desk(both) as d:
        await d.sign_in("Grace Hopper")
        await d.page.goto(board.url + "/account")
        await expect(d.page.locator("#facebook")).to_contain_text("set a password first")
        await d.page.get_by_label("New password").fill(PASSWORD)
        await d.page.get_by_role("button", name="Set a password").click()
        await d.page.locator("#facebook").get_by_label("Password").fill(PASSWORD)
        await d.page.get_by_role("button", name="Unlink Facebook").click()
        await d.page.goto(board.url + "/signout")
        await d.page.locator("main").get_by_role("button", name="Sign out").click()
        await d.page.goto(board.url + "/signin")
        await d.page.get_by_label("Username").fill("grace_hopper")
        await d.page.get_by_label("Password").fill(PASSWORD)
        await d.page.get_by_role("button", name="Sign in").click()
        await d.is_signed_in("Grace Hopper")
        assert not d.said


async def test_without_javascript_all_the_same(both):
    """Links and forms only."""
    async with desk(both, java_script_enabled=False) as d:
        await d.sign_in("李小龍")
        await d.page.get_by_role("button", name="Go on").click()
        await d.is_signed_in("李小龍")
        assert not d.said


async def test_the_board_opened_by_number_moves_to_localhost(both):
    """127.0.0.1 is no place that Facebook sends people back to; the first click goes where it does, the second on."""
    board, _ = both
    async with desk(both) as d:
        await d.page.goto(f"http://127.0.0.1:{board.port}/signin?next=/privacy")
        await d.page.get_by_role("link", name="Continue with Facebook").click()
        await expect(d.page).to_have_url(re.compile(rf"^{board.url}/facebook/start"))  # for a browser, another site
        await d.page.get_by_role("link", name="Continue with Facebook").click()
        await d.answer()
        await d.page.get_by_role("button", name="Go on").click()
        await expect(d.page).to_have_url(re.compile(rf"^{board.url}/privacy"))
