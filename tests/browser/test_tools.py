"""The tools at a message: by mouse, keyboard and touch; changing and deleting in place; and what goes wrong there."""

import re

from playwright.async_api import expect

from tests.support.axe import DAY_AND_NIGHT, no_violations
from tests.support.boards import LISTED, make_board, post_on, promote
from tests.support.browser import BROWSER_TEST, NETWORK, box_of, comes_true, is_as_after_reload, is_wide, message
from tests.support.people import Person

pytestmark = BROWSER_TEST

ACTIONS = "(one) => [...one.querySelectorAll('button:not([hidden])')].map((button) => button.title)"


def tool(page, name):
    return page.locator(".toolbar").get_by_role("button", name=name)


async def point_at(page, text):
    await message(page, text).locator(".body").hover()
    await expect(message(page, text).locator(".toolbar")).to_be_visible()


async def use(page, text, name):
    """Points to this message and clicks on this tool of it."""
    await point_at(page, text)
    await tool(page, name).click()


async def edit(page, text):
    """The box in which this message is changed."""
    await use(page, text, "Edit")
    box = page.locator(".in-place textarea")
    await expect(box).to_be_focused()
    return box


async def test_each_sees_the_tools_that_they_may_use(start, visit):
    """A guest, the author, another member, and a moderator; one toolbar goes from message to message."""
    server = start()
    ada, joe, mo = (Person(server, name=name) for name in ("Ada", "Joe", "Mo"))
    promote(server, mo)
    ada.post("by ada")
    joe.post("by joe")
    for person, his in (
        (None, ["Reply", "Copy link", "More"]),
        (joe, ["Reply", "Copy link", "Edit", "Delete", "React", "Thumbs up", "More"]),
        (ada, ["Reply", "Copy link", "React", "Thumbs up", "More"]),
        (mo, ["Reply", "Copy link", "Delete", "Pin", "React", "Thumbs up", "More"]),
    ):
        page = await visit(server, person=person)
        await point_at(page, "by joe")
        assert await page.locator(".toolbar").evaluate(ACTIONS) == his
        await point_at(page, "by ada")
        assert await page.locator(".toolbar").count() == 1
    await page.mouse.move(1, 1)
    await expect(page.locator(".toolbar")).to_have_count(0)
    await is_as_after_reload(page)


async def test_an_archived_board_offers_only_what_can_be_done_there(start, visit):
    """Also a page that was open before, and the page of the message: there its words can only be deleted."""
    server = start()
    owner = promote(server, Person(server, name="Ada"))
    make_board(owner, "Rowing", "rowing")
    id = post_on(owner.api, "rowing", "by ada")["id"]
    page = await visit(server, "/b/rowing/", person=owner)
    await comes_true(page, LISTED)
    await point_at(page, "by ada")
    everything = ["Reply", "Copy link", "Edit", "Delete", "Pin", "React", "Thumbs up", "More"]
    assert await page.locator(".toolbar").evaluate(ACTIONS) == everything
    owner.api.patch("/api/v1/boards/rowing", json={"archived": True})
    await expect(page.locator("#messages")).to_have_attribute("data-archived", "")
    for _ in ("open before", "opened now"):
        await page.mouse.move(1, 1)
        await point_at(page, "by ada")
        actions = await page.locator(".toolbar").evaluate(ACTIONS)
        assert [name for name in actions if name != "Reply"] == ["Copy link", "Delete", "More"]
        await page.goto("/b/rowing/")
    await page.goto(f"/m/{id}")
    await expect(page.locator(f"form[action='/m/{id}/delete']")).to_have_count(1)
    await expect(page.locator(f"form[action='/m/{id}/edit'], form[action='/m/{id}/pin']")).to_have_count(0)


