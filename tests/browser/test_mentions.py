"""Mentions on pages: each reader sees which messages mention them, live and after a reload."""

from playwright.async_api import expect

from handlers.http.static import static_url
from tests.browser.test_reading import hide
from tests.browser.test_tabs import parked
from tests.browser.test_tools import use
from tests.http.test_boards import promoted
from tests.support.axe import DAY_AND_NIGHT, no_violations
from tests.support.browser import BROWSER_TEST, box_of, is_as_after_reload, is_wide, message
from tests.support.people import Person

pytestmark = BROWSER_TEST


async def test_a_page_marks_what_mentions_its_reader_and_no_other_page_does(start, visit):
    """Live, after an edit, and after a reload; a page without mentions loads nothing for them."""
    server = start()
    ada, bob, owner = Person(server, "ada", name="Ada"), Person(server, "bob", name="Bob"), promoted(server)
    server.post("no mail to ada@example.org")
    narrow = {"viewport": {"width": 320, "height": 640}}
    pages = [await visit(server, person=person, **narrow) for person in (ada, bob, None)]
    asked = []
    for page in pages:
        page.on("request", lambda request: asked.append(request.url))
    await parked(server, 3)
    bob.post("hello all")
    for page in pages:
        await expect(message(page, "hello all")).to_have_count(1)
    assert not [url for url in asked if "mentions" in url]
    id = bob.post("Tea, @Ada? And @nobody!")["id"]
    bob.post("a cup of it")
    for page, is_told in zip(pages, (True, False, False), strict=True):
        one = message(page, "Tea, @Ada? And @nobody!")
        await expect(one.locator(".mention").first).to_have_css("font-weight", "600")
        await expect(one.locator(".to-you")).to_have_count(int(is_told))
        await expect(page.locator(".mentioned")).to_have_count(int(is_told))
        await expect(message(page, "a cup of it")).to_have_count(1)
        await is_as_after_reload(page)
    await no_violations(pages[0], *DAY_AND_NIGHT)
    bob.api.patch(f"/api/v1/messages/{id}", json={"body": "Tea, anybody?"})
    for page in pages:
        await expect(message(page, "Tea, anybody?")).to_have_count(1)
        await expect(page.locator(".mentioned, .mentions, .to-you")).to_have_count(0)
    owner.post("@all aboard")
    for page, is_told in zip(pages, (True, True, False), strict=True):
        await expect(message(page, "@all aboard").locator(".to-you")).to_have_count(int(is_told))
        await is_as_after_reload(page)
        assert not await is_wide(page)


async def test_a_notification_says_that_one_is_mentioned(start, visit):
    """Also if other messages came with it, and not that somebody else is."""
    server = start()
    ada, bob = Person(server, "ada", name="Ada"), Person(server, "bob", name="Bob")
    page = await visit(server, path=None, person=ada)
    await page.context.grant_permissions(["notifications"])
    await page.add_init_script(
        """window.shown = [];
        window.Notification = class { constructor(title) { window.shown.push(title); } };
        Notification.permission = "granted";
        Notification.requestPermission = async () => "granted";"""
    )
    await page.goto("/")
    await parked(server, 1)
    await page.locator("#notify").click()
    await expect(page.locator("#notify")).to_have_attribute("aria-pressed", "true")
    await hide(page)
    for words in ("@bob himself", "@ada, hello"):
        bob.post(words)
        await expect(message(page, words)).to_have_count(1)
    assert await page.evaluate("shown") == ["Bob", "Bob mentions you"]
    title = await page.evaluate(
        """async (path) => {
            const { Notifications } = await import(path);
            const said = { author: null, guest_name: "Zoe", created_at: new Date().toISOString() };
            const [first, last] = [["one", [1]], ["two", undefined]].map(([body, mentions]) => ({ ...said, body, mentions }));
            new Notifications(document.getElementById("notify")).show(last, [first, last]);
            return shown.pop();
        }""",
        static_url("notify.js"),
    )
    assert title == "Zoe (guest) mentions you"


