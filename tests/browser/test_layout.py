"""How the board's page is laid out: runs, faces, what stays in view, and how much fits."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.test_tabs import parked
from tests.support.boards import promote
from tests.support.browser import BROWSER_TEST, box_of, comes_true, is_as_after_reload, is_wide, message, scroll, write
from tests.support.people import Person

pytestmark = BROWSER_TEST

WHOLE = """() => {
    const covered = document.getElementById("composer").getBoundingClientRect().bottom;
    const rects = [...document.querySelectorAll(".message")].map((one) => one.getBoundingClientRect());
    return rects.filter(({ top, bottom }) => top >= covered && bottom <= innerHeight).length;
}"""
"""How many messages are whole between the form and the end of the window."""
FACED = "[...document.querySelectorAll('.message')].map((one) => one.querySelector('.face').checkVisibility())"
GAPS = """() => {
    const rects = [...document.querySelectorAll(".message")].map((one) => [
        one.querySelector(".face").checkVisibility() ? one.querySelector("header") : one.querySelector(".body"),
        one.querySelector(".body"),
    ]);
    return rects.slice(1).map(([top], at) =>
        Math.round(top.getBoundingClientRect().top - rects[at][1].getBoundingClientRect().bottom));
}"""
"""The pixels between the words of a message and what is below them."""


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desk", "phone"])
async def test_nine_messages_are_whole_with_the_form_in_view(start, visit, size):
    """At the top of the page and further down: each of one line, with its header."""
    server = start()
    for number in range(30):
        server.post(f"number {number}")
    page = await visit(server, viewport={"width": size[0], "height": size[1]}, has_touch=size[0] < 500)
    for y in (0, 300):
        await scroll(page, y)
        assert await page.evaluate(WHOLE) >= 9, y
        await expect(page.get_by_label("Your message")).to_be_in_viewport(ratio=1)
    assert not await is_wide(page)
    await scroll(page, 0)
    ada = Person(server, name="Ada Byron of the Boathouse")
    ada.api.post("/api/v1/messages", json={"body": "yes", "reply_to": ada.post("ok")["id"]})
    author = page.locator(".quote bdi")
    await expect(author).to_have_text("Ada Byron of the Boathouse")
    assert await author.evaluate("(one) => one.scrollWidth <= one.clientWidth"), "there is room for the name"
    heights = await page.evaluate("[...document.querySelectorAll('.around button')].map((one) => one.offsetHeight)")
    assert {height for height in heights if height} == {44 if size[0] < 500 else 28}
    form, button = [await box_of(page.locator(name)) for name in ("#composer", "#composer button")]
    assert button["y"] - form["y"] >= 4, "the button is not at the corner"


async def test_runs_are_right_after_all_that_happens_on_the_page(start, visit):
    """After arrivals, a deletion in between and an edit: as the server makes them, with the gaps that a run has."""
    server = start()
    ada, joe = Person(server, name="Ada Byron"), Person(server, name="Joe")
    first = ada.post("the first")
    page = await visit(server)
    ada.post("the second")
    between = joe.post("in between")
    ada.post("the third")
    await expect(message(page, "the third")).to_have_count(1)
    await comes_true(page, f"JSON.stringify({FACED}) === '[true,true,true,false]'")
    joe.api.delete(f"/api/v1/messages/{between['id']}")
    await comes_true(page, f"JSON.stringify({FACED}) === '[true,false,false]'")
    ada.api.patch(f"/api/v1/messages/{first['id']}", json={"body": "the edited"})
    await expect(message(page, "the edited")).to_have_count(1)
    await expect(page.locator(f"#m{first['id']} .edited")).to_be_visible()
    await expect(page.locator(f"#m{first['id']}")).to_have_accessible_name(re.compile(r"^Ada Byron [\d:]+ edited$"))
    server.post("one guest")
    server.post("another guest")
    await expect(message(page, "another guest")).to_have_count(1)
    await is_as_after_reload(page)
    assert await page.evaluate(FACED) == [True, True, True, False, False]
    assert await page.evaluate(GAPS) == [8, 8, 2, 2]


SEEN = """() => [...document.querySelectorAll(".next")].map((one) => {
    const [body, whole] = [one.querySelector(".body"), one].map((part) => part.getBoundingClientRect());
    const seen = [...one.querySelector("header").children].filter((part) => getComputedStyle(part).clipPath === "none");
    return seen.map((part) => {
        const { left, right } = part.getBoundingClientRect();
        const isBeside = left >= whole.left && right <= whole.right && (right <= body.left || left >= body.right);
        return `${part.className} ${isBeside}`;
    });
})"""
"""What of the header of each next message of a run can be seen, and whether it is beside the words."""


@pytest.mark.parametrize("size", [(1280, 800), (320, 640)], ids=["desk", "phone"])
async def test_only_the_time_and_edited_stand_beside_a_next_message(start, visit, size):
    """Not the moderator's sign, nor the username, nor that it mentions the reader; from left and from right, live too."""
    server = start()
    ada, joe = Person(server, name="Ada Byron"), Person(server, name="Ada Вyron", username="joe_" + "x" * 26)
    promote(server, ada)
    for person in (ada, joe):
        for words in ("the first", "Nobody knows it", "Everybody @all"):
            id = person.post(words)["id"]
            if words == "Nobody knows it":
                person.api.patch(f"/api/v1/messages/{id}", json={"body": "Everybody knows it"})
    page = await visit(server, person=ada, viewport={"width": size[0], "height": size[1]}, has_touch=size[0] < 500)
    joe.post("live")
    await expect(message(page, "live")).to_have_count(1)
    for direction in ("ltr", "rtl"):
        await page.evaluate("(to) => (document.documentElement.dir = to)", direction)
        plain, edited = ["permalink true"], ["permalink true", "edited true"]
        assert await page.evaluate(SEEN) == [plain, edited, plain, edited, plain], direction
        assert not await is_wide(page)
    order = "[...document.querySelectorAll('#m3 header > *')].map((part) => part.getBoundingClientRect().left)"
    lefts = await page.evaluate(order)
    is_in_one_line = size[0] > 500
    assert not is_in_one_line or lefts == sorted(lefts, reverse=True), "each part is left of the one before it"
    await expect(message(page, "the first").first).to_have_accessible_name(re.compile(r"^Ada Вyron @joe_x+ [\d:]+"))


