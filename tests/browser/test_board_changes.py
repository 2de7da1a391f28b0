"""An open page while something happens to its board, or to what was written there; and what is new for whom."""

import asyncio
import re

from playwright.async_api import expect

from tests.browser.test_boards import WIDE, entry, has_seen, look_at, mark, no_violations, parked
from tests.browser.test_tabs import another
from tests.support.boards import LISTED, invite, make_board, post_on, promote
from tests.support.browser import BROWSER_TEST, NETWORK, box_of, comes_true, message
from tests.support.people import Person
from tests.support.server import until

pytestmark = BROWSER_TEST


async def listed_again(page, path):
    """Goes there, and waits until the list has been read."""
    async with page.expect_response("**/api/v1/boards"):
        await page.goto(path)
    await comes_true(page, "document.getElementById('mute')")


def board_line(page, name):
    """A board on the page of all boards."""
    return page.locator(".all-boards li").filter(has=page.locator("bdi").get_by_text(name, exact=True))


async def test_a_board_stays_marked_until_it_is_opened(club, visit):
    """For a member who never opened it: over other pages and reloads, and in each browser. What was there before the
    account is not new."""
    server, owner, *_ = club
    late = Person(server, name="Zoe")
    page = await visit(server, "/", late, **WIDE)
    await comes_true(page, LISTED)
    await expect(page.locator("#boards a.new")).to_have_count(0)
    await parked(server, 1)
    post_on(owner.api, "lounge", "news")
    await expect(mark(page, "Lounge")).to_have_text("1")
    for path in ("/", "/b/rowing/"):
        await listed_again(page, path)
        await expect(mark(page, "Lounge")).to_have_text("1")
    phone = await visit(server, "/", late, **WIDE)
    await expect(mark(phone, "Lounge")).to_have_text("1")
    await look_at(page, "/b/lounge/")
    await listed_again(page, "/")
    await expect(page.locator("#boards a.new")).to_have_count(0)
    await listed_again(phone, "/b/rowing/")
    await expect(phone.locator("#boards a.new")).to_have_count(0)


async def test_a_board_to_which_one_is_invited_is_marked(club, visit):
    """With all that was there before, in the list and on the page of all boards; signing out forgets the marks."""
    server, owner, _, hidden = club
    late = Person(server, name="Zoe")
    invite(owner, hidden, late.username)
    page = await visit(server, "/b/rowing/", late, **WIDE)
    await expect(mark(page, "Committee")).to_have_text("1")
    await page.goto("/boards")
    await expect(board_line(page, "Committee")).to_contain_text("1 new")
    await look_at(page, f"/b/{hidden}/")
    await page.goto("/signout")
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/")
    assert hidden not in await page.evaluate("JSON.stringify(localStorage)")


async def test_a_count_goes_on_from_the_number_that_stands_there(club, visit):
    """With each message that the page hears of, up to as many as the server counts; it is the server's after a reload."""
    server, owner, friend, hidden = club
    page = await visit(server, None, friend, **WIDE)
    for slug in (hidden, "lounge"):
        await look_at(page, f"/b/{slug}/")
    await page.goto("/boards")
    post_on(owner.api, hidden, "one")
    await page.goto("/")
    await expect(mark(page, "Committee")).to_have_text("1")
    await parked(server, 1)
    for count in (2, 3):
        post_on(owner.api, hidden, "more")
        await expect(mark(page, "Committee")).to_have_text(str(count))
        await expect(entry(page, "Committee")).to_have_accessible_name(re.compile(f"^Committee ?, {count} new$"))
    post_on(friend.api, "lounge", "my own, from elsewhere")
    post_on(owner.api, "rowing", "heard of later")
    await expect(mark(page, "Rowing")).to_have_text("2")
    await expect(mark(page, "Committee")).to_have_text("3")
    await expect(mark(page, "Lounge")).to_have_text("")
    await page.goto("/boards")
    for _ in range(97):
        post_on(owner.api, "rowing", "many")
    await page.goto("/")
    await expect(mark(page, "Rowing")).to_have_text("99")
    await parked(server, 1)
    for _ in range(2):
        post_on(owner.api, "rowing", "one more")
        await expect(mark(page, "Rowing")).to_have_text("99+")


