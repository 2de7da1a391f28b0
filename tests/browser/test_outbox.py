"""The outbox of a real browser when things go wrong: nothing that waits is stuck, and its author can take it back."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.test_accounts import sign_in
from tests.browser.test_between import PAGE
from tests.browser.test_tabs import comes_to_front
from tests.browser.test_writing import on_board, send
from tests.support.browser import BROWSER_TEST, NETWORK, message, write
from tests.support.people import Person, new_username

pytestmark = BROWSER_TEST


async def refuse(page, text, **answer):
    """What stands in between answers posts of this text in its own way; or not at all, if there is no answer."""
    tries = []

    async def handle(route):
        if text not in (route.request.post_data or ""):
            return await route.fallback()
        tries.append(route.request.url)
        await (route.fulfill(**answer) if answer else route.abort("connectionreset"))

    await page.route("**/add", handle)
    return tries


KEPT = "Object.keys(localStorage).filter((name) => name !== 'last-read/').sort()"
"""What the browser keeps, but for how far a guest has read, which the page notes that comes after signing out."""


PASTES = {"Chinese": "漢" * 34_500, "logs": "a log line " * 30_000, "marks": ("a" + "\u0301" * 50) * 170}


async def test_a_paste_that_is_far_too_long_is_refused_at_once_and_nothing_waits_behind_it(server, visit):
    """It stays in the box with the reason and is never sent; the next message goes out."""
    page = await visit(server)
    posts = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    for what, text in PASTES.items():
        await page.fill("#s", text)
        await page.get_by_role("button", name="Post").click()
        reason = "far more" if what == "marks" else "A message may have 4000"
        await expect(page.locator("#hint")).to_contain_text(reason)
        assert await page.input_value("#s") == text, what
        await expect(page.locator("#s")).to_be_focused()
        assert not posts, what
        await write(page, f"a shorter one instead of {len(text)}")
        await expect(page.locator("#hint")).not_to_contain_text(reason)  # the next one brings its reason
        posts.clear()


async def test_a_letter_that_an_older_page_got_stuck_with_comes_back(server, visit):
    """Found in the outbox, far too long: its author has it back, and what was behind it is sent."""
    page = await visit(server)
    await page.evaluate(
        """(letters) => letters.forEach((text, n) => {
            const letter = { text, key: `${n}`.repeat(32), at: Date.now() + n - 1000 };
            localStorage.setItem(`outbox//${letter.at}-${letter.key}`, JSON.stringify(letter));
        })""",
        ["漢" * 34_500, "was behind it"],
    )
    await page.reload()
    await expect(message(page, "was behind it")).to_have_count(1)
    assert await page.input_value("#s") == "漢" * 34_500
    await expect(page.locator("#outbox .message")).to_have_count(0)


async def test_a_refusal_that_is_not_the_boards_gives_the_words_back(server, visit):
    """A firewall's page of HTML: one try, the words in the box with the reason; nobody is signed out; the next one goes."""
    page = await visit(server)
    for status in (400, 401, 403, 404, 406, 413, 451):
        visit.expect(f"status of {status}")
        tries = await refuse(page, f"forbidden-{status}", status=status, **PAGE)
        await send(page, f"a forbidden-{status} word")
        reason = f"Something on the way to the board has refused this ({status})."
        await expect(page.locator("#hint")).to_have_text(reason)
        await expect(page.locator("#s")).to_have_value(f"a forbidden-{status} word")
        assert len(tries) == 1, status
        await write(page, f"another one after {status}")


POISONS = {
    "200 in HTML": {"status": 200, **PAGE},
    "500 in HTML": {"status": 500, **PAGE},
    "500 of the board": {"status": 500, "json": {"error": {"code": "x", "message": "y"}}},
    "a reset": {},
}