async def test_a_message_is_changed_where_it_stands(start, visit):
    """Others see it at once; Escape leaves it as it was and keeps the words; nothing of the form stays on the page."""
    server = start()
    ada = Person(server, name="Ada")
    for words in ("good mornign", "below and `code`"):
        ada.post(words)
    page, other = await visit(server, person=ada), await visit(server)
    box = await edit(page, "good mornign")
    await expect(box).to_have_value("good mornign")
    await box.fill("good morning to")
    for kept, more in (("good morning to", " you"), ("good morning to you", "")):
        await page.keyboard.press("Escape")
        await expect(box).to_have_count(0)
        await expect(message(page, "good mornign").locator(".permalink")).to_be_focused()
        box = await edit(page, "good mornign")
        await expect(box).to_have_value(kept)
        await expect(page.locator(".in-place .hint")).to_contain_text("These are your words from before")
        await box.press_sequentially(more)
    await page.keyboard.press("Control+Enter")
    for one in (page, other):
        await expect(message(one, "good morning to you").locator(".edited")).to_have_count(1)
    await expect(page.get_by_text("Saved.")).to_have_attribute("role", "status")
    await expect(box).to_have_count(0)
    assert await page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('edit/'))") == []
    await page.evaluate("document.activeElement.blur()")
    await page.mouse.move(1, 1)
    await page.locator(".editing").wait_for(state="detached")
    await is_as_after_reload(page)


SELECTED_AT_ONCE = """
    new MutationObserver((_, one) => {
        const box = document.querySelector(".in-place textarea");
        if (box) one.disconnect(), box.select();
    }).observe(document.getElementById("messages"), { subtree: true, childList: true })
"""


async def test_a_form_that_is_shown_does_not_change_under_who_writes(start, visit):
    """What keeps the words fails to come, and the next time it comes late. Who selects all as soon as they see the form,
    and writes, has written only that; the words of before are there by then."""
    visit.expect(NETWORK)
    server = start()
    ada = Person(server, name="Ada")
    id = ada.post("first words")["id"]
    page = await visit(server, person=ada)
    await (await edit(page, "first words")).fill("words of before")
    await page.keyboard.press("Escape")
    let_go = await visit.hold(page, "**/edit.js*")
    await page.route("**/edit.js*", lambda route: route.abort(), times=1)
    await page.reload()
    await page.evaluate(SELECTED_AT_ONCE)
    await use(page, "first words", "Edit")
    await expect(page.locator(".told")).to_have_text("The board can't be reached. Try again.")
    await expect(page.locator(".in-place")).to_have_count(0)
    async with page.expect_request("**/edit.js*") as asked:
        await use(page, "first words", "Edit")
    let_go.set()
    again = (await asked.value).url
    assert again.endswith("?1"), "Firefox does not ask twice for an address that failed"
    await page.evaluate("(url) => import(url)", again)
    box = page.locator(".in-place textarea")
    await expect(box).to_be_focused()
    await expect(box).to_have_value("words of before")
    await page.keyboard.insert_text("new words")
    await page.get_by_role("button", name="Save").click()
    await expect(box).to_have_count(0)
    assert server.get(f"/api/v1/messages/{id}").json()["body"] == "new words"


async def test_a_reply_takes_the_focus_once(start, visit):
    """At once, so that one can write. Who has gone on to somewhere else by the time that its script comes stays there."""
    server = start()
    server.post("a question")
    page = await visit(server)
    let_go = await visit.hold(page, "**/reply.js*")
    await use(page, "a question", "Reply")
    await expect(page.locator("#s")).to_be_focused()
    name = page.get_by_label("Name")
    await name.focus()
    let_go.set()
    await expect(page.locator(".replying")).to_have_count(1)
    await expect(name).to_be_focused()