async def test_a_guest_s_marks_go_over_to_the_account_that_is_made(club, visit):
    """What was new in this browser still is, with a number now; so it is in other browsers. Then they are forgotten."""
    server, owner, *_ = club
    page = await visit(server, "/", **WIDE)
    await comes_true(page, "localStorage.getItem('read-marks/')?.includes('rowing')")
    make_board(owner, "Fair", "fair")
    await expect(entry(page, "Fair")).to_have_count(1)
    for slug in ("rowing", "fair"):
        post_on(owner.api, slug, "news")
        await expect(entry(page, slug.capitalize())).to_have_class("new")
    late = Person(server, name="Zoe")
    cookies = late.browser().cookies
    await page.context.add_cookies([{"name": name, "value": cookies[name], "url": server.url} for name in cookies])
    await page.goto("/")
    other = await visit(server, None, late, **WIDE)
    for name in ("Rowing", "Fair"):
        await expect(mark(page, name)).to_have_text("1")
    assert await page.evaluate("localStorage.getItem('read-marks/')") is None
    await other.goto("/")
    for name in ("Rowing", "Fair"):
        await expect(mark(other, name)).to_have_text("1")
    await expect(mark(other, "Lounge")).to_have_text("")


async def test_what_a_browser_keeps_goes_with_a_board_to_another_address(club, visit):
    """A guest's marks, and what is muted; also if no page was open then. What is gone is asked for once."""
    visit.expect("status of 404")
    server, owner, *_ = club
    make_board(owner, "Fair", "fair")
    post_on(owner.api, "fair", "words")
    page = await visit(server, "/b/fair/", **WIDE)
    await comes_true(page, "localStorage.getItem('read-marks/')?.includes('rowing')")
    await page.get_by_role("button", name="Mute board").click()
    await page.goto("/api")
    for slug, new in (("rowing", "rowers"), ("fair", "market")):
        assert owner.api.patch(f"/api/v1/boards/{slug}", json={"slug": new}).status_code == 200
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/api/v1/boards/" in request.url else None)
    await page.goto("/")
    await expect(entry(page, "Fair")).to_have_class("muted")
    await expect(page.locator("#boards a.new")).to_have_count(0)
    post_on(owner.api, "rowers", "news")
    await listed_again(page, "/")
    await expect(entry(page, "Rowing")).to_have_class("new")
    assert len(asked) == 2
    assert owner.api.delete("/api/v1/boards/market", params={"name": "Fair"}).status_code == 204
    await expect(entry(page, "Fair")).to_have_count(0)
    await comes_true(page, "!JSON.stringify(localStorage).includes('market')")
    await listed_again(page, "/b/rowers/")
    await comes_true(page, LISTED)
    assert [url.rpartition("/")[2] for url in asked if "market" in url] == ["market"]


async def test_the_page_of_all_boards_says_what_the_list_says(club, visit):
    """What only the browser knows is written by script: a guest's marks, and what was seen just now."""
    server, owner, friend, _ = club
    guest = await visit(server, "/boards")
    await expect(guest.locator(".count")).to_have_count(0)
    await guest.goto("/")
    await comes_true(guest, "localStorage.getItem('read-marks/')?.includes('rowing')")
    news = post_on(owner.api, "rowing", "news")
    await guest.goto("/boards")
    await expect(board_line(guest, "Rowing").locator(".count")).to_have_text("new")
    await expect(guest.locator(".count")).to_have_count(1)
    await guest.goto("/b/rowing/")
    await has_seen(guest, "rowing", news["id"])
    await guest.goto("/boards")
    await expect(guest.locator(".count")).to_have_count(0)
    page = await visit(server, None, friend)
    await page.route("**/read", lambda route: route.fulfill(status=202, body="{}"))  # the server does not know yet
    await look_at(page, "/b/rowing/")
    await page.goto("/boards")
    await expect(board_line(page, "Lounge").locator(".count")).to_have_text("1 new")
    await expect(board_line(page, "Rowing").locator(".count")).to_have_count(0)


