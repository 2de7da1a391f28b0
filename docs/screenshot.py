"""Makes docs/board.webp, docs/boards.webp and docs/states.webp again, from real servers in a real Chromium.

CHROMIUM=$(bin/browser chromium) .venv/bin/python -m docs.screenshot

It takes fonts for emoji, Arabic and Japanese (Debian: fonts-noto-core, fonts-noto-cjk, fonts-noto-color-emoji).
"""

import asyncio
import base64
import contextlib
import datetime
import pathlib
import sqlite3
import tempfile
from collections.abc import AsyncIterator

from playwright.async_api import Browser, Page

from tests.support.boards import invite, make_board, post_on, promote
from tests.support.browser import comes_true
from tests.support.engines import Engines
from tests.support.people import Person
from tests.support.server import Server

DOCS = pathlib.Path(__file__).parent
TALK = [
    ("08:04", "Mateo", "¡Buenos días! Guardadme una, llego en diez minutos. 🥐"),
    ("08:16", None, "The 8:20 ferry is half an hour late. Timetable: https://example.org/ferry"),
    ("08:40", "ليلى", "صباح الخير! من يريد دراجة زرقاء صغيرة؟ ابني كبر عليها."),
    ("08:52", None, "Кто-то забыл зелёный зонт у входа ☂️"),
    ("08:57", "Надя", "Это мой, спасибо! Заберу вечером."),
    ("09:03", "小林さくら", "今日の読書会は三階に変わりました。"),
    ("09:12", "Ada", "Choir tonight at seven, in the old boathouse.\nNew voices welcome, no need to read music."),
    ("09:26", None, "Ich komme! Wer bringt Kuchen?"),
    ("09:38", "Ada", "Me. Lemon. 🍋"),
]
"""When, who (None for a guest), and what; the oldest first."""
REPLIES = {"Это мой, спасибо! Заберу вечером.": "Кто-то забыл", "Me. Lemon. 🍋": "Ich komme!"}
"""To what some of this replies: to the message that begins so."""
REACTIONS = {
    "Choir tonight": {"heart": ["Mateo", "Надя", "ليلى"], "thumbs_up": ["小林さくら"]},
    "今日の": {"eyes": ["Mateo"]},
    "Ich komme!": {"hooray": ["Mateo", "Надя"]},
}
PINNED = "The 8:20 ferry"
ROWING = [
    ("08:31", "Mateo", "The river is down to the second step. We can go out again."),
    ("08:36", "Ada", "Six o'clock at the boathouse, then. Who steers?"),
    ("08:49", "Надя", "Я! 🚣"),
    ("09:20", "小林さくら", "私も行きます。"),
    ("09:33", "Mateo", "The blue boat needs a new `rowlock`, take the red one."),
]
CHOIR = [
    ("08:58", "Ada", "The first verse again, please."),
    ("09:30", "ليلى", "🎶"),
    ("09:35", "ليلى", "Who has the notes?"),
]
"""On a board for those who are invited. Ada has read her own words there, and not what came after them."""
NOW = "09:41"

FRAME = """<!doctype html>
<style>
  body { display: inline-block; position: relative; margin: 0; padding: 12px 24px 36px; }
  img { display: block; border: 1px solid rgb(0 0 0 / 0.18); box-shadow: 0 8px 24px rgb(0 0 0 / 0.2); }
  .desktop { width: 860px; margin-right: 225px; border-radius: 12px; }
  .phone { position: absolute; right: 24px; bottom: 36px; width: 300px; border-radius: 28px; }
</style>
<body><img class="desktop" src="%s"><img class="phone" src="%s"></body>"""
ROW = """<!doctype html>
<style>
  body { display: inline-flex; gap: 28px; margin: 0; padding: 12px 28px 36px; }
  img { width: 280px; border: 1px solid rgb(0 0 0 / 0.18); border-radius: 24px; box-shadow: 0 8px 24px rgb(0 0 0 / 0.2); }
</style>
<body>%s</body>"""
TO_WEBP = """async (png) => {
    const image = await createImageBitmap(await (await fetch(png)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext("2d").drawImage(image, 0, 0);
    const blob = await canvas.convertToBlob({ type: "image/webp", quality: 0.85 });
    return new Promise((done) => {
        const reader = new FileReader();
        reader.onload = () => done(reader.result);
        reader.readAsDataURL(blob);
    });
}"""
"""A third of the size of a PNG, at the same look."""
PHONE = {"viewport": {"width": 375, "height": 640}, "has_touch": True, "is_mobile": True}


