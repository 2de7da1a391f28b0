"""The live page in a real browser: what happens on the board happens on it, by itself."""

import asyncio
import datetime
import json
import random
import sqlite3
import zoneinfo

import pytest
from playwright.async_api import expect

from board.markup import pieces
from handlers.messages.articles import render
from storage.records import Message
from tests.browser.test_tabs import comes_to_front, parked
from tests.support.admin import admin
from tests.support.bodies import bodies
from tests.support.browser import BROWSER_TEST, NETWORK, SCRIPTS, is_as_after_reload, message, shown, write
from tests.support.people import Person
from tests.support.server import ROOT

pytestmark = BROWSER_TEST


async def test_what_one_posts_the_other_shows_without_reload(server, visit):
    """Two people who have the board open see each other's words at once, newest first."""
    one, two = await asyncio.gather(visit(server), visit(server))
    await write(one, "Hello from the first window")
    await expect(message(two, "Hello from the first window")).to_have_count(1)
    await write(two, "Hello back from the second")
    await expect(message(one, "Hello back from the second")).to_have_count(1)
    assert await one.locator(".body").first.text_content() == "Hello back from the second"
    assert await shown(one) == await shown(two)


async def test_pages_survive_the_death_of_the_server(start, visit):
    """After kill -9 and a restart both pages go on by themselves, with nothing lost or doubled, and say so."""
    server = start()
    visit.expect(NETWORK)
    one, two = await asyncio.gather(visit(server), visit(server))
    await write(one, "before")
    await expect(message(two, "before")).to_have_count(1)
    server.kill()
    await two.fill("#s", "while it was dead")
    await two.get_by_role("button", name="Post").click()
    await expect(two.locator("#outbox .late")).to_contain_text("while it was dead")
    for page in (one, two):
        await expect(page.locator("#sign")).to_have_text("Reconnecting…")
    server.start()
    server.post("after")
    for page in (one, two):
        await expect(message(page, "after")).to_have_count(1)
        await expect(page.locator("#sign")).to_be_empty()
        await expect(message(page, "while it was dead")).to_have_count(1)
        await expect(page.locator(".message")).to_have_count(3)
        await is_as_after_reload(page)


@pytest.mark.parametrize("is_taken_over", [False, True], ids=["the same tab", "another tab"])
async def test_on_a_quiet_board_a_page_says_at_once_that_the_server_is_back(start, visit, is_taken_over):
    """The first poll that comes through is not held: the next news may be far off."""
    visit.expect(NETWORK)
    server = start()
    page = await visit(server)
    tabs = [page, await page.context.new_page()]
    await tabs[1].goto("/")
    await parked(server, 1)
    server.kill()
    for tab in tabs:
        await expect(tab.locator("#sign")).to_have_text("Reconnecting…")
    answered = []
    page.context.on("response", lambda response: answered.append(response.url) if "/get?" in response.url else None)
    if is_taken_over:
        await comes_to_front(page, tabs[1])
    server.start()
    for tab in tabs:
        await expect(tab.locator("#sign")).to_be_empty()
    await parked(server, 1)
    assert answered and answered[0].endswith("&wait=0"), answered


async def test_the_live_page_is_the_page_after_reload(server, visit):
    """Posts, edits and deletions in every script, with links and names, leave exactly what the server would send."""
    page = await visit(server)
    people = [Person(server, name=name) for name in ("Åsa <i>", "Дмитрий 🚲", "לאה", 'O\'Brien & "Co"', None)]
    posts = [(person, person.post(text)) for person in people for text in SCRIPTS[::2]]
    guests = [server.post(text).json() for text in SCRIPTS]
    for person, post in posts[::3]:
        path = f"/api/v1/messages/{post['id']}"
        assert person.api.patch(path, json={"body": f"{post['body']}\nmended"}).status_code == 200
    for person, post in posts[1::7]:
        assert person.api.delete(f"/api/v1/messages/{post['id']}").status_code == 204
    last = people[0].post("That is all.")
    await expect(page.locator(f"#m{last['id']}")).to_be_attached()
    await expect(page.locator(f"#m{posts[1][1]['id']}")).not_to_be_attached()
    for post in guests:
        if "`" in post["body"]:
            continue  # code is shown without
        assert await page.locator(f"#m{post['id']} .body").text_content() == post["body"]
    await expect(page.locator(".fresh")).to_have_count(0)
    # Only as many as a fresh page has: one that has been open for long shows more.
    await page.evaluate("[...document.querySelectorAll('.message')].slice(50).forEach((old) => old.remove())")
    await is_as_after_reload(page)


async def test_a_wiped_database_replaces_what_is_shown(start, visit):
    """When another board starts under the same address, open pages show that one, and nothing of the old."""
    server = start()
    visit.expect(NETWORK)
    for text in ("old one", "old two"):
        server.post(text)
    page = await visit(server)
    await expect(page.locator(".message")).to_have_count(2)
    server.kill()
    for path in server.database.parent.glob("board.db*"):
        path.unlink()
    server.start()
    server.post("a new world")
    await expect(message(page, "a new world")).to_have_count(1)
    await expect(page.locator(".message")).to_have_count(1)
    await is_as_after_reload(page)


