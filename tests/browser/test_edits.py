"""Changing a message in a real browser: whatever becomes of Save, of the page or of the message, the words stay."""

import asyncio
import re
import threading

import pytest
from playwright.async_api import expect

from tests.browser.test_access import no_violations
from tests.browser.test_accounts import sign_in
from tests.support.browser import BROWSER_TEST, NETWORK, is_wide, message
from tests.support.people import Person
from tests.support.server import until

pytestmark = BROWSER_TEST
WITH_AND_WITHOUT = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])


async def begin(visit, server, scripts=True, text="first words"):
    """Ada, her message, its page, and other words in its box."""
    ada = Person(server, name="Ada")
    id = ada.post(text)["id"]
    page = await visit(server, f"/m/{id}", person=ada, java_script_enabled=scripts)
    await page.get_by_label("Your message").fill("better words")
    return ada, id, page


async def save(page):
    await page.get_by_role("button", name="Save").click()


def body(server, id):
    return server.get(f"/api/v1/messages/{id}").json()["body"]


@WITH_AND_WITHOUT
async def test_signed_out_meanwhile_the_words_are_in_the_form_again(server, visit, scripts):
    """With the reason; one signs in in another window, presses Save, and it is saved."""
    visit.expect("status of 401")
    ada, id, page = await begin(visit, server, scripts)
    await page.context.clear_cookies()
    await save(page)
    await expect(page.get_by_role("alert")).to_contain_text("You have been signed out.")
    await expect(page.get_by_label("Your message")).to_have_value("better words")
    async with page.expect_popup() as popup:
        await page.get_by_role("link", name="Sign in in another window").click()
    await sign_in(await popup.value, ada.username)
    await expect((await popup.value).get_by_role("navigation")).to_have_text("Ada")
    await save(page)
    await expect(page).to_have_url(re.compile(rf"/#m{id}$"))
    assert body(server, id) == "better words"


@WITH_AND_WITHOUT
async def test_posting_too_much_loses_no_words_of_an_edit(start, visit, scripts):
    """Too many posts in a row: the form comes back with its words and the reason."""
    visit.expect("status of 429")
    server = start(limits="on")
    ada, id, page = await begin(visit, server, scripts)
    is_refused = threading.Event()

    def post_on():  # one more may be posted each second, and a busy machine takes longer than that to save
        while not is_refused.is_set():
            ada.api.post("/api/v1/messages", json={"body": "and one more"})

    posting = asyncio.create_task(asyncio.to_thread(post_on))
    await asyncio.to_thread(until, lambda: ada.api.post("/api/v1/messages", json={"body": "x"}).status_code == 429)
    await save(page)
    await expect(page.get_by_role("alert")).to_contain_text("That was a lot at once.")
    is_refused.set()
    await posting
    await expect(page.get_by_label("Your message")).to_have_value("better words")
    assert body(server, id) == "first words"


@WITH_AND_WITHOUT
async def test_words_for_a_message_that_was_deleted_can_be_posted_as_a_new_one(server, visit, scripts):
    """The words come back, and the button posts them."""
    visit.expect("status of 404")
    ada, id, page = await begin(visit, server, scripts)
    ada.api.delete(f"/api/v1/messages/{id}")
    await save(page)
    await expect(page.get_by_role("alert")).to_contain_text("it was deleted while you wrote")
    await expect(page.get_by_label("Your message")).to_have_value("better words")
    await page.get_by_role("button", name="Post").click()
    await expect(message(page, "better words").first.locator(".author")).to_have_text("Ada")


async def test_no_draft_is_left_of_a_message_that_was_deleted(server, visit):
    """No page would ever ask for it again."""
    visit.expect("status of 404")
    ada, id, page = await begin(visit, server)
    ada.api.delete(f"/api/v1/messages/{id}")
    await save(page)
    await page.get_by_label("Your message").fill("best words")
    await page.get_by_role("button", name="Post").click()
    await expect(message(page, "best words").first).to_be_visible()
    names = await page.evaluate("Object.keys(localStorage)")
    assert not [name for name in names if name.startswith("edit/")]


@WITH_AND_WITHOUT
async def test_a_far_too_long_edit_gives_the_words_back(server, visit, scripts):
    """Also one whose form is larger than a message may be."""
    visit.expect("status of 413")
    _, _, page = await begin(visit, server, scripts)
    await page.get_by_label("Your message").fill("漢" * 20_000)
    await save(page)
    await expect(page.get_by_role("alert")).to_contain_text("far more than a message may hold")
    await expect(page.get_by_label("Your message")).to_have_value("漢" * 20_000)


@WITH_AND_WITHOUT
async def test_edited_in_two_windows_the_second_is_told_and_sees_both(server, visit, scripts):
    """It wins only by a second Save, in sight of the other words."""
    visit.expect("status of 409")
    _, id, page = await begin(visit, server, scripts)
    other = await page.context.new_page()
    await other.goto(f"/m/{id}")
    await other.get_by_label("Your message").fill("words of the other window")
    await save(other)
    await expect(other).to_have_url(re.compile(rf"/#m{id}$"))
    await save(page)
    await expect(page.get_by_role("alert")).to_contain_text("was changed elsewhere since you began")
    await expect(page.get_by_role("region", name="What it says now")).to_contain_text("words of the other window")
    await expect(page.get_by_label("Your message")).to_have_value("better words")
    assert body(server, id) == "words of the other window"
    await save(page)
    await expect(page).to_have_url(re.compile(rf"/#m{id}$"))
    assert body(server, id) == "better words"


