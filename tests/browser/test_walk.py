"""The walk over the board in each browser engine: Chromium, Firefox and WebKit, which are those of nearly all browsers."""

import asyncio

from tests.browser.test_boards import parked as parked_on_boards
from tests.browser.test_tabs import TOKEN, parked
from tests.support.boards import LISTED, invite, make_board, promote
from tests.support.browser import BROWSER_TEST, NETWORK
from tests.support.engines import until
from tests.support.people import PASSWORD, Person, new_username

pytestmark = BROWSER_TEST

HAS = """(text) => [...document.querySelectorAll("#messages .body")].some((body) => body.textContent === text)"""
HAS_NOT = f"(text) => document.readyState === 'complete' && !({HAS})(text)"
COUNT = "document.querySelectorAll('.message').length"
IS_NEW = """(name) => [...document.querySelectorAll("#boards .new bdi")].some((one) => one.textContent === name)"""
PRESS = "(name) => [...document.querySelectorAll('button')].find((one) => one.textContent === name).click()"
"""What a script does to a button; where scripts are off, Playwright's own click waits for them in Firefox."""


async def write(page, text):
    await page.fill("#s", text)
    await page.press("#s", "Control+Enter")
    await until(page, HAS, text)
    await until(page, "!document.querySelector('#outbox .message')")


async def open_message(page, text):
    """By its time, which is its link."""
    await until(page, HAS, text)
    id = await page.evaluate(
        "(text) => [...document.querySelectorAll('.message')]"
        ".find((one) => one.querySelector('.body').textContent === text).id",
        text,
    )
    await page.click(f"#{id} .permalink")
    await until(page, "location.pathname.startsWith('/m/')")


async def sign_in(page, username):
    await page.fill("#username", username)
    await page.fill("#password", PASSWORD)
    await page.click("main form button")


async def test_what_one_posts_is_in_the_other_window_and_so_are_an_edit_and_a_deletion(start, visit_each):
    """Two people, each in a browser of their own: one writes, mends and deletes, the other sees it happen."""
    server = start()
    ada = Person(server, name="Ada")
    page, other = await visit_each(server, person=ada), await visit_each(server)
    await write(page, "good mornign")
    await until(other, HAS, "good mornign")
    await write(other, "and to you, שלום 👋")
    await until(page, HAS, "and to you, שלום 👋")
    shown = "document.querySelector('#messages').innerHTML.replaceAll(' fresh', '')"
    assert await page.evaluate(shown) == await other.evaluate(shown)

    await open_message(page, "good mornign")
    await page.fill("#s", "good morning")
    await page.click("form[action$=edit] button")
    await until(other, HAS, "good morning")
    assert await other.evaluate("document.querySelector('.edited').textContent") == " edited"

    await open_message(page, "good morning")
    await page.click("details:not(#reply) summary")
    await page.click("form[action$=delete] button")
    await until(other, HAS_NOT, "good morning")
    await until(page, HAS_NOT, "good morning")


async def test_what_is_written_while_the_server_is_away_goes_out_when_it_is_back(start, visit_each):
    """Both pages say that the line is dead; what was written meanwhile is on the board once, on both."""
    visit_each.expect(NETWORK)
    server = start()
    page, other = await visit_each(server), await visit_each(server)
    await write(page, "before")
    server.kill()
    await page.fill("#s", "while it was away")
    await page.press("#s", "Control+Enter")
    await until(page, "document.querySelector('#outbox .late .body')?.textContent === 'while it was away'")
    for one in (page, other):
        await until(one, "document.querySelector('#sign').textContent === 'Reconnecting…'")
    server.start()
    for one in (page, other):
        await until(one, HAS, "while it was away")
        await until(one, "document.querySelector('#sign').textContent === ''")
        assert await one.evaluate(COUNT) == 2
    await until(page, "!document.querySelector('#outbox .message')")


async def test_the_tabs_of_a_browser_share_one_poll(start, visit_each):
    """One poll is parked for three tabs, all of them are live, and when the one that polls closes, another does."""
    server = start()
    first = await visit_each(server)
    tabs = [first, await first.context.new_page(), await first.context.new_page()]
    for tab in tabs[1:]:
        await tab.goto("/")
    await parked(server, 1)
    server.post("to all of you")
    for tab in tabs:
        await until(tab, HAS, "to all of you")
    await parked(server, 1)
    await tabs[2].close()
    await parked(server, 1)
    server.post("to those that are left")
    for tab in tabs[:2]:
        await until(tab, HAS, "to those that are left")


