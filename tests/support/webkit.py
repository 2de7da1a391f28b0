"""WebKitGTK, the engine of Safari, with pages that have those of Playwright's methods that the tests use.

WebKitWebDriver speaks W3C WebDriver (https://www.w3.org/TR/webdriver2/): a dozen calls over HTTP. Playwright has only a
WebKit build of its own, and no other library for Python needs fewer packages than these lines do.
"""

import asyncio
import contextlib
import os
import pathlib
import re
import signal
from collections.abc import AsyncIterator

import httpx

from tests.support.ports import free_port

SCREEN = "1280x1000x24"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # what an element is called in WebDriver's JSON
PLAIN_DRAWING = {"WEBKIT_DISABLE_DMABUF_RENDERER": "1"}
"""Without a graphics card, to draw for one in buffers that processes share takes as much time as all else."""
WRITE = """([selector, text]) => {
    document.querySelector(selector).select();
    document.execCommand(text ? "insertText" : "delete", false, text);
}"""
IS_STILL = """async (selector) => {
    const element = document.querySelector(selector);
    element?.scrollIntoView({ block: "nearest" });
    const before = element?.getBoundingClientRect().top;
    for (let n = 0; n < 4; n++) await new Promise(requestAnimationFrame);
    return before !== undefined && element.isConnected && element.getBoundingClientRect().top === before;
}"""
FUNCTION = re.compile(r"(async )?\([\w, \[\]{}]*\) =>")  # what Playwright calls with the argument
NOT_YET = {"no such element", "element not interactable", "stale element reference", "element click intercepted"}
KEYS = {
    "Backspace": "\ue003", "Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "Control": "\ue009", "Escape": "\ue00c",
    "End": "\ue010",
}  # fmt: skip


class Failure(Exception):
    """WebDriver's word for what went wrong; its first argument is the code."""


class Driver:
    """A WebKitWebDriver and the browser that it starts: one person's, since it has one session only."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self.server_url = url
        self._lock = asyncio.Lock()
        self._window: str | None = None
        self._session = ""

    async def begin(self, arguments: list[str]) -> None:
        options = {"binary": str(mini_browser()), "args": ["--automation", *arguments]}
        capabilities = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        session = await self._call("POST", "/session", {"capabilities": capabilities})
        self._session = f"/session/{session['sessionId']}"

    async def do(self, window: str | None, method: str, path: str, **body: object) -> object:
        """A call to one of the windows; None is whichever is there."""
        async with self._lock:
            if window not in (None, self._window):
                await self._call("POST", f"{self._session}/window", {"handle": window})
                self._window = window
            return await self._call(method, self._session + path, body if method == "POST" else None)

    async def _call(self, method: str, path: str, body: object = None) -> object:
        response = await self._http.request(method, path, json=body)
        value = response.json()["value"]
        if response.is_error:
            raise Failure(value["error"], value.get("message"), path)
        return value

    async def new_page(self) -> "Page":
        handle = (await self.do(None, "POST", "/window/new", type="tab"))["handle"]
        page = Page(self, handle)
        await page.bring_to_front()
        return page


class Page:
    """A tab. Selectors are CSS; what is clicked or written in is waited for, as Playwright does."""

    def __init__(self, context: Driver, handle: str) -> None:
        self.context = context
        self._handle = handle

    async def _do(self, method: str, path: str, **body: object) -> object:
        return await self.context.do(self._handle, method, path, **body)

    async def goto(self, path: str) -> None:
        await self._do("POST", "/url", url=self.context.server_url + path)

    async def reload(self) -> None:
        await self._do("POST", "/refresh")

    async def go_back(self) -> None:
        await self._do("POST", "/back")

    async def bring_to_front(self) -> None:
        await self._do("POST", "/window", handle=self._handle)

    async def close(self) -> None:
        await self._do("DELETE", "/window")

    async def evaluate(self, expression: str, argument: object = None) -> object:
        """The value of an expression, or of a function of the argument."""
        call = "(arguments[0])" if FUNCTION.match(expression) else ""
        return await self._do("POST", "/execute/sync", script=f"return ({expression}){call}", args=[argument])

    async def click(self, selector: str) -> None:
        """Once it is in view and stands still: the driver's own click may go where it was."""
        while not await self.evaluate(IS_STILL, selector):
            await asyncio.sleep(0.05)
        await self._at(selector, "/click")

    async def fill(self, selector: str, text: str) -> None:
        """By an input event, as from an input method: the driver's keyboard has no Hebrew and no emoji."""
        await self._at(selector, "/value", text=KEYS["End"])  # waits for it, and has the focus there
        await self.evaluate(WRITE, [selector, text])

    async def press(self, selector: str, keys: str) -> None:
        """Such as "Control+Enter"."""
        await self._at(selector, "/value", text="".join(KEYS.get(key, key) for key in keys.split("+")))

    async def _at(self, selector: str, path: str, **body: object) -> None:
        while True:
            try:
                found = await self._do("POST", "/element", using="css selector", value=selector)
                await self._do("POST", f"/element/{found[ELEMENT]}{path}", **body)
                return
            except Failure as failure:
                if failure.args[0] not in NOT_YET:
                    raise
            await asyncio.sleep(0.1)


