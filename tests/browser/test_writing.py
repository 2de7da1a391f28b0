"""Writing in a real browser: drafts, the outbox, and refusals. No word is lost, doubled, or sent as somebody else."""

import asyncio
import time

import pytest
from playwright.async_api import expect

from tests.browser.test_accounts import sign_in
from tests.support.browser import BROWSER_TEST, NETWORK, comes_true, message, write
from tests.support.people import Person

pytestmark = BROWSER_TEST
DAY_MS = 24 * 3600 * 1000


async def send(page, text):
    await page.wait_for_load_state()  # before, no script listens for keys
    await page.fill("#s", text)
    await page.keyboard.press("Control+Enter")


def long(letter):
    """Too long with its accents only, which the page leaves to the server to count."""
    return letter + "a\u0301 " * 1400


def on_board(server, text):
    return [m for m in server.get("/get").json()["messages"] if m["body"] == text]


async def test_the_tip_stands_on_one_line(server, visit):
    """However narrow the window is, and however long the name beside it."""
    page = await visit(server, person=Person(server, name="Ada Lovelace"))
    await expect(page.locator("#hint")).to_have_text("Ctrl + Enter sends")
    for width in range(300, 500, 10):
        await page.set_viewport_size({"width": width, "height": 600})
        assert await page.evaluate("document.getElementById('hint').getClientRects().length") == 1, width


async def test_a_draft_survives_a_reload_and_closing_the_tab(server, visit):
    """Half a thought is still there after a reload, in the next tab, and gone once it was sent."""
    page = await visit(server)
    await page.locator("#s").press_sequentially("half a tho")
    await page.reload()
    await expect(page.locator("#s")).to_have_value("half a tho")
    other = await page.context.new_page()
    await page.close()
    await other.goto("/")
    await expect(other.locator("#s")).to_have_value("half a tho")
    await other.locator("#s").press_sequentially("ught")
    await other.keyboard.press("Control+Enter")
    await expect(message(other, "half a thought")).to_have_count(1)
    await other.reload()
    await expect(other.locator("#s")).to_have_value("")


async def test_two_tabs_show_one_draft_unless_both_were_written_in(server, visit):
    """What is typed in one tab is in the other, too; words that only one of them has stay."""
    page = await visit(server)
    other = await page.context.new_page()
    await other.goto("/")
    await page.fill("#s", "from the first")
    await expect(other.locator("#s")).to_have_value("from the first")
    await send(page, "from the first, and sent")
    await expect(other.locator("#s")).to_have_value("")
    await other.evaluate("document.getElementById('s').value = 'only here'")
    await page.fill("#s", "something else")
    await comes_true(page, "localStorage.getItem('draft/') === 'something else'")
    await expect(other.locator("#s")).to_have_value("only here")


async def test_a_message_is_shown_at_once_and_the_next_one_can_be_written(server, visit):
    """While the first is still on its way it stands there as such; both arrive, in order, and then look like any other."""
    page = await visit(server)
    let_go = await visit.hold(page, "**/add")
    await send(page, "first of two")
    await send(page, "second of two")
    waiting = page.locator("#outbox .pending .body")
    await expect(waiting).to_have_text(["second of two", "first of two"])
    await expect(page.locator("#outbox .state").first).to_have_text("Sending…")
    await expect(page.locator("#s")).to_be_focused()
    let_go.set()
    await expect(page.locator("#outbox .message")).to_have_count(0)
    assert [await page.locator("#messages .body").nth(n).text_content() for n in (0, 1)] == [
        "second of two",
        "first of two",
    ]


async def test_an_answer_that_got_lost_does_not_double_the_message(server, visit):
    """It is sent again by itself, under the same key: it is on the board once."""
    visit.expect(NETWORK)
    page = await visit(server)

    async def lose_the_answer(route):
        await route.fetch()
        await route.abort("connectionreset")

    await page.route("**/add", lose_the_answer, times=1)
    await send(page, "just once, please")
    await expect(message(page, "just once, please")).to_have_count(1)
    await expect(page.locator("#outbox .message")).to_have_count(0)
    assert len(on_board(server, "just once, please")) == 1


