"""What browsers refuse, lack or do each in their own way; tried in the engine that does so."""

import asyncio
import itertools

import pytest
from playwright.async_api import expect

from tests.browser.test_accounts import promoted
from tests.browser.test_tabs import comes_to_front, parked
from tests.browser.test_walk import COUNT, HAS, write
from tests.support.boards import make_board, post_on
from tests.support.browser import BROWSER_TEST, NETWORK, message, scroll
from tests.support.engines import until
from tests.support.people import Person

pytestmark = BROWSER_TEST

TOP = "(id) => document.getElementById(id)?.getBoundingClientRect().top"
STILL = """async (id) => {
    const top = () => document.getElementById(id)?.getBoundingClientRect().top;
    const before = top();
    for (let n = 0; n < 8; n++) await new Promise(requestAnimationFrame);
    return before !== undefined && top() === before;
}"""
"""Articles get their real heights when they come into view."""


NOTE_CLICK = """() => {
    const note = ({ target }) => (sessionStorage.top = target.closest(".message").getBoundingClientRect().top);
    document.addEventListener("click", note, { capture: true });
    return true;
}"""
WHERE_IT_WAS = "(id) => Math.abs(document.getElementById(id)?.getBoundingClientRect().top - sessionStorage.top) <= 2"


def only_in(*engines):
    return pytest.mark.parametrize("engine", engines, indirect=True)


def fill(server, count):
    return [
        f"m{server.post(f'number {number}' + chr(10) * (number % 4) + '.').json()['id']}" for number in range(count)
    ]


async def look_at(page, id):
    await page.evaluate("(id) => { document.getElementById(id).scrollIntoView({ block: 'center' }); return true }", id)
    await until(page, STILL, id)
    return await page.evaluate(TOP, id)


# --- what is there may still be refused


async def test_with_cookies_blocked_the_page_is_live(start, visit_each):
    """Storage, locks and channels are then there to see, and throw or reject when used: in Chromium and Firefox."""
    server = start()
    page = await visit_each(server, cookies=False)
    await until(page, "document.readyState === 'complete'")
    server.post("from elsewhere")
    await until(page, HAS, "from elsewhere")
    await page.fill("#s", "from here")
    await page.press("#s", "Control+Enter")
    await until(page, HAS, "from here")


@only_in("chromium")
async def test_on_plain_http_hidden_tabs_keep_no_request_open(start, visit_each):
    """There are no locks; but a browser has six connections for one board, and eight tabs are all live."""
    server = start(address="127.0.0.1", poll_seconds=2)
    page = await visit_each(server, path=None)
    tabs = []
    for _ in range(8):
        tab = await page.context.new_page()
        await tab.goto(f"http://board.lan:{server.port}/")
        assert not await tab.evaluate("isSecureContext")
        await comes_to_front(tab, *tabs)
        tabs.append(tab)
    await parked(server, 1)
    server.post("to all of you")
    for tab in tabs:
        await until(tab, HAS, "to all of you")
    await comes_to_front(tabs[0], *tabs[1:])
    await parked(server, 1)
    server.post("to whoever looks")
    await until(tabs[0], HAS, "to whoever looks")


# --- a dead server


COUNT_TRIES = """() => {
    window.tries = [];
    const real = window.fetch;
    window.fetch = (url, ...rest) => {
        if (String(url).includes("before=")) window.tries.push(performance.now());
        return real(url, ...rest);
    };
    return true;
}"""


async def test_older_messages_are_asked_for_with_pauses_while_the_server_is_away(start, visit_each):
    """At the end of the page, each failure is followed by a pause; when the server is back, they come."""
    visit_each.expect(NETWORK)
    server = start()
    fill(server, 60)
    page = await visit_each(server)
    await page.evaluate(COUNT_TRIES)
    server.kill()
    await page.evaluate("scrollTo(0, document.body.scrollHeight)")
    await until(page, "tries.length >= 4")
    tries = await page.evaluate("tries")
    assert all(later - sooner > 400 for sooner, later in itertools.pairwise(tries)), tries
    server.start()
    await until(page, f"{COUNT} === 60")