async def test_two_people_on_three_boards(start, visit_each):
    """One poll for all tabs of each; what is new elsewhere shows in the list, moves on when it is read, and stays hidden."""
    server = start(metrics_token=TOKEN)
    ada, joe = promote(server, Person(server, name="Ada")), Person(server, name="Joe")
    make_board(ada, "Rowing", "rowing")
    make_board(ada, "Lounge", "lounge", read_by="members")
    hidden = make_board(ada, "Committee", read_by="invited")
    invite(ada, hidden, joe.username)
    hers, his = (
        await visit_each(server, f"/b/{hidden}/", person=ada),
        await visit_each(server, "/b/rowing/", person=joe),
    )
    tab = await his.context.new_page()
    await tab.goto("/b/lounge/")
    guest = await visit_each(server, "/")
    await parked_on_boards(server, 3)
    for page in (hers, his, tab):
        await until(page, LISTED)
    await write(hers, "for few")
    for page in (his, tab):
        await until(page, IS_NEW, "Committee")
    await write(tab, "for members")
    await until(hers, IS_NEW, "Lounge")
    assert not await his.evaluate(IS_NEW, "Lounge")  # his own words
    await parked_on_boards(server, 3)
    names = "[...document.querySelectorAll('#boards li bdi')].map((one) => one.textContent)"
    assert await guest.evaluate(names) == ["Longboard", "Rowing"]
    assert await his.evaluate(names) == ["Longboard", "Committee", "Lounge", "Rowing"]
    await his.evaluate("document.querySelector('#boards .new').click()")
    await until(his, HAS, "for few")
    await until(his, "!document.querySelector('#boards [aria-current].new')")
    await write(his, "seen by both")
    await until(hers, HAS, "seen by both")
    await parked_on_boards(server, 3)
    assert not await guest.evaluate("document.querySelector('#boards .new') !== null")


async def test_the_past_comes_as_one_scrolls_and_by_links(start, visit_each):
    """Down to the first message without a click; and a message's own page leads on to what is older."""
    server = start()
    ids = [server.post(f"number {number}\nof many\nlines").json()["id"] for number in range(120)]
    page = await visit_each(server)
    assert await page.evaluate(COUNT) == 50
    await until(page, "(scrollTo(0, document.body.scrollHeight), document.getElementById('older').hidden)")
    shown = await page.evaluate("[...document.querySelectorAll('.message')].map((one) => Number(one.id.slice(1)))")
    assert shown == ids[::-1]
    await page.goto(f"/m/{ids[60]}")
    await until(page, "document.querySelector('.this .body').textContent.startsWith('number 60')")
    await page.click("#older a")
    await until(page, "document.querySelector('h1').textContent === 'Older messages'")
    assert await page.evaluate(COUNT) == 50


async def test_what_is_searched_is_found_and_leads_to_its_place(start, visit_each):
    """From the board to the field, to the results with their marks, and to the message among its neighbours."""
    server = start()
    for number in range(30):
        server.post(f"low tide {number}")
    server.post("明天见！世界")
    page = await visit_each(server)
    await page.click("a.find")
    for query, mark in (("世界", "世界"), ("TIDE 17", "tide")):
        await until(page, "location.pathname === '/search' && document.activeElement")
        await page.fill("#q", query)
        await page.press("#q", "Enter")
        await until(page, "(mark) => document.querySelector('mark')?.textContent === mark", mark)
    await page.click(".found")
    await until(page, "document.querySelector('.this .body')?.textContent === 'low tide 17'")


async def test_one_makes_an_account_signs_out_and_in_again(start, visit_each):
    """What is written is under the name; signed out elsewhere, the page stops and keeps the words; signed in, it has them."""
    visit_each.expect("status of 401")
    server = start()
    page, username = await visit_each(server, "/signup"), new_username()
    await page.fill("#username", username)
    await page.fill("#name", "Žofie & Cie")
    await page.fill("#password", PASSWORD)
    await page.click("main form button")
    await until(page, "document.querySelector('#as')?.textContent === 'Posting as Žofie & Cie'")
    await write(page, "under my name")
    assert await page.evaluate("document.querySelector('.author').textContent") == "Žofie & Cie"
    await page.fill("#s", "half a tho")
    elsewhere = server.open()
    elsewhere.post("/signin", data={"username": username, "password": PASSWORD})
    elsewhere.post("/account/everywhere")
    await until(page, "document.querySelector('#sign').textContent.startsWith('You have been signed out.')")
    assert await page.evaluate("document.querySelector('#s').readOnly")
    await page.click("#sign a")
    await sign_in(page, username)
    await until(page, "document.querySelector('#s')?.value === 'half a tho'")


async def test_without_javascript_one_reads_posts_edits_and_deletes(start, visit_each):
    """Everything by forms and links."""
    server = start()
    ada = Person(server, name="Ada")
    for number in range(60):
        server.post(f"number {number}")
    page = await visit_each(server, person=ada, javascript=False)
    assert await page.evaluate("getComputedStyle(document.querySelector('noscript p')).display") == "block"
    await fill_plainly(page, "by the plain form")
    await page.evaluate(PRESS, "Post")
    await until(page, HAS, "by the plain form")
    await page.evaluate("document.querySelector('.message .permalink').click()")
    await until(page, "document.querySelector('#s')?.value === 'by the plain form'")
    await fill_plainly(page, "by another plain form")
    await page.evaluate(PRESS, "Save")
    await until(page, HAS, "by another plain form")
    await page.evaluate("document.querySelector('#older a').click()")
    await until(page, "document.querySelector('h1')?.textContent === 'Older messages'")
    assert await page.evaluate(HAS, "number 0")
    await page.goto("/")
    await page.evaluate("document.querySelector('.message .permalink').click()")
    await until(page, "document.querySelector('form[action$=delete]') !== null")
    await page.evaluate(PRESS, "Delete")
    await until(page, HAS_NOT, "by another plain form")
    await asyncio.to_thread(server.until_parked, 0)


async def fill_plainly(page, text):
    await page.evaluate("(text) => { document.querySelector('#s').value = text; return true }", text)
