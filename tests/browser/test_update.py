"""A page from before an update: it has the scripts of its first view, and gets those that it loads later from the new
release, under the address of the old one. And a page that loads while nodes are replaced one after the other: each of its
scripts may come from a node of either release, under the address of either."""

import re

import pytest
from playwright.async_api import expect

from handlers.http.static import FILES, VERSION
from tests.support.browser import BROWSER_TEST, comes_true

OLD = "0" * 12
IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(.+)";$', re.MULTILINE)
DECLARED = re.compile(r"^export (?:async )?(?:class|function|const) (\w+)", re.MULTILINE)
LISTED = re.compile(r"^export \{([^}]*)\};", re.MULTILINE)
FIRST_VIEW = {
    "board.js": {"Board"},
    "composer.js": {"Composer", "FULL", "takeTextOnly"},
    "main.js": set(),
    "message.js": {"changeArticle", "day", "dayOf", "drawDays", "makeArticle", "onNewDay", "writeTimes"},
    "outbox.js": {"Outbox", "button", "drawer"},
    "poller.js": {"Backoff", "Failure", "GIVEN_UP", "Tabs", "ask", "boardsTime"},
}  # fmt: skip
"""The modules that every board page of 1.0 has loaded, and what others take from them. Other modules import from no others."""
LATER = {"keys.js": {"help", "press"}, "notify.js": {"Notifications"}, "place.js": {"restore"}}
"""The modules that such a page loads when they are needed, and what it uses of them."""
SEVERAL = {
    "letters.js": {"Letters"},
    "marks.js": {"Marks", "muted", "parsed"},
    "rail.js": {"Rail", "whereIs"},
    "reading.js": {"Reading"},
}
"""Modules that the last release lacks, and what others take from them: only pages of several boards load them, from
addresses that a node of that release does not have."""
SHEETS = {"board.css", "facebook.css", "forms.css", "history.css", "search.css"}


def test_every_file_of_the_last_release_is_still_there(server):
    """A page that was loading during the update gets the rest of its files."""
    for name in [*FIRST_VIEW, *LATER, *SHEETS, "edit.js", "history.js", "link.js", "signout.js", "icon.svg"]:
        assert server.get(f"/static/{OLD}/{name}").status_code == 200, name


def names(listed, side):
    """Of `a, b as c`: a and b on side 0, a and c on side -1."""
    return {word.split(" as ")[side].strip() for word in listed.split(",") if word.strip()}


def imports(name):
    """The names that this module imports from others, by module."""
    text = FILES[name].decode()
    found = {source: names(listed, 0) for listed, source in IMPORT.findall(text)}
    assert len(found) == len(re.findall(r"^import\b(?!\()", text, re.MULTILINE)), f"an import in {name} of another form"
    return found


def exports(name):
    text = FILES[name].decode()
    listed = LISTED.findall(text)
    found = set(DECLARED.findall(text)).union(*(names(each, -1) for each in listed))
    assert len(DECLARED.findall(text)) + len(listed) == len(re.findall(r"^export\b", text, re.MULTILINE)), name
    return found


@pytest.mark.parametrize("name", sorted(name for name in FILES if name.endswith(".js")))
def test_a_script_takes_from_others_only_what_the_last_release_has(name):
    """They may come from a node that is still of that release. One name that is missing stops all scripts of a page."""
    for source, wanted in imports(name).items():
        missing = wanted - (FIRST_VIEW | SEVERAL).get(source, set())
        assert not missing, f"{missing} from {source}"


@pytest.mark.parametrize("name", FIRST_VIEW)
def test_a_script_of_the_first_view_has_all_that_the_last_release_takes_from_it(name):
    """The script that imports it may be from a node that is still of that release."""
    assert exports(name) >= FIRST_VIEW[name]


@pytest.mark.parametrize("name", LATER)
def test_a_script_that_is_loaded_later_fits_the_page_of_the_last_release(name):
    """It exports what the page asks for."""
    assert exports(name) >= LATER[name]


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
        await comes_true(page, "history.state")  # the page has kept the place that it began with
        await page.evaluate(f"history.replaceState({{ place: {{ id: {first}, top: 100 }} }}, '')")
        await page.reload()
        await expect(page.locator(f"#m{first}")).to_be_in_viewport()
        scripts = [(path, status) for path, status in loaded if path.endswith(".js")]
        assert {path for path, _ in scripts} >= {f"{OLD}/{name}" for name in [*FIRST_VIEW, "keys.js", "place.js"]}
        assert all(status == 200 and path.startswith(OLD) for path, status in scripts)
