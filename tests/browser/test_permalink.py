"""The page of one message is live, and has a form: a reply is posted from it as from the board, and waits as there."""

import re

from playwright.async_api import expect

from tests.browser.test_access import no_violations
from tests.browser.test_boards import parked
from tests.browser.test_tabs import another, comes_to_front
from tests.support.boards import post_on, promote
from tests.support.browser import BROWSER_TEST, NETWORK, comes_true, is_wide, message, words, write
from tests.support.people import Person, client

pytestmark = BROWSER_TEST

LOADED = "(name) => performance.getEntriesByType('resource').some((one) => one.name.includes(name))"
GONE = "This message was deleted."
MOVE = 'one.dispatchEvent(new PointerEvent("pointermove", { bubbles: true }))'
WAIT = "new Promise((done) => setTimeout(done, 10))"
MOVES = f"""async (one) => {{
    const began = performance.now();
    for (let n = 0; n < 30; n++) {{ {MOVE}; await {WAIT}; }}
    return (performance.now() - began) / 1000;
}}"""
MOVES_ON = f"async (one) => {{ while (!one.querySelector('.toolbar')) {{ {MOVE}; await {WAIT}; }} }}"
HEAR = """() => {
    window.said = [];
    const sign = document.getElementById("sign");
    new MutationObserver(() => said.push(sign.textContent)).observe(sign, { childList: true });
}"""
POLL = "dispatchEvent(new Event('online'))"


async def reply(page, text):
    await page.get_by_label("Reply to this message").fill(text)
    await page.get_by_role("button", name="Reply", exact=True).click()


def edit(person, id, body):
    assert person.api.patch(f"/api/v1/messages/{id}", json={"body": body}).status_code == 200


def delete(person, id):
    assert person.api.delete(f"/api/v1/messages/{id}").status_code == 204


