"""Reading in a real browser: nothing moves under one's eyes, nothing new goes unnoticed, and the past is one scroll away."""

import contextlib
import json
import sqlite3
import time

from playwright.async_api import expect

from tests.browser.test_accounts import promoted
from tests.browser.test_tabs import another, comes_to_front, parked
from tests.support.admin import admin
from tests.support.browser import BROWSER_TEST, comes_true, is_as_after_reload, message, scroll, write

pytestmark = BROWSER_TEST


def fill(server, count, text="line\nline\nnumber {}"):
    return [server.post(text.format(number)).json()["id"] for number in range(count)]


async def scroll_to(page, id):
    """Also waits until the articles that came into view have their real heights."""
    await page.locator(f"#m{id}").scroll_into_view_if_needed()
    await comes_true(
        page,
        """async (id) => {
            const top = () => document.getElementById(id).getBoundingClientRect().top;
            const before = top();
            for (let n = 0; n < 5; n++) await new Promise(requestAnimationFrame);
            return top() === before;
        }""",
        f"m{id}",
    )


async def top_of(page, id):
    return await page.evaluate("(id) => document.getElementById(id).getBoundingClientRect().top", f"m{id}")


async def icon(page):
    return await page.locator("link[rel=icon]").get_attribute("href")


async def test_new_messages_do_not_move_what_one_reads(start, visit):
    """Further down, news wait behind a button that counts them; it leads up to them, by mouse or keyboard."""
    server = start()
    ids = fill(server, 40)
    page = await visit(server)
    await scroll_to(page, ids[10])
    news = page.locator("#news")
    before = await top_of(page, ids[10])
    for number in range(3):
        server.post(f"news {number}")
    await expect(news).to_have_text("3 new")
    assert await top_of(page, ids[10]) == before
    await expect(page).to_have_title("(3) Longboard")
    await news.focus()
    await page.keyboard.press("Enter")
    await expect(message(page, "news 2")).to_be_in_viewport()
    await expect(news).to_be_hidden()
    await expect(page).to_have_title("Longboard")
    assert await page.evaluate("document.activeElement.closest('.message').innerText.includes('news 2')")
    await is_as_after_reload(page)


async def test_scrolling_back_up_brings_the_news_as_well(start, visit):
    """Whoever scrolls to the top sees them without pressing anything."""
    server = start()
    ids = fill(server, 40)
    page = await visit(server)
    await scroll_to(page, ids[5])
    fresh = [server.post(f"news {number}").json()["id"] for number in range(2)]
    await expect(page.locator("#news")).to_have_text("2 new")
    await scroll(page, 0)
    await expect(page.locator(f"#m{fresh[1]}")).to_be_in_viewport()
    assert await page.locator(".message").first.get_attribute("id") == f"m{fresh[1]}"
    await expect(page.locator("#news")).to_be_hidden()


async def test_the_title_and_the_icon_count_what_came_unseen(start, visit):
    """A tab in the background says how many are new; looked at, it is quiet again."""
    server = start()
    page = await visit(server)
    quiet = await icon(page)
    other = await another(page)
    await comes_to_front(other, page)
    for number in range(2):
        server.post(f"unseen {number}")
    await expect(page).to_have_title("(2) Longboard")
    assert await icon(page) != quiet and (await icon(page)).startswith("data:image/svg+xml")
    await expect(other).to_have_title("Longboard")
    await comes_to_front(page, other)
    await expect(page).to_have_title("Longboard")
    assert await icon(page) == quiet


async def test_notifications_come_if_asked_for_and_only_when_nobody_looks(start, visit):
    """Off until one presses the button; then one for what came while the board was in the background, and off again."""
    server = start()
    page = await visit(server, path=None)
    await page.context.grant_permissions(["notifications"])
    await page.add_init_script(
        """window.shown = [];
        const real = window.Notification;
        window.Notification = class { constructor(title, { body }) { window.shown.push([title, body]); } };
        Notification.permission = "granted";
        Notification.requestPermission = async () => "granted";"""
    )
    await page.goto("/")
    await parked(server, 1)
    await comes_to_front(page)
    bell = page.locator("#notify")
    await hide(page)
    server.post("not asked for")
    await expect(message(page, "not asked for")).to_have_count(1)
    assert await page.evaluate("shown") == []
    await bell.click()
    await expect(bell).to_have_attribute("aria-pressed", "true")
    server.post("ding")
    await expect(message(page, "ding")).to_have_count(1)
    assert await page.evaluate("shown") == [["Guest", "ding"]]
    await comes_to_front(page)
    server.post("seen")
    await expect(message(page, "seen")).to_have_count(1)
    assert len(await page.evaluate("shown")) == 1
    await page.reload()
    await expect(bell).to_have_attribute("aria-pressed", "true")
    await bell.click()
    await expect(bell).to_have_attribute("aria-pressed", "false")