async def test_the_list_does_not_jump_and_tells_boards_of_one_name_apart(club, visit):
    """Server and script have one order, whatever the script of the names."""
    server, owner, friend, _ = club
    for number, name in enumerate(
        ["Ärger", "apple", "Øre", "Zebra", "straße", "Straßen", "مجلس", "日本", "ÉCOLE", "école"]
    ):
        make_board(owner, name, f"extra-{number}")
    page = await visit(server, None, friend, **WIDE)
    names = page.locator("#boards li bdi")
    let_go = await visit.hold(page, "**/api/v1/boards")
    await page.goto("/")
    before = await names.all_inner_texts()
    let_go.set()
    await comes_true(page, LISTED)
    assert await names.all_inner_texts() == before
    assert before.index("apple") < before.index("Ärger") < before.index("Committee") < before.index("Zebra")
    small = page.locator("#boards li small:not(:empty)")
    await expect(small).to_have_text(["extra-8", "extra-9"])
    await page.goto("/boards")
    assert await page.locator(".all-boards bdi").all_inner_texts() == before


async def test_what_is_new_out_of_view_is_said_at_the_edge_of_the_list(club, visit):
    """By a button, which leads there; a list that has room for all has none, and loads nothing for it."""
    server, owner, friend, hidden = club
    for number in range(12):
        make_board(owner, f"Board {number:02}", f"extra-{number}")
    page = await visit(server, None, friend, viewport={"width": 1280, "height": 360}, reduced_motion="reduce")
    for slug in ("rowing", "lounge", hidden):
        await look_at(page, f"/b/{slug}/")
    await page.goto("/")
    await comes_true(page, LISTED)
    await parked(server, 1)
    above, below = (page.locator("#boards").get_by_role("button", name=f"New {where}") for where in ("above", "below"))
    await expect(above.or_(below)).to_have_count(0)
    post_on(owner.api, "rowing", "news at the end")
    await expect(below).to_be_visible()
    await expect(above).to_be_hidden()
    await no_violations(page)
    await below.click()
    await expect(entry(page, "Rowing")).to_be_focused()
    await expect(entry(page, "Rowing")).to_be_in_viewport(ratio=1)
    await expect(below).to_be_hidden()
    post_on(owner.api, "extra-0", "news at the beginning")
    await above.press("Enter")
    await expect(entry(page, "Board 00")).to_be_focused()
    await expect(above).to_be_hidden()
    await expect(below).to_be_visible()
    await page.set_viewport_size({"width": 1280, "height": 1200})
    await expect(below).to_be_hidden()


async def test_a_list_without_all_boards_tells_apart_what_the_page_did(start, visit):
    """The script has read the first hundred, and not the other board of this name."""
    server = start()
    owner = promote(server, Person(server))
    for number in range(99):
        make_board(owner, f"Board {number}", f"b{number:02}")
    make_board(owner, "Board 0", "z-last")
    page = await visit(server, None, owner, **WIDE)
    let_go = await visit.hold(page, "**/api/v1/boards")
    await page.goto("/")
    small = page.locator("#boards li small:not(:empty)")
    await expect(small).to_have_text(["b00"])
    assert owner.api.patch("/api/v1/boards/b50", json={"name": "Renamed"}).status_code == 200
    let_go.set()
    await expect(page.locator("#boards li bdi").get_by_text("Renamed")).to_have_count(1)
    await expect(small).to_have_text(["b00"])


async def test_mute_says_what_it_does(club, visit):
    """In words on the page of the board, and on the page of all boards."""
    server, owner, friend, _ = club
    page = await visit(server, None, friend, **WIDE)
    await look_at(page, "/b/rowing/")
    await page.get_by_role("button", name="Mute board").click()
    await expect(page.get_by_text("Muted in this browser")).to_be_visible()
    await page.goto("/boards")
    post_on(owner.api, "rowing", "not worth a word")
    await page.goto("/boards")
    await expect(page.locator(".all-boards li", has_text="Rowing")).to_contain_text("muted in this browser")
    await expect(page.locator(".all-boards li", has_text="Rowing")).not_to_contain_text("new")


async def test_what_waits_for_another_board_is_seen_everywhere(club, visit):
    """With the name of the board, until it is there."""
    visit.expect(NETWORK)
    server, _, friend, _ = club
    page = await visit(server, "/b/rowing/", friend)
    await page.context.route("**/add", lambda route: route.abort("connectionreset"))
    await page.fill("#s", "wait for me")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#outbox .late")).to_have_count(1)
    await page.goto("/")
    note = page.get_by_text("What you wrote for Rowing is not sent yet.")
    await expect(note).to_be_visible()
    await expect(note.get_by_role("link")).to_have_attribute("href", re.compile("/b/rowing/$"))
    await page.context.unroute("**/add")
    await page.reload()
    await asyncio.to_thread(until, lambda: "wait for me" in server.get("/api/v1/boards/rowing/messages").text)
    await expect(note).to_have_count(0)