def at(clock: str) -> datetime.datetime:
    today = datetime.datetime.now(datetime.UTC).date()
    return datetime.datetime.combine(today, datetime.time.fromisoformat(clock), datetime.UTC)


def talk(server: Server, with_boards: bool = False) -> Person:
    """Lets people talk for a morning; one of them."""
    names = {name for _, name, _ in TALK if name}
    people = {name: Person(server, "ada" if name == "Ada" else None, name=name) for name in sorted(names)}
    ada, times, ids = people["Ada"], {}, {}
    talks = {"first": TALK}
    promote(server, ada)
    if with_boards:
        talks[make_board(ada, "Rowing", "rowing", about="Boats, tides, and who comes along")] = ROWING
        talks[choir := make_board(ada, "Choir", read_by="invited", about="Old songs, new voices")] = CHOIR
        invite(ada, choir, people["ليلى"].username)
    for slug, said in talks.items():
        for clock, name, words in said:
            reply = {"reply_to": id_of(ids, REPLIES[words])} if words in REPLIES else {}
            post = post_on(people[name].api if name else server.client, slug, words, **reply)
            ids[words] = post["id"]
            times[post["id"]] = round(at(clock).timestamp() * 1000)
            if "Choir" in words:
                ada.api.patch(f"/api/v1/messages/{post['id']}", json={"body": words})
    for beginning, kinds in REACTIONS.items():
        for kind, members in kinds.items():
            for name in members:
                people[name].api.put(f"/api/v1/messages/{id_of(ids, beginning)}/reactions/{kind}")
    ada.api.put(f"/api/v1/messages/{id_of(ids, PINNED)}/pin")
    server.stop()  # and what was said within a second becomes a morning
    with contextlib.closing(sqlite3.connect(server.database)) as database, database:
        for table in ("messages", "posts"):
            change = f"UPDATE {table} SET created_at = ? WHERE id = ?"
            database.executemany(change, [(at, id) for id, at in times.items()])
    server.start()
    return ada


def id_of(ids: dict[str, int], beginning: str) -> int:
    return next(id for words, id in ids.items() if words.startswith(beginning))


@contextlib.asynccontextmanager
async def visit(
    browser: Browser, server: Server, person: Person | None, path: str = "/", **look: object
) -> AsyncIterator[Page]:
    """A page, as someone sees it."""
    context = await browser.new_context(
        base_url=server.url, locale="en-GB", timezone_id="UTC", device_scale_factor=2, **look
    )
    if person:
        cookies = person.browser().cookies
        await context.add_cookies([{"name": name, "value": cookies[name], "url": server.url} for name in cookies])
    page = await context.new_page()
    await page.clock.set_fixed_time(at(NOW))
    await page.goto(path)
    await comes_true(page, "[...document.querySelectorAll('time')].every((time) => time.title)")
    yield page
    await context.close()


async def take(page: Page) -> str:
    """A picture of it, as a data: URL."""
    return "data:image/png;base64," + base64.b64encode(await page.screenshot()).decode()


