"""Several boards in real browsers: the list with what is new, one poll for all tabs, and what is kept for each board."""

import asyncio
import itertools
import re

import pytest
from playwright.async_api import expect

from tests.browser.test_accounts import sign_in
from tests.browser.test_tabs import TOKEN, another, comes_to_front
from tests.support.axe import DAY_AND_NIGHT, no_violations
from tests.support.boards import LISTED, make_board, post_on, promote
from tests.support.browser import BROWSER_TEST, NETWORK, box_of, comes_true, is_wide, message, write
from tests.support.people import Person, client
from tests.support.server import until

pytestmark = BROWSER_TEST
WIDE, PHONE = (
    {"viewport": {"width": 1280, "height": 800}},
    {"viewport": {"width": 390, "height": 844}, "has_touch": True},
)


def entry(page, name):
    """A board in the list."""
    return page.locator("#boards li a").filter(has=page.locator("bdi").get_by_text(name, exact=True))


def mark(page, name):
    return entry(page, name).locator(".mark")


async def parked(server, count):
    """Polls of all boards: others than a monitor are told of the first board's only."""
    monitor = client(server, TOKEN)
    await asyncio.to_thread(until, lambda: monitor.get("/healthz").json()["parked"] == count)


async def look_at(page, path):
    """Opens a board, and waits until the server knows that its newest message was seen."""
    async with page.expect_response("**/read"):
        await page.goto(path)


async def has_seen(page, slug, id):
    """Waits until a guest's browser keeps that the message was seen: the page may be there before its scripts are."""
    await comes_true(page, f"(JSON.parse(localStorage.getItem('read-marks/'))?.['{slug}'] ?? 0) >= {id}")


async def test_what_is_new_elsewhere_shows_at_once_and_is_gone_once_read(club, visit):
    """A number, also after a reload; nothing on the board that one looks at; nothing of one's own."""
    server, owner, friend, hidden = club
    page = await visit(server, None, friend, **WIDE)
    for slug in ("rowing", "lounge", hidden):
        await look_at(page, f"/b/{slug}/")
    await page.goto("/")
    await comes_true(page, LISTED)
    await parked(server, 1)
    await expect(page.locator("#boards a.new")).to_have_count(0)
    post_on(owner.api, hidden, "news for few")
    await expect(entry(page, "Committee")).to_have_class("new")
    await expect(entry(page, "Committee")).to_have_accessible_name(re.compile("^Committee ?, 1 new$"))
    post_on(friend.api, "rowing", "my own words, from elsewhere")
    room = await entry(page, "Lounge").locator("bdi").bounding_box()
    post_on(owner.api, "lounge", "news for members")
    await expect(entry(page, "Lounge")).to_have_class("new")
    assert await entry(page, "Lounge").locator("bdi").bounding_box() == room, "the name has as much room as before"
    await expect(entry(page, "Rowing")).not_to_have_class("new")
    assert "news for few" not in await page.inner_text("main")
    post_on(owner.api, hidden, "more news for few")
    await page.reload()
    await expect(mark(page, "Committee")).to_have_text("2")
    async with page.expect_response("**/read"):
        await entry(page, "Committee").click()
    await expect(message(page, "more news for few")).to_have_count(1)
    await expect(entry(page, "Committee")).to_have_attribute("aria-current", "page")
    async with page.expect_response("**/api/v1/boards"):
        await page.goto("/")
    await expect(entry(page, "Committee")).not_to_have_class("new")
    for number in range(99):
        post_on(owner.api, "lounge", f"more, {number}")
    await page.reload()
    await expect(mark(page, "Lounge")).to_have_text("99+")
    await expect(entry(page, "Lounge")).to_have_accessible_name(re.compile("^Lounge ?, more than 99 new$"))
    assert await entry(page, "Lounge").locator("bdi").bounding_box() == room, "as with one"