async def test_words_for_a_board_that_is_gone_are_not_lost(club, visit):
    """They stand on its page when it goes; then on the others, closed, until their author discards them, for good once
    the page is left. Its server is asked once what became of it.
    """
    visit.expect("status of 404")
    server, owner, friend, hidden = club
    page = await visit(server, f"/b/{hidden}/", friend, **WIDE)
    await parked(server, 1)
    await page.fill("#s", "half a <b>thought</b>")
    assert owner.api.delete(f"/api/v1/boards/{hidden}", params={"name": "Committee"}).status_code == 204
    await expect(page.locator(".alone", has_text="You can't read this board any more")).to_be_visible()
    quote = page.locator("blockquote")
    await expect(quote).to_have_text("half a <b>thought</b>")
    await expect(quote).to_be_visible()
    await expect(page.locator("#s")).to_have_count(0)
    await page.reload()
    await listed_again(page, "/b/rowing/")
    await comes_true(page, f"!localStorage.getItem('read-marks/{friend.username}').includes('{hidden}')")
    asked = []
    page.on("response", lambda response: asked.append(response.url) if response.status == 404 else None)
    await page.reload()
    line = page.get_by_text("You wrote this for Committee")
    await expect(line).to_be_visible()
    await expect(quote).to_be_hidden()
    await line.click()
    await expect(quote).to_be_visible()
    await page.get_by_role("button", name="Discard").click()
    await expect(quote).to_have_count(0)
    undo = page.get_by_role("button", name="Undo")
    await expect(undo).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("summary", has_text="Committee")).to_be_focused()
    await line.click()
    await expect(quote).to_have_text("half a <b>thought</b>")
    await page.get_by_role("button", name="Discard").click()
    names = await page.evaluate("Object.keys(localStorage)")
    assert not [name for name in names if name.startswith("boards/")]
    await listed_again(page, "/")
    await expect(page.locator(".elsewhere")).to_be_empty()
    assert not asked


async def test_words_for_a_board_that_is_there_again_are_at_home_again(club, visit):
    """Its author is invited once more: the draft is in the box, and nowhere else."""
    visit.expect("status of 404")
    server, owner, friend, hidden = club
    page = await visit(server, f"/b/{hidden}/", friend, **WIDE)
    await page.fill("#s", "half a thought")
    await page.goto("/api")
    assert owner.api.delete(f"/api/v1/boards/{hidden}/members/{friend.username}").status_code == 204
    await page.goto("/")
    await expect(page.get_by_text("You wrote this for Committee")).to_be_visible()
    await parked(server, 1)
    invite(owner, hidden, friend.username)
    await expect(page.get_by_text("You wrote this for Committee")).to_have_count(0)
    await entry(page, "Committee").click()
    await expect(page.locator("#s")).to_have_value("half a thought")
    await listed_again(page, "/")
    await expect(page.locator(".elsewhere")).to_be_empty()