async def test_a_letter_that_never_gets_through_lets_the_next_ones_pass(server, visit):
    """The board answers to others, so it is this one: it waits on, behind them, and can be taken back."""
    visit.expect("status of 500")
    visit.expect(NETWORK)
    page = await visit(server)
    for number, answer in enumerate(POISONS.values()):
        await refuse(page, f"poisoned-{number}", **answer)
        await send(page, f"a poisoned-{number} one")
        behind = f"right behind {new_username()}"
        await send(page, behind)
        await expect(message(page, behind)).to_have_count(1)
        late = page.locator("#outbox .late")
        await expect(late.locator(".body")).to_have_text([f"a poisoned-{number} one"])
        await late.get_by_role("button", name="Discard").click()
        await expect(page.locator("#outbox .message")).to_have_count(0)
        assert not on_board(server, f"a poisoned-{number} one")


CUT_OFF = """() => {
    const ask = window.fetch;
    window.fetch = (url, options) => {
        if (!options?.body) return ask(url, options);
        window.fetch = ask;
        const cut = new ReadableStream({ start: (stream) => stream.error(new TypeError("network error")) });
        return Promise.resolve(new Response(cut, { status: 403 }));
    };
}"""
"""The next post is answered, and the connection is lost before the answer's body has come."""


async def test_an_answer_that_is_cut_off_refuses_nothing(server, visit):
    """Neither the board nor anything on the way has said so: the letter is sent again by itself."""
    page = await visit(server)
    await page.evaluate(CUT_OFF)
    await send(page, words := f"cut off {new_username()}")
    await expect(message(page, words)).to_have_count(1)
    await expect(page.locator("#outbox .message")).to_have_count(0)
    assert on_board(server, words)


async def test_while_nothing_gets_through_the_order_stays(start, visit):
    """The server is away for many tries; what was written then arrives in the order in which it was written."""
    visit.expect(NETWORK)
    server = start()
    page = await visit(server, path=None)
    await page.clock.install()
    await page.goto("/")
    server.kill()
    for text in ("one", "two", "three"):
        await send(page, text)
    for _ in range(10):
        async with page.expect_event("requestfailed", lambda request: request.url.endswith("/add")):
            await page.clock.fast_forward(31_000)
    server.start()
    await page.clock.fast_forward(31_000)
    await expect(page.locator("#outbox .message")).to_have_count(0)
    assert [m["body"] for m in server.get("/get").json()["messages"]] == ["one", "two", "three"]


@pytest.mark.parametrize("press", ["Edit", "Discard"])
async def test_what_waits_can_be_taken_back_from_every_tab(start, visit, press):
    """Sent in anger and the server away: Edit gives it back, Discard ends it, also in a tab that does not send; it never goes out."""
    visit.expect(NETWORK)
    server = start()
    page = await visit(server)
    other = await page.context.new_page()
    await other.goto("/")
    server.kill()
    await send(page, "sent in anger")
    for tab in (page, other):
        await expect(tab.locator("#outbox .late .state")).to_contain_text("Not sent yet. Trying again…")
    await other.bring_to_front()
    await other.get_by_role("button", name=press).click()
    for tab in (page, other):
        await expect(tab.locator("#outbox .message")).to_have_count(0)
    await expect(other.locator("#s")).to_have_value("sent in anger" if press == "Edit" else "")
    server.start()
    await write(other, "sent in peace")
    assert not on_board(server, "sent in anger")


async def lose_the_answer(visit, server, text):
    """The board has it, and the page does not know: until all is let go, it hears of nothing, and no further try gets through."""
    visit.expect(NETWORK)
    page = await visit(server, path=None)
    let_go, tries = await visit.hold(page.context, "**/get?*"), []

    async def handle(route):
        if let_go.is_set():
            return await route.continue_()
        tries.append(1)
        if len(tries) == 1:
            await route.fetch()
        await route.abort("connectionreset")

    await page.context.route("**/add", handle)
    await page.goto("/")
    await send(page, text)
    await expect(page.locator("#outbox .late")).to_have_count(1)
    assert len(on_board(server, text)) == 1
    return page, let_go