async def test_the_page_of_a_message_follows_it_and_answers_it(start, visit):
    """Its words, its reactions, its neighbours, and what quotes them; with one poll for it and the board. A reply stays a
    draft through a reload, waits while the server is away, and is posted once. What was written to a message that is
    deleted can be posted without it, and is a draft on the board.
    """
    visit.expect(f"{NETWORK}|status of 404")
    server = start()
    ada, bob = Person(server, name="Ada"), Person(server, name="Bob")
    above, id = ada.post("before it")["id"], ada.post("who rows?")["id"]
    ada.api.post("/api/v1/messages", json={"body": "to that", "reply_to": above})
    board = await visit(server, person=bob)
    page = await another(board, f"/m/{id}")
    await parked(server, 1)
    this = page.locator(".this")
    assert not await page.evaluate(LOADED, "tools."), "nothing of the tools is loaded before somebody points"
    tried = []

    async def refuse(route):
        tried.append(route.request.url)
        await route.abort("connectionreset")

    await page.route(re.compile("tools.js|later.css"), refuse)
    seconds = await this.evaluate(MOVES)
    assert 1 < len(tried) <= 2 * (seconds + 2), "what can't be had is asked for once in a second, not at each move"
    await page.unroute(re.compile("tools.js|later.css"), refuse)
    async with page.expect_response("**/later.css"):
        await this.evaluate(MOVES_ON)
    await expect(this.locator(".toolbar")).to_have_count(1)
    edit(ada, id, "who rows **today**?")
    await expect(this.locator(".body")).to_have_text("who rows today?")
    await expect(this.locator(".body strong")).to_have_text("today")
    assert "who rows?" not in await page.locator("head").inner_html(), "words that are no longer said are in no title"
    await expect(this.locator(".edited")).to_have_count(1)
    assert ada.api.put(f"/api/v1/messages/{id}/reactions/thumbs_up").status_code == 200
    await expect(this.locator(".reactions")).to_have_text("👍 1")
    await expect(page.locator("#reactions").get_by_role("button", name="1 thumbs up")).to_be_visible()
    edit(ada, above, "long before it")
    await expect(message(page, "long before it")).to_have_count(1)
    await expect(message(page, "to that").locator(".quote")).to_have_text("In reply to Ada long before it")
    delete(ada, above)
    await expect(message(page, "long before it")).to_have_count(0)
    await expect(message(page, "to that").locator(".quote")).to_have_text("In reply to a deleted message")
    server.post("of others")
    await expect(message(board, "of others")).to_have_count(1)

    await page.get_by_label("Reply to this message").fill("I do")
    await page.reload()
    await expect(page.get_by_label("Reply to this message")).to_have_value("I do")
    await expect(board.locator("#s")).to_have_value("")
    await page.evaluate(HEAR)
    server.kill()
    await page.get_by_role("button", name="Reply", exact=True).click()
    await expect(page.locator("#outbox article")).to_contain_text("Trying again")
    await expect(page.locator("#sign")).to_have_text("Reconnecting…")
    server.start()
    await comes_true(page, "said.includes('Connected again')")
    await expect(page.locator("#posted")).to_contain_text("Posted.")
    await expect(page.locator("#replies").filter(has=words(page, "I do"))).to_have_count(1)
    await expect(page.locator("#outbox article")).to_have_count(0)
    newest = server.get("/api/v1/messages?limit=1").json()["messages"][0]
    assert (newest["body"], newest["reply_to"], newest["author"]["name"]) == ("I do", id, "Bob")
    await expect(page.get_by_role("link", name="See your message")).to_have_attribute("href", f"/m/{newest['id']}")
    await expect(message(board, "I do").locator(".quote")).to_have_text("In reply to Ada who rows today?")
    ada.api = client(server, ada.sign_in())
    ada.api.post("/api/v1/messages", json={"body": "good", "reply_to": id})
    await expect(page.locator("#replies .body")).to_have_text(["good", "I do"])

    await page.get_by_label("Reply to this message").fill("and tomorrow?")
    delete(ada, id)
    await expect(page.get_by_text(GONE)).to_be_visible()
    await expect(page.locator("#composer")).to_contain_text("Your words will be a new message, not a reply.")
    assert "who rows" not in await page.content()
    await expect(board.locator("#s")).to_have_value("and tomorrow?")
    await page.get_by_role("button", name="Post", exact=True).click()
    await expect(message(board, "and tomorrow?")).to_have_count(1)
    await expect(board.locator("#s")).to_have_value("")
    assert "reply_to" not in server.get("/api/v1/messages?limit=1").json()["messages"][0]


async def test_a_reply_to_a_message_that_was_deleted_while_its_page_was_closed_is_offered(start, visit):
    """On the board, behind the words that are in its box; once. Replies to messages that are there stay theirs, and so do
    all while the server can't say which these are."""
    visit.expect(f"{NETWORK}|status of 404")
    server = start()
    ada, bob = Person(server, name="Ada"), Person(server, name="Bob")
    gone, there = (ada.post(words)["id"] for words in ("who rows?", "who steers?"))
    page = await visit(server, f"/m/{gone}", person=bob)
    await page.get_by_label("Reply to this message").fill("I do")
    await page.goto(f"/m/{there}")
    await page.get_by_label("Reply to this message").fill("not yet")
    delete(ada, gone)
    await page.route("**/api/v1/messages?ids=**", lambda route: route.abort(), times=1)
    async with page.expect_event("requestfailed"):
        await page.goto("/")
    await page.fill("#s", "a draft")
    for _ in ("found", "kept"):
        await page.reload()
        await expect(page.locator("#s")).to_have_value("a draft\n\nI do")
    await page.fill("#s", "")
    async with page.expect_response("**/api/v1/messages?ids=**"):
        await page.reload()
    await page.goto(f"/m/{there}")
    await expect(page.get_by_label("Reply to this message")).to_have_value("not yet")
    kept = await page.evaluate("Object.keys(localStorage).filter((name) => name.includes('/to/'))")
    assert kept == [f"draft/{bob.username}/to/{there}"]
    await page.goto("/search")
    delete(ada, there)
    await page.goto("/")
    await expect(page.locator("#hint")).to_have_text("You wrote this to a message that has been deleted.")
    await expect(page.locator("#s")).to_have_value("not yet")