async def test_a_letter_that_an_archived_board_refused_can_be_sent_again(club, visit):
    """Once the board is open; it is one message then, though it is sent as late as its author says so. In either order of the
    board, what waits stands in that order, and each button sends its own letter.
    """
    visit.expect(f"{NETWORK}|status of 403")
    server, owner, friend, _ = club
    page = await visit(server, "/b/rowing/", friend, **WIDE)
    await page.context.route("**/add", lambda route: route.abort("connectionreset"))
    for words in ("first letter", "second letter", "third letter"):
        await page.fill("#s", words)
        await page.keyboard.press("Control+Enter")
        await expect(page.locator("#outbox .message", has_text=words)).to_have_count(1)
    await page.goto("/b/lounge/")
    assert owner.api.patch("/api/v1/boards/rowing", json={"archived": True}).status_code == 200
    await page.context.unroute("**/add")
    await page.reload()
    await expect(page.get_by_text("What you wrote for Rowing was not taken.")).to_be_visible()
    refused = (
        "Object.keys(localStorage).filter((name) => localStorage.getItem(name).includes('is archived')).length === 3"
    )
    await comes_true(page, refused)
    assert owner.api.patch("/api/v1/boards/rowing", json={"archived": False}).status_code == 200
    await visit.hold(page, "**/get?*")  # an answer to a poll would wake the outbox, too
    await page.goto("/b/rowing/")
    letter = page.locator("#outbox .refused", has_text="first letter")
    await expect(letter).to_contain_text("It was not taken: “This board is archived: nothing new is written here.”")
    await letter.get_by_role("button", name="Send again").click()
    await expect(message(page, "first letter")).to_have_count(1)
    await expect(page.locator("#outbox .refused .body")).to_have_text(["third letter", "second letter"])
    await page.evaluate("localStorage.setItem(`${document.getElementById('boards').dataset.key}order`, 'oldest')")
    await page.goto("/b/rowing/")
    await expect(page.locator("#outbox .refused .body")).to_have_text(["second letter", "third letter"])
    await page.locator("#outbox .refused").first.get_by_role("button", name="Send again").click()
    await expect(message(page, "second letter")).to_have_count(1)
    await expect(page.locator("#outbox .refused .body")).to_have_text(["third letter"])
    bodies = [one["body"] for one in server.get("/api/v1/boards/rowing/messages").json()["messages"]]
    assert bodies[-2:] == ["first letter", "second letter"] and "third letter" not in bodies


async def test_what_an_archived_board_refused_is_on_its_page(club, visit):
    """A letter that waited, and a draft: the line on other boards leads to them; discarded, they are gone everywhere."""
    visit.expect(f"{NETWORK}|status of 403")
    server, owner, friend, _ = club
    page = await visit(server, "/b/rowing/", friend, **WIDE)
    await page.context.route("**/add", lambda route: route.abort("connectionreset"))
    await page.fill("#s", "wait for me")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#outbox .late")).to_have_count(1)
    await page.fill("#s", "half a <b>thought</b>")
    await page.goto("/b/lounge/")
    assert owner.api.patch("/api/v1/boards/rowing", json={"archived": True}).status_code == 200
    await page.context.unroute("**/add")
    await page.reload()
    note = page.get_by_text("What you wrote for Rowing was not taken.")
    await note.get_by_role("link").click()
    await page.wait_for_url("**/b/rowing/")
    await expect(page.get_by_text("You wrote this here, and it is not posted")).to_be_visible()
    await expect(page.locator("blockquote")).to_have_text(["wait for me", "half a <b>thought</b>"])
    discard, quote = [await box_of(page.locator(f".elsewhere {one}").first) for one in ("button", "blockquote")]
    assert discard["x"] == quote["x"], "below the words"
    await page.get_by_role("button", name="Discard").click()
    await expect(page.locator("blockquote")).to_have_count(0)
    async with page.expect_response("**/api/v1/boards"):
        await page.goto("/b/lounge/")
    await expect(note).to_have_count(0)
    names = await page.evaluate("Object.keys(localStorage)")
    assert not [name for name in names if re.search("draft/|outbox/", name)]


async def test_nothing_on_a_page_says_who_may_write_on_a_board_that_is_gone(club, visit):
    """It was for others to write on; the reader's invitation ends."""
    visit.expect("status of 404")
    server, owner, friend, hidden = club
    assert owner.api.patch(f"/api/v1/boards/{hidden}", json={"write_by": "moderators"}).status_code == 200
    page = await visit(server, f"/b/{hidden}/", friend, **WIDE)
    await expect(page.get_by_text("Only moderators and the board's owner write here.")).to_be_visible()
    await parked(server, 1)
    assert owner.api.delete(f"/api/v1/boards/{hidden}/members/{friend.username}").status_code == 204
    await expect(page.locator(".alone", has_text="You can't read this board any more")).to_be_visible()
    await expect(page.locator(".invite, .around, .facts, .older:visible")).to_have_count(0)


async def test_words_for_a_board_that_only_moved_are_not_called_lost(club, visit):
    """Its draft is where it was; nothing of it stands elsewhere."""
    server, owner, friend, _ = club
    page = await visit(server, "/b/rowing/", friend)
    await page.fill("#s", "still there")
    await page.goto("/boards")  # which is not live: it hears of nothing
    assert owner.api.patch("/api/v1/boards/rowing", json={"slug": "rowers"}).status_code == 200
    async with page.expect_response("**/api/v1/boards/rowing"):
        await listed_again(page, "/")
    await expect(page.locator("blockquote")).to_have_count(0)
    await page.goto("/b/rowers/")
    await expect(page.locator("#s")).to_have_value("still there")


