"""Searching, and what search leads to, in a real browser: without JavaScript, and with it."""

import itertools
import sqlite3

import pytest
from playwright.async_api import expect

from tests.support.boards import make_club
from tests.support.browser import BROWSER_TEST, SCRIPTS, is_wide
from tests.support.server import Server

pytestmark = BROWSER_TEST


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """60 messages, six hours apart; every tenth in another script."""
    server = Server(tmp_path_factory.mktemp("search"))
    for number in range(60):
        server.post(SCRIPTS[number // 10] if number % 10 == 5 else f"low tide {number}")
    server.stop()
    with sqlite3.connect(server.database) as db:
        db.execute("UPDATE messages SET created_at = 1767225600000 + id * 21600000")
    db.close()
    server.start()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


async def test_without_javascript_one_searches_and_reads_on(server, visit):
    """From the board to the field, to the results, to the message among its neighbours, and on to older and newer ones."""
    page = await visit(server, java_script_enabled=False)
    await page.get_by_role("link", name="Search").click()
    field = page.get_by_role("searchbox", name="Look for")
    await expect(field).to_be_focused()
    await field.fill("TIDE 4")
    await field.press("Enter")
    await expect(page.locator(".message")).to_have_count(10)  # 4, 40–44, 46–49
    await expect(page.locator(".message").first.locator("mark")).to_have_text(["tide", "4"])
    await page.locator(".message", has_text="low tide 44").click()
    await expect(page).to_have_url(f"{server.url}/m/45")
    await expect(page.locator(".this .body")).to_have_text("low tide 44")
    await expect(page.locator(".this")).to_be_in_viewport()
    await expect(page.locator(".message")).to_have_count(15)
    await page.get_by_role("link", name="Older messages").click()
    await expect(page.locator(".message").first).to_contain_text("low tide 33")
    await page.get_by_role("link", name="Newer messages").click()
    await expect(page.locator(".message").last).to_contain_text("low tide 34")
    await page.get_by_role("link", name="Back to the newest").click()
    await expect(page.locator(".message").first).to_contain_text("low tide 59")


async def test_chinese_is_found_by_two_characters_on_a_phone(server, visit):
    """What was found is marked, and nothing makes one scroll sideways."""
    page = await visit(server, "/search", viewport={"width": 320, "height": 640})
    await page.get_by_role("searchbox").fill("世界")
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator("mark")).to_have_text(["世界"])
    assert not await is_wide(page)
    await page.get_by_role("searchbox").fill("鷦鷯")
    await page.keyboard.press("Enter")
    await expect(page.locator(".alone")).to_contain_text("Try another word")


async def test_without_javascript_one_searches_all_boards(start, visit):
    """By a choice beside the words, which the address keeps. A result leads to its message, and its board's name there."""
    server, _, friend, hidden = make_club(start)
    page = await visit(server, "/b/rowing/search", friend, java_script_enabled=False)
    await page.get_by_role("searchbox", name="Look for").fill("words")
    await expect(page.get_by_role("radio", name="This board")).to_be_checked()
    await page.get_by_role("radio", name="All boards").check()
    await page.get_by_role("button", name="Search").click()
    await expect(page).to_have_url(f"{server.url}/b/rowing/search?q=words&board=*")
    await expect(page.locator(".on")).to_have_text(["Committee", "Lounge", "Rowing"])
    await page.get_by_role("searchbox").press("Enter")
    await expect(page.get_by_role("radio", name="All boards")).to_be_checked()
    await page.locator(".message", has_text="words on lounge").click()
    await expect(page.locator(".this .body")).to_have_text("words on lounge")
    await page.go_back()
    await page.locator(".on", has_text="Committee").click()
    await expect(page).to_have_url(f"{server.url}/b/{hidden}/")
    await page.go_back()
    await page.get_by_role("radio", name="This board: Rowing").check()
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator(".message .body")).to_have_text(["words on rowing"])
    await expect(page.locator(".on")).to_have_count(0)


@pytest.mark.parametrize(
    ("zone", "first"), [("Pacific/Auckland", "1 January 2026"), ("Pacific/Honolulu", "31 December 2025")]
)
async def test_days_begin_where_the_reader_is(server, visit, zone, first):
    """The server draws days in UTC; a browser with JavaScript draws its own, a line for each."""
    page = await visit(server, "/?before=10", timezone_id=zone)
    lines = page.locator(".day")
    await expect(lines.last).to_contain_text(first)
    order = await page.evaluate(
        """() => [...document.querySelectorAll(".messages > *")].map((one) => one.className === "day"
             ? "line" : new Date(one.querySelector("time").dateTime).toDateString())"""
    )
    days = [day for day in order if day != "line"]
    assert order[0] == "line" and order.count("line") == len(set(days))
    for before, after in itertools.pairwise(order):
        assert "line" in (before, after) or before == after


async def test_a_lost_visitor_finds_home(server, visit):
    """A page that isn't there has a search field that works."""
    visit.expect("status of 404")
    page = await visit(server, "/m/4711")
    await page.get_by_role("searchbox").fill("tide 17")
    await page.keyboard.press("Enter")
    await expect(page.locator("mark")).to_have_text(["tide", "17"])


RENDERED = """[...document.querySelectorAll(".message .body")].every((one) =>
    one.checkVisibility({ contentVisibilityAuto: true }))"""


async def test_a_permalink_is_in_view_and_leads_back(server, visit):
    """However tall the newer ones are, the message that the link is about is what one sees."""
    server.post("tall\n" * 200)
    last = [server.post("the one").json()["id"], *(server.post("tall\n" * 100).json()["id"] for _ in range(3))][0]
    page = await visit(server, f"/m/{last}")
    await expect(page.locator(".this")).to_be_in_viewport()
    assert await page.evaluate(RENDERED), "what is not rendered yet grows once it is in view, and moves the rest"
    await page.get_by_role("link", name="Go to the board").click()
    await expect(page.locator(f"#m{last}")).to_be_in_viewport()