async def test_a_guest_changes_their_own_message_on_its_page(start, visit):
    """In the browser that wrote it, while there is time; axe finds nothing there, and nothing is wider than the window."""
    server = start()
    page = await visit(server, viewport={"width": 320, "height": 700})
    await write(page, "low tide")
    id = server.get("/api/v1/messages?limit=1").json()["messages"][0]["id"]
    stranger = await visit(server, f"/m/{id}")
    await page.goto(f"/m/{id}")
    yours = page.locator(".note").filter(has_text="Yours?")
    await expect(yours).to_be_visible()
    assert not await is_wide(page)
    await no_violations(page)
    await yours.get_by_role("button", name="Edit").click()
    await page.locator(".in-place textarea").fill("high tide")
    await page.get_by_role("button", name="Save").click()
    for one in (page, stranger):
        await expect(one.locator(".this .body")).to_have_text("high tide")
    await expect(stranger.locator(".note").filter(has_text="Yours?")).to_have_count(0)
    await yours.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    for one in (page, stranger):
        await expect(one.get_by_text(GONE)).to_be_visible()
        await expect(one.locator("#composer, .this")).to_have_count(0)
    assert await page.context.cookies() == []


async def test_a_message_s_page_ends_with_the_right_to_read_its_board(club, visit):
    """It is live on each board, with the one poll of all tabs. When its board is for others, nothing of it stays but what
    was written here; without a right to read the site at all, it leads to signing in.
    """
    visit.expect("status of 40[14]")
    server, owner, friend, _ = club
    id = post_on(owner.api, "rowing", "who rows?")["id"]
    page = await visit(server, f"/m/{id}")
    board = await another(page)
    await comes_to_front(page, board)
    await parked(server, 1)
    edit(owner, id, "who rows today?")
    await expect(page.locator(".this .body")).to_have_text("who rows today?")
    await reply(page, "I do")
    await expect(page.locator("#posted")).to_contain_text("Posted.")
    await expect(page.locator("#replies .body")).to_have_text("I do")
    server.post("on the first board")
    await expect(message(board, "on the first board")).to_have_count(1)
    mine = server.get("/api/v1/boards/rowing/messages?limit=1").json()["messages"][0]["id"]
    for is_archived in (True, False):
        assert owner.api.patch("/api/v1/boards/rowing", json={"archived": is_archived}).status_code == 200
        own = await another(page, f"/m/{mine}")
        buttons = own.locator(".note", has_text="Yours?").locator("button")
        await expect(buttons).to_have_text(["Delete"] if is_archived else ["Edit", "Delete"])
        await own.close()
    await comes_to_front(page, board)
    assert owner.api.patch("/api/v1/boards/rowing", json={"slug": "rowers"}).status_code == 200
    await expect(page.locator("#messages")).to_have_attribute("data-history", "/api/v1/boards/rowers/messages")
    await reply(page, "and tomorrow")
    await expect(page.get_by_role("link", name="Go to the board").last).to_have_attribute("href", "/b/rowers/")
    await page.get_by_label("Reply to this message").fill("what I still say")
    words_of = post_on(friend.api, "rowers", "in a hurry")["id"]
    own = await visit(server, f"/m/{words_of}", friend)
    await own.get_by_label("Your message").fill("with time")
    await parked(server, 2)
    assert owner.api.patch("/api/v1/boards/rowers", json={"read_by": "invited"}).status_code == 200
    await expect(page.get_by_text("You can't read this board any more").first).to_be_visible()
    await expect(page.locator(".elsewhere blockquote")).to_have_text("what I still say")
    content = await page.content()
    assert "who rows" not in content and "I do" not in content
    await expect(page).to_have_url(re.compile(f"/m/{id}$"))
    await expect(page.locator("#boards a", has_text="Rowing")).to_have_count(0)
    await expect(own.get_by_text("You can't read this board any more").first).to_be_visible()
    await expect(own.locator("#edit textarea")).to_have_value("with time")


