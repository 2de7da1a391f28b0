"""A page from before an update: it has the scripts of its first view, and gets those that it loads later from the new
release, under the address of the old one."""

import re

import pytest
from playwright.async_api import expect

from handlers.http.static import FILES, VERSION
from tests.browser import BROWSER_TEST

OLD = "0" * 12
FIRST_VIEW = {
    "board.js": {"Board"},
    "composer.js": {"Composer", "FULL", "takeTextOnly"},
    "main.js": set(),
    "message.js": {
        "changeArticle", "day", "dayOf", "drawDays", "makeArticle", "onNewDay", "pieces", "writeTimes",
    },
    "outbox.js": {"Outbox", "button", "drawer"},
    "poller.js": {"Backoff", "Failure", "GIVEN_UP", "Tabs", "ask", "boardsTime"},
}  # fmt: skip
"""The modules that every board page of 1.0 has loaded, and what they export."""
LATER = {"keys.js": {"help", "press"}, "notify.js": {"Notifications"}, "place.js": {"restore"}}
"""The modules that such a page loads when they are needed, and what it uses of them."""
SHEETS = {"board.css", "facebook.css", "forms.css", "history.css", "search.css"}


def test_every_file_of_the_last_release_is_still_there(server):
    """A page that was loading during the update gets the rest of its files."""
    for name in [*FIRST_VIEW, *LATER, *SHEETS, "edit.js", "history.js", "link.js", "signout.js", "icon.svg"]:
        assert server.get(f"/static/{OLD}/{name}").status_code == 200, name


@pytest.mark.parametrize("name", LATER)
def test_a_script_that_is_loaded_later_fits_the_page_of_the_last_release(name):
    """A module takes from those that the page has only what they had, and exports what the page asks for."""
    exported = set(re.findall(r"^export (?:async )?(?:class|function|const) (\w+)", FILES[name].decode(), re.MULTILINE))
    assert exported >= LATER[name]
    seen, left = set(), {name}
    while left:
        seen.add(module := left.pop())
        for names, source in re.findall(r'^import \{([^}]*)\} from "\./(.+)";$', FILES[module].decode(), re.MULTILINE):
            wanted = {word.split()[0] for word in names.split(",") if word.strip()}
            if source in FIRST_VIEW:
                assert wanted <= FIRST_VIEW[source], f"{module} takes {wanted - FIRST_VIEW[source]} from {source}"
            elif source not in seen:
                left.add(source)


class TestPage:
    pytestmark = BROWSER_TEST

    async def test_a_page_from_before_an_update_loads_its_other_scripts(self, server, visit):
        """They come from the address of the old version, and work there: the keys, and a place far down."""
        first = server.post("the first").json()["id"]
        for number in range(60):
            server.post(f"number {number}")

        async def as_before(route):
            response = await route.fetch()
            body = (await response.text()).replace(f"/static/{VERSION}/", f"/static/{OLD}/")
            await route.fulfill(response=response, body=body)

        page = await visit(server, path=None)
        loaded = []
        page.on("response", lambda response: loaded.append((response.url.partition("/static/")[2], response.status)))
        await page.route("**/", as_before)
        await page.goto("/")
        await page.locator("body").press("?")
        await expect(page.locator("dialog#keys")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.evaluate(f"history.replaceState({{ place: {{ id: {first}, top: 100 }} }}, '')")
        await page.reload()
        await expect(page.locator(f"#m{first}")).to_be_in_viewport()
        scripts = [(path, status) for path, status in loaded if path.endswith(".js")]
        assert {path for path, _ in scripts} >= {f"{OLD}/{name}" for name in [*FIRST_VIEW, "keys.js", "place.js"]}
        assert all(status == 200 and path.startswith(OLD) for path, status in scripts)