async def test_an_open_page_is_told_what_becomes_of_its_board(club, visit):
    """A new name and a new line at once, also what tells it apart from another of its name, and who reads it; archived,
    opened again and closed to this reader in words, with the draft kept.
    """
    server, owner, friend, _ = club
    page = await visit(server, "/b/rowing/", friend, **WIDE)
    await comes_true(page, LISTED)
    await parked(server, 1)
    await page.fill("#s", "half a thought")
    change = {"name": "Rowers", "about": "Every day"}
    assert owner.api.patch("/api/v1/boards/rowing", json=change).status_code == 200
    await expect(page.get_by_role("heading", level=1)).to_have_text("Rowers")
    await expect(page.locator(".board-head .about")).to_have_text("Every day")
    await expect(page).to_have_title("Rowers · Riverside")
    make_board(owner, "rowers", "oars")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Rowers (rowing)")
    await expect(page).to_have_title("Rowers (rowing) · Riverside")
    assert owner.api.patch("/api/v1/boards/rowing", json={"name": "ROWERS", "read_by": "members"}).status_code == 200
    await expect(page).to_have_title("ROWERS (rowing) · Riverside")
    await expect(page.get_by_text("Only members can read this.")).to_be_visible()
    assert owner.api.delete("/api/v1/boards/oars", params={"name": "rowers"}).status_code == 204
    await expect(page.get_by_role("heading", level=1)).to_have_text("ROWERS")
    await expect(page).to_have_title("ROWERS · Riverside")
    for writers, words in (("moderators", "Only moderators and the board's owner write here now."), ("members", "Who may write here has changed.")):  # fmt: skip
        assert owner.api.patch("/api/v1/boards/rowing", json={"write_by": writers}).status_code == 200
        await expect(page.get_by_text(words)).to_be_visible()
        await expect(page.get_by_role("button", name="Post")).to_be_enabled(enabled=writers == "members")
    assert owner.api.patch("/api/v1/boards/rowing", json={"archived": True}).status_code == 200
    await expect(page.get_by_text("This board has been archived")).to_be_visible()
    await expect(page.get_by_role("button", name="Post")).to_be_disabled()
    await expect(page.get_by_text("What you wrote is kept.")).to_be_visible()
    assert owner.api.patch("/api/v1/boards/rowing", json={"archived": False}).status_code == 200
    await expect(page.get_by_text("This board is open again.")).to_be_visible()
    await page.get_by_role("link", name="Reload").click()
    await expect(page.locator("#s")).to_have_value("half a thought")
    await expect(page.get_by_role("button", name="Post")).to_be_enabled()


async def test_a_page_that_was_opened_while_its_board_was_archived_says_only_that_it_is_open_again(club, visit):
    """In the place of the words that it is not."""
    server, owner, friend, _ = club
    assert owner.api.patch("/api/v1/boards/rowing", json={"archived": True}).status_code == 200
    page = await visit(server, "/b/rowing/", friend, **WIDE)
    await comes_true(page, LISTED)
    await expect(page.get_by_text("This board is archived.")).to_be_visible()
    await parked(server, 1)
    assert owner.api.patch("/api/v1/boards/rowing", json={"archived": False}).status_code == 200
    await expect(page.get_by_text("This board is open again.")).to_be_visible()
    await expect(page.get_by_text("This board is archived.")).to_have_count(0)
    assert owner.api.patch("/api/v1/boards/rowing", json={"archived": True}).status_code == 200
    await expect(page.get_by_text("This board has been archived")).to_be_visible()


async def test_a_board_that_is_gone_leaves_the_list_before_that_is_read_again(club, visit):
    """On its own page, as soon as that says so."""
    visit.expect("status of 404")
    server, owner, friend, hidden = club
    page = await visit(server, f"/b/{hidden}/", friend, **WIDE)
    await comes_true(page, LISTED)
    await parked(server, 1)
    await visit.hold(page, "**/api/v1/boards")
    assert owner.api.delete(f"/api/v1/boards/{hidden}/members/{friend.username}").status_code == 204
    await expect(page.locator(".alone", has_text="You can't read this board any more")).to_be_visible()
    await expect(entry(page, "Committee")).to_have_count(0)
    await expect(entry(page, "Rowing")).to_have_count(1)


