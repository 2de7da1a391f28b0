"""A board in a frame on another site: live, as a guest, and nothing that a hostile page could use."""

import pytest
from playwright.async_api import expect

from tests.support.all_pages import AllPages
from tests.support.axe import DAY_AND_NIGHT, no_violations
from tests.support.boards import promote
from tests.support.browser import BROWSER_TEST, is_wide, message
from tests.support.other_site import other_site
from tests.support.people import Person
from tests.support.pseudo import TAG, in_pseudo, ours, write_catalogue

pytestmark = BROWSER_TEST

REFUSED = "Refused to frame|frame-ancestors|Framing "
IS_BLANK = "document.querySelector('article') === null"
HEIGHT = "document.querySelector('iframe').offsetHeight"


@pytest.fixture
def other():
    with other_site() as site:
        yield site


def script(server, more=""):
    return f'<script src="{server.url}/embed.js" data-board="first" {more} async></script>'


async def framed(page, text):
    """The frame, once it shows this message."""
    frame = page.frame_locator("iframe")
    await expect(frame.locator(".body").get_by_text(text, exact=True)).to_have_count(1)
    return frame


async def test_a_guest_reads_writes_and_mends_in_a_frame(start, visit, other):
    """Live, without a cookie of the board's; links lead to new tabs, and the frame is as high as it needs to be."""
    server = start(embed_from=other.origin, title="Rowing Club")
    server.post("low tide")
    page = await visit(server, None)
    await page.goto(other.show(script(server, 'data-height="700"') + "<p>below</p>"))
    frame = await framed(page, "low tide")
    await expect(page.locator("iframe")).to_have_attribute("title", "Rowing Club")
    await page.wait_for_function(f"{HEIGHT} < 400 && {HEIGHT} > 150")
    server.post("a guest elsewhere")
    await framed(page, "a guest elsewhere")
    await frame.get_by_label("Your name (optional)").fill("Zoe")
    await frame.locator("#s").fill("high tide")
    await frame.get_by_role("button", name="Post").click()
    mine = frame.locator("#messages article").filter(has_text="high tide")
    await expect(mine.locator("header")).to_contain_text("Zoe (guest)")
    await mine.get_by_role("button", name="Edit").click()
    await frame.locator("#messages textarea").fill("higher tide")
    await page.keyboard.press("Control+Enter")
    mine = frame.locator("#messages article").filter(has_text="higher tide")
    await expect(mine.locator(".edited")).to_have_count(1)
    await expect(frame.locator("#messages .state")).to_have_count(1)
    for number in range(20):
        server.post(f"number {number}")
    await page.wait_for_function(f"{HEIGHT} === 700")
    async with page.context.expect_page() as opened:
        await frame.get_by_role("link", name="Go to the board").click()
    tab = await opened.value
    await expect(tab.locator("#messages article").first).to_contain_text("number 19")
    assert await tab.evaluate("opener === null") and tab.url == f"{server.url}/"
    await mine.get_by_role("button", name="Delete").click()
    await frame.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(mine).to_have_count(0)
    assert await page.context.cookies(server.url) == []


async def test_a_board_with_the_oldest_first_is_so_in_its_frame(start, visit, other):
    """It opens at its end, above the form. What is posted and what comes is there, and news is a button away from there."""
    server = start(embed_from=other.origin, reading_order="oldest")
    for number in range(30):
        server.post(f"number {number}")
    page = await visit(server, None)
    await page.goto(other.show(script(server, 'data-height="500"')))
    frame = await framed(page, "number 29")
    await expect(frame.locator("#messages article").last).to_be_in_viewport()
    await frame.locator("#s").fill("mine")
    await frame.get_by_role("button", name="Post").click()
    await expect(frame.locator("#messages article").last).to_contain_text("mine")
    await expect(frame.locator("#messages article").last).to_be_in_viewport()
    await frame.locator("#messages").evaluate("scrollTo({ top: 0 })")
    await expect(frame.locator("#messages article").first).to_be_in_viewport()
    server.post("news")
    await frame.get_by_role("button", name="1 new", exact=True).click()
    await expect(frame.locator("#messages article").last).to_be_in_viewport()
    assert (await frame.locator("#messages article").all_inner_texts())[-1].find("news") >= 0
    assert await page.evaluate("scrollY") == 0


async def test_a_site_with_one_page_makes_frames_and_takes_them_away(start, visit, other):
    """By Longboard.create() and destroy(): there is one global name, and a frame that is gone leaves nothing."""
    server = start(embed_from=other.origin)
    server.post("hello")
    page = await visit(server, None)
    page_url = other.show(f'<div id="here"></div><p id="Longboard"></p><script src="{server.url}/embed.js"></script>')
    await page.goto(other.show("<p>nothing</p>", "/nothing"))
    before = await page.evaluate("Object.keys(window)")
    await page.goto(page_url)
    assert [name for name in await page.evaluate("Object.keys(window)") if name not in before] == ["Longboard"]
    assert await page.locator("iframe").count() == 0
    for _ in range(2):  # the second takes the first one's place
        await page.evaluate("Longboard.create(here, { theme: 'dark', height: 300, title: 'The board' }).title")
    frame = await framed(page, "hello")
    assert await page.locator("iframe").count() == 1
    await expect(page.locator("iframe")).to_have_attribute("title", "The board")
    await expect(frame.locator("html")).to_have_css("background-color", "rgb(28, 26, 24)")
    await page.evaluate("Longboard.destroy(here)")
    assert await page.locator("iframe").count() == 0
    await page.evaluate("Longboard.destroy(here)")


