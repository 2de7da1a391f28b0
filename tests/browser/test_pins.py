"""The pinned message on pages: a line that all see live, that opens, and that follows its message."""

from playwright.async_api import expect

from tests.browser.test_access import no_violations
from tests.browser.test_tools import point_at, tool
from tests.support.boards import promote
from tests.support.browser import BROWSER_TEST, box_of, comes_true, is_wide, message
from tests.support.people import Person

pytestmark = BROWSER_TEST
LONG = "**Regatta** on Saturday at www.example.org, meet at the boathouse at six. " + "Bring tea and cake. " * 30


async def test_a_moderator_pins_and_all_see_it_at_once(start, visit):
    """Live and after a reload the same line, also of a guest and of a name with its username. It stays open while its
    words change; in the end there is none. A page without one loads nothing for it, members have no such tool.
    """
    server = start()
    ada, joe = Person(server, name="Ada"), Person(server, name="Joe <b>")
    promote(server, ada)
    id = joe.post(LONG)["id"]
    by_guest = server.client.post("/api/v1/messages", json={"body": "Low tide", "guest_name": "Mo"}).json()["id"]
    zoe, _ = Person(server, name="Zoe"), Person(server, name="Zoe")
    by_zoe = zoe.post("High tide")["id"]  # with her username, as two are called so
    joe.post("There is no tea")
    asked, pages = [], [await visit(server, person=person) for person in (ada, joe, None)]
    mod, member, guest = pages
    for page in pages:
        page.on("request", lambda request: asked.append(request.url))
    await point_at(member, "There is no tea")
    await expect(tool(member, "Reply")).to_be_visible()
    await expect(tool(member, "Pin")).to_have_count(0)
    assert not [url for url in asked if "/pin" in url]

    async def press(text, name):
        await message(mod, text).locator(".body").hover()
        await mod.locator(".toolbar").get_by_role("button", name=name, exact=True).click()

    await press("There is no tea", "Pin")
    await expect(mod.locator(".told")).to_have_text("Message pinned.")
    for page in pages:
        await expect(page.locator("#pinned summary")).to_have_text("Pinned Joe <b> There is no tea")
    await expect(guest.locator("#spoken")).to_have_text("A message was pinned.")
    await expect(guest.locator("#pinned .body")).to_be_hidden()
    ada.api.put(f"/api/v1/messages/{id}/pin")
    for page in pages:
        line = page.locator("#pinned summary")
        await expect(line).to_contain_text("Regatta on Saturday at www.example.org, meet")
        box = await box_of(line)
        assert box["height"] == 36, "one line, however long"
    await guest.locator("#pinned summary").click()
    whole = guest.locator("#pinned .body")
    await expect(whole.locator("strong")).to_have_text("Regatta")
    await expect(whole.get_by_role("link", name="www.example.org")).to_be_visible()
    await guest.locator("#pinned summary").click()
    for pinned in (by_guest, by_zoe, id):
        ada.api.put(f"/api/v1/messages/{pinned}/pin")
        line = guest.locator(f"#pinned[data-id='{pinned}']")
        await expect(line).to_have_count(1)
        live = await line.evaluate("one => one.outerHTML")
        await guest.reload()
        assert await line.evaluate("one => one.outerHTML") == live, "the same as the server's"

    summary = guest.locator("#pinned summary")
    await summary.press("Enter")
    await expect(whole).to_be_visible()
    joe.api.patch(f"/api/v1/messages/{id}", json={"body": "It is on _Sunday_"})
    await expect(whole).to_have_text("It is on Sunday")
    await expect(summary).to_be_focused()
    await guest.get_by_role("link", name="Go to the message").click()
    await expect(guest.locator(f"#m{id}.this .body")).to_have_text("It is on Sunday")
    await guest.go_back()

    await press("It is on Sunday", "Unpin")
    for page in pages:
        await expect(page.locator("#pinned")).to_have_count(0)
    await press("It is on Sunday", "Pin")
    await expect(member.locator("#pinned")).to_have_count(1)
    joe.api.delete(f"/api/v1/messages/{id}")
    for page in pages:
        await expect(page.locator("#pinned")).to_have_count(0)
    await guest.reload()
    await expect(guest.locator("#pinned")).to_have_count(0)