@pytest.mark.parametrize("way", ["at once", "after a reload"])
async def test_what_is_edited_after_its_answer_was_lost_is_not_posted_twice(server, visit, way):
    """Online again, the board says that it has the first words; the author decides whether there are to be two."""
    visit.expect("status of 422")
    words = f"got through unnoticed, {way}"
    page, let_go = await lose_the_answer(visit, server, words)
    await page.get_by_role("button", name="Edit").click()
    await expect(page.locator("#s")).to_have_value(words)
    await page.fill("#s", f"{words}, edited")
    if way == "after a reload":
        await page.reload()
    await expect(page.locator("#s")).to_have_value(f"{words}, edited")
    let_go.set()
    await page.get_by_role("button", name="Post").click()
    await expect(page.locator("#hint")).to_contain_text("The board has this already, as you first wrote it.")
    await expect(page.locator("#s")).to_have_value(f"{words}, edited")
    await expect(page.locator("#outbox .message")).to_have_count(0)
    assert len(on_board(server, words)) == 1 and not on_board(server, f"{words}, edited")
    await page.get_by_role("button", name="Post").click()
    await expect(message(page, f"{words}, edited")).to_have_count(1)


async def test_what_another_tab_sends_comes_back_where_its_author_is(server, visit):
    """The tab that sends is out of sight when the board says that it has the first words: they are not in its box."""
    visit.expect("status of 422")
    words = "got through unnoticed, and edited elsewhere"
    page, let_go = await lose_the_answer(visit, server, words)
    await send(page, "keeps the other tab busy")
    other = await page.context.new_page()
    await other.goto("/")
    await comes_to_front(other, page)
    late = other.locator("#outbox .message").filter(has_text=words)
    await late.get_by_role("button", name="Edit").click()
    await expect(other.locator("#s")).to_have_value(words)
    await send(other, f"{words}, twice")  # by the first tab, which still has something to send
    await expect(late).to_have_count(1)
    let_go.set()
    await expect(late.locator(".state")).to_contain_text("The board has this already, as you first wrote it.")
    await expect(page.locator("#s")).to_have_value("")
    await late.get_by_role("button", name="Edit").click()
    await expect(other.locator("#s")).to_have_value(f"{words}, twice")
    await other.get_by_role("button", name="Post").click()
    await expect(message(other, f"{words}, twice")).to_have_count(1)
    assert len(on_board(server, "keeps the other tab busy")) == len(on_board(server, words)) == 1


async def test_what_was_taken_back_and_cleared_has_nothing_to_do_with_what_is_written_next(server, visit):
    """Clearing the box gives the words up: what comes then is another message."""
    page, let_go = await lose_the_answer(visit, server, "cleared after all")
    await page.get_by_role("button", name="Edit").click()
    await page.fill("#s", "")
    let_go.set()
    await write(page, "something else after clearing")
    assert len(on_board(server, "cleared after all")) == 1


async def test_what_is_kept_with_a_draft_and_is_not_ours_is_dropped(server, visit):
    """The draft is still in the box, and becomes a separate message."""
    page = await visit(server)
    for kept in ("5", "{}", '{"key": "theirs"}', "no JSON"):
        await page.evaluate(
            "(kept) => { localStorage['draft/'] = 'kept before'; localStorage['draft//origin'] = kept; }", kept
        )
        await page.reload()
        await expect(page.locator("#s")).to_have_value("kept before")
        await page.fill("#s", f"kept before {kept}")
        assert await page.evaluate("localStorage.getItem('draft//origin')") is None, kept
        async with page.expect_request("**/add") as request:
            await page.get_by_role("button", name="Post").click()
        assert re.search("(^|&)key=[0-9a-f]{32}(&|$)", (await request.value).post_data), kept
        await expect(message(page, f"kept before {kept}")).to_have_count(1)