async def test_a_guest_s_marks_are_in_the_browser(club, visit):
    """The first look at the list is where they begin; what came since is new, also after a reload, until it is read."""
    server, owner, _, hidden = club
    page = await visit(server, **WIDE)
    await expect(page.locator("#boards li")).to_have_count(2)
    await comes_true(page, "localStorage.getItem('read-marks/')?.includes('rowing')")
    news = post_on(owner.api, "rowing", "news")
    await expect(entry(page, "Rowing")).to_have_class("new")
    await page.reload()
    await expect(entry(page, "Rowing")).to_have_class("new")
    await entry(page, "Rowing").click()
    await expect(message(page, "news")).to_have_count(1)
    await has_seen(page, "rowing", news["id"])
    await page.goto("/")
    await comes_true(page, LISTED)
    await expect(entry(page, "Rowing")).not_to_have_class("new")
    assert hidden not in await page.content() and "Lounge" not in await page.content()


async def test_tabs_of_several_boards_share_one_poll(club, visit):
    """One poll is parked for four tabs of three boards; each shows its own board, at once, and only that."""
    server, owner, friend, hidden = club
    first = await visit(server, "/", friend)
    tabs = {"/": first}
    for path in ("/b/rowing/", f"/b/{hidden}/"):
        tabs[path] = await another(first, path)
    tabs["again"] = await another(first, "/b/rowing/")
    await parked(server, 1)
    for front in tabs.values():
        await comes_to_front(front, *(tab for tab in tabs.values() if tab is not front))
        await parked(server, 1)
        text = f"while {next(path for path in tabs if tabs[path] is front)} is in front"
        server.post(f"first: {text}")
        for slug in ("rowing", hidden):
            post_on(owner.api, slug, f"{slug}: {text}")
        await expect(message(tabs["/"], f"first: {text}")).to_have_count(1)
        await expect(message(tabs[f"/b/{hidden}/"], f"{hidden}: {text}")).to_have_count(1)
        for path in ("/b/rowing/", "again"):
            await expect(message(tabs[path], f"rowing: {text}")).to_have_count(1)
        await parked(server, 1)
    assert await tabs["/"].locator("#messages .message").count() == 4
    assert await tabs["again"].locator("#messages .message").count() == 5
    await tabs["again"].close()
    await parked(server, 1)


async def test_a_board_that_is_gone_ends_only_its_own_tabs(club, visit):
    """The invitation is taken back: that tab shows nothing any more and says so; the others go on, without its name."""
    visit.expect("status of 404")
    server, owner, friend, hidden = club
    one = await visit(server, f"/b/{hidden}/", friend, **WIDE)
    two = await another(one, f"/b/{hidden}/")
    other = await another(one, "/b/rowing/")
    await comes_to_front(one, two, other)
    await parked(server, 1)
    assert owner.api.delete(f"/api/v1/boards/{hidden}/members/{friend.username}").status_code == 204
    for tab in (one, two):
        await expect(tab.locator(".alone", has_text="You can't read this board any more")).to_be_visible()
        await expect(tab.get_by_role("link", name="See the boards")).to_be_visible()
        await expect(tab.locator(".message, #s, #mute, #sign")).to_have_count(0)
        await expect(entry(tab, "Committee")).to_have_count(0)
    await parked(server, 1)
    post_on(owner.api, "rowing", "rowing goes on")
    await expect(message(other, "rowing goes on")).to_have_count(1)
    await expect(other.locator("#sign")).to_be_empty()
    await expect(entry(other, "Committee")).to_have_count(0)


async def test_signed_out_all_tabs_end_whatever_their_board(club, visit):
    """And come back when one has signed in again."""
    visit.expect("status of 40[14]")
    server, _, friend, hidden = club
    one = await visit(server, f"/b/{hidden}/", friend)
    other = await another(one, "/b/rowing/")
    await parked(server, 1)
    friend.browser().post("/account/everywhere")
    for tab in (one, other):
        await expect(tab.locator("#sign.alone")).to_contain_text("You have been signed out.")
        await expect(tab.locator(".message, .board-head, #boards, #open-boards, .around")).to_have_count(0)
        await expect(tab.get_by_role("heading")).to_have_text("Riverside")
        await expect(tab.locator("#s:visible, #as:visible")).to_have_count(0)
    await one.locator("#sign").get_by_role("link", name="Sign in").click()
    await sign_in(one, friend.username)
    await one.wait_for_url(f"**/b/{hidden}/")
    await expect(message(other, "words on rowing")).to_have_count(1)