async def test_nothing_is_lost_when_an_edit_is_refused(start, visit):
    """Somebody else was first: both texts are shown. Too long: it says so. The server is away: the words stay. The form
    stands where the words stood, above the reactions."""
    visit.expect(f"{NETWORK}|status of 4")
    server = start(message_length=100)
    ada = Person(server, name="Ada")
    id = ada.post("first words")["id"]
    ada.api.put(f"/api/v1/messages/{id}/reactions/heart")
    page = await visit(server, person=ada)
    await expect(page.get_by_role("button", name="1 heart")).to_have_count(1)
    box = await edit(page, "first words")
    await expect(page.locator(".in-place ~ :is(.reactions, .toggles)")).to_have_count(2)
    await box.fill("words of this window")
    ada.api.patch(f"/api/v1/messages/{id}", json={"body": "words of another window"})
    await expect(message(page, "words of another window")).to_have_count(1)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert").locator("blockquote")).to_have_text("words of another window")
    await expect(box).to_have_value("words of this window")
    await box.fill("x" * 200)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("100")
    await box.fill("mine after all")
    server.kill()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("can't be reached")
    server.start()
    await page.get_by_role("button", name="Save").click()
    await expect(message(page, "mine after all")).to_have_count(1)
    assert server.get(f"/api/v1/messages/{id}").json()["body"] == "mine after all"


async def test_words_for_a_message_that_is_deleted_go_into_the_form(start, visit):
    """While somebody changes it, it is gone: the words can be posted; those in the form stay as well."""
    server = start()
    ada = Person(server, name="Ada")
    id = ada.post("short-lived")["id"]
    page = await visit(server, person=ada)
    await page.fill("#s", "a draft")
    box = await edit(page, "short-lived")
    await box.fill("worth keeping")
    ada.api.delete(f"/api/v1/messages/{id}")
    await expect(page.locator("#s")).to_have_value("worth keeping\n\na draft")
    await expect(page.locator(".told")).to_have_text("The message is gone. Your words are in the box.")
    await page.reload()
    await expect(page.locator("#s")).to_have_value("worth keeping\n\na draft")


async def test_a_message_is_deleted_after_one_question(start, visit):
    """The question names the first words. Cancel and Escape leave it; the focus goes on to the next message."""
    server = start()
    ada = Person(server, name="Ada")
    for words in ("it stays", "x" * 100):
        ada.post(words)
    page = await visit(server, person=ada)
    dialog = page.get_by_role("dialog", name="Delete this message?")
    for answer in ("Escape", "Cancel", "Delete"):
        await use(page, "x" * 100, "Delete")
        await expect(dialog.locator("p")).to_have_text("x" * 60 + "…")
        if answer == "Escape":
            await page.keyboard.press("Escape")
        else:
            await dialog.get_by_role("button", name=answer).click()
        await expect(dialog).to_have_count(0)
        await expect(message(page, "x" * 100)).to_have_count(0 if answer == "Delete" else 1)
    await expect(page.get_by_text("Message deleted.")).to_have_attribute("role", "status")
    await expect(message(page, "it stays").locator(".permalink")).to_be_focused()


FOCUSED = "document.activeElement.title || document.activeElement.className || document.activeElement.localName"
IS_AT = "(id) => document.activeElement.matches(`#m${id} :is(.permalink, .toolbar button)`)"


async def walk(page, *steps):
    """Presses each key, and sees what it leads to."""
    for key, name in steps:
        await page.keyboard.press(key)
        assert await page.evaluate(FOCUSED) == name, key