async def test_a_reload_in_the_middle_of_sending_neither_loses_nor_doubles(server, visit):
    """The page is reloaded after the server had the message and before the page knew: it goes out again, as one."""
    page = await visit(server)
    is_there = asyncio.Event()

    async def keep_the_answer(route):
        await route.fetch()
        is_there.set()
        await route.fallback()

    await visit.hold(page, "**/add", times=1)
    await page.route("**/add", keep_the_answer, times=1)
    await send(page, "sent, then reloaded")
    await is_there.wait()
    assert on_board(server, "sent, then reloaded")
    await page.reload()
    await expect(page.locator("#outbox .message")).to_have_count(0)
    await expect(message(page, "sent, then reloaded")).to_have_count(1)
    assert len(on_board(server, "sent, then reloaded")) == 1


async def test_what_was_written_while_the_server_was_away_waits_also_through_a_closed_tab(start, visit):
    """Written offline, the tab closed, the server back: the next tab that opens sends it, once."""
    server = start()
    visit.expect(NETWORK)
    page = await visit(server)
    keeper = await page.context.new_page()
    await keeper.goto("/healthz")  # the browser stays open
    server.kill()
    await send(page, "a letter to the dead")
    await expect(page.locator("#outbox .late .state")).to_contain_text("Not sent yet. Trying again…")
    await page.close()
    server.start()
    await keeper.goto("/")
    await expect(message(keeper, "a letter to the dead")).to_have_count(1)
    await expect(keeper.locator("#outbox .message")).to_have_count(0)
    assert len(on_board(server, "a letter to the dead")) == 1


async def test_an_overloaded_server_gets_the_message_later(server, visit):
    """503 and 429 with Retry-After, and a proxy's own error page, are no refusals: the page tries again."""
    visit.expect("status of (503|429|502)")
    page = await visit(server)
    answers = [
        {"status": 503, "headers": {"Retry-After": "1"}, "body": "{}"},
        {"status": 429, "json": {"error": {"code": "too_many_posts", "message": "Please wait."}}},
        {"status": 502, "body": "<html>Bad Gateway</html>", "content_type": "text/html"},
    ]

    async def answer(route):
        await (route.fulfill(**answers.pop(0)) if answers else route.continue_())

    await page.route("**/add", answer)
    await send(page, "patience is rewarded")
    await expect(message(page, "patience is rewarded")).to_have_count(1)
    assert not answers
    await expect(page.locator("#outbox .message")).to_have_count(0)


async def test_a_refusal_gives_the_text_back_with_the_reason(server, visit):
    """Too long a message is not lost: it is in the box again, with the server's words below, and can be made shorter."""
    visit.expect("status of 422")
    page = await visit(server)
    await page.fill("#s", "x" * 4001)
    await page.get_by_role("button", name="Post").click()
    await expect(page.locator("#hint")).to_have_text("A message may have 4000 characters; this one has 4001.")
    box = page.locator("#s")
    assert await box.get_attribute("aria-invalid") == "true"
    assert "hint" in await box.get_attribute("aria-describedby")
    await expect(box).to_have_value("x" * 4001)
    await expect(box).to_be_focused()
    await expect(page.locator("#outbox .message")).to_have_count(0)
    await box.press("Backspace")
    await expect(box).not_to_have_attribute("aria-invalid", "true")
    await page.get_by_role("button", name="Post").click()
    await expect(message(page, "x" * 4000)).to_have_count(1)


async def test_what_the_server_takes_out_does_not_count(server, visit):
    """Empty lines that are too many go, with the blanks in them: only what is left may be too long."""
    page = await visit(server)
    await page.fill("#s", "above\n" + f"{' ' * 100}\n" * 50 + "below")
    await page.get_by_role("button", name="Post").click()
    await expect(message(page, "above\n\n\nbelow")).to_have_count(1)