async def test_new_boards_and_new_names_come_by_themselves(club, visit):
    """Made, renamed, deleted elsewhere: the list follows, in its order, and keeps the focus."""
    server, owner, friend, _hidden = club
    page = await visit(server, "/", friend, **WIDE)
    await parked(server, 1)
    await entry(page, "Lounge").focus()
    make_board(owner, "Annual fair", "fair")
    names = page.locator("#boards li bdi")
    await expect(names).to_have_text(["Riverside", "Annual fair", "Committee", "Lounge", "Rowing"])
    await expect(entry(page, "Lounge")).to_be_focused()
    await expect(entry(page, "Annual fair")).to_have_attribute("href", "/b/fair/")
    assert owner.api.patch("/api/v1/boards/fair", json={"name": "Winter fair"}).status_code == 200
    await expect(names).to_have_text(["Riverside", "Committee", "Lounge", "Rowing", "Winter fair"])
    assert owner.api.delete("/api/v1/boards/fair", params={"name": "Winter fair"}).status_code == 204
    await expect(names).to_have_text(["Riverside", "Committee", "Lounge", "Rowing"])


async def test_a_muted_board_is_quiet(club, visit):
    """In all tabs, also after a reload, until that is ended."""
    server, owner, friend, _ = club
    page = await visit(server, "/b/rowing/", friend, **WIDE)
    mute = page.get_by_role("button", name="Mute")
    await mute.click()
    await expect(page.get_by_role("button", name="Muted")).to_have_attribute("aria-pressed", "true")
    await page.goto("/b/lounge/")
    await comes_true(page, LISTED)
    await expect(entry(page, "Rowing")).to_have_accessible_name(re.compile("^Rowing ?, muted$"))
    post_on(owner.api, "rowing", "not worth a dot")
    server.post("worth one")
    await expect(entry(page, "Riverside")).to_have_class("new")
    await expect(entry(page, "Rowing")).not_to_have_class("new")
    await page.goto("/b/rowing/")
    await page.get_by_role("button", name="Muted").click()
    await page.goto("/b/lounge/")
    await comes_true(page, LISTED)
    post_on(owner.api, "rowing", "worth a dot now")
    await expect(entry(page, "Rowing")).to_have_class("new")


# --- what is kept for each board


