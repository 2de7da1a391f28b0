"""The three engines that browsers are made of, each started when a test first asks for it; and what tests say in all.

Chromium and Firefox speak Playwright, Firefox by WebDriver BiDi: the Firefox that a system has, where Playwright's own
would be a download. WebKit has the methods of Playwright's pages that are used here: see tests/support/webkit.py.
"""

import asyncio
import contextlib
import json
import os
import pathlib
import tempfile

import pytest
from playwright.async_api import Browser, Error, Playwright, async_playwright

from tests.support import webkit
from tests.support.browser import ARGUMENTS, Visits
from tests.support.patience import PATIENCE

ENGINES = ("chromium", "firefox", "webkit")
PACKAGES = {"chromium": "chromium-headless-shell", "firefox": "firefox-esr", "webkit": "webkit2gtk-driver xvfb"}
ANSWER_SECONDS = PATIENCE / 4
START_MS = 300_000  # a busy machine takes its time
POINTER = 6  # hovers and is fine: a headless Firefox has no mouse, and hides what is for those who have
PREFERENCES = {"ui.primaryPointerCapabilities": POINTER, "ui.allPointerCapabilities": POINTER}


class Engines:
    """Ends whatever was started when it ends itself."""

    def __init__(self) -> None:
        self._open = contextlib.AsyncExitStack()
        self._made: dict[str, object] = {}

    async def __aenter__(self) -> "Engines":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._open.aclose()

    async def end(self, name: str) -> None:
        """Ends Firefoxes: one takes three seconds of CPU to start, but also some where nobody uses it."""
        if name == "firefox":
            for key in [key for key in self._made if key.startswith(name)]:
                await self._made.pop(key).close()

    async def _once(self, name: str, make) -> object:
        if name not in self._made:
            self._made[name] = await make()
        return self._made[name]

    async def _playwright(self) -> Playwright:
        asyncio.get_running_loop().set_debug(
            False
        )  # nothing of ours runs on it, and Playwright's many tasks take longer
        return await self._once("playwright", lambda: self._open.enter_async_context(async_playwright()))

    async def chromium(self) -> Browser:
        return await self._once("chromium", self._start_chromium)

    async def _start_chromium(self) -> Browser:
        launcher = (await self._playwright()).chromium
        browser = await launcher.launch(executable_path=path_of("chromium"), args=ARGUMENTS, timeout=START_MS)
        self._open.push_async_callback(browser.close)
        return browser

    async def firefox(self, **preferences: object) -> Browser:
        """One for all tests with the same preferences."""
        return await self._once(f"firefox {preferences}", lambda: self._start_firefox(preferences))

    async def _start_firefox(self, preferences: dict[str, object]) -> Browser:
        browser = await (await self._playwright()).firefox.launch(
            channel="moz-firefox",  # by WebDriver BiDi
            executable_path=path_of("firefox"),
            firefox_user_prefs=PREFERENCES | preferences,
            timeout=START_MS,
        )
        self._open.push_async_callback(browser.close)
        return browser

    async def chromium_without_cookies(self, server):
        """A page of another browser: only a profile can block cookies."""
        profile = pathlib.Path(self._open.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        (profile / "Default").mkdir()
        blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
        (profile / "Default" / "Preferences").write_text(json.dumps(blocked))
        context = await (await self._playwright()).chromium.launch_persistent_context(
            profile, executable_path=path_of("chromium"), args=ARGUMENTS, base_url=server.url, timeout=START_MS
        )
        self._open.push_async_callback(context.close)
        return context

    async def display(self) -> str:
        return await self._once("display", lambda: self._open.enter_async_context(webkit.screen()))

    async def visits(self, name: str):
        """What opens pages in the engine of that name."""
        path = path_of(name)
        if name == "webkit":
            return webkit.Visits(path, await self.display())
        return PlaywrightVisits(self, name, await getattr(self, name)())


class PlaywrightVisits(Visits):
    """Visits, but that each engine has its own way of doing without scripts or cookies."""

    def __init__(self, engines: Engines, name: str, browser: Browser) -> None:
        super().__init__(browser)
        self._engines, self._name = engines, name

    async def __call__(self, server, path="/", person=None, javascript=True, cookies=True, **options):
        if self._name == "firefox" and not (javascript and cookies):
            blocked = {} if cookies else {"network.cookie.cookieBehavior": 2}
            preferences = blocked if javascript else blocked | {"javascript.enabled": False}
            browser = await self._engines.firefox(**preferences)
            return await super().__call__(server, path, person, browser=browser, **options)
        if not cookies:
            context = await self._engines.chromium_without_cookies(server)
            return await self.open(context, server, path, person)
        return await super().__call__(server, path, person, java_script_enabled=javascript, **options)


def path_of(name: str) -> str:
    """Of the browser; without it, the test is left out and says so, unless it is Chromium, which all need."""
    path = os.environ.get(name.upper())
    if path:
        return path
    assert name != "chromium", "The browser tests need the path of a Chromium in CHROMIUM, as bin/test sets it."
    pytest.skip(
        f"{name} was not tried: install it (Debian: sudo apt install {PACKAGES[name]}) or name it in {name.upper()}"
    )


# --- what tests do on pages in all engines


async def until(page, expression: str, argument: object = None) -> object:
    """Waits until it is so on a page whose scripts have run, also while another page loads.

    The answer to a question that is asked while a page goes may never come: then it is asked again. The test's own
    time limit ends it.
    """
    while True:
        with contextlib.suppress(Error, webkit.Failure, TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                value = await page.evaluate(expression, argument)
                if value and await page.evaluate("document.readyState === 'complete'"):
                    return value
        await asyncio.sleep(0.1)