async def test_messages_that_wait_are_taken_back_one_by_one(server, visit):
    """Two in one box would have two keys, and a message has one; the second stays in the outbox until then."""
    visit.expect("status of 503")
    page = await visit(server)
    await refuse(page, "two", status=503, body="")
    await send(page, "one of two")
    await send(page, "other of two")
    late = page.locator("#outbox .late")
    await expect(late).to_have_count(2)
    await late.filter(has_text="one of two").get_by_role("button", name="Edit").click()
    await expect(page.locator("#s")).to_have_value("one of two")
    await late.get_by_role("button", name="Edit").click()
    await expect(page.locator("#hint")).to_contain_text("first post it, or clear the box")
    await expect(page.locator("#s")).to_have_value("one of two")
    await expect(late.locator(".body")).to_have_text(["other of two"])
    await page.fill("#s", "")
    await late.get_by_role("button", name="Edit").click()
    await expect(page.locator("#s")).to_have_value("other of two")


async def test_what_is_taken_back_while_it_is_being_sent_does_not_come_again(server, visit):
    """Discarded with the answer still out: no answer puts it back among what waits."""
    visit.expect("status of 50[03]|status of 403")
    visit.expect(NETWORK)
    page = await visit(server)
    tries = []
    page.on("request", lambda request: tries.append(request.url) if request.method == "POST" else None)
    await page.route("**/add", lambda route: route.fulfill(status=403, **PAGE))
    let_go = await visit.hold(page, "**/add")
    await page.route("**/add", lambda route: route.fulfill(status=503, body=""), times=1)
    await send(page, "too late?")
    await expect(page.locator("#outbox .late")).to_have_count(1)
    while len(tries) < 2:
        await page.wait_for_timeout(10)
    await page.fill("#s", "the next one")
    await page.get_by_role("button", name="Discard").click()
    let_go.set()
    await expect(page.locator("#outbox .message")).to_have_count(0)
    await page.unroute("**/add")
    await page.evaluate("fetch('/healthz')")  # by then, any answer that was let go is there
    await page.keyboard.press("Tab")
    await page.get_by_role("button", name="Post").click()
    await expect(message(page, "the next one")).to_have_count(1)
    await expect(page.locator("#outbox .message")).to_have_count(0)
    await expect(page.locator("#s")).to_have_value("")


async def test_a_button_keeps_the_focus_while_it_is_tried_again(server, visit):
    """A try that fails like the last one changes nothing on the page."""
    visit.expect("status of 503")
    page = await visit(server)
    tries = await refuse(page, "held", status=503, body="")
    await send(page, "held back")
    discard = page.get_by_role("button", name="Discard")
    await discard.focus()
    had = len(tries)
    while len(tries) < had + 2:
        await page.wait_for_timeout(10)
    await expect(discard).to_be_focused()


async def test_a_clock_that_is_set_forward_makes_nothing_old(start, visit):
    """Two days forward while a message waits: the board's clock says that it was written just now, and it is sent."""
    visit.expect(NETWORK)
    server = start()
    page = await visit(server)
    await write(page, "the clock is right")
    server.kill()
    await send(page, "written just now")
    await expect(page.locator("#outbox .late")).to_have_count(1)
    await page.evaluate("(() => { const now = Date.now; Date.now = () => now() + 2 * 86_400_000 })()")
    server.start()
    await expect(message(page, "written just now")).to_have_count(1)


@pytest.mark.parametrize("way", ["the button", "Ctrl+Enter"])
async def test_without_what_safari_15_lacks_messages_are_sent(server, visit, way):
    """No AbortSignal.timeout, no reason of an abort, no requestSubmit, no locks, no channels."""
    page = await visit(server, path=None)
    await page.add_init_script(
        """delete AbortSignal.timeout; delete AbortSignal.any; delete AbortSignal.prototype.reason;
        delete HTMLFormElement.prototype.requestSubmit; delete window.BroadcastChannel;
        Object.defineProperty(navigator, "locks", { value: undefined });"""
    )
    await page.goto("/")
    await page.fill("#s", f"from an old phone by {way}")
    await (
        page.keyboard.press("Control+Enter") if way != "the button" else page.get_by_role("button", name="Post").click()
    )
    await expect(message(page, f"from an old phone by {way}")).to_have_count(1)
    await expect(page.locator("#outbox .message")).to_have_count(0)