async def test_each_board_has_its_own_draft_and_its_own_outbox(club, visit):
    """What is typed or waits on one is on no other; any page sends it to where it was written; signing out forgets all."""
    visit.expect(NETWORK)
    server, _owner, friend, hidden = club
    page = await visit(server, "/b/rowing/", friend)
    await page.fill("#s", "half a thought about rowing")
    await page.goto(f"/b/{hidden}/")
    assert await page.input_value("#s") == ""
    await page.goto("/")
    assert await page.input_value("#s") == ""
    await page.goto("/b/rowing/")
    assert await page.input_value("#s") == "half a thought about rowing"
    await page.route("**/add", lambda route: route.abort("connectionreset"))
    await page.fill("#s", "written for rowing")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#outbox .late")).to_have_count(1)
    await page.fill("#s", "half a thought about rowing")
    names = await page.evaluate("Object.keys(localStorage)")
    assert not [name for name in names if name.startswith(("outbox/", "draft/"))], "pages of one board would send it"
    await page.goto("/")
    assert await page.locator("#outbox .message").count() == 0
    await page.unroute("**/add")
    await page.goto(f"/b/{hidden}/")
    await write(page, "written for few")
    await asyncio.to_thread(until, lambda: "written for rowing" in server.get("/api/v1/boards/rowing/messages").text)
    assert "written for" not in server.get("/api/v1/messages").text
    assert "written for rowing" not in await page.content()
    await page.goto("/signout")
    await expect(page.get_by_text("There are words here that you have not posted")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/")
    assert not [name for name in await page.evaluate("Object.keys(localStorage)") if name.startswith("boards/")]


async def test_a_letter_finds_its_board_under_another_name(club, visit):
    """The board got another address while it waited: it is sent from the page that is there now."""
    visit.expect(NETWORK)
    server, owner, friend, _ = club
    page = await visit(server, "/b/rowing/", friend)
    await page.route("**/add", lambda route: route.abort("connectionreset"))
    await page.fill("#s", "wait for me")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#outbox .late")).to_have_count(1)
    assert owner.api.patch("/api/v1/boards/rowing", json={"slug": "rowers"}).status_code == 200
    await page.unroute("**/add")
    await page.goto("/b/rowing/")
    await page.wait_for_url("**/b/rowers/")
    await expect(message(page, "wait for me")).to_have_count(1)
    await expect(page.locator("#outbox .message")).to_have_count(0)


async def test_a_page_from_before_the_upgrade_neither_shows_nor_sends_what_is_another_board_s(club, visit):
    """It has the lock and the channel of one board, and reads the names of one board."""
    server, owner, friend, hidden = club
    page = await visit(server, f"/b/{hidden}/", friend)
    old = await another(page, "/api")
    await old.evaluate(
        """() => {
            window.heard = [];
            new BroadcastChannel("longboard").onmessage = ({ data }) => window.heard.push(JSON.stringify(data));
            return navigator.locks.request("longboard", { ifAvailable: true }, (lock) => {
                window.hasLock = Boolean(lock);
                return new Promise(() => {});
            }) && true;
        }"""
    )
    await parked(server, 1)
    await write(page, "for few")
    await another(page, f"/b/{hidden}/")
    post_on(owner.api, hidden, "for few, too")
    await expect(message(page, "for few, too")).to_have_count(1)
    assert await old.evaluate("[window.hasLock, window.heard]") == [True, []]


async def test_its_scripts_are_unknown_to_a_server_of_one_board(club, visit):
    """From its addresses an older node sends nothing, so its scripts never run on such a page."""
    server, _, friend, _ = club
    page = await visit(server, "/b/rowing/", friend, **WIDE)
    await comes_true(page, "document.getElementById('mute')")
    await comes_true(page, "performance.getEntriesByType('resource').some((one) => one.name.endsWith('/edges.js'))")
    scripts = await page.evaluate(
        "performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname).filter((one) => /js$/.test(one))"
    )
    assert scripts and all("/boards/" in path for path in scripts)
    alone = {path.rpartition("/")[2] for path in scripts}
    assert alone == {
        "main.js",
        "poller.js",
        "board.js",
        "message.js",
        "composer.js",
        "outbox.js",
        "letters.js",
        "marks.js",
        "rail.js",
        "edges.js",
        "reading.js",
        "several.js",
    }


# --- for everyone


async def test_axe_finds_nothing_on_the_pages_of_boards(club, visit):
    """With news in the list, with the sheet open, on the list of all boards and in the forms."""
    visit.expect("status of 422|status of 409")
    server, owner, friend, hidden = club
    make_board(owner, "News", "news", write_by="moderators")
    wide = await visit(server, "/", friend, reduced_motion="reduce", **WIDE)
    await parked(server, 1)
    await comes_true(wide, LISTED)
    post_on(owner.api, "rowing", "news")
    await expect(entry(wide, "Rowing")).to_have_class("new")
    await no_violations(wide, *DAY_AND_NIGHT)
    for path in (
        "/b/rowing/",
        f"/b/{hidden}/",
        "/b/news/",
        "/boards",
        "/b/rowing/search?q=words",
        "/b/rowing/search?q=words&board=*",
        "/b/rowing/?before=99",
    ):
        await wide.goto(path)
        await no_violations(wide, *DAY_AND_NIGHT)
    phone = await visit(server, "/b/rowing/", owner, reduced_motion="reduce", **PHONE)
    await phone.get_by_role("button", name="Boards").click()
    await expect(entry(phone, "Committee")).to_be_visible()
    await no_violations(phone, *DAY_AND_NIGHT)
    for path in ("/search?q=w&board=*", "/boards", "/boards/new", f"/b/{hidden}/settings", "/b/rowing/settings"):
        await phone.goto(path)
        await no_violations(phone, *DAY_AND_NIGHT)
    await phone.set_viewport_size({"width": 320, "height": 480})
    for field, wrong, words in (
        ("Name", " ", "A board's name has"),
        ("Short name", "lounge", "Another board has this"),
    ):
        await phone.goto("/b/rowing/settings")
        box = phone.get_by_label(field, exact=True)
        await box.fill(wrong)
        await phone.get_by_role("button", name="Save").click()
        await expect(phone.get_by_role("alert")).to_contain_text(words)
        await expect(box).to_be_focused()
        for one in (box, phone.get_by_role("alert")):
            await expect(one).to_be_in_viewport(ratio=1)
        await expect(box).to_have_accessible_description(re.compile(f"^{words}"))
        await no_violations(phone, *DAY_AND_NIGHT)
        assert not await is_wide(phone)


SMALL = """() => [...document.querySelectorAll("#open-boards, #boards a, #mute, .board-head a, .board-head summary, .panel button, .panel input:not([type=hidden], [type=radio], [type=checkbox]), .choice, .all-boards li, .me .button, .search label:not(.unseen), .search button")]
    .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
    .filter(([, { width, height }]) => width && Math.min(width, height) < 43.99).map(([html, { width, height }]) => [html, width, height])"""


async def test_a_phone_has_room_for_fingers_and_no_way_sideways(club, visit):
    """At 320 pixels, with the longest names; everything of the boards that can be tapped has 44 pixels each way."""
    server, owner, _friend, hidden = club
    make_board(owner, "W" * 80, "w" * 40, about="m" * 200, rules="r" * 1000)
    post_on(owner.api, "w" * 40, "words")
    small = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
    page = await visit(server, "/", owner, **small)
    for path in (
        "/",
        f"/b/{'w' * 40}/",
        "/b/rowing/",
        "/boards",
        "/boards/new",
        f"/b/{hidden}/settings",
        f"/b/{'w' * 40}/settings",
        f"/b/{'w' * 40}/search?q=words",
        f"/b/{'w' * 40}/search?q=words&board=*",
    ):
        await page.goto(path)
        await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        assert not await is_wide(page), path
        opener = page.get_by_role("button", name="Boards")
        if await opener.count():
            await comes_true(page, "document.getElementById('mute') || !document.getElementById('composer')")
            await opener.click()
        assert await page.evaluate(SMALL) == [], path
        assert not await is_wide(page), path


BROKEN = """() => [...document.querySelectorAll(".brand span, #hint, #watching")].flatMap((one) => {
    const words = document.createRange();
    words.selectNodeContents(one);
    const lines = new Set([...words.getClientRects()].map((line) => Math.round(line.top)));
    return one.textContent && lines.size === 1 ? [] : [[one.textContent, lines.size]];
})"""


@pytest.mark.parametrize("width, name", [(320, "Bartholomew Featherstonehaugh"), (320, "Mona"), (360, "Mona Lisa")])
async def test_short_words_stay_on_one_line_in_a_narrow_window(start, visit, width, name):
    """The site's name between the list and a long name, what the keys do, and how many watch."""
    server = start(title="Longboard", metrics_token=TOKEN)
    owner = promote(server, Person(server, name=name))
    make_board(owner, "Rowing", "rowing")
    await visit(server, "/b/rowing/")
    await parked(server, 1)
    page = await visit(server, "/b/rowing/", owner, viewport={"width": width, "height": 640})
    await parked(server, 2)
    post_on(owner.api, "rowing", "short words")
    await expect(page.locator("#watching")).to_have_text("2 watching")
    await comes_true(page, "document.getElementById('mute')")
    await page.evaluate("document.getElementById('notify').hidden = false")
    assert await page.evaluate(BROKEN) == []
    assert not await is_wide(page)
    await page.set_viewport_size({"width": 900, "height": 640})
    await page.evaluate("document.documentElement.dir = 'rtl'")
    places = [await box_of(page.locator(one)) for one in (".top nav", ".find", ".brand")]
    account, search, brand = [(place["x"], place["x"] + place["width"]) for place in places]
    assert search[0] - account[1] < brand[0] - search[1], "the search is at the account, in both directions"


PLACES = """() => [...document.querySelectorAll("fieldset")].map((one) => [...one.querySelectorAll(".choice")].map((choice) => {
    const [circle, words] = ["input", "span"].map((name) => choice.querySelector(name).getBoundingClientRect());
    const range = document.createRange();
    range.selectNodeContents(choice.querySelector("span").firstChild);
    const line = range.getClientRects()[0];
    return [words.top, words.bottom, (circle.top + circle.bottom) / 2 - (line.top + line.bottom) / 2];
}))"""
ENDS = """() => [...document.querySelectorAll(".panel p, .panel small, .ways-on a")].flatMap((one) => {
    const walk = document.createTreeWalker(one, NodeFilter.SHOW_TEXT, (text) => text.data.trim() ? 1 : 2);
    const [first, texts] = [walk.nextNode(), [walk.currentNode]];
    while (walk.nextNode()) texts.push(walk.currentNode);
    const place = (text, at) => {
        const range = document.createRange();
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        return range.getBoundingClientRect();
    };
    if (!first) return [];
    const [last] = texts.slice(-1);
    const [begin, end] = [place(first, first.data.search(/\\S/)), place(last, last.data.trimEnd().length - 1)];
    return begin.top === end.top && end.left < begin.left ? [one.textContent] : [];
})"""
"""English sentences of one line that end to the left of where they begin."""


@pytest.mark.parametrize("width", [320, 1280])
async def test_choices_and_sentences_of_the_settings_stand_as_they_are_read(club, visit, width):
    """Choices are as far apart with a hint as without, each circle is at the first line; from right to left, too, where
    an English sentence has its full stop at its own end.
    """
    server, owner, _, hidden = club
    page = await visit(server, f"/b/{hidden}/settings", owner, viewport={"width": width, "height": 800})
    for direction in ("ltr", "rtl"):
        await page.evaluate("(dir) => { document.documentElement.dir = dir; }", direction)
        for choices in await page.evaluate(PLACES):
            gaps = [below[0] - above[1] for above, below in itertools.pairwise(choices)]
            assert gaps and max(gaps) - min(gaps) < 2, gaps
            assert all(abs(beside) < 2.5 for *_, beside in choices), choices
        assert await page.evaluate(ENDS) == []
        assert not await is_wide(page)


async def test_a_muted_board_looks_other_than_an_archived_one(club, visit):
    """Both are grey; only the muted one has a sign that one sees."""
    server, owner, _, _ = club
    assert owner.api.patch("/api/v1/boards/lounge", json={"archived": True}).status_code == 200
    page = await visit(server, "/b/rowing/", owner, **WIDE)
    await page.click("#mute")
    await expect(entry(page, "Rowing")).to_have_class("muted")
    sign = "(mark) => getComputedStyle(mark, '::before').maskImage.includes('svg')"
    assert [await mark(page, name).evaluate(sign) for name in ("Rowing", "Lounge")] == [True, False]
    assert await entry(page, "Lounge").get_attribute("class") == "archived"


async def test_the_keyboard_goes_through_the_list(club, visit):
    """The skip link comes first; on a phone the sheet opens with Enter, closes with Escape, and the focus comes back."""
    server, _, friend, _ = club
    page = await visit(server, "/b/rowing/", friend, **WIDE)
    texts = []
    for _ in range(12):
        await page.keyboard.press("Tab")
        texts.append(await page.evaluate("document.activeElement.innerText.split('\\n')[0]"))
    assert texts[0] == "Skip to the messages" and "Committee" in texts and "All boards" in texts
    phone = await visit(server, "/b/rowing/", friend, **PHONE)
    opener = phone.get_by_role("button", name="Boards")
    await opener.focus()
    await phone.keyboard.press("Enter")
    await expect(entry(phone, "Committee")).to_be_visible()
    await phone.keyboard.press("Tab")
    assert await phone.evaluate("document.getElementById('boards').contains(document.activeElement)")
    await phone.keyboard.press("Escape")
    await expect(entry(phone, "Committee")).to_be_hidden()
    await expect(opener).to_be_focused()


async def test_the_list_is_beside_pages_that_are_not_live_too(club, visit):
    """History, one message, a search: with what is new, as those pages found it; in a sheet on a phone."""
    server, owner, friend, _ = club
    id = post_on(owner.api, "rowing", "low tide")["id"]
    paths = ("/b/rowing/?before=99999", f"/m/{id}", "/b/rowing/search?q=tide", "/b/rowing/search?q=nothing", "/search")
    page = await visit(server, None, friend, **WIDE)
    for path in paths:
        async with page.expect_response("**/api/v1/boards"):
            await page.goto(path)
        await expect(mark(page, "Lounge")).to_have_text("1")
        await expect(mark(page, "Rowing")).to_have_text("2")
        current = page.locator("#boards [aria-current]")
        await expect(current).to_have_attribute("aria-current", "true")
        await expect(current.locator("bdi")).to_have_text("Riverside" if path == "/search" else "Rowing")
        await expect(page.locator("#mute")).to_have_count(0)
        skip = await page.get_by_role("link", name="Skip to the messages").get_attribute("href")
        await expect(page.locator(skip)).to_be_visible()
        await no_violations(page)
    assert friend.api.get("/api/v1/boards/rowing").json()["read"] is None, "nothing of this is the newest"
    small = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
    phone = await visit(server, None, friend, **small)
    for path in paths:
        await phone.goto(path)
        await phone.get_by_role("button", name="Boards").click()
        await expect(entry(phone, "Lounge")).to_be_visible()
        assert await phone.evaluate(SMALL) == [], path
        assert not await is_wide(phone), path


async def test_without_javascript_the_list_opens_and_leads_on(club, visit):
    """The sheet, the page of all boards, a post, and the whole life of a board, by links and forms alone."""
    visit.expect("status of 404")
    server, owner, _, _ = club
    page = await visit(server, "/", owner, java_script_enabled=False, **PHONE)
    await page.get_by_role("button", name="Boards").click()
    await entry(page, "Rowing").click()
    await page.get_by_label("Your message").fill("by the plain form")
    await page.get_by_role("button", name="Post").click()
    await page.wait_for_url("**/b/rowing/")
    await expect(message(page, "by the plain form")).to_have_count(1)
    await page.goto("/boards")
    await page.get_by_role("link", name="Make a board").click()
    await page.get_by_label("Name", exact=True).fill("Knitting")
    await page.get_by_label("Only people who are invited").check()
    await page.get_by_role("button", name="Make the board").click()
    await expect(page.get_by_role("heading", name="Knitting")).to_be_visible()
    await page.get_by_role("link", name="Settings").click()
    await page.locator("#username").fill("nobody_at_all")
    await page.get_by_role("button", name="Invite").click()
    await expect(page.get_by_role("alert")).to_contain_text("No member has the username")
    await page.get_by_label("The name of the board, to be sure").fill("Knitting")
    await page.get_by_role("button", name="Delete the board").click()
    await expect(page.get_by_text("The board is deleted.")).to_be_visible()


async def test_an_edit_and_a_deletion_lead_back_to_the_board(club, visit):
    """From the message's own page, which is among its board's messages."""
    server, _owner, friend, hidden = club
    mine = post_on(friend.api, hidden, "good mornign")
    page = await visit(server, f"/b/{hidden}/", friend)
    await page.locator(f"#m{mine['id']} .permalink").click()
    await page.fill("#s", "good morning")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".this .body")).to_have_text("good morning")
    await page.get_by_role("link", name="Go to Committee").click()
    await page.wait_for_url(f"**/b/{hidden}/**")
    await page.locator(f"#m{mine['id']} .permalink").click()
    await page.get_by_text("Delete this message").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await page.wait_for_url(f"**/b/{hidden}/")
    await expect(message(page, "good morning")).to_have_count(0)