async def test_messages_of_other_windows_move_nothing(start, visit, other):
    """Of a frame beside it, of the page itself, and of a frame of the board's origin that is not this one; and the frame
    tells its height to nobody who may not show it.
    """
    server = start(embed_from=other.origin)
    server.post("hello")
    other.show("<script>parent.postMessage({longboard: {height: 333, title: 'x'}}, '*')</script>", "/liar")
    page = await visit(server, None)
    await page.goto(other.show(script(server, 'data-height="600"') + '<iframe class="liar" src="/liar"></iframe>'))
    await framed(page, "hello")
    await page.wait_for_function(f"{HEIGHT} < 400")
    high = await page.evaluate(HEIGHT)
    await page.evaluate("""async () => {
        const heard = new Promise((done) => addEventListener("message", done));
        for (const longboard of [{ height: 333, title: "x" }, { height: "9" }, null, 5]) postMessage({ longboard }, "*");
        await heard;
        document.querySelector(".liar").src += "?again";
        await new Promise((done) => addEventListener("message", done));
    }""")
    assert await page.evaluate(HEIGHT) == high
    assert await page.locator("iframe").first.get_attribute("title") == "Longboard"
    inner = next(frame for frame in page.frames if "/embed" in frame.url)
    await page.evaluate("""() => {
        window.heard = [];
        const frame = document.querySelector("iframe").contentWindow;
        addEventListener("message", ({ source, data }) => source === frame && heard.push(data.longboard.title));
    }""")
    await inner.evaluate("""() => {
        const from = document.getElementById("messages").dataset.from;
        document.title = "to somebody else";
        for (const [source, origin, data] of [
            [window, from, { longboard: "hello" }], [parent, "https://evil.example", { longboard: "hello" }],
            [parent, "null", { longboard: "hello" }], [parent, from + ".evil.example", { longboard: "hello" }],
            [parent, from, { longboard: { html: "<b>" } }], [parent, from, null],
        ]) dispatchEvent(new MessageEvent("message", { source, origin, data }));
        document.title = "to its host";
        dispatchEvent(new MessageEvent("message", { source: parent, origin: from, data: { longboard: "hello" } }));
    }""")
    await page.wait_for_function("heard.includes('to its host')")
    assert set(await page.evaluate("heard")) == {"to its host"}


async def test_nothing_else_is_framed_and_nobody_else_frames(start, visit, other):
    """The front page, a sign-in and a message's own page stay refused in a real browser; so does the embedded page on a site
    that is not named, and where such a site is further out.
    """
    visit.expect(REFUSED)
    with other_site() as stranger:
        server = start(embed_from=other.origin)
        id = server.post("hello").json()["id"]
        page = await visit(server, None)
        inner = other.show(f'<iframe src="{server.url}/embed"></iframe>', "/inner")

        async def frames(address, url):
            await page.goto(address)
            return [
                await frame.evaluate(IS_BLANK)
                for frame in page.frames
                if frame.url in (url, "chrome-error://chromewebdata/")
            ]

        for path in ("/", "/signin", "/add", f"/m/{id}", "/api"):
            url = server.url + path
            assert await frames(other.show(f'<iframe src="{url}"></iframe>'), url) == [True], path
        url = f"{server.url}/embed"
        assert await frames(inner, url) == [False]
        assert await frames(stranger.show(f'<iframe src="{url}"></iframe>'), url) == [True]
        assert await frames(stranger.show(f'<iframe src="{inner}"></iframe>'), url) == [True], "a frame in a frame"
        assert await frames(other.show(f'<iframe src="{inner}"></iframe>'), url) == [False]


async def test_in_a_sandbox_it_can_be_read(start, visit, other):
    """Blogs put what they don't know into one: there, no script of ours may run, and nothing is sent for anybody."""
    visit.expect("CORS|ERR_FAILED|sandbox|Not allowed")
    server = start(embed_from=other.origin)
    id = server.post("hello").json()["id"]
    page = await visit(server, None)
    scripts = []
    page.on("requestfinished", lambda one: one.resource_type == "script" and scripts.append(one.url))
    for sandbox in ("", "allow-scripts"):
        for path in ("/embed", f"/m/{id}/embed"):
            await page.goto(other.show(f'<iframe sandbox="{sandbox}" src="{server.url}{path}"></iframe>'))
            await framed(page, "hello")
    assert scripts == [] and server.health()["parked"] == 0  # a page is loaded when its scripts have run
    await page.goto(other.show(f'<iframe src="{server.url}/embed"></iframe>'))
    assert any("framed.js" in url for url in scripts), "so without a sandbox they would have been seen"