async def test_the_keys_work_after_a_press_while_the_server_was_away(start, visit_each):
    """Their script could not be had then; Firefox, once told so, does not ask for it again under the same address."""
    visit_each.expect(NETWORK)
    server = start()
    page = await visit_each(server)
    server.kill()
    await press_nowhere(page, "j")
    await until(page, "document.querySelector('#sign').textContent === 'Reconnecting…'")
    server.start()
    await until(page, "document.querySelector('#sign').textContent === ''")
    await press_nowhere(page, "?")
    await until(page, "document.querySelector('#keys')?.open")


async def press_nowhere(page, key):
    """As if the key were pressed with nothing in focus."""
    press = (
        "(key) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))"
    )
    await page.evaluate(press, key)


async def test_notifications_can_be_turned_on_after_a_try_while_the_server_was_away(start, visit_each):
    """The button's script could not be had then: pressed again, it turns them on."""
    visit_each.expect(NETWORK)
    server = start()
    page = await visit_each(server)
    await page.evaluate(
        """() => {
            window.Notification = { permission: "granted", requestPermission: async () => "granted" };
            document.getElementById("notify").hidden = false;
            return true;
        }"""
    )
    server.kill()
    await page.click("#notify")
    await until(page, "document.querySelector('#sign').textContent === 'Reconnecting…'")
    server.start()
    await until(page, "document.querySelector('#sign').textContent === ''")
    await page.click("#notify")
    await until(page, "document.querySelector('#notify').getAttribute('aria-pressed') === 'true'")


# --- the place where one reads


async def test_back_from_a_message_one_is_where_one_was(start, visit_each):
    """Far down, where the page has loaded older messages: the message one came from is at the same height."""
    server = start()
    ids = fill(server, 160)
    page = await visit_each(server)
    await until(page, f"(scrollTo(0, document.body.scrollHeight), {COUNT} >= 150)")
    await look_at(page, ids[40])
    await page.evaluate(NOTE_CLICK)
    await page.click(f"#{ids[40]} .permalink")
    await until(page, "location.pathname.startsWith('/m/') && document.readyState === 'complete'")
    await page.go_back()
    await until(page, WHERE_IT_WAS, ids[40])


KEPT = """([id, top]) => {
    const place = history.state?.place;
    const shift = place && document.getElementById(`m${place.id}`).getBoundingClientRect().top - place.top;
    const off = document.getElementById(id)?.getBoundingClientRect().top - top;
    return Math.abs(shift) < 1 && Math.abs(off) < 1;
}"""
"""The place that is kept is the one that is shown, with this message at this height."""
AT = "([id, top]) => Math.abs(document.getElementById(id)?.getBoundingClientRect().top - top) <= 2"


@pytest.mark.parametrize("clicks", [False, True])
async def test_after_a_reload_one_is_where_one_was(start, visit_each, clicks):
    """Far down, where the page has loaded older messages; also if one has clicked elsewhere before."""
    server = start()
    ids = fill(server, 160)
    page = await visit_each(server)
    await until(page, f"(scrollTo(0, document.body.scrollHeight), {COUNT} >= 150)")
    if clicks:
        await look_at(page, ids[120])
        await page.click(f"#{ids[120]} .author")
    top = await look_at(page, ids[40])
    await until(page, KEPT, [ids[40], top])
    await page.reload()
    await until(page, f"{COUNT} >= 120")
    await until(page, AT, [ids[40], top])


async def test_what_goes_above_does_not_move_what_one_reads(start, visit_each):
    """A message deleted above, and one made longer: Safari's engine does not see to the rest by itself."""
    server = start()
    moderator, author = promoted(server), Person(server)
    edited = author.post("to be longer")["id"]
    ids = [f"m{edited}", *fill(server, 40)]
    page = await visit_each(server)
    top = await look_at(page, ids[5])
    moderator.api.delete(f"/api/v1/messages/{ids[30][1:]}")
    await until(page, "(id) => !document.getElementById(id)", ids[30])
    assert abs(await page.evaluate(TOP, ids[5]) - top) <= 1