async def test_a_message_is_named_by_author_and_time_also_where_its_header_is_left_out(start, visit):
    """For a screen reader; its link too. The time shows when it is pointed to or has the focus."""
    server = start()
    ada = Person(server, name="Ada Byron")
    ids = [ada.post(words)["id"] for words in ("below", "above")]
    page = await visit(server, person=ada)
    await write(page, "from the page")
    for name in ("from the page", "above", "below"):
        article = message(page, name)
        time = await article.locator("time").text_content()
        await expect(article).to_have_accessible_name(f"Ada Byron {time}")
        await expect(article.locator(".permalink")).to_have_accessible_name(f"Ada Byron {time}")
    shows = "(id) => getComputedStyle(document.querySelector(`#m${id} .permalink`)).opacity"
    assert await page.evaluate(shows, ids[0]) == "0"
    await page.locator(f"#m{ids[0]} .permalink").focus()
    assert await page.evaluate(shows, ids[0]) == "1"
    await page.locator(f"#m{ids[1]} .body").hover()
    assert await page.evaluate(shows, ids[1]) == "1"
    assert not await page.locator("img").count()  # a face needs no request


async def test_faces_are_the_same_from_the_server_and_from_the_page(start, visit):
    """The letters and the hue, for names of many scripts."""
    server = start()
    page = await visit(server)
    for name in ("小林 さくら", "(Joe) O'Brien-7", "🦊 Fox", "ليلى", "ßeta Éa", "İpek"):
        Person(server, name=name).post(f"by {name}")
        await expect(message(page, f"by {name}")).to_have_count(1)
    assert len(set(await page.locator(".face").evaluate_all("(all) => all.map((one) => one.className)"))) == 6
    await is_as_after_reload(page)