async def test_no_click_in_the_frame_acts_for_a_member(start, visit):
    """On a site that browsers send the board's cookie to: a moderator's click posts as a guest, and the page's polls
    go on when that session has ended. There is nothing else to click on.
    """
    with other_site("127.0.0.1") as other:
        server = start(embed_from=other.origin)
        server.post("hello")
        moderator = promote(server, Person(server))
        page = await visit(server, "/", moderator)
        await expect(message(page, "hello")).to_have_count(1)
        await page.goto(other.show(script(server)))
        asked = []
        page.on("requestfinished", lambda one: one.resource_type == "fetch" and asked.append(one))
        frame = await framed(page, "hello")
        await frame.locator("#s").fill("clicked")
        async with page.expect_event("requestfinished", lambda one: one.resource_type == "fetch"):
            await frame.get_by_role("button", name="Post").click()
        await framed(page, "clicked")
        assert asked and not [one.url for one in asked if "cookie" in await one.all_headers()]
        await frame.locator("#s").fill("a draft")
        tab = await page.context.new_page()
        await tab.goto(server.url)  # as the moderator, in whose box a guest's draft would be
        await expect(message(tab, "clicked")).to_have_count(1)
        await tab.wait_for_function("document.querySelector('#hint').textContent")
        assert await tab.locator("#s").input_value() == "" and await frame.locator("#s").input_value() == "a draft"
        await tab.close()
        session = {one["name"]: one["value"] for one in await page.context.cookies(server.url)}
        assert server.open(cookies=session).post("/signout").status_code == 303
        server.post("later")
        await framed(page, "later")  # a poll with the cookie would be refused by now
        posted = server.get("/api/v1/messages").json()["messages"][-2]
        assert (posted["body"], posted["author"]) == ("clicked", None)
        shown = await frame.locator("body").inner_text()
        assert moderator.username not in shown and "Sign in" not in shown
        await frame.locator("#messages article").last.hover()
        assert sorted(await frame.get_by_role("button").all_inner_texts()) == ["Delete", "Edit", "Post"]


async def test_a_board_that_closes_leaves_nothing_in_open_frames(start, visit, other):
    """At the latest with the next poll, which finds no such board."""
    visit.expect("status of 40")
    server = start(embed_from=other.origin)
    owner = promote(server, Person(server))
    owner.api.post("/api/v1/boards", json={"name": "Rowing", "slug": "rowing"})
    server.client.post("/api/v1/boards/rowing/messages", json={"body": "secret"})
    page = await visit(server, None)
    await page.goto(other.show(script(server).replace('"first"', '"rowing"')))
    frame = await framed(page, "secret")
    owner.api.patch("/api/v1/boards/rowing", json={"read_by": "members"})
    await expect(frame.locator("#sign")).to_contain_text("This board is not open to everyone.")
    assert await frame.locator("article").count() == 0 and await frame.locator("#s").get_attribute("readonly") == ""


async def test_axe_finds_nothing_in_the_frame_at_320_pixels_and_from_right_to_left(start, visit, other, tmp_path):
    """With messages of all kinds; nothing is wider than the frame, and no word of ours is left in English."""
    visit.expect("postMessage")  # axe asks frames of other origins
    pages = AllPages(start, locales=write_catalogue(tmp_path / "locales"), embed_from=other.origin)
    options = {"locale": TAG, "viewport": {"width": 320, "height": 640}}
    page = await visit(pages.server, None, reduced_motion="reduce", **options)
    style = "<style>:root{color-scheme:light dark}body{margin:0}</style>"
    for path in ("/embed", "/b/zzb/embed", "/b/zzr/embed", f"/m/{pages.reply}/embed"):
        await page.goto(pages.server.url + path)
        assert await page.evaluate("document.documentElement.dir") == "rtl" and not await is_wide(page), path
        assert not ours(await page.content()), path
        await no_violations(page, *DAY_AND_NIGHT)
    await page.goto(other.show(script(pages.server), head=style))
    frame = page.frame_locator("iframe")
    await frame.locator("#s").fill("zzz")
    await frame.get_by_role("button", name=in_pseudo("Post"), exact=True).click()
    await expect(frame.locator("#messages .state button")).to_have_count(2)
    await no_violations(page, *DAY_AND_NIGHT)
    assert not await is_wide(page)


@pytest.mark.parametrize("engine", ["firefox"], indirect=True)
async def test_the_frame_is_live_in_firefox(start, visit_each, other):
    """Read, written in, and as high as it needs to be."""
    server = start(embed_from=other.origin)
    server.post("low tide")
    page = await visit_each(server, None)
    await page.goto(other.show(script(server)))
    frame = await framed(page, "low tide")
    await page.wait_for_function(f"{HEIGHT} < 400")
    await frame.locator("#s").fill("high tide")
    await frame.get_by_role("button", name="Post").dispatch_event("click")  # its driver's pointer reaches no such frame
    await framed(page, "high tide")
    server.post("news")
    frame = await framed(page, "news")
    assert await frame.locator("#messages .body").all_text_contents() == ["news", "high tide", "low tide"]