async def test_a_link_to_a_message_shows_its_head(start, visit_each):
    """Also where messages are not as high as they were taken to be before they came into view."""
    server = start()
    ids = [f"m{server.post(f'low {number}').json()['id']}" for number in range(40)]
    page = await visit_each(server, f"/#{ids[-10]}")
    await until(page, STILL, ids[-10])
    form = "document.getElementById('composer').getBoundingClientRect().bottom"
    await until(
        page, f"(id) => Math.abs(document.getElementById(id).getBoundingClientRect().top - {form} - 8) < 2", ids[-10]
    )


async def test_an_edit_leaves_focus_and_selection_where_they_are(start, visit_each):
    """Of a message that is changed elsewhere, only what differs is touched."""
    server = start()
    ada = Person(server)
    id = ada.post("one two three")["id"]
    page = await visit_each(server)
    await until(page, "document.hasFocus()")
    await page.evaluate(
        """(id) => {
            const article = document.getElementById(id);
            article.querySelector(".permalink").focus();
            const text = article.querySelector(".body").firstChild;
            getSelection().setBaseAndExtent(text, 8, text, 13);
            return true;
        }""",
        f"m{id}",
    )
    ada.api.patch(f"/api/v1/messages/{id}", json={"body": "one, two and three"})
    await until(page, HAS, "one, two and three")
    assert await page.evaluate("getSelection().toString()") == "three"
    assert await page.evaluate("document.activeElement.closest('.message')?.id") == f"m{id}"
    await page.evaluate("document.activeElement.blur()")  # else the message has its tools
    live = await page.evaluate("document.getElementById('messages').innerHTML")
    await page.reload()
    await until(page, "document.querySelector('time')?.title")
    assert await page.evaluate("document.getElementById('messages').innerHTML") == live


NOTE_RESTS = """() => {
    window.movedAt = 0;
    window.rests = [];
    document.addEventListener("pointermove", () => (window.movedAt = performance.now()));
    new MutationObserver(() => window.rests.push(performance.now() - window.movedAt))
        .observe(document.getElementById("messages"), { childList: true });
    return true;
}"""
"""How long the pointer had rested each time that the list of messages changed."""


@only_in("chromium")
@pytest.mark.parametrize("is_away", [False, True], ids=["at the top", "on the way to the top"])
async def test_what_one_is_about_to_click_does_not_move(start, visit_each, is_away):
    """While the pointer moves over the messages, news wait, also on coming back to the top; it rests, and they come."""
    server = start()
    fill(server, 40)
    page = await visit_each(server)
    await parked(server, 1)
    await page.evaluate(NOTE_RESTS)
    if is_away:
        await scroll(page, "end")
    middle = page.viewport_size["height"] / 2
    await page.mouse.move(490, middle)
    await until(page, "movedAt > 0")  # the news may come before the next move
    async with page.expect_response("**/get?*") as answer:
        posted = asyncio.ensure_future(asyncio.to_thread(server.post, "in between"))
        while not answer.is_done():
            for x in (500, 510):
                await page.mouse.move(x, middle)
    await posted
    if is_away:
        await expect(page.locator("#news")).to_have_text("1 new")
        await page.mouse.move(520, middle)
        await scroll(page, 0)
    await until(page, HAS, "in between")
    assert (await page.evaluate("rests"))[0] > 900


# --- keys and input methods