async def test_a_refusal_does_not_overwrite_what_one_went_on_to_write(server, visit):
    """It waits above the list, with its reason, through a reload; Edit puts it back, Discard ends it."""
    visit.expect("status of 422")
    page = await visit(server)
    let_go = await visit.hold(page, "**/add", times=2)
    for letter in "yz":
        await send(page, long(letter))
    await page.fill("#s", "meanwhile")
    let_go.set()
    refused = page.locator("#outbox .refused")
    await expect(refused).to_have_count(2)
    await expect(page.locator("#s")).to_have_value("meanwhile")
    await page.reload()
    await expect(refused.first).to_contain_text("A message may have 4000 characters; this one has 4200.")
    await refused.first.get_by_role("button", name="Discard").click()
    await expect(refused).to_have_count(1)
    await refused.get_by_role("button", name="Edit").click()
    await expect(page.locator("#s")).to_have_value(long("y") + "\n\nmeanwhile")
    await expect(refused).to_have_count(0)


async def test_signed_out_the_text_comes_back_to_its_author_and_nobody_else(server, visit):
    """Neither a guest nor the next account in the same browser sends or sees it; its author has it again."""
    visit.expect("status of 401")
    ada, bob = Person(server, name="Ada"), Person(server, name="Bob")
    page = await visit(server, path=None, person=ada)
    await visit.hold(page, "**/get?*")  # its poll hears of nothing
    await page.goto("/")
    ada.browser().post("/account/everywhere")
    await send(page, "only as Ada")
    await expect(page.locator("#sign")).to_contain_text("You have been signed out.")
    await expect(page.locator("#s")).to_have_value("only as Ada")
    await page.unroute("**/get?*")
    for person, name in ((bob, "Bob"), (ada, "Ada")):
        await page.goto("/signin")
        await sign_in(page, person.username)
        await expect(page.locator("#as")).to_have_text(f"Posting as {name}")
        await expect(page.locator("#s")).to_have_value("only as Ada" if person is ada else "")
        await expect(page.locator("#outbox .message")).to_have_count(0)
        if person is bob:
            await page.goto("/signout")
            await page.get_by_role("button", name="Sign out").click()
    await page.keyboard.press("Tab")
    await page.get_by_role("button", name="Post").click()
    await expect(message(page, "only as Ada").locator(".author")).to_have_text("Ada")


async def test_what_a_guest_wrote_is_not_sent_as_a_member(server, visit):
    """Whoever signs in while a guest's message waits is not made its author; the words stay with the guest's page."""
    visit.expect("status of 409")
    ada = Person(server, name="Ada")
    page = await visit(server)
    let_go = await visit.hold(page, "**/add", times=1)
    await send(page, "nobody in particular")
    tab = await page.context.new_page()
    await tab.goto("/signin")
    await sign_in(tab, ada.username)
    await expect(tab.locator("#as")).to_have_text("Posting as Ada")
    await expect(tab.locator("#outbox .message")).to_have_count(0)
    await page.bring_to_front()
    let_go.set()
    await expect(page.locator("#hint")).to_contain_text("You are signed in as somebody else by now.")
    await expect(page.locator("#s")).to_have_value("nobody in particular")
    assert not on_board(server, "nobody in particular")


async def test_what_two_tabs_hold_is_posted_once(server, visit):
    """Both see what waits, and whichever sends it: it is on the board once."""
    page = await visit(server)
    other = await page.context.new_page()
    await other.goto("/")
    let_go = await visit.hold(page.context, "**/add")
    await send(page, "once from two tabs")
    await expect(other.locator("#outbox .pending")).to_have_count(1)
    let_go.set()
    for tab in (page, other):
        await expect(tab.locator("#outbox .message")).to_have_count(0)
        await expect(message(tab, "once from two tabs")).to_have_count(1)
    assert len(on_board(server, "once from two tabs")) == 1


