"""Makes docs/board.png anew, from a real server in a real Chromium.

CHROMIUM=$(bin/chromium) .venv/bin/python -m docs.screenshot
"""

import asyncio
import base64
import contextlib
import datetime
import pathlib
import sqlite3
import tempfile

from playwright.async_api import Browser, Page

from tests.browser import chromium
from tests.conftest import Server
from tests.people import Person

PICTURE = pathlib.Path(__file__).parent / "board.png"
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
NOW = "09:41"

FRAME = """<!doctype html>
<style>
  body { display: inline-block; position: relative; margin: 0; padding: 12px 24px 36px; }
  img { display: block; border: 1px solid rgb(0 0 0 / 0.18); box-shadow: 0 8px 24px rgb(0 0 0 / 0.2); }
  .desktop { width: 860px; margin-right: 225px; border-radius: 12px; }
  .phone { position: absolute; right: 24px; bottom: 36px; width: 300px; border-radius: 28px; }
</style>
<body><img class="desktop" src="%s"><img class="phone" src="%s"></body>"""


def at(clock: str) -> datetime.datetime:
    today = datetime.datetime.now(datetime.UTC).date()
    return datetime.datetime.combine(today, datetime.time.fromisoformat(clock), datetime.UTC)


def talk(server: Server) -> Person:
    """Lets people talk for a morning; one of them."""
    names = {name for _, name, _ in TALK if name}
    people = {name: Person(server, "ada" if name == "Ada" else None, name=name) for name in sorted(names)}
    times = {}
    for clock, name, words in TALK:
        post = people[name].post(words) if name else server.post(words).json()
        times[post["id"]] = round(at(clock).timestamp() * 1000)
        if "Choir" in words:
            people["Ada"].api.patch(f"/api/v1/messages/{post['id']}", json={"body": words})
    server.stop()  # and what was said within a second becomes a morning
    with contextlib.closing(sqlite3.connect(server.database)) as database, database:
        database.executemany("UPDATE messages SET created_at = ? WHERE id = ?", [(at, id) for id, at in times.items()])
    server.start()
    return people["Ada"]


async def take(browser: Browser, server: Server, person: Person | None, **look: object) -> str:
    """A picture of the board, as someone sees it, as a data: URL."""
    context = await browser.new_context(
        base_url=server.url, locale="en-GB", timezone_id="UTC", device_scale_factor=2, **look
    )
    if person:
        cookies = person.browser().cookies
        await context.add_cookies([{"name": name, "value": cookies[name], "url": server.url} for name in cookies])
    page = await context.new_page()
    await page.clock.set_fixed_time(at(NOW))
    await page.goto("/")
    await page.wait_for_function("[...document.querySelectorAll('time')].every((time) => time.title)")
    picture = await page.screenshot()
    await context.close()
    return "data:image/png;base64," + base64.b64encode(picture).decode()


async def frame(page: Page, desktop: str, phone: str) -> None:
    """Both pictures in one, the light screen behind the dark one."""
    await page.set_content(FRAME % (desktop, phone))
    await page.wait_for_function("[...document.images].every((image) => image.complete)")
    await page.locator("body").screenshot(path=PICTURE, omit_background=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1024} KB")


async def main() -> None:
    desktop = {"viewport": {"width": 860, "height": 790}, "color_scheme": "light"}
    phone = {"viewport": {"width": 375, "height": 760}, "color_scheme": "dark", "has_touch": True, "is_mobile": True}
    with tempfile.TemporaryDirectory() as folder:
        server = Server(pathlib.Path(folder), title="Harbour Lane")
        try:
            ada = talk(server)
            async with chromium() as browser:
                pictures = [await take(browser, server, ada, **desktop), await take(browser, server, None, **phone)]
                await frame(await browser.new_page(device_scale_factor=1.25), *pictures)
        finally:
            server.stop()


asyncio.run(main())