@WITH_AND_WITHOUT
async def test_pressing_save_twice_is_no_quarrel_with_oneself(server, visit, scripts):
    """The second press finds its words there already."""
    _, id, page = await begin(visit, server, scripts)
    await page.get_by_role("button", name="Save").dblclick()
    await expect(page).to_have_url(re.compile(rf"/#m{id}$"))
    assert body(server, id) == "better words"


async def test_a_reload_or_another_way_back_keeps_the_words_of_an_edit(server, visit):
    """They are a draft of this message: there after a reload and in the next tab, until saved or given up."""
    _, id, page = await begin(visit, server)
    box = page.get_by_label("Your message")
    await page.reload()
    await expect(box).to_have_value("better words")
    await expect(page.locator("#s-hint")).to_contain_text("not saved yet")
    await page.goto("/")
    await page.go_back()
    await expect(box).to_have_value("better words")
    await page.get_by_role("button", name="Start again").click()
    await expect(box).to_have_value("first words")
    await page.reload()
    await expect(box).to_have_value("first words")
    await box.fill("words to be saved")
    await save(page)
    await expect(page).to_have_url(re.compile(rf"/#m{id}$"))
    await page.goto(f"/m/{id}")
    await expect(box).to_have_value("words to be saved")
    assert await page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('edit/'))") == []


async def test_words_that_are_written_before_the_script_is_there_are_newer_than_the_draft(server, visit):
    """They stay in the box, and are the draft from then on."""
    _, id, page = await begin(visit, server)
    box = page.get_by_label("Your message")
    let_go = await visit.hold(page, "**/edit.js*")
    await page.reload(wait_until="commit")
    await expect(box).to_have_value("first words")
    await box.fill("best words")
    let_go.set()
    await page.wait_for_load_state()
    await expect(box).to_have_value("best words")
    assert "best words" in await page.evaluate(
        "localStorage[Object.keys(localStorage).find((name) => name.startsWith('edit/'))]"
    )
    await save(page)
    await expect(page).to_have_url(re.compile(rf"/#m{id}$"))
    assert body(server, id) == "best words"


async def test_a_draft_of_an_edit_knows_what_it_began_from(server, visit):
    """Found again after somebody else's hand was there: Save shows both, instead of winning."""
    visit.expect("status of 409")
    ada, id, page = await begin(visit, server)
    ada.api.patch(f"/api/v1/messages/{id}", json={"body": "words from the phone"})
    await page.reload()
    await expect(page.get_by_label("Your message")).to_have_value("better words")
    await save(page)
    await expect(page.get_by_role("region", name="What it says now")).to_contain_text("words from the phone")
    await expect(page.get_by_label("Your message")).to_have_value("better words")


async def test_what_was_saved_does_not_come_back_over_a_later_edit(server, visit):
    """Saved here, edited again on the phone: the page shows the phone's words."""
    ada, id, page = await begin(visit, server)
    await save(page)
    await expect(page).to_have_url(re.compile(rf"/#m{id}$"))
    ada.api.patch(f"/api/v1/messages/{id}", json={"body": "later, from the phone"})
    await page.goto(f"/m/{id}")
    await expect(page.get_by_label("Your message")).to_have_value("later, from the phone")


async def test_an_edit_that_met_a_dead_server_is_there_when_it_is_back(start, visit):
    """Save leads to the browser's own page of woe; the words are in the form afterwards."""
    visit.expect(NETWORK)
    server = start()
    _, id, page = await begin(visit, server)
    server.kill()
    await save(page)
    await page.wait_for_url("chrome-error://**")
    server.start()
    await page.goto(f"{server.url}/m/{id}")
    await expect(page.get_by_label("Your message")).to_have_value("better words")


async def test_another_account_sees_no_draft_of_an_edit(server, visit):
    """Drafts are their author's: a moderator who signs in on the same computer has a form without it."""
    ada, id, page = await begin(visit, server)
    await page.context.clear_cookies()
    bob = Person(server, name="Bob")
    cookies = bob.browser().cookies
    await page.context.add_cookies([{"name": name, "value": cookies[name], "url": server.url} for name in cookies])
    await page.reload()
    await expect(page.get_by_label("Your message")).to_have_count(0)
    assert await page.evaluate(f"localStorage.getItem('edit/{ada.username}/{id}')")


@pytest.mark.parametrize(
    "look", [{"color_scheme": "light"}, {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}}]
)
async def test_every_way_an_edit_goes_wrong_is_for_everyone(server, visit, look):
    """A draft found again, both texts side by side, signed out, deleted, and signing out with words left: axe finds nothing."""
    visit.expect("status of (409|401|404)")
    ada = Person(server, name="Ada")
    id = ada.post("first words")["id"]
    page = await visit(server, f"/m/{id}", person=ada, reduced_motion="reduce", **look)
    await page.get_by_label("Your message").fill("better words")
    await page.reload()
    await expect(page.get_by_role("button", name="Start again")).to_be_visible()
    await no_violations(page)
    ada.api.patch(f"/api/v1/messages/{id}", json={"body": "words with\n\nlines and a" + "x" * 200})
    await save(page)
    await expect(page.get_by_role("region", name="What it says now")).to_be_visible()
    await no_violations(page)
    assert not await is_wide(page)
    await page.goto("/signout")
    await expect(page.get_by_role("group")).to_be_visible()
    await no_violations(page)
    await page.goto(f"/m/{id}")
    cookies = await page.context.cookies()
    await page.context.clear_cookies()
    await save(page)
    await expect(page.get_by_role("link", name="Sign in in another window")).to_be_visible()
    await no_violations(page)
    await page.context.add_cookies(cookies)
    ada.api.delete(f"/api/v1/messages/{id}")
    await save(page)
    await expect(page.get_by_role("button", name="Post")).to_be_visible()
    await no_violations(page)
    assert not await is_wide(page)