def mini_browser() -> pathlib.Path:
    """WebKitGTK's own browser, which its packages keep out of the PATH."""
    return next(pathlib.Path("/usr").glob("lib*/**/webkit2gtk-4.*/MiniBrowser"))


@contextlib.asynccontextmanager
async def screen() -> AsyncIterator[str]:
    """A display that nobody sees, of a free number."""
    read, write = os.pipe()
    arguments = ["-displayfd", str(write), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    async with process("Xvfb", *arguments, pass_fds=[write]):
        os.close(write)
        with open(read) as numbers:
            yield f":{(await asyncio.to_thread(numbers.readline)).strip()}"


@contextlib.asynccontextmanager
async def driver(program: str, display: str, server_url: str, *arguments: str) -> AsyncIterator[Driver]:
    port = free_port()
    environment = {**os.environ, **PLAIN_DRAWING, "DISPLAY": display, "LANG": "en_GB.UTF-8", "TZ": "Europe/Berlin"}
    async with (
        process(program, f"--port={port}", env=environment),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=None) as http,
    ):
        while True:
            with contextlib.suppress(httpx.TransportError):
                await http.get("/status")
                break
            await asyncio.sleep(0.1)
        one = Driver(http, server_url)
        await one.begin(list(arguments))
        yield one


@contextlib.asynccontextmanager
async def process(*command: str, **options: object) -> AsyncIterator[None]:
    """Ends with all that it has started, whatever happens to the test, or to the process that the tests are in."""
    one = await asyncio.create_subprocess_exec(
        "setpriv",
        "--pdeathsig=TERM",
        *command,
        start_new_session=True,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        **options,
    )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(one.pid, signal.SIGKILL)
        await one.wait()


class Visits:
    """As Visits in tests/support/browser.py. It hears no console: WebKitWebDriver has none."""

    def __init__(self, program: str, display: str) -> None:
        self._program, self._display = program, display
        self._open = contextlib.AsyncExitStack()

    async def __call__(self, server, path="/", person=None, javascript=True, cookies=True) -> Page:
        arguments = [] if javascript else ["--enable-javascript=false"]
        arguments += [] if cookies else ["--cookies-policy=never"]
        one = await self._open.enter_async_context(driver(self._program, self._display, server.url, *arguments))
        page = Page(one, str(await one.do(None, "GET", "/window")))
        if person is not None:
            await page.goto("/healthz")
            for name, value in person.browser().cookies.items():
                await one.do(None, "POST", "/cookie", cookie={"name": name, "value": value, "path": "/"})
        if path is not None:
            await page.goto(path)
        return page

    def expect(self, pattern: str) -> None:
        """There is no console to expect something in."""

    async def end(self) -> None:
        await self._open.aclose()