async def test_ctrl_and_enter_sends_and_enter_does_not(server, visit):
    """From the keyboard alone one writes several lines, sends them, and goes on writing."""
    page = await visit(server)
    await page.get_by_label("Your message").focus()
    await page.keyboard.type("first line")
    await page.keyboard.press("Enter")
    await page.keyboard.type("second line")
    await page.keyboard.press("Control+Enter")
    await expect(message(page, "first line\nsecond line")).to_have_count(1)
    await expect(page.locator("#s")).to_be_focused()
    await expect(page.locator("#s")).to_have_value("")


async def test_times_are_the_readers_own(server, visit):
    """Everyone reads the time of a message in their own zone; the whole date is one hover away."""
    zones = ("Asia/Tokyo", "America/New_York")
    pages = await asyncio.gather(*(visit(server, timezone_id=zone) for zone in zones))
    post = server.post("What time is it where you are?").json()
    moment = datetime.datetime.fromisoformat(post["created_at"])
    for page, zone in zip(pages, zones, strict=True):
        local = moment.astimezone(zoneinfo.ZoneInfo(zone))
        for _ in ("arrived live", "after reload"):
            time = page.locator(f"#m{post['id']} time")
            assert await time.text_content() == f"{local.hour}:{local:%M}"
            assert f"{local.day} {local:%B %Y}" in await time.get_attribute("title")
            await page.reload()


TAKEN_OUT = """
    window.takenOut = 0;
    new MutationObserver((records) => {
        for (const { removedNodes } of records)
            for (const { localName } of removedNodes) if (localName === "article") window.takenOut++;
    }).observe(document, { subtree: true, childList: true });
"""


async def test_a_message_of_the_first_paint_is_not_painted_again(server, visit):
    """Scripts leave it where it is. If they took it out and put it in again, browsers would count it as painted then, which
    is half as late again; only the white space of the template goes."""
    server.post("there from the first paint on")
    page = await visit(server, path=None)
    await page.add_init_script(TAKEN_OUT)
    await page.goto("/")
    await page.locator("#messages time[title]").first.wait_for()
    assert await page.evaluate("window.takenOut") == 0
    assert await page.evaluate("[...document.getElementById('messages').childNodes].every((one) => one.localName)")


async def test_a_body_becomes_the_same_in_the_browser_as_on_the_server(server, visit):
    """Pieces and elements do not depend on who made the page: both sides keep to one list, and agree on random bodies,
    too. A host that is shown is the one to which the browser goes."""
    page = await visit(server)
    cases = json.loads((ROOT / "tests" / "support" / "pieces.json").read_text())
    texts = [case["body"] for case in cases] + bodies(random.randrange(10**6), 3000)
    articles = [Message(id=1, seq=1, author=None, body=text, created_at=0, edited_at=None) for text in texts]
    found = await page.evaluate(
        """async (bodies) => {
            const source = document.querySelector("link[href$='message.js']").href.replace("message.js", "markup.js");
            const { nodes, pieces } = await import(source);
            const template = document.createElement("template");
            return bodies.map(([body, html]) => {
                template.innerHTML = html;
                const theirs = template.content.querySelector(".body");
                const ours = theirs.cloneNode(false);
                ours.append(...nodes(body));
                const titled = [...ours.querySelectorAll("a:has(bdi)")];
                return {
                    pieces: pieces(body),
                    isEqual: theirs.isEqualNode(ours),
                    hosts: titled.map((a) => [a.querySelector("bdi").textContent, a.host || a.pathname]),
                };
            });
        }""",
        [[message.body, render(message, is_this=False).decode()] for message in articles],
    )
    assert len(cases) > 220 and sum(len(one["hosts"]) for one in found) > 100
    for text, one in zip(texts, found, strict=True):
        assert one["pieces"] == json.loads(json.dumps(pieces(text))), text
        assert one["isEqual"], text
        for named, host in one["hosts"]:
            assert named.lower() in (f"({host})", f"({host}:443)"), text


async def test_a_page_that_is_open_for_long_stays_light(start, visit, tmp_path):
    """Only so many messages are kept on a page; what is older goes on from the last of them."""
    server = start()
    page = await visit(server)
    with sqlite3.connect(tmp_path / "data.db") as data:
        data.execute("CREATE TABLE messages (msg_content TEXT NOT NULL, msg_time INTEGER NOT NULL)")
        data.executemany("INSERT INTO messages VALUES (?, ?)", [(f"number {n}", 1000 * n) for n in range(520)])
    data.close()
    admin(f"--database-url={server.settings['database_url']}", "import-tutorial", tmp_path / "data.db")
    last = server.post("the last").json()["id"]
    await expect(page.locator(f"#m{last}")).to_be_attached()
    await expect(page.locator(".message")).to_have_count(500)
    assert await page.locator(".message").last.get_attribute("id") == f"m{last - 499}"
    assert await page.locator("#older a").get_attribute("href") == f"?before={last - 499}"
