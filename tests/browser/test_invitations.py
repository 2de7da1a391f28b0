"""An invitation in a real browser: its secret is in no address that anybody sees or is sent, and it lets one in."""

import pytest
from playwright.async_api import expect

from tests.http.test_accounts import link_of
from tests.support.admin import admin
from tests.support.browser import BROWSER_TEST
from tests.support.facebook import fake_facebook, free_port, start_board
from tests.support.people import PASSWORD, Person, new_username

pytestmark = BROWSER_TEST


def invitation(server):
    return link_of(admin(f"--database-url={server.settings['database_url']}", "invite"))


async def test_a_link_lets_one_in(start, visit):
    """One clicks it, fills in the form and is a member."""
    server, asked = start(signup="invite"), []
    path, username = invitation(server), new_username()
    page = await visit(server, path=None)
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(path)
    await expect(page.get_by_label("Invitation")).to_be_hidden()
    await expect(page.get_by_label("Username")).to_be_focused()
    assert page.url == f"{server.url}/signup"
    await page.get_by_label("Username").fill(username)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("navigation", name="Account")).to_have_text(username)
    secret = path.partition("#")[2]
    assert asked and not [url for url in asked if secret in url.partition("#")[0]]


@pytest.mark.parametrize("scripts", [True, False])
async def test_the_owner_s_link_makes_the_moderator_of_a_board_that_takes_nobody(start, visit, scripts):
    """With the same form; without JavaScript, what stands behind the # is typed in."""
    server, username = start(signup="closed"), new_username()
    path = link_of(admin(f"--database-url={server.settings['database_url']}", "owner"))
    page = await visit(server, path, java_script_enabled=scripts)
    field = page.get_by_label("Invitation")
    if scripts:
        await expect(field).to_be_hidden()
        assert page.url == f"{server.url}/signup?owner"
    else:
        await field.fill(path.partition("#")[2])
    await page.get_by_label("Username").fill(username)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("navigation", name="Account")).to_have_text(username)
    assert (await page.goto("/audit")).ok
    await expect(page.locator("main")).to_contain_text(f"made {username} a moderator with the owner's link")


async def test_without_javascript_one_types_it_in(start, visit):
    """The form says where it stands; a mistake can be mended, and what else was typed is kept."""
    visit.expect("status of 410")
    server = start(signup="invite")
    path, username = invitation(server), new_username()
    page = await visit(server, path, java_script_enabled=False)
    await page.get_by_label("Invitation").fill("mistyped")
    await page.get_by_label("Username").fill(username)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("alert")).to_contain_text("used already")
    await page.get_by_label("Invitation").fill(path.partition("#")[2])
    await expect(page.get_by_label("Username")).to_have_value(username)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("navigation", name="Account")).to_have_text(username)


async def test_a_mistyped_one_is_shown_again_with_javascript_too(start, visit):
    """What was wrong is not hidden."""
    visit.expect("status of 410")
    server = start(signup="invite")
    page = await visit(server, "/signup#mistyped")
    await page.get_by_label("Username").fill(new_username())
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_label("Invitation")).to_be_visible()
    await expect(page.get_by_label("Invitation")).to_be_focused()


@pytest.mark.parametrize("kind", ["invite", "password"])
async def test_a_link_can_be_opened_where_its_page_is_open(start, visit, kind):
    """Only what is behind the # changes then, so the browser does not load the page again."""
    server = start(signup="invite" if kind == "invite" else "open")
    username = [] if kind == "invite" else [Person(server).username]
    path = link_of(admin(f"--database-url={server.settings['database_url']}", kind, *username))
    page = await visit(server, path.partition("#")[0])
    label = "Invitation" if kind == "invite" else "Code"
    await page.get_by_label(label).fill("of another link")
    await page.goto(path)
    await expect(page.get_by_label(label)).to_be_hidden()
    await expect(page.get_by_label(label)).to_have_value(path.partition("#")[2])
    assert page.url == f"{server.url}{path.partition('#')[0]}"


@pytest.mark.parametrize("link", ["new", "old"])
async def test_it_goes_along_to_facebook(start, visit, link):
    """Also after a no at Facebook's; and in none of the board's addresses, as those are in logs."""
    port = free_port()
    with fake_facebook(port) as fake:
        server = start_board(start, fake.url, port, signup="invite")
        path, asked = invitation(server), []
        secret = path.partition("#")[2]
        visit.expect("status of 403")
        page = await visit(server, path if link == "new" else f"/signup?invite={secret}")
        page.on("request", lambda request: asked.append(request.url))
        await page.get_by_role("link", name="Continue with Facebook").click()
        await page.get_by_label("Ada Lovelace").check()
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("link", name="Try again").click()
        await page.get_by_label("Ada Lovelace").check()
        await page.get_by_role("button", name="Continue", exact=True).click()
        await expect(page.get_by_role("navigation", name="Account")).to_have_text("Ada Lovelace")
        assert asked and not [url for url in asked if secret in url]
        paths = {cookie["path"] for cookie in await page.context.cookies() if cookie["name"] == "longboard-invite"}
        assert paths <= {"/facebook/start"}, "it goes to no page and no poll"