async def board(browser: Browser, server: Server, ada: Person) -> str:
    """The light screen, where somebody is about to react, behind the dark one."""
    look = {"viewport": {"width": 860, "height": 790}, "color_scheme": "light"}
    async with visit(browser, server, ada, **look) as desktop:
        await desktop.locator(".message", has_text="Choir tonight").locator(".body").hover(position={"x": 250, "y": 40})
        await desktop.locator(".toolbar").wait_for()
        await desktop.locator("[data-action=like]").hover()
        phone_look = {**PHONE, "viewport": {"width": 375, "height": 760}, "color_scheme": "dark"}
        async with visit(browser, server, None, **phone_look) as phone:
            return FRAME % (await take(desktop), await take(phone))


async def boards(browser: Browser, server: Server, ada: Person) -> str:
    """Three boards: their list beside the messages, and as a sheet on a phone."""
    look = {"viewport": {"width": 1240, "height": 920}, "color_scheme": "light"}
    async with visit(browser, server, ada, "/b/rowing/", **look) as desktop:
        phone_look = {**PHONE, "viewport": {"width": 375, "height": 760}, "color_scheme": "dark"}
        async with visit(browser, server, ada, "/b/rowing/", **phone_look) as phone:
            await phone.locator("[popovertarget=boards]").click()
            await phone.locator("#boards").wait_for()
            return FRAME % (await take(desktop), await take(phone))


async def states(browser: Browser, server: Server, empty: Server, ada: Person) -> str:
    """Nothing there yet; further down with news; offline; the tools of a message; and searching."""
    pictures = []
    async with visit(browser, empty, None, **PHONE, color_scheme="light") as page:
        pictures.append(await take(page))
    async with visit(browser, server, ada, **PHONE, color_scheme="dark") as page:
        await page.evaluate("scrollTo(0, 420)")
        await page.wait_for_timeout(300)
        for words in ("The ferry is here.", "So is the rain."):
            server.post(words)
        await page.locator("#news").wait_for()
        pictures.append(await take(page))
        await page.locator("#news").click()
        await page.context.set_offline(True)
        await page.fill("#s", "Written in the tunnel.")
        await page.get_by_role("button", name="Post").click()
        await page.locator("#outbox .late").wait_for()
        await page.get_by_text("Reconnecting…").wait_for()
        await page.wait_for_timeout(2600)  # until nothing glows any more
        pictures.append(await take(page))
    async with visit(browser, server, ada, **PHONE, color_scheme="light") as page:
        await page.locator(".message", has_text="Ich komme!").last.locator(".permalink").tap()
        await page.locator(".sheet .picker button").last.wait_for()
        await page.wait_for_timeout(600)  # until the browser's own sign of the touch is gone
        pictures.append(await take(page))
    async with visit(browser, server, None, **PHONE, color_scheme="light") as page:
        await page.goto("/search?q=ferry")
        pictures.append(await take(page))
    return ROW % "".join(f'<img src="{picture}">' for picture in pictures)


async def save(browser: Browser, html: str, name: str) -> None:
    page = await browser.new_page(device_scale_factor=1.25)
    await page.set_content(html)
    await comes_true(page, "[...document.images].every((image) => image.complete)")
    picture = base64.b64encode(await page.locator("body").screenshot(omit_background=True)).decode()
    small = await page.evaluate(TO_WEBP, f"data:image/png;base64,{picture}")
    (DOCS / name).write_bytes(base64.b64decode(small.partition(",")[2]))
    print(f"{DOCS / name}: {(DOCS / name).stat().st_size // 1024} KB")


async def main() -> None:
    with contextlib.ExitStack() as stack:
        folders = [stack.enter_context(tempfile.TemporaryDirectory()) for _ in range(3)]
        server, many, empty = (Server(pathlib.Path(folder), title="Harbour Lane") for folder in folders)
        for one in (server, many, empty):
            stack.callback(one.stop)
        ada, ada_of_many = talk(server), talk(many, with_boards=True)
        async with Engines() as engines:
            browser = await engines.chromium()
            await save(browser, await board(browser, server, ada), "board.webp")
            await save(browser, await boards(browser, many, ada_of_many), "boards.webp")
            await save(browser, await states(browser, server, empty, ada), "states.webp")


if __name__ == "__main__":
    asyncio.run(main())