async def test_locks_that_are_refused_hold_nothing_up(server, visit):
    """Chromium with cookies blocked has locks and rejects whoever asks for one."""
    page = await visit(server, path=None)
    await page.add_init_script(
        """const real = LockManager.prototype.request;
        LockManager.prototype.request = function (name, ...rest) {
            return name.startsWith("outbox/") ? Promise.reject(new DOMException("no", "SecurityError")) : real.call(this, name, ...rest);
        };"""
    )
    await page.goto("/")
    await write(page, "no lock for this one")


# --- guests who sign in


async def test_a_guests_draft_is_there_after_signing_in(server, visit):
    """Typed first, signed in for it then: it is in the box, and says so; a member's own draft is not touched."""
    ada = Person(server, name="Ada")
    page = await visit(server)
    await page.fill("#s", "a long thought of a guest")
    await page.get_by_role("link", name="Sign in").click()
    await sign_in(page, ada.username)
    await expect(page.locator("#s")).to_have_value("a long thought of a guest")
    await expect(page.locator("#hint")).to_have_text("You wrote this before you signed in.")
    await page.reload()
    await expect(page.locator("#s")).to_have_value("a long thought of a guest")
    assert await page.evaluate("localStorage.getItem('draft/')") is None


async def test_words_refused_to_a_guest_who_is_somebody_by_now_survive_the_reload(server, visit):
    """Signed in in another tab: the first says “Reload the page”, and after it the words are there."""
    visit.expect("status of 409")
    ada = Person(server, name="Ada")
    page = await visit(server)
    tab = await page.context.new_page()
    await tab.goto("/signin")
    await sign_in(tab, ada.username)
    await expect(tab.locator("#as")).to_have_text("Posting as Ada")
    await page.bring_to_front()
    await send(page, "posted by the wrong tab")
    await expect(page.locator("#hint")).to_contain_text("Reload the page to go on as them.")
    await page.reload()
    await expect(page.locator("#s")).to_have_value("posted by the wrong tab")
    await expect(page.locator("#as")).to_have_text("Posting as Ada")


async def test_what_a_guest_left_in_the_outbox_is_shown_to_who_signs_in_and_never_sent(server, visit):
    """Its tab is gone; no tab could send it as a guest's any more, and none sends it as a member's."""
    ada = Person(server, name="Ada")
    page = await visit(server)
    let_go = await visit.hold(page, "**/add", times=1)
    await send(page, "left behind by a guest")
    await page.goto("/signin")
    await sign_in(page, ada.username)
    refused = page.locator("#outbox .refused")
    await expect(refused).to_contain_text("You wrote this before you signed in.")
    let_go.set()
    assert not on_board(server, "left behind by a guest")
    await refused.get_by_role("button", name="Edit").click()
    await expect(page.locator("#s")).to_have_value("left behind by a guest")


# --- signing out


@pytest.mark.parametrize("keeps", [False, True], ids=["goes", "stays"])
async def test_signing_out_takes_unsent_words_along_unless_they_are_to_stay(server, visit, keeps):
    """The page to sign out says that there are some, also on the way from the account's page."""
    ada = Person(server, name="Ada")
    id = ada.post("to be edited")["id"]
    page = await visit(server, f"/m/{id}", person=ada)
    await page.get_by_label("Your message").fill("half an edit")
    await page.goto("/")
    await page.fill("#s", "half a thought")
    await page.evaluate("(name) => localStorage.setItem(name, '{}')", f"draft/{ada.username}/origin")
    await page.goto("/account")
    await page.get_by_role("button", name="Sign out", exact=True).first.click()
    await expect(page).to_have_url(f"{server.url}/signout")
    choice = page.get_by_label("Keep them here for when I sign in again")
    await expect(choice).to_be_visible()
    if keeps:
        await choice.check()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("navigation")).to_have_text("Sign in")
    left = await page.evaluate(KEPT)
    assert left == (
        [f"draft/{ada.username}", f"draft/{ada.username}/origin", f"edit/{ada.username}/{id}"] if keeps else []
    )