async def test_usernames_are_completed_while_one_writes(start, visit):
    """By keys and by a click, in the form and in an edit, also by names; who wrote on the page comes first. The list closes
    when the cursor leaves the word and when the message is sent. Guests have none, and nobody is asked for.
    """
    server = start()
    ada, bob = Person(server, "ada", name="Ada"), Person(server, "adam_smith", name="Adam")
    owner = promoted(server)
    Person(server, "adalbert", name="דנה Allen")
    bob.post("hello")
    page, guest = await visit(server, person=ada), await visit(server)
    asked = []
    guest.on("request", lambda request: asked.append(request.url))
    box, options = page.locator("#s"), page.get_by_role("option")
    await box.press_sequentially("Dear @")
    await expect(options).to_have_text(["@adam_smith Adam"])
    await box.press("Escape")
    for prefix in ("al", "דנ"):
        await box.fill("Dear @")
        await box.press_sequentially(prefix)
        await expect(options).to_have_text(["@adalbert דנה Allen"])
    await box.fill("Dear @")
    await box.press_sequentially("AD")
    await expect(options).to_have_text(["@adam_smith Adam", "@ada Ada", "@adalbert דנה Allen"])
    for key in ("Home", "ArrowLeft"):
        await box.press(key)
        await expect(options).to_have_count(0)
        await box.press("Enter")
        assert "adam" not in await box.input_value()
        await box.fill("one two @")
        await box.press_sequentially("ad")
        await expect(options).to_have_count(3)
    await box.press("Control+Enter")
    await expect(message(page, "one two @ad")).to_have_count(1)
    await expect(options).to_have_count(0)
    await box.press_sequentially("Dear @ad")
    await expect(options).to_have_text(["@adam_smith Adam", "@ada Ada", "@adalbert דנה Allen"])
    await no_violations(page)
    active = "document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).textContent"
    for key, words in (("ArrowDown", "@ada Ada"), ("ArrowUp", "@adam_smith Adam"), ("ArrowUp", "@adalbert דנה Allen")):
        await box.press(key)
        assert await page.evaluate(active) == words
    await box.press("Escape")
    await expect(options).to_have_count(0)
    await box.press_sequentially("am")
    await expect(options).to_have_count(1)
    await box.press("Enter")
    await expect(box).to_have_value("Dear @adam_smith ")
    await box.press_sequentially("and @ada")
    await options.get_by_text("@adalbert").click()
    await expect(box).to_have_value("Dear @adam_smith and @adalbert ")
    await expect(box).to_be_focused()
    await box.press_sequentially("mail@ad, x@ad @nobody")
    await expect(options).to_have_count(0)
    await page.reload()
    await expect(box).to_have_value("Dear @adam_smith and @adalbert mail@ad, x@ad @nobody")
    await page.get_by_role("button", name="Post").click()
    text = "Dear @adam_smith and @adalbert mail@ad, x@ad @nobody"
    await expect(message(page, text).locator(".mention")).to_have_count(3)
    await use(page, text, "Edit")
    edit = page.locator(".in-place textarea")
    await expect(edit).to_be_focused()
    await edit.press_sequentially(" @adal")
    await options.click()
    await expect(edit).to_have_value(f"{text} @adalbert ")
    await edit.press_sequentially("@ada")
    await expect(options).to_have_count(3)
    await edit.press("Escape")
    await expect(options).to_have_count(0)
    await expect(edit).to_have_value(f"{text} @adalbert @ada")
    await guest.locator("#s").press_sequentially("@ada")
    await guest.locator("#s").press("Tab")
    assert not [url for url in asked if "complete" in url or "members" in url]
    page = await visit(server, person=owner)
    box, options = page.locator("#s"), page.get_by_role("option")
    await page.evaluate("document.documentElement.dir = 'rtl'")
    for prefix in ("@", "al", "l"):
        await box.press_sequentially(prefix)
        await expect(options.first).to_have_text("@all everybody who may read this board")
    sign, name = [await box_of(options.last.locator("bdi").nth(place)) for place in (0, 1)]
    assert sign["x"] > name["x"], "the username is first, also from the right"
    await box.press("Enter")
    await expect(box).to_have_value("@all ")