async def hide(page):
    await page.evaluate(
        """() => {
            Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
            Object.defineProperty(document, "hidden", { value: true, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )


async def test_who_is_here_is_counted_by_browser(start, visit):
    """A page says how many watch; tabs of one browser count as one, and whoever is alone reads nothing."""
    server = start()
    page = await visit(server)
    await write(page, "anybody here?")
    await expect(page.locator("#watching")).to_be_empty()
    await another(page)
    others = [await visit(server) for _ in range(2)]
    await parked(server, 3)
    await write(others[0], "hello")
    await expect(page.locator("#watching")).to_have_text("3 watching")


async def test_a_line_stands_above_each_day_where_the_readers_day_begins(start, visit, tmp_path):
    """Today, yesterday and before, in the reader's own zone; live messages keep to it, and so does the past."""
    server = start()
    now = int(time.time() * 1000)
    with contextlib.closing(sqlite3.connect(tmp_path / "data.db")) as data, data:
        data.execute("CREATE TABLE messages (msg_content TEXT NOT NULL, msg_time INTEGER NOT NULL)")
        for days in (400, 400, 2, 1):
            data.execute("INSERT INTO messages VALUES (?, ?)", (f"{days} days ago", now - days * 86_400_000))
    admin(f"--database-url={server.settings['database_url']}", "import-tutorial", tmp_path / "data.db")
    page = await visit(server, timezone_id="Pacific/Auckland")
    lines = page.locator(".day")
    await expect(lines).to_have_count(3)
    assert await lines.first.inner_text() == "Yesterday"
    await write(page, "and now")
    await expect(lines).to_have_count(4)
    assert await lines.first.inner_text() == "Today"
    await write(page, "and again")
    await expect(lines).to_have_count(4)
    await is_as_after_reload(page)
    ids = [m["id"] for m in server.get("/get").json()["messages"]]
    moderator = promoted(server)
    for id in ids[-2:]:
        moderator.api.delete(f"/api/v1/messages/{id}")
    await expect(lines).to_have_count(3)
    await is_as_after_reload(page)


async def test_older_messages_come_as_one_scrolls(start, visit):
    """Down to the very first, each once and in order; then there is nothing older."""
    server = start()
    ids = fill(server, 160)
    page = await visit(server)
    await expect(page.locator(".message")).to_have_count(50)
    while await page.locator("#older").is_visible():
        count = await page.locator(".message").count()
        await scroll(page, "end")
        await comes_true(
            page,
            "(count) => document.querySelectorAll('.message').length > count || document.getElementById('older').hidden",
            count,
        )
    shown = await page.evaluate("[...document.querySelectorAll('.message')].map((one) => Number(one.id.slice(1)))")
    assert shown == ids[::-1]
    await write(page, "back at the top")
    server.post("and live as ever")
    await scroll(page, 0)
    await expect(message(page, "and live as ever")).to_have_count(1)


SEVERAL_LOOKS = """
    const Observer = IntersectionObserver;
    window.IntersectionObserver = class extends Observer {
        constructor(tell, options) {
            let told = [];
            super((entries, self) => { tell([...told, ...entries], self); told = entries; }, options);
        }
    };
"""
"""What a busy browser does: it tells an observer of two looks in one call, the older one first."""


async def test_of_several_looks_at_a_place_the_last_one_counts(start, visit):
    """Otherwise nothing older would come for someone who is at the end, and no news for someone at the top."""
    server = start()
    ids = fill(server, 110)
    page = await visit(server, "/privacy")
    await page.add_init_script(SEVERAL_LOOKS)
    await page.goto("/")
    for count in (100, 110):
        await scroll(page, "end")
        await expect(page.locator(".message")).to_have_count(count)
    await scroll_to(page, ids[30])
    server.post("news")
    await expect(page.locator("#news")).to_have_text("1 new")
    await scroll(page, 0)
    await expect(page.locator("#news")).to_be_hidden()
    await expect(message(page, "news")).to_be_in_viewport()


async def test_when_older_messages_can_not_be_had_the_link_is_still_there(start, visit):
    """A failure on the way is no dead end: the next scroll tries again, and the link works without any script."""
    visit.expect("status of 500")
    server = start()
    ids = fill(server, 60)
    page = await visit(server)
    await page.route("**/api/v1/messages?before=*", lambda route: route.fulfill(status=500), times=1)
    async with page.expect_response("**/api/v1/messages?before=*"):
        await scroll(page, "end")
    await expect(page.locator("#older a")).to_be_visible()
    await expect(page.locator(".message")).to_have_count(50)
    await scroll_to(page, ids[-1])
    await scroll(page, "end")
    await expect(page.locator(f"#m{ids[0]}")).to_be_attached()


async def test_a_flood_while_reading_further_down_keeps_the_page_light(start, visit):
    """Hundreds that wait move nothing and are not in the page; going up shows the newest, and never too many."""
    server = start()
    ids = fill(server, 30)
    page = await visit(server)
    await scroll_to(page, ids[5])
    before = await top_of(page, ids[5])
    cursor = server.cursor
    epoch, seq = cursor.split("-")
    messages = [
        {"id": int(seq) + n, "body": f"flood {n}", "author": None, "created_at": "2026-11-24T12:00:00.000Z", "edited_at": None}
        for n in range(1, 701)
    ]  # fmt: skip
    reply = json.dumps({"messages": messages, "cursor": f"{epoch}-{int(seq) + 700}"})
    await visit.hold(page, "**/get?*")  # but for the first
    await page.route("**/get?*", lambda route: route.fulfill(body=reply, content_type="application/json"), times=1)
    server.post("wakes the poll")
    await expect(page.locator("#news")).to_have_text("700 new")
    assert await page.locator(".message").count() == 30
    assert await top_of(page, ids[5]) == before
    await page.locator("#news").click()
    await expect(message(page, "flood 700")).to_be_in_viewport()
    await expect(page.locator(".message")).to_have_count(500)