async def test_signing_out_with_nothing_unsent_asks_nothing(server, visit):
    """One press, as ever; and what is another account's stays."""
    page = await visit(server, person=Person(server, name="Ada"))
    await page.evaluate("localStorage.setItem('draft/somebody', 'else')")
    await page.goto("/account")
    await page.get_by_role("button", name="Sign out", exact=True).first.click()
    await expect(page.get_by_role("navigation")).to_have_text("Sign in")
    assert await page.evaluate(KEPT) == ["draft/somebody"]


# --- small things


async def test_ctrl_enter_held_down_sends_once_and_complains_of_nothing(server, visit):
    """The key repeats over the box that is empty by then."""
    page = await visit(server)
    await page.fill("#s", "with a heavy hand")
    await page.evaluate("document.querySelector('#s').addEventListener('invalid', () => (window.wasInvalid = true))")
    await page.keyboard.down("Control")
    for _ in range(5):
        await page.keyboard.down("Enter")
    await expect(message(page, "with a heavy hand")).to_have_count(1)
    assert not await page.evaluate("window.wasInvalid")


@pytest.mark.parametrize("where", ["board", "edit"])
async def test_a_file_dropped_beside_the_box_or_a_pasted_picture_is_answered_in_words(server, visit, where):
    """The page stays, with what was typed in it; pasted text that comes with a picture is pasted."""
    ada = Person(server)
    page = await visit(server, "/" if where == "board" else f"/m/{ada.post('x')['id']}", person=ada)
    hint = page.locator("#hint" if where == "board" else "#s-hint")
    await page.fill("#s", "typed before")
    throw = """([name, types]) => {
        const data = new DataTransfer();
        data.items.add(new File(["x"], "cat.png", { type: "image/png" }));
        if (types) data.setData("text/plain", "words");
        const options = { bubbles: true, cancelable: true };
        const event = name === "paste" ? new ClipboardEvent(name, { ...options, clipboardData: data })
            : new DragEvent(name, { ...options, dataTransfer: data });
        return document.querySelector(name === "paste" ? "#s" : "main").dispatchEvent(event);
    }"""
    assert await page.evaluate(throw, ["dragover", False]) is False
    assert await page.evaluate(throw, ["drop", False]) is False, "the browser would open it"
    await expect(hint).to_contain_text("A message is text only.")
    await page.locator("#s").press("End")
    await page.locator("#s").press_sequentially("!")
    await expect(hint).not_to_contain_text("A message is text only.")
    assert await page.evaluate(throw, ["paste", True]) is True
    await expect(hint).not_to_contain_text("A message is text only.")
    await page.evaluate(throw, ["paste", False])
    await expect(hint).to_contain_text("A message is text only.")
    await expect(page.locator("#s")).to_have_value("typed before!")


async def test_a_browser_without_room_for_a_draft_says_so(server, visit):
    """localStorage is full: the hint says what a reload would do, and the newest words are the ones that are sent."""
    page = await visit(server)
    await page.fill("#s", "kept")
    await page.evaluate(
        "for (let n = 0, big = 'x'.repeat(2 ** 20); big.length; n++) try { localStorage[n] = big } catch { big = big.slice(big.length / 2 + 1) }"
    )
    await page.fill("#s", "kept, and much more that has no room " + "y" * 200)
    await expect(page.locator("#hint")).to_contain_text("This browser has no room left to keep a draft")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#messages .body").first).to_contain_text("kept, and much more that has no room")
    await expect(page.locator("#s")).to_have_value("")
