"""How the pages look and feel, as far as it can be measured: width, colours, focus, and labels."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.support.admin import admin
from tests.support.browser import BROWSER_TEST, box_of, is_wide
from tests.support.people import PASSWORD, Person

pytestmark = BROWSER_TEST

LOOSE_ENDS = """() => {
    const said = [];
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    said.push(...ids.filter((id, at) => ids.indexOf(id) < at).map((id) => `two have the id ${id}`));
    for (const name of ["aria-describedby", "aria-labelledby", "for"])
        for (const element of document.querySelectorAll(`[${name}]`))
            for (const id of element.getAttribute(name).split(/ +/))
                if (!document.getElementById(id)) said.push(`${name}=${id} leads nowhere`);
    for (const field of document.querySelectorAll("input:not([type=hidden]), textarea, select"))
        if (!field.labels.length && !field.ariaLabel) said.push(`${field.outerHTML} has no label`);
    if (!document.querySelector("h1, h2")) said.push("no heading");
    return said;
}"""


@pytest.fixture
def pages(start):
    """A board with long words everywhere, its moderator, and the paths of all pages for people."""
    server = start(title="Donaudampfschifffahrtsgesellschaft")
    person = Person(server, name="W" * 50)
    admin(f"--database-url={server.settings['database_url']}", "promote", person.username)
    server.post("x" * 400)
    long = server.post("https://example.org/" + "y" * 400).json()["id"]
    other = Person(server, name="名" * 50).post("z\n" * 100)["id"]
    server.client.post("/api/v1/messages", json={"body": "And a reply", "reply_to": other})
    mine = person.post("And mine")["id"]
    person.browser().post("/account/tokens", data={"name": "B" * 50, "password": PASSWORD})
    person.browser().post(f"/m/{long}/delete")
    person.api.post("/api/v1/boards/first/hooks", json={"name": "H" * 50})
    for_all = [
        "/",
        f"/?before={mine}",
        "/add",
        "/signin",
        "/signup",
        "/signout",
        f"/m/{other}",
        "/nothing",
        "/api",
        "/search",
        "/search?q=z",
        "/?after=1",
        "/m/999",
    ]
    return (
        server,
        person,
        for_all,
        ["/", "/account", "/audit", "/b/first/hooks", f"/m/{mine}", f"/m/{other}", "/signout"],
    )


async def test_every_page_fits_a_small_phone_by_day_and_by_night(pages, visit):
    """At 320 pixels nothing makes one scroll sideways, and whoever likes the dark has it, on every page."""
    server, person, for_all, for_members = pages
    visit.expect("status of 404")
    phone = {"viewport": {"width": 320, "height": 640}}
    guest, member = await asyncio.gather(visit(server, **phone), visit(server, person=person, **phone))
    for page, paths in ((guest, for_all), (member, for_members)):
        for path in paths:
            await page.goto(path)
            if await page.locator("details").count():
                await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
            assert not await is_wide(page), f"{path} is too wide"
            assert await page.evaluate(LOOSE_ENDS) == [], path
            assert await lightness(page, "light") > 200 and await lightness(page, "dark") < 60, path


async def lightness(page, scheme):
    """Of the page's paper, from 0 to 255."""
    await page.emulate_media(color_scheme=scheme)
    paper = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return sum(int(part) for part in paper[4:-1].split(",")) / 3


async def test_the_keyboard_reaches_everything_and_shows_where_it_is(pages, visit):
    """Tab goes to every link, field and button, and each shows that it has the focus."""
    server, person, _, _ = pages
    page = await visit(server, person=person)
    for path in ("/", "/account"):
        await page.goto(path)
        for _ in range(60):
            await page.keyboard.press("Tab")
            focus = await page.evaluate(
                """() => {
                    const on = document.activeElement;
                    const style = (element) => getComputedStyle(element).outlineStyle;
                    const shows = style(on) !== "none" || style(on.closest(".composer") ?? on) !== "none";
                    return [on === document.body ? "" : on.outerHTML, shows];
                }"""
            )
            if not focus[0]:
                break
            assert focus[1], f"{path}: no one sees the focus on {focus[0]}"
        assert not focus[0], "Tab never comes to the end"


@pytest.mark.parametrize("width", [320, 390])
async def test_on_a_phone_one_sees_whose_account_and_which_board_it_is(start, visit, width):
    """A name of twelve letters is not cut, the title of a board takes two lines, and a sentence more than half a line.

    A short name stands beside the search.
    """
    server = start(title="Our Village Board")
    person = Person(server, name="Ada Lovelace")
    page = await visit(server, "/account", person, viewport={"width": width, "height": 640})
    name = page.get_by_role("navigation").get_by_role("link")
    assert await name.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    assert await page.locator(".brand span").evaluate(
        "(one) => one.offsetHeight <= 2.5 * parseFloat(getComputedStyle(one).lineHeight)"
    )
    assert await page.locator(".me p").evaluate("(one) => one.offsetWidth > innerWidth / 2")
    page = await visit(server, "/", Person(server, name="Jo"), viewport={"width": width, "height": 640})
    name, find = await box_of(page.locator(".top nav a")), await box_of(page.locator(".find"))
    assert 0 <= name["x"] - find["x"] - find["width"] < 24


async def test_what_is_pointed_to_is_shown(start, visit):
    """A link to a message on the board scrolls to it, also after the page's script has been at work."""
    server = start()
    posts = [server.post(f"number {number}\n" * 3).json()["id"] for number in range(40)]
    page = await visit(server, f"/#m{posts[3]}")
    await expect(page.locator(f"#m{posts[3]}")).to_be_in_viewport()
    await expect(page.locator(f"#m{posts[-1]}")).not_to_be_in_viewport()


async def test_each_command_for_programs_is_told_from_the_next(server, visit):
    """One block each, whose further lines begin further in; no call of the table breaks in the middle of a word."""
    for width in (1000, 320):
        page = await visit(server, "/api", viewport={"width": width, "height": 900})
        commands = await page.locator(".curl pre code").evaluate_all(
            """(commands) => commands.map((command) => {
                const words = document.createRange();
                words.selectNodeContents(command);
                const lines = [...words.getClientRects()].map((line) => Math.round(line.left));
                return [command.innerText.split("curl").length - 1, lines[0], Math.min(...lines.slice(1), Infinity)];
            })"""
        )
        assert len(commands) == 11 and all(count == 1 for count, *_ in commands)
        assert all(first < rest for _, first, rest in commands), commands
        assert any(rest < width for *_, rest in commands)  # some have a second line
        lines = await page.locator("td code").evaluate_all(
            """(calls) => calls.flatMap((call) => [...call.childNodes].filter((node) => node.data).map((part) => {
                const words = document.createRange();
                words.selectNodeContents(part);
                return words.getClientRects().length;
            }))"""
        )
        assert len(lines) > 30 and set(lines) == {1}  # each part of a path is whole
