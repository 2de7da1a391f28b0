"""Many tabs of one browser, and pages that slept: one poll for all of them, and nothing missed."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.test_accounts import sign_in
from tests.support.browser import BROWSER_TEST, NETWORK, comes_true, is_as_after_reload, message, write
from tests.support.people import Person, client
from tests.support.server import until

pytestmark = BROWSER_TEST
TOKEN = "m" * 40


async def another(page, path="/"):
    """A further tab of the same browser."""
    tab = await page.context.new_page()
    await tab.goto(path)
    return tab


async def comes_to_front(tab, *others):
    """Headless, every page thinks it is looked at; so they are told who is."""
    for page in (*others, tab):
        await page.evaluate(
            """(state) => {
                Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
                Object.defineProperty(document, "hidden", { value: state === "hidden", configurable: true });
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            "visible" if page is tab else "hidden",
        )


async def parked(server, count):
    """Waits in a thread: the browser's events go on meanwhile."""
    await asyncio.to_thread(server.until_parked, count)


async def test_eight_tabs_share_one_poll(start, visit):
    """More tabs than a browser allows connections, and every one is live, on a single parked poll."""
    server = start()
    first = await visit(server)
    tabs = [first, *[await another(first) for _ in range(7)]]
    await parked(server, 1)
    server.post("to all of you")
    for tab in tabs:
        await expect(message(tab, "to all of you")).to_have_count(1)
    await parked(server, 1)
    await write(tabs[3], "from one of you")
    for tab in tabs:
        await expect(message(tab, "from one of you")).to_have_count(1)
    await parked(server, 1)
    for tab in (tabs[0], tabs[-1]):
        await is_as_after_reload(tab)


async def test_the_tab_that_is_looked_at_polls_and_when_it_closes_another_does(start, visit):
    """The poll moves with its reader's eyes, and never stops while a tab is left."""
    server = start()
    one = await visit(server)
    two = await another(one)
    three = await another(one)
    polls = {tab: [] for tab in (one, two, three)}
    for tab, seen in polls.items():
        tab.on("request", lambda request, seen=seen: seen.append(request.url) if "/get?" in request.url else None)
    for tab, others, text in ((one, (two, three), "looked at the first"), (two, (one, three), "looked at the second")):
        await comes_to_front(tab, *others)
        while not polls[tab]:
            await tab.wait_for_timeout(10)
        await parked(server, 1)
        polls[three].clear()
        server.post(text)
        await expect(message(three, text)).to_have_count(1)
        assert not polls[three]
    await two.close()
    await parked(server, 1)
    server.post("looked at none")
    for tab in (one, three):
        await expect(message(tab, "looked at none")).to_have_count(1)
    await one.close()
    await parked(server, 1)
    server.post("the last one")
    await expect(message(three, "the last one")).to_have_count(1)


async def test_a_tab_that_missed_a_broadcast_catches_up_by_itself(start, visit):
    """From the cursor that is told after each poll it sees that something is missing, and asks for it."""
    server = start()
    one = await visit(server)
    two = await another(one)
    await parked(server, 1)
    # What two does not hear: its channel is deaf for one message.
    await two.evaluate(
        """() => {
            const deaf = (event) => event.stopImmediatePropagation();
            const real = Object.getOwnPropertyDescriptor(MessageEvent.prototype, "data");
            Object.defineProperty(MessageEvent.prototype, "data", {
                configurable: true,
                get() {
                    const data = real.get.call(this);
                    return data.from && !window.missed ? ((window.missed = true), { state: "back" }) : data;
                },
            });
        }"""
    )
    await comes_to_front(one, two)
    await parked(server, 1)
    server.post("missed")
    await expect(message(one, "missed")).to_have_count(1)
    await comes_true(two, "window.missed")
    await expect(message(two, "missed")).to_have_count(1)
    server.post("heard")
    await expect(message(two, "heard")).to_have_count(1)
    await is_as_after_reload(two)