async def test_the_page_of_a_message_tells_what_is_its_own(start, visit):
    """Below it is what was written since the page came, not an old reply that changes. That something was posted is said of
    what was written here, not of the same words by somebody else. After a gap, what is quoted is asked for, too; once, if
    nothing is there to ask for.
    """
    visit.expect(f"{NETWORK}|status of 404")
    server = start()
    ada, bob = Person(server, name="Ada"), Person(server, name="Bob")
    far = ada.post("words that go")["id"]
    for number in range(60):
        ada.post(f"number {number}")
    id = ada.api.post("/api/v1/messages", json={"body": "who rows?", "reply_to": far}).json()["id"]
    for number in range(60):
        ada.post(f"later {number}")
    old = ada.api.post("/api/v1/messages", json={"body": "an old reply", "reply_to": id}).json()["id"]
    page = await visit(server, f"/m/{id}", bob)
    await expect(page.locator(".this .quote")).to_have_text("In reply to Ada words that go")
    await parked(server, 1)
    edit(ada, old, "an old reply, changed")
    await page.route("**/add", lambda route: route.abort("connectionreset"))
    await reply(page, "yes")
    await expect(page.locator("#outbox article")).to_contain_text("Trying again")
    ada.api.post("/api/v1/messages", json={"body": "yes", "reply_to": id})
    await expect(page.locator("#replies .author")).to_have_text(["Ada"])
    await expect(page.locator("#replies .body")).to_have_text(["yes"])
    await expect(page.locator("#posted")).to_be_empty()
    await page.unroute("**/add")
    await page.evaluate(POLL)
    await expect(page.locator("#posted")).to_contain_text("Posted.")
    await expect(page.locator("#replies .author")).to_have_text(["Bob", "Ada"])

    async def begin_again(route):
        delete(ada, far)
        cursor = server.get("/api/v1/messages?limit=1").json()["cursor"]
        await route.fulfill(json={"messages": [], "cursor": cursor, "reset": True})

    await page.route("**/get?*", begin_again, times=1)
    await page.evaluate(POLL)
    await expect(page.locator(".this .quote")).to_have_text("In reply to a deleted message")


async def test_what_a_moderator_takes_away_with_all_by_its_author_leaves_its_pages(start, visit):
    """After it, a page asks for what it shows. Who is not answered any more is gone: from beside a message, and itself."""
    server = start()
    mo = promote(server, Person(server, name="Mo"))
    joe, ada = Person(server, name="Joe"), Person(server, name="Ada")
    beside, id = joe.post("to be removed")["id"], ada.post("to stay")["id"]
    pages = [await visit(server, f"/m/{one}") for one in (beside, id)]
    await parked(server, 2)
    assert mo.browser().post(f"/m/{beside}/moderate", data={"act": "remove"}).status_code in (200, 303)
    await expect(pages[0].get_by_text(GONE)).to_be_visible()
    await expect(pages[1].locator("#messages .body")).to_have_text(["to stay"])
    for page in pages:
        assert "to be removed" not in await page.content()


async def test_nothing_is_asked_of_a_page_on_which_nothing_is_left(start, visit):
    """After a gap, the page of a deleted message without neighbours goes on with its polls."""
    server = start()
    ada = Person(server, name="Ada")
    id = ada.post("who rows?")["id"]
    page = await visit(server, f"/m/{id}")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "?ids=" in request.url else None)
    delete(ada, id)
    await expect(page.get_by_text(GONE)).to_be_visible()
    again = {"messages": [], "cursor": "another-1", "reset": True}
    await page.route("**/get?*", lambda route: route.fulfill(json=again), times=1)
    async with page.expect_response("**/get?*another-1*"):
        await page.evaluate(POLL)
    assert asked == []