@only_in("chromium")
async def test_escape_while_composing_is_the_input_methods(start, visit_each):
    """It takes back what is being composed; only a further one leaves the box."""
    server = start()
    page = await visit_each(server)
    await press_nowhere(page, "Shift")
    await page.click("#s")
    session = await page.context.new_cdp_session(page)
    await session.send("Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3})
    escape = {"type": "rawKeyDown", "key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 229}
    await session.send("Input.dispatchKeyEvent", escape)
    assert await page.evaluate("document.activeElement.id") == "s"
    await session.send("Input.imeSetComposition", {"text": "", "selectionStart": 0, "selectionEnd": 0})
    await page.keyboard.press("Escape")
    await until(page, "document.activeElement === document.body")


@only_in("chromium")
async def test_keys_of_another_script_do_what_is_at_their_place(start, visit_each):
    """On a Russian keyboard the key of n has т on it; a letter that is Latin goes by what is on the key."""
    server = start()
    page = await visit_each(server)
    press = "([key, code]) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, code, bubbles: true }))"
    await page.evaluate(press, ["т", "KeyN"])
    await until(page, "document.activeElement.id === 's'")
    await page.evaluate("document.activeElement.blur()")
    await page.evaluate(press, ["b", "KeyN"])  # Dvorak
    assert await page.evaluate("document.activeElement === document.body")


# --- times, languages, paper


@only_in("chromium")
async def test_times_follow_the_computer_to_another_zone(start, visit_each):
    """After a journey, old and new messages have the hour of the clock on the wall."""
    server = start()
    page = await visit_each(server, timezone_id=None)
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setTimezoneOverride", {"timezoneId": "Europe/Berlin"})
    await page.reload()
    await write(page, "before the flight")
    await session.send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Kathmandu"})  # no other has its minutes
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await write(page, "after the flight")
    times = await page.evaluate("[...document.querySelectorAll('time')].map((one) => [one.dateTime, one.textContent])")
    own = await page.evaluate(
        """(times) => times.map(([moment]) => new Intl.DateTimeFormat(undefined,
            { hour: "numeric", minute: "2-digit", timeZone: "Asia/Kathmandu" }).format(new Date(moment)))""",
        times,
    )
    assert [text.split()[-1] for _, text in times] == own


@only_in("chromium")
async def test_at_midnight_today_becomes_yesterday_also_where_nothing_is_heard(start, visit_each):
    """In a tab that does not poll, and on pages that stand still."""
    server = start()
    ids = fill(server, 60)
    for path in ("/", f"/?before={ids[55][1:]}"):
        page = await visit_each(server, path=None)
        await page.clock.install()
        await page.goto(path)
        await until(page, "document.querySelector('.day')?.textContent === 'today'")
        await visit_each.hold(page, "**/get?*")
        await page.clock.fast_forward("24:00:00")
        await until(page, "document.querySelector('.day').textContent === 'yesterday'")


@only_in("chromium")
async def test_what_people_write_is_in_no_language_that_we_claim_to_know(start, visit_each):
    """Voices, dictionaries and the shapes of Chinese characters go by the reader's settings: no font is forced on them."""
    server = start()
    Person(server, name="直").post("直骨刃")
    page = await visit_each(server)
    for selector in (".body", ".author", "#s"):
        assert await page.evaluate("(one) => document.querySelector(one).closest('[lang]').lang", selector) == ""
    fonts = await page.evaluate("getComputedStyle(document.querySelector('.body')).fontFamily")
    assert not any(name in fonts for name in ("PingFang", "Hiragino", "YaHei", "CJK")), fonts


@only_in("chromium")
async def test_on_paper_there_are_messages_with_whole_dates_and_nothing_to_press(start, visit_each):
    """No form, no button; each message on one page with its head, however it looks on the screen."""
    server = start()
    server.post("for the record")
    page = await visit_each(server)
    await page.emulate_media(media="print")
    seen = "[...document.querySelectorAll('button, textarea, input, nav, #watching')].filter((one) => one.checkVisibility()).length"
    assert await page.evaluate(seen) == 0
    date, full = await page.evaluate(
        "[getComputedStyle(document.querySelector('time'), '::after').content, document.querySelector('time').title]"
    )
    assert full in date and "202" in full
    assert await page.evaluate("getComputedStyle(document.querySelector('.message')).breakInside") == "avoid"
    person = promoted(server)
    slug = make_board(person, "Rowing", "rowing", rules="Be kind")
    post_on(person.api, slug, "for the record")
    page = await visit_each(server, person=person)
    await page.emulate_media(media="print")
    for path in (f"/b/{slug}/", "/m/1", "/search?q=record"):
        await page.goto(path)
        await expect(message(page, "for the record").first).to_be_visible()
        assert await page.evaluate(seen) == 0, path


async def test_the_checkbox_of_the_keys_stands_apart_from_its_words(start, visit_each):
    """They touched, where nothing but a space was between them."""
    page = await visit_each(start())
    await until(page, "document.readyState === 'complete'")
    await page.click("#help")
    await until(page, "document.querySelector('#keys')?.open")
    gap = await page.evaluate(
        """() => {
            const label = document.querySelector("#keys label"), words = document.createRange();
            words.selectNode(label.lastChild);
            return words.getBoundingClientRect().left - label.firstElementChild.getBoundingClientRect().right;
        }"""
    )
    assert gap >= 4
