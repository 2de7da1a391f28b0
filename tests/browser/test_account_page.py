"""The account page in a real browser: every button on it."""

import asyncio
import json
import pathlib

from playwright.async_api import expect

from tests.http.test_accounts import link_of
from tests.support.admin import admin
from tests.support.browser import BROWSER_TEST, message, write
from tests.support.people import PASSWORD, Person, client

pytestmark = BROWSER_TEST


def panel(page, heading):
    return page.locator(".panel").filter(has=page.get_by_role("heading", name=heading, exact=True))


async def test_a_new_name(server, visit):
    """Others see it on what is written from then on; a name that can't be seen is refused in place."""
    visit.expect("status of 422")
    page = await visit(server, "/account", person=Person(server, name="Before"))
    await page.get_by_label("What others see").fill("\u3164")
    await page.get_by_role("button", name="Change name").click()
    name = page.get_by_label("What others see")
    await expect(panel(page, "Name").get_by_role("alert")).to_contain_text("characters that can be seen")
    await expect(name).to_be_focused()
    assert "refused" in await name.get_attribute("aria-describedby")
    await name.fill("Åfter 🌻")
    await page.get_by_role("button", name="Change name").click()
    await expect(page.get_by_role("navigation")).to_have_text("Åfter 🌻")
    await page.get_by_role("link", name="Longboard").click()
    await write(page, "under a new name")
    await expect(message(page, "under a new name").locator(".author")).to_have_text("Åfter 🌻")


async def test_a_new_password(server, visit):
    """It needs the old one, says in place what is wrong, and signs out everything else."""
    visit.expect("status of 401|status of 422")
    person = Person(server)
    other, page = await asyncio.gather(visit(server, person=person), visit(server, "/account", person=person))
    box = panel(page, "Password")
    for current, new, words in (
        ("not it at all", "a good new password", "This is not your password."),
        (PASSWORD, "short", "A password has 8 to 128 characters."),
    ):
        await box.get_by_label("Current password").fill(current)
        await box.get_by_label("New password").fill(new)
        await box.get_by_role("button", name="Change password").click()
        await expect(box.get_by_role("alert")).to_have_text(words)
        wrong = box.locator("[aria-invalid]")
        await expect(wrong).to_be_focused()
        assert "refused" in await wrong.get_attribute("aria-describedby")
    await box.get_by_label("Current password").fill(PASSWORD)
    await box.get_by_label("New password").fill("a good new password")
    await box.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("status")).to_contain_text("Your password is changed.")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(other.locator("#sign")).to_contain_text("You have been signed out.")
    person.password = "a good new password"
    assert person.sign_in().startswith("lb_")


async def test_sessions(server, visit):
    """One sees where one is signed in, and ends one session or all others; pages open there notice at once."""
    visit.expect("status of 401")
    person = Person(server)
    second, third = await asyncio.gather(visit(server, person=person), visit(server, person=person))
    page = await visit(server, "/account", person=person)  # the last to come: it knows of all
    sessions = panel(page, "Where you are signed in").get_by_role("listitem")
    await expect(sessions.filter(has_text="this browser")).to_have_count(1)
    await expect(sessions.filter(has_text="a program")).to_have_count(1)
    count = await sessions.count()
    await sessions.filter(has_text="a program").get_by_role("button", name="Sign out").click()
    await expect(sessions).to_have_count(count - 1)
    assert person.api.get("/api/v1/me").status_code == 401
    await page.get_by_role("button", name="Sign out everywhere else").click()
    await expect(sessions).to_have_count(1)
    for other in (second, third):
        await expect(other.locator("#sign")).to_contain_text("You have been signed out.")
    await page.locator(".me").get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("navigation")).to_have_text("Sign in")
    await page.goto("/account")
    await expect(page.get_by_role("heading")).to_have_text("Only members can do this. Please sign in.")


async def test_tokens_of_bots(server, visit):
    """A token is shown once, posts under its owner's name, and is dead when revoked."""
    person = Person(server, name="Ada")
    page = await visit(server, "/account", person=person)
    await page.get_by_label("Name of the bot").fill("Weather bot")
    await panel(page, "Tokens for bots").get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Make a token").click()
    token = await page.locator(".made code").inner_text()
    bot = client(server, token)
    assert bot.post("/api/v1/messages", json={"body": "rain"}).json()["author"]["name"] == "Ada"
    await page.goto("/account")
    assert token not in await page.content()
    row = panel(page, "Tokens for bots").get_by_role("listitem").filter(has_text="Weather bot")
    await row.get_by_role("button", name="Revoke").click()
    await expect(row).to_have_count(0)
    assert bot.post("/api/v1/messages", json={"body": "more rain"}).status_code == 401


async def test_downloading_ones_data(server, visit):
    """A click saves a file with everything that is kept about oneself, as JSON."""
    person = Person(server)
    person.post("my words, 我的话")
    page = await visit(server, "/account", person=person)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download").click()
    file = await download.value
    assert file.suggested_filename == f"{person.username}.json"
    data = json.loads(pathlib.Path(await file.path()).read_text())
    assert data["account"]["username"] == person.username
    assert [message["body"] for message in data["messages"]] == ["my words, 我的话"]


async def test_deleting_an_account_leaves_its_messages(server, visit):
    """It needs the password; what was written stays, under nobody's name, on every open page."""
    visit.expect("status of 401")
    person = Person(server, name="Vanishing Vera")
    post = person.post("I was here")
    page, guest = await asyncio.gather(visit(server, "/account", person=person), visit(server))
    box = panel(page, "Delete your account")
    await box.get_by_label("Password").fill("a guess")
    await box.get_by_role("button", name="Delete my account").click()
    await expect(box.get_by_role("alert")).to_have_text("This is not your password.")
    await box.get_by_label("Password").fill(PASSWORD)
    await box.get_by_role("button", name="Delete my account").click()
    await expect(page.get_by_role("heading")).to_have_text("Your account is deleted")
    await expect(page.get_by_role("navigation")).to_have_text("Sign in")
    author = guest.locator(f"#m{post['id']} .author")
    await expect(author).to_have_text("deleted account")
    assert "Vanishing" not in await guest.content()


async def test_deleting_an_account_with_its_messages(server, visit):
    """If one says so, the words go, too."""
    person = Person(server)
    post = person.post("forget me")
    page, guest = await asyncio.gather(visit(server, "/account", person=person), visit(server))
    await expect(guest.locator(f"#m{post['id']}")).to_be_attached()
    box = panel(page, "Delete your account")
    await box.get_by_label("are deleted, too").check()
    await box.get_by_label("Password").fill(PASSWORD)
    await box.get_by_role("button", name="Delete my account").click()
    await expect(guest.locator(f"#m{post['id']}")).not_to_be_attached()


async def test_a_link_for_a_new_password(start, visit):
    """One clicks it, types the password and is in; the secret is in no address that anybody sees or is sent."""
    server, asked = start(), []
    person = Person(server)
    path = link_of(admin(f"--database-url={server.settings['database_url']}", "password", person.username))
    page = await visit(server, path)
    page.on("request", lambda request: asked.append(request.url))
    await expect(page.get_by_label("New password")).to_be_focused()
    await expect(page.get_by_label("Code")).to_be_hidden()
    assert page.url == f"{server.url}/password"
    await page.get_by_label("New password").fill("quite new words")
    await page.get_by_role("button", name="Save it").click()
    await expect(page.get_by_role("navigation")).to_have_text(person.username)
    secret = path.partition("#")[2]
    assert asked and not [url for url in asked if secret in url]