async def test_a_tab_that_missed_word_of_its_board_catches_up(club, visit):
    """The poll was handed over while the word was on its way: from how far the next tab has heard, this one sees it."""
    server, owner, friend, _ = club
    rowing = await visit(server, "/b/rowing/", friend)
    await rowing.evaluate(
        """() => {
            const real = Object.getOwnPropertyDescriptor(MessageEvent.prototype, "data");
            Object.defineProperty(MessageEvent.prototype, "data", {
                configurable: true,
                get() {
                    const data = real.get.call(this);
                    if (!data.word?.boards || window.missed) return data;
                    window.missed = true;
                    return { isLost: true };
                },
            });
        }"""
    )
    first = await another(rowing, "/")
    await parked(server, 1)
    post_on(owner.api, "rowing", "missed")
    await comes_true(rowing, "window.missed")
    post_on(owner.api, "lounge", "for somebody else")
    await expect(message(rowing, "missed")).to_have_count(1)
    await expect(message(first, "missed")).to_have_count(0)


async def test_no_board_is_marked_that_has_nothing_new(club, visit):
    """The first board has the newest message, which a guest has read: another board's page says nothing of it."""
    server, *_ = club
    server.post("the newest of all")
    page = await visit(server, "/", **WIDE)
    await comes_true(page, "localStorage.getItem('read-marks/')?.includes('first')")
    polls = []
    page.on("request", lambda request: polls.append(request.url) if "/get?" in request.url else None)
    await listed_again(page, "/b/rowing/")
    await parked(server, 1)
    await expect(page.locator("#boards a.new")).to_have_count(0)
    assert len([url for url in polls if "/b/rowing/" in url]) == 1, "the first poll was answered at once"


async def test_an_open_page_goes_with_its_board_to_another_address(club, visit):
    """The address, the entry in the list and what is muted; messages come as before."""
    server, owner, friend, _ = club
    page = await visit(server, None, friend, **WIDE)
    await look_at(page, "/b/rowing/")
    await comes_true(page, LISTED)
    await parked(server, 1)
    assert owner.api.patch("/api/v1/boards/rowing", json={"slug": "rowers"}).status_code == 200
    await page.wait_for_url("**/b/rowers/")
    await expect(entry(page, "Rowing")).to_have_attribute("aria-current", "page")
    post_on(owner.api, "rowers", "under the new address")
    await expect(message(page, "under the new address")).to_have_count(1)
    await expect(entry(page, "Rowing")).not_to_have_class("new")


async def test_what_changes_with_a_new_address_and_after_it_is_seen(club, visit):
    """Name, line and address in one change; then who may write, by the next."""
    server, owner, friend, _ = club
    page = await visit(server, "/b/rowing/", friend, **WIDE)
    await comes_true(page, LISTED)
    await parked(server, 1)
    change = {"slug": "rowers", "name": "Rowers", "about": "Every day"}
    assert owner.api.patch("/api/v1/boards/rowing", json=change).status_code == 200
    await page.wait_for_url("**/b/rowers/")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Rowers")
    await expect(page.locator(".board-head .about")).to_have_text("Every day")
    await expect(page).to_have_title("Rowers · Riverside")
    assert owner.api.patch("/api/v1/boards/rowers", json={"write_by": "moderators"}).status_code == 200
    await expect(page.get_by_text("Only moderators and the board's owner write here now.")).to_be_visible()


async def test_a_second_window_on_a_board_that_is_gone_ends_too(club, visit):
    """Another board's window has the poll; this one hears of the list, and asks."""
    visit.expect("status of 404")
    server, owner, friend, hidden = club
    page = await visit(server, f"/b/{hidden}/", friend, **WIDE)
    other = await another(page, "/b/rowing/")
    await comes_true(other, LISTED)
    await parked(server, 1)
    assert owner.api.delete(f"/api/v1/boards/{hidden}/members/{friend.username}").status_code == 204
    await expect(page.locator(".alone", has_text="You can't read this board any more")).to_be_visible()
    await expect(page.locator(".message")).to_have_count(0)
    await expect(other.locator(".message")).to_have_count(1)