async def test_without_locks_or_channels_each_tab_polls(start, visit):
    """On plain http, where browsers have no locks, every tab is live all the same."""
    server = start()
    page = await visit(server, path=None)
    await page.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    await page.goto("/")
    other = await another(page)
    await parked(server, 2)
    await write(page, "no locks here")
    await expect(message(other, "no locks here")).to_have_count(1)


@pytest.mark.parametrize("reading", ["public", "members"])
async def test_when_signed_out_all_tabs_stop_and_clear_and_go_on_after_signing_in(start, visit, reading):
    """No tab shows anything any more; once one has signed in again, the others come back by themselves."""
    server = start(reading=reading, metrics_token=TOKEN)
    visit.expect("status of 401")
    person = Person(server, name="Ada")
    person.post("for members' eyes")
    one = await visit(server, person=person)
    tabs = [one, await another(one), await another(one)]
    for tab in tabs:
        await expect(message(tab, "for members' eyes")).to_have_count(1)
    monitor = client(server, TOKEN)
    await asyncio.to_thread(until, lambda: monitor.get("/healthz").json()["parked"] == 1)
    person.browser().post("/account/everywhere")
    for tab in tabs:
        await expect(tab.locator("#sign")).to_contain_text("You have been signed out.")
        await expect(tab.locator(".message")).to_have_count(0)
        await expect(tab.get_by_text("It is quiet here.")).to_have_count(0)
    assert monitor.get("/healthz").json()["parked"] == 0
    await tabs[1].locator("#sign").get_by_role("link", name="Sign in").click()
    await sign_in(tabs[1], person.username)
    for tab in tabs:
        await expect(message(tab, "for members' eyes")).to_have_count(1)
        await expect(tab.locator("#sign")).to_be_empty()
    await write(tabs[2], "all back")
    for tab in tabs:
        await expect(message(tab, "all back")).to_have_count(1)


# --- sleep


async def freeze(page, state):
    session = await page.context.new_cdp_session(page)
    await session.send("Page.setWebLifecycleState", {"state": state})


async def test_a_page_that_slept_is_right_once_it_wakes(start, visit):
    """Frozen and offline for ten minutes, the server killed and started again meanwhile, posts, an edit, a deletion."""
    server = start()
    visit.expect(NETWORK)
    ada = Person(server, name="Ada")
    kept, gone = ada.post("to be edited"), ada.post("to be deleted")
    page = await visit(server, path=None)
    await page.clock.install()
    await page.goto("/")
    await expect(message(page, "to be deleted")).to_have_count(1)
    await parked(server, 1)
    await page.context.set_offline(True)
    server.kill()
    await page.clock.fast_forward("05:00")
    await expect(page.locator("#sign")).to_have_text("Reconnecting…")
    await freeze(page, "frozen")
    server.start()
    ada.api = client(server, ada.sign_in())
    ada.post("while you slept")
    ada.api.patch(f"/api/v1/messages/{kept['id']}", json={"body": "edited"})
    ada.api.delete(f"/api/v1/messages/{gone['id']}")
    await freeze(page, "active")
    await page.clock.fast_forward("05:00")
    assert await message(page, "while you slept").count() == 0
    await page.context.set_offline(False)
    await expect(message(page, "while you slept")).to_have_count(1)
    await expect(message(page, "edited")).to_have_count(1)
    await expect(message(page, "to be deleted")).to_have_count(0)
    await page.clock.fast_forward("00:10")
    await expect(page.locator("#sign")).to_be_empty()
    await is_as_after_reload(page)


async def test_a_page_that_was_left_and_comes_back_is_live_again(start, visit):
    """Away to another page and back by the Back button: it shows what happened meanwhile, and polls."""
    server = start()
    page = await visit(server)
    await parked(server, 1)
    await page.goto("/signin")
    await parked(server, 0)
    server.post("behind your back")
    await page.go_back()
    await expect(message(page, "behind your back")).to_have_count(1)
    await parked(server, 1)
    server.post("before your eyes")
    await expect(message(page, "before your eyes")).to_have_count(1)