async def test_the_line_is_good_to_read_by_day_and_night_on_a_small_phone_and_from_the_right(start, visit):
    """Open and closed; on the page of the message, the form does without scripts; who is signed out keeps nothing of it."""
    server = start(reading="members")
    ada = Person(server, name="Ada")
    promote(server, ada)
    id = ada.post("أهلا وسهلا " + LONG)["id"]
    plain = await visit(server, f"/m/{id}", person=ada, java_script_enabled=False)
    await plain.get_by_role("button", name="Pin", exact=True).click()
    await expect(plain.get_by_role("button", name="Unpin")).to_be_visible()
    visit.expect("status of 401")
    page = await visit(server, person=ada, viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    line = page.locator("#pinned summary span")
    await expect(line).to_have_css("direction", "rtl")
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        for _ in ("open", "closed"):
            await page.locator("#pinned summary").click()
            await no_violations(page)
            assert not await is_wide(page)
    await page.evaluate("document.documentElement.dir = 'rtl'")
    await page.locator("#pinned summary").click()
    assert not await is_wide(page)
    assert await page.locator("#pinned .body").evaluate("(one) => one.scrollHeight <= one.clientHeight"), "it is whole"
    ada.api.put(f"/api/v1/messages/{ada.post('new')['id']}/pin")  # which loads the script
    await expect(page.locator("#pinned .body")).to_have_text("new")
    ada.browser().post("/account/everywhere")
    await expect(page.locator("#sign")).to_contain_text("You have been signed out.")
    await expect(page.locator("#pinned")).to_have_count(0)


async def test_who_reads_the_pinned_message_keeps_the_focus_and_what_is_pointed_to_stays(start, visit):
    """While it is open, it stays open when its message changes or another one takes its place. Focus on what is gone goes
    to the line, and at the end to the form. A line that comes or goes waits until the pointer rests.
    """
    server = start()
    ada = promote(server, Person(server, name="Ada"))
    first, second = ada.post("see https://example.org/a")["id"], ada.post("see https://example.org/b")["id"]
    page = await visit(server)
    line, summary, link = page.locator("#pinned"), page.locator("#pinned summary"), page.locator("#pinned .body a")
    await page.mouse.move(1, 1)
    await message(page, "see https://example.org/a").hover()
    top = "document.getElementById('messages').getBoundingClientRect().top"
    before = await page.evaluate(top)
    await page.evaluate(
        """() => {
            const list = document.getElementById("messages");
            const moving = setInterval(() => list.dispatchEvent(new Event("pointermove")), 50);
            window.rest = () => clearInterval(moving);
        }"""
    )
    ada.api.put(f"/api/v1/messages/{first}/pin")
    await comes_true(page, "performance.getEntriesByType('resource').some(({ name }) => name.includes('/pin.js'))")
    ada.api.patch(f"/api/v1/messages/{second}", json={"body": "come"})
    await expect(message(page, "come")).to_have_count(1)
    await expect(line).to_have_count(0)
    assert await page.evaluate(top) == before
    await page.evaluate("rest()")
    await expect(line).to_have_count(1)
    await summary.press("Enter")
    await page.get_by_role("link", name="Go to the message").focus()
    ada.api.patch(f"/api/v1/messages/{first}", json={"body": "now https://example.org/a"})
    await expect(page.locator("#pinned .body")).to_have_text("now https://example.org/a")
    await expect(page.get_by_role("link", name="Go to the message")).to_be_focused()
    await link.focus()
    ada.api.put(f"/api/v1/messages/{second}/pin")
    await expect(page.locator("#pinned .body")).to_have_text("come")
    await expect(line).to_have_attribute("open", "")
    await expect(summary).to_be_focused()
    await expect(page.get_by_role("link", name="Go to the message")).to_have_attribute("href", f"/m/{second}")
    ada.api.delete(f"/api/v1/messages/{second}")
    await expect(line).to_have_count(0)
    await expect(page.locator("#s")).to_be_focused()
