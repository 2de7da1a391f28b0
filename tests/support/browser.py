"""A real Chromium, and people in front of it. The async API only: the sync one would leave its loop in the way of
other tests."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, BrowserContext, FloatRect, Locator, Page, expect

from tests.support.patience import PATIENCE

BROWSER_TEST = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
"""The marks of every test that uses `visit`: the browser lives on the session's loop."""
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP board.lan 127.0.0.1",  # a name that is not this computer's: plain http is not secure there
]  # fmt: skip
PATIENCE_MS = 1000 * PATIENCE
NETWORK = r"net::ERR_[A-Z_]+"
"""What Chromium says by itself while a server can't be reached."""
SCRIPTS = [
    "Grüße aus Köln, ça va? Ĉu ne? žluťoučký kůň",
    "Съешь ещё этих мягких французских булок",
    "明天见！你好，世界。 こんにちは 안녕하세요",
    "שלום עולם, https://example.org/שלום ומשהו אחריו",
    "مرحبا بالعالم؟ نعم!",
    "हिन्दी में नमस्ते, สวัสดีครับ, ខ្មែរ, ქართული, Ελληνικά",
    "👩‍👩‍👧 🏳️‍🌈 🇺🇦 e\u0301\u0302 Z\u0335\u0336",
    "<b>bold?</b> & &amp; \"quoted\" 'single' <script>alert(1)</script>",
    "run `ls -l <b>` or\n```\nfor x in y:\n    print(`x`)\n```\nthen `שלום`",
    "two\n\n  lines\tand a tab\nhttps://example.org/a?b=c&d=%20#e, (http://example.com/x_(y)) end.",
    "non\u00a0breaking {{ 7 * 7 }} {% raw x %} </article>",
]

expect.set_options(timeout=PATIENCE_MS)


class Visits:
    """Opens pages, each in a fresh context, as if on another computer, and collects what their consoles say."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._held: list[asyncio.Event] = []
        self._said: list[str] = []
        self._expected: list[str] = []

    async def __call__(self, server, path="/", person=None, *, browser: Browser | None = None, **options) -> Page:
        """A page on the board; with a session, if it is a person's."""
        options = {"locale": "en-GB", "timezone_id": "Europe/Berlin"} | options
        context = await (browser or self._browser).new_context(base_url=server.url, **options)
        return await self.open(context, server, path, person, touches=options.get("has_touch", False))

    async def open(self, context: BrowserContext, server, path: str | None, person, *, touches: bool = False) -> Page:
        """A page in this context. Where it `touches`, it is returned once its style sheets know that."""
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self._said.append(f"uncaught: {error.error}"))
        if person is not None:
            cookies = person.browser().cookies
            await context.add_cookies([{"name": name, "value": cookies[name], "url": server.url} for name in cookies])
        page = await context.new_page()
        if path is not None:
            await page.goto(path)
            if touches:
                await comes_true(page, "matchMedia('(hover: none)').matches")
        return page

    def _hear(self, message) -> None:
        if message.type in ("error", "warning"):
            self._said.append(f"{message.type}: {message.text}")

    def expect(self, pattern: str) -> None:
        """This may stand in a console in this test, and nothing else may."""
        self._expected.append(pattern)

    async def hold(self, target: Page | BrowserContext, path: str, *, times: int | None = None) -> asyncio.Event:
        """Keeps these requests on their way until the event is set, at the latest at the end of the test."""
        let_go = asyncio.Event()
        self._held.append(let_go)

        async def wait(route):
            await let_go.wait()
            await route.fallback()

        await target.route(path, wait, times=times)
        return let_go

    async def end(self) -> None:
        for let_go in self._held:
            let_go.set()
        for context in self._contexts:
            await context.close()
        # Playwright waits for ever for the answer to a route. The garbage collector would end the task, on the loop of
        # any other test, and Playwright then start one there that can't be cancelled.
        unanswered = [task for task in asyncio.all_tasks() if task.get_coro().__qualname__.endswith("._on_route")]
        for task in unanswered:
            task.cancel()
        await asyncio.gather(*unanswered, return_exceptions=True)
        assert not unanswered, "a route was left without an answer: see hold()"
        wrong = [words for words in self._said if not any(re.search(pattern, words) for pattern in self._expected)]
        assert not wrong, f"the console said: {wrong}"


# --- what tests do on pages again and again


async def write(page: Page, text: str) -> None:
    """Writes a message and sees it appear. Then the page has the answer, too: it waits for nothing more."""
    await page.wait_for_load_state()
    await page.fill("#s", text)
    await page.get_by_role("button", name="Post").click()
    await expect(message(page, text)).to_have_count(1)
    await expect(page.locator("#s")).to_have_value("")
    await expect(page.locator("#outbox .message").filter(has=words(page, text))).to_have_count(0)


def message(page: Page, text: str):
    """The messages with exactly these words; not those that are still on their way."""
    return page.locator("#messages .message").filter(has=words(page, text))


def words(page: Page, text: str):
    return page.locator(".body").filter(has_text=re.compile(f"^{re.escape(text)}$"))


async def shown(page: Page) -> str:
    """The messages as HTML, but for the glow of the newest, for the order of classes, and for the tools of the one that has
    the focus.
    """
    return await page.evaluate(
        """() => {
            const copy = document.getElementById("messages").cloneNode(true);
            for (const own of copy.querySelectorAll(".toolbar, .since")) own.remove();
            for (const one of copy.querySelectorAll("article")) {
                one.className = [...one.classList].filter((name) => name !== "fresh").sort().join(" ");
            }
            return copy.innerHTML;
        }"""
    )


async def is_as_after_reload(page: Page) -> None:
    """What a page became by itself is what the server sends."""
    live = await shown(page)
    await page.reload()
    assert await shown(page) == live


async def comes_true(page: Page, expression: str, arg: object = None) -> None:
    """Waits for a condition on the page. wait_for_function() repeats it by eval, which the pages' policy forbids."""
    async with asyncio.timeout(PATIENCE):
        while not await page.evaluate(expression, arg):
            await asyncio.sleep(0.01)


async def box_of(locator: Locator) -> FloatRect:
    """Where this is drawn, in pixels, once it is: while a page draws it again, it has no place."""
    async with asyncio.timeout(PATIENCE):
        while (box := await locator.bounding_box()) is None:
            await asyncio.sleep(0.01)
    return box


async def is_wide(page: Page) -> bool:
    """Whether one must scroll sideways."""
    return await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


async def scroll(page: Page, y: int | str) -> None:
    """Scrolls the page to this height, or to its "end"; returns once its scripts have heard of it.

    An observer that is made now is called in the same frame as those that the page has, after them.
    """
    await page.evaluate(
        """(y) => new Promise((done) => {
            scrollTo(0, y === "end" ? document.body.scrollHeight : y);
            new IntersectionObserver((_, one) => (one.disconnect(), done())).observe(document.body);
        })""",
        y,
    )
