"""What opening the board costs over the network, and whether its page stays responsive while many messages arrive.

Both are measured in a real Chromium. Another page can be measured beside ours: --beside http://127.0.0.1:8888/
"""

import argparse
import asyncio
import os
import random
import time
from typing import Any

from bench.connection import Crowd, post_form
from bench.outcome import Missing, Wrong, print_table, spread
from bench.process import new_folder, server

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
MESSAGES = 50
WORDS = [
    "the",
    "tide",
    "comes",
    "in",
    "at",
    "seven",
    "and",
    "the",
    "wind",
    "has",
    "gone",
    "to",
    "the",
    "west",
    "so",
    "bring",
    "a",
    "coat",
    "and",
    "something",
    "warm",
    "to",
    "drink",
]
LOADS = 30
LARGEST_PAINT = """() => new Promise((done) => {
    let last = 0;
    new PerformanceObserver((list) => { for (const { startTime } of list.getEntries()) last = startTime; })
        .observe({ type: "largest-contentful-paint", buffered: true });
    setTimeout(() => done(last), 1000);
})"""
FLOOD = 5000
PER_SECOND = 100
LONG_TASKS = """() => {
    window.longest = 0;
    new PerformanceObserver((list) => {
        for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
    }).observe({ type: "longtask" });
}"""
"""Records the longest task of 50 ms or more, which is a long task (https://w3c.github.io/longtasks/)."""


def run(options: argparse.Namespace) -> None:
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        raise Missing("this needs Playwright: bin/venv requirements-dev.txt") from None
    chromium = os.environ.get("CHROMIUM")
    if not chromium:
        raise Missing("this needs Chromium: CHROMIUM=$(bin/browser chromium) bin/bench view")
    with new_folder(options.folder) as folder, server(folder) as board:
        asyncio.run(measure(async_playwright, chromium, board.port, options.beside))


async def measure(async_playwright: Any, chromium: str, port: int, beside: str | None) -> None:
    crowd = Crowd(port, 8)
    random.seed(1)
    post(crowd, MESSAGES, MESSAGES)
    ours = f"http://127.0.0.1:{port}/"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        rows = [["Longboard", *await views(browser, ours)]]
        if beside:
            rows.append([beside, *await views(browser, beside)])
        print_table(["page", "first view", "again, from the cache"], rows)
        await paints(browser, [ours, *([beside] if beside else [])])
        rows = [[name, *await flood(browser, ours, crowd, down)] for name, down in FLOODS.items()]
        print_table([f"{FLOOD:,} messages at {PER_SECOND}/s", "longest task", "articles in the page"], rows)
        await browser.close()
    crowd.close()


FLOODS = {"read at the top": 0, "read further down": 2000}
"""How far the page is scrolled, in pixels."""


async def views(browser: Any, url: str) -> list[str]:
    context = await browser.new_context()
    page = await context.new_page()
    found = [await view(page, url) for _ in range(2)]
    await context.close()
    return [f"{requests} requests, {size / 1000:.1f} KB" for requests, size in found]


async def paints(browser: Any, urls: list[str]) -> None:
    """Measures when the largest part of each page is painted, with an empty cache: LOADS of each, in turns."""
    times: dict[str, list[float]] = {url: [] for url in urls}
    for _ in range(LOADS):
        for url in urls:
            context = await browser.new_context()
            page = await context.new_page()
            await page.goto(url)
            times[url].append(await page.evaluate(LARGEST_PAINT))
            await context.close()
    print_table(
        [f"largest contentful paint, {LOADS} loads in turns", "ms"],
        [[url, spread(each)] for url, each in times.items()],
    )


async def view(page: Any, url: str) -> tuple[int, int]:
    """Returns how many requests a page needs, and their bytes over the network, with headers. Polls are not counted."""
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    asked: dict[str, str] = {}
    cached: set[str] = set()
    sizes: dict[str, int] = {}
    session.on("Network.requestWillBeSent", lambda e: asked.setdefault(e["requestId"], e["request"]["url"]))
    session.on("Network.requestServedFromCache", lambda e: cached.add(e["requestId"]))
    session.on(
        "Network.responseReceived",
        lambda e: cached.add(e["requestId"]) if e["response"].get("fromDiskCache") else None,
    )
    session.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: int(e["encodedDataLength"])}))
    await page.goto(url)
    await page.wait_for_timeout(1500)
    await session.detach()
    over_wire = [
        id for id, what in asked.items() if id not in cached and not what.startswith("data:") and not is_poll(what)
    ]
    return len(over_wire), sum(sizes.get(id, 0) for id in over_wire)


def is_poll(url: str) -> bool:
    return "/get?" in url or url.endswith("/updates")


async def flood(browser: Any, url: str, crowd: Crowd, down: int) -> list[str]:
    page = await browser.new_page()
    await page.goto(url)
    await page.evaluate("(down) => scrollTo(0, down)", down)
    await page.wait_for_timeout(1000)
    await page.evaluate(LONG_TASKS)
    await asyncio.to_thread(post, crowd, FLOOD, PER_SECOND)
    await page.wait_for_timeout(1000)
    longest = await page.evaluate("longest")
    articles = await page.locator("#messages article").count()
    await page.close()
    return [f"{longest:.0f} ms" if longest else "under 50 ms", str(articles)]


def post(crowd: Crowd, count: int, per_second: int) -> None:
    """Posts `count` messages, evenly over time."""
    began = time.monotonic()
    for sent in range(count):
        time.sleep(max(0.0, began + sent / per_second - time.monotonic()))
        words = " ".join(random.choices(WORDS, k=random.randint(3, 40)))
        reply = crowd.connections[sent % len(crowd.connections)]
        reply.socket.setblocking(True)
        if reply.ask(post_form("/add", {"s": words})).status != 201:
            raise Wrong("a post was refused")