async def test_each_tool_is_reached_by_the_keyboard_alone(start, visit):
    """From a message by Tab, before all that the message has to offer, along by arrows, from right to left as well, back
    by Escape, and to the page by More. What opens at a message gives the focus back to it."""
    server = start()
    ada = Person(server, name="Ada")
    one = ada.post("one")["id"]
    two = ada.api.post("/api/v1/messages", json={"body": "two", "reply_to": one}).json()["id"]
    page = await visit(server, person=ada)
    await page.locator(f"#m{two} .permalink").focus()
    await page.locator(".toolbar").wait_for()
    await walk(
        page, ("Tab", "Reply"), ("ArrowRight", "Copy link"), ("ArrowRight", "Edit"), ("ArrowRight", "Delete"),
        ("ArrowRight", "React"), ("ArrowRight", "Thumbs up"), ("End", "More"), ("Home", "Reply"), ("ArrowLeft", "Reply"),
        ("Escape", "permalink"),
    )  # fmt: skip
    picker, link = page.get_by_role("group", name="React", exact=True), page.locator(f"#m{two} .permalink")
    for key in ("Escape", "Enter"):  # in the picker
        await link.press("Tab")
        await walk(page, ("End", "More"), ("ArrowLeft", "Thumbs up"), ("ArrowLeft", "React"))
        await page.keyboard.press("Enter")
        await expect(picker.get_by_role("button").first).to_be_focused()
        await page.keyboard.press(key)
        await expect(picker).to_have_count(0)
        assert await page.evaluate(IS_AT, two), key
    chip = page.get_by_role("button", name="1 thumbs up")
    await expect(chip).to_have_attribute("aria-pressed", "true")
    assert await page.evaluate(IS_AT, two)
    await link.press("Tab")
    await walk(page, ("Home", "Reply"), *[("ArrowRight", name) for name in ("Copy link", "Edit", "Delete")])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Enter")
    await comes_true(page, IS_AT, two)
    await page.evaluate("document.documentElement.dir = 'rtl'")
    await link.press("Tab")
    await walk(
        page, ("Home", "Reply"), ("ArrowLeft", "Copy link"), ("ArrowRight", "Reply"), ("Tab", "a"), ("Tab", "chip"),
        ("Tab", "permalink"),
    )  # fmt: skip
    await comes_true(page, f"document.querySelector('.toolbar').parentElement.id === 'm{one}'")
    for key in ("Tab", "End", "Enter"):
        await page.keyboard.press(key)
    await expect(page).to_have_url(f"{server.url}/m/{one}")


async def test_a_link_is_copied(start, visit):
    """The address of the message, with a word about it; and of another one by the next click."""
    server = start()
    ids = {words: server.post(words).json()["id"] for words in ("to be linked", "this one, too")}
    page = await visit(server)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for words, id in ids.items():
        await use(page, words, "Copy link")
        await comes_true(page, f"navigator.clipboard.readText().then((text) => text === '{server.url}/m/{id}')")
        await expect(page.locator(".told")).to_have_text("Link copied.")


DOTS = """(id) => {
    const [article, link] = [document.getElementById(id), document.querySelector(`#${id} .permalink`)];
    const { height, width, top } = getComputedStyle(link, "::after");
    const rect = article.getBoundingClientRect();
    const [x, y] = [rect.right - 22, rect.top + parseFloat(top) + 22];
    const isHit = ([right, down]) => link.contains(document.elementFromPoint(x + right, y + down));
    return height === "44px" && width === "44px" && [[-20, 0], [20, 0], [0, -20], [0, 20]].every(isHit);
}"""


COVERED = """(id) => {
    const [bar, range] = [document.querySelector(".toolbar").getBoundingClientRect(), document.createRange()];
    range.selectNodeContents(document.querySelector(`#m${id} .body`));
    return [...range.getClientRects()].some(({ left, right, top, bottom }) =>
        left < bar.right && right > bar.left && top < bar.bottom - 5 && bottom > bar.top + 5);
}"""


async def test_the_toolbar_leaves_words_that_run_against_the_page_alone(start, visit):
    """It is above the end of the message above, on pages of both directions; not above the beginning, or in the middle."""
    server = start()
    ada = Person(server, name="Ada")
    latin, hebrew = "the tide comes in at seven " * 4 + "today", "הגאות מגיעה בשבע " * 6 + "היום"
    page = await visit(server, person=ada, viewport={"width": 760, "height": 700})
    for direction, words in (("rtl", latin), ("ltr", hebrew)):
        below, long = ada.post("x")["id"], ada.post(words)["id"]
        await page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)
        for id in (long, below):
            await page.locator(f"#m{id} .body").hover(position={"x": 1, "y": 12})
            await page.locator(f"#m{id} .toolbar").wait_for()
            assert not await page.evaluate(COVERED, long), (direction, id)


