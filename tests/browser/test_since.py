"""The line between read and new messages: drawn when the page opens, on each device of a member, and nowhere without need."""

import datetime

from playwright.async_api import expect

from tests.http.test_boards import bot_of
from tests.support.axe import DAY_AND_NIGHT, no_violations
from tests.support.boards import LISTED, make_board, post_on, promote
from tests.support.browser import BROWSER_TEST, comes_true, is_wide, message
from tests.support.people import Person
from tests.support.server import until

pytestmark = BROWSER_TEST
BESIDE = """line => {
  const near = (name) => {
    let one = line[name];
    while (one && !one.matches('article')) one = one[name];
    return one?.querySelector('.body').textContent ?? null;
  };
  return [near('previousElementSibling'), near('nextElementSibling')];
}"""
LEFT_AT = "id => localStorage.getItem('last-read/') === id"


async def test_who_comes_back_sees_what_is_new_since(start, visit):
    """In this browser, on a site with one board: a guest, next day, by day and night; it stays while more comes, and is gone
    when all was seen. The first visit and one without news load nothing for it.
    """
    server = start()
    asked = []
    page = await visit(server)
    page.on("request", lambda request: asked.append(request.url))
    line = page.get_by_role("separator")
    server.post("one")
    read = server.post("two").json()["id"]
    await expect(message(page, "two")).to_have_count(1)
    await comes_true(page, LEFT_AT, str(read))
    await page.reload()
    await expect(message(page, "two")).to_have_count(1)
    await expect(line).to_have_count(0)
    assert not [url for url in asked if "since" in url]

    await page.goto("about:blank")
    for words in ("three", "four", "five"):
        server.post(words)
    await page.clock.set_fixed_time(datetime.datetime.now() + datetime.timedelta(days=1))
    await page.goto(server.url)
    await expect(page.get_by_role("separator", name="3 new since yesterday", exact=True)).to_be_visible()
    assert await line.evaluate(BESIDE) == ["three", "two"]
    await page.set_viewport_size({"width": 320, "height": 600})
    await no_violations(page, *DAY_AND_NIGHT)
    assert not await is_wide(page)
    server.post("six")
    await expect(message(page, "six")).to_have_count(1)
    assert await line.evaluate(BESIDE) == ["three", "two"]
    await expect(line).to_have_text("3 new since yesterday")
    await page.reload()
    await expect(message(page, "six")).to_have_count(1)
    await expect(line).to_have_count(0)

    await page.goto("about:blank")
    for number in range(60):
        server.post(f"later {number}")
    await page.goto(server.url)
    await expect(message(page, "later 59")).to_have_count(1)
    await expect(line).to_have_count(0)
    await expect(page.locator("#to-read")).to_have_count(1)
    await no_violations(page)
    server.post("while the page is open")
    await expect(message(page, "while the page is open")).to_have_count(1)
    await page.get_by_role("button", name="More than 50 new: go to where you stopped").click()
    await expect(line).to_have_text("60 new since yesterday")
    await expect(line).to_be_in_viewport()
    assert await line.evaluate(BESIDE) == ["later 0", "six"]
    await expect(page.locator("#to-read")).to_have_count(0)

    await page.locator("#s").fill("one's own")
    await page.locator("#s").press("Control+Enter")
    await expect(page.locator(".message", has_text="one's own").locator("time")).to_have_count(1)
    await expect(page.locator("#outbox .message")).to_have_count(0)  # the page has the answer
    await page.reload()
    await expect(message(page, "one's own")).to_have_count(1)
    await expect(line).to_have_count(0)


async def test_a_member_s_line_is_that_of_all_devices(start, visit):
    """On a board among several: what was read on one device is read on the other, and a mark is sent only once the old one
    is known.
    """
    server = start()
    ada, joe = promote(server, Person(server, name="Ada")), Person(server, name="Joe")
    make_board(ada, "Rowing", "rowing")
    ids = [post_on(ada.api, "rowing", words)["id"] for words in ("one", "two")]

    def mark():
        return next(one for one in joe.api.get("/api/v1/boards").json()["boards"] if one["slug"] == "rowing")["read"]

    desktop = await visit(server, "/b/rowing/", person=joe)
    await comes_true(desktop, LISTED)
    until(lambda: mark() == ids[1])
    await expect(desktop.get_by_role("separator")).to_have_count(0)
    await desktop.goto("about:blank")
    post_on(bot_of(joe), "rowing", "of Joe's bot")
    three = post_on(ada.api, "rowing", "three")["id"]
    phone = await visit(server, "/b/rowing/", person=joe, viewport={"width": 320, "height": 640})
    line = phone.get_by_role("separator")
    await expect(line).to_be_visible()
    assert (await line.inner_text()).startswith("1 new since ")
    assert await line.evaluate(BESIDE) == ["three", "of Joe's bot"]
    assert not await is_wide(phone)
    until(lambda: mark() > ids[1])
    await desktop.goto(f"{server.url}/b/rowing/")
    await comes_true(desktop, LISTED)
    await expect(message(desktop, "three")).to_have_count(1)
    await expect(desktop.get_by_role("separator")).to_have_count(0)
    await expect(line).to_have_count(1)
    ada.api.delete(f"/api/v1/messages/{three}")
    await expect(message(phone, "three")).to_have_count(0)
    await expect(line).to_have_count(0)