async def test_what_has_the_focus_is_not_hidden_under_what_stays_in_view(start, visit):
    """Going up with the Tab key and by k, also while the form has many lines."""
    server = start()
    for number in range(40):
        server.post(f"number {number}")
    page = await visit(server)
    await page.fill("#s", "line\n" * 6)
    await page.locator(".message .permalink").nth(25).focus()
    await page.evaluate("document.activeElement.scrollIntoView({ block: 'start' })")
    covered = """() => {
        const form = document.getElementById("composer").getBoundingClientRect();
        return form.bottom - document.activeElement.getBoundingClientRect().top;
    }"""
    for key in ["Shift+Tab"] * 4 + ["k"] * 4:
        await page.keyboard.press(key)
        assert await page.evaluate("document.activeElement.className") == "permalink", key
        assert await page.evaluate(covered) <= 0, key


async def test_one_writes_from_far_down_without_losing_the_place_and_sees_what_one_has_posted(start, visit):
    """Typing in the form, which stays in view, scrolls nothing; posting leads to where the words are shown."""
    server = start()
    for number in range(40):
        server.post(f"number {number}")
    page = await visit(server)
    await scroll(page, "end")
    oldest = message(page, "number 0")
    before = await box_of(oldest)
    await page.keyboard.press("n")
    await expect(page.locator("#s")).to_be_focused()
    await page.keyboard.type("from far down")
    assert (await box_of(oldest))["y"] == before["y"]
    await page.keyboard.press("Control+Enter")
    await expect(message(page, "from far down")).to_be_in_viewport()


async def test_own_words_show_at_once_while_the_pointer_moves_over_the_messages(start, visit):
    """News wait until it rests. One's own words don't, also if the poll brings them before the answer to posting them."""
    server = start()
    server.post("already there")
    page = await visit(server)
    await parked(server, 1)
    await page.evaluate(
        """setInterval(() => document.getElementById("messages").dispatchEvent(new Event("pointermove")), 50)"""
    )

    async def answer_late(route):
        response = await route.fetch()
        await expect(page.locator("#outbox article")).to_be_hidden()  # the poll has brought the message
        assert await page.locator("#messages article").count() == 1
        await route.fulfill(response=response)

    await page.route("**/add", answer_late, times=1)
    await page.fill("#s", "my own words")
    await page.keyboard.press("Control+Enter")
    await expect(message(page, "my own words")).to_be_in_viewport()


async def test_a_title_and_a_name_of_any_length_leave_the_way_in_whole(start, visit):
    """On the smallest phone the title is cut at one line, and “Sign in” never is."""
    server = start(title="Our Village Boards and Much More")
    phone = {"viewport": {"width": 320, "height": 640}}
    page = await visit(server, **phone)
    link = page.get_by_role("link", name="Sign in")
    await expect(link).to_be_in_viewport(ratio=1)
    assert await link.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    title = page.locator(".brand span")
    assert await title.evaluate("(one) => one.offsetHeight < 2 * parseFloat(getComputedStyle(one).lineHeight)")
    assert (await box_of(page.locator(".top")))["height"] == 56
    assert not await is_wide(page)


async def test_nothing_stays_in_view_where_there_is_little_room(start, visit):
    """At 200 % zoom, and on a phone on its side: the head and the form go up with the page. On paper as well."""
    server = start()
    for number in range(30):
        server.post(f"number {number}")
    page = await visit(server, viewport={"width": 640, "height": 400})
    await scroll(page, 400)
    for part in (".top", "#composer"):
        await expect(page.locator(part)).not_to_be_in_viewport()
    await page.set_viewport_size({"width": 640, "height": 800})
    await scroll(page, 400)
    for part in (".top", "#composer"):
        await expect(page.locator(part)).to_be_in_viewport(ratio=1)
    await page.emulate_media(media="print")
    assert await page.locator(".top").evaluate("(one) => getComputedStyle(one).position") == "static"
    await expect(page.locator("#composer")).to_be_hidden()