async def test_what_could_not_be_sent_for_a_day_is_not_sent_by_itself(server, visit):
    """An old message may no longer be meant: it waits for its author's hand. Nonsense in the store hurts nobody."""
    page = await visit(server)
    letter = {"text": "see you tonight!", "key": "k" * 32, "at": 0}
    await page.evaluate(
        """([letter, age]) => {
            letter.at = Date.now() - age;
            localStorage.setItem(`outbox//${letter.at}-${letter.key}`, JSON.stringify(letter));
            for (const odd of ["", "null", "{", "[]", '{"text": 1}'])
                localStorage.setItem(`outbox//${odd}`, odd);
        }""",
        [letter, DAY_MS + 60_000],
    )
    await page.reload()
    await expect(page.locator("#outbox .refused")).to_contain_text("This could not be sent when you wrote it.")
    assert not on_board(server, "see you tonight!")
    await page.get_by_role("button", name="Edit").click()
    await page.get_by_role("button", name="Post").click()
    await expect(message(page, "see you tonight!")).to_have_count(1)


async def test_a_letter_under_a_wrong_name_is_sent_once(server, visit):
    """Its name in the store is its own: with another time or key in it than in the letter, it is dropped once it is sent."""
    page = await visit(server)
    posts = []
    page.on("request", lambda request: posts.append(request.post_data) if request.url.endswith("/add") else None)
    await page.evaluate(
        """(at) => localStorage.setItem(`outbox//${at}-${"k".repeat(32)}`,
            JSON.stringify({ text: "under another name", key: "j".repeat(32), at: at + 1 }))""",
        int(time.time() * 1000),
    )
    await page.reload()
    await expect(message(page, "under another name")).to_have_count(1)
    await expect(page.locator("#outbox .message")).to_have_count(0)
    assert len(posts) == 1


@pytest.mark.parametrize("broken", ["throws", "is full"])
async def test_a_browser_that_keeps_nothing_still_sends(server, visit, broken):
    """Without storage, everything is in the tab's memory: messages go out all the same."""
    page = await visit(server, path=None)
    await page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })"
        if broken == "throws"
        else "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }"
    )
    await page.goto("/")
    await write(page, f"kept by nobody, it {broken}")
    await expect(page.locator("#outbox .message")).to_have_count(0)


async def test_what_is_written_looks_as_such_while_on_its_way(server, visit):
    """What waits is shown as it will be: the same elements, never as markup. Where the script that makes them can't be
    loaded, it stands as it was written; the next message tries again."""
    page = await visit(server)
    pending, body = page.locator("#outbox .body"), page.locator("#messages .body").first
    text = "**a** `x < y` [t](https://example.org/) <b>\n> _q_\n- i\n```js\nline\n```"
    visit.expect(NETWORK)
    await page.route("**/markup.js", lambda route: route.abort())
    let_go = await visit.hold(page, "**/add")
    async with page.expect_event("requestfailed"):
        await send(page, text)
    assert await pending.text_content() == text and await pending.locator("strong, b").count() == 0
    let_go.set()
    await expect(body.locator("strong")).to_have_text("a")
    await expect(pending).to_have_count(0)
    let_go = await visit.hold(page, "**/add")
    await send(page, f"{text} end")
    await expect(pending.locator("a")).to_have_text("t (example.org)")
    waited = await pending.inner_html()
    await expect(pending.locator("pre code")).to_have_text("line")
    assert await pending.locator("b").count() == 0
    let_go.set()
    await expect(pending).to_have_count(0)
    await expect(body).to_contain_text("end")
    assert await body.inner_html() == waited and waited.endswith("</pre> end")
    await page.reload()
    assert await body.inner_html() == waited and len(on_board(server, text)) == 1