async def test_which_tools_a_message_has_is_not_asked_at_each_move_of_the_pointer(start, visit):
    """Within the words of a message nothing is asked; at its header it is, as it may have changed."""
    server = start()
    server.post("a line of words that is long enough to move along")
    page = await visit(server)
    await point_at(page, "a line of words that is long enough to move along")
    await page.evaluate(
        """() => {
            window.asked = 0;
            const { getItem } = Storage.prototype;
            Storage.prototype.getItem = function (name) { return window.asked++, getItem.call(this, name); };
        }"""
    )
    box = await page.locator("#messages .body").bounding_box()
    for x in range(5):
        await page.mouse.move(box["x"] + 10 + x, box["y"] + box["height"] / 2)
    assert await page.evaluate("window.asked") == 0
    await page.locator("#messages header").hover()
    await comes_true(page, "window.asked > 0")


async def test_where_one_touches_dots_open_a_sheet(start, visit):
    """44 pixels square at each header; at the next message of a group after it was touched. The sheet has all tools."""
    server = start()
    ada = Person(server, name="Ada")
    ids = [f"m{ada.post(words)['id']}" for words in ("one", "two")]
    phone = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
    page = await visit(server, person=ada, **phone)
    await comes_true(page, DOTS, ids[1])
    await page.locator(f"#{ids[1]} .permalink").tap()
    sheet = page.get_by_role("dialog", name=re.compile("^Ada"))
    buttons = sheet.get_by_role("button")
    emoji = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"]
    await expect(buttons).to_have_text([*emoji, "Reply", "Copy link", "Edit", "Delete", "More", "Close"])
    for at in range(14):
        box = await box_of(buttons.nth(at))
        assert min(box["width"], box["height"]) >= 44
    assert not await is_wide(page)
    await no_violations(page)
    await sheet.get_by_role("button", name="Close").tap()
    await expect(sheet).to_have_count(0)
    await page.locator(f"#{ids[0]} .body").tap()
    await expect(page.locator(f"#{ids[0]} .permalink")).to_be_focused()
    await comes_true(page, DOTS, ids[0])
    await page.locator(f"#{ids[0]} .permalink").tap()
    await sheet.get_by_role("button", name="Edit").tap()
    await page.locator(".in-place textarea").fill("one more")
    await page.set_viewport_size({"width": 390, "height": 640})
    ends = [await box_of(page.get_by_role("button", name=name)) for name in ("Cancel", "Save")]
    assert ends[0]["y"] == ends[1]["y"], "they are in one row"
    await page.get_by_role("button", name="Cancel").tap()
    await page.locator(f"#{ids[0]} .body").tap()
    await page.locator(f"#{ids[0]} .permalink").tap()
    await sheet.get_by_role("button", name="Edit").tap()
    assert (await box_of(page.get_by_role("button", name="Start again")))["height"] >= 44
    await page.get_by_role("button", name="Save").tap()
    await expect(message(page, "one more")).to_have_count(1)


async def test_axe_finds_nothing_in_the_tools(start, visit):
    """The toolbar, the question, and the form, by day and by night; in forced colours the toolbar has an edge."""
    server = start()
    ada = Person(server, name="Ada")
    for words in ("one", "two"):
        ada.post(words)
    page = await visit(server, person=ada, reduced_motion="reduce")
    for name in ("Delete", "Edit"):
        await point_at(page, "one")
        await no_violations(page, *DAY_AND_NIGHT)
        await tool(page, name).click()
        await page.locator(".ask, .in-place textarea").wait_for()
        await no_violations(page, *DAY_AND_NIGHT)
        await page.keyboard.press("Escape")
    await page.emulate_media(forced_colors="active")
    await point_at(page, "one")
    edge, sheet = await page.locator(".toolbar").evaluate(
        "(one) => [getComputedStyle(one).borderTopColor, getComputedStyle(one).backgroundColor]"
    )
    assert edge != sheet
