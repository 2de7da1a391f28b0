"""The browser's own EventSource on a stream: it comes back by itself, with the id of its last event."""

import asyncio

from tests.support.browser import BROWSER_TEST, NETWORK
from tests.support.engines import until
from tests.support.server import until as until_it_is

pytestmark = BROWSER_TEST

FOLLOW = """(after) => {
    window.heard = [];
    window.opened = 0;
    window.source = new EventSource(`/api/v1/stream?after=${after}`);
    source.onopen = () => opened++;
    source.onmessage = (event) => {
        const reply = JSON.parse(event.data);
        if (reply.cursor !== event.lastEventId) heard.push("a wrong id");
        heard.push(...reply.messages.map((message) => message.body));
    };
}"""


async def test_an_event_source_loses_and_doubles_nothing_when_it_is_cut_off(start, visit):
    """By a kill, and by a server that ends in order; it says how long to wait, and a page of the board may use it."""
    server = start()
    visit.expect(NETWORK)
    page = await visit(server, "/api")
    await page.evaluate(FOLLOW, server.cursor)
    await until(page, "opened === 1")
    for number, end in enumerate((server.kill, server.stop)):
        server.post(f"live {number}")
        await until(page, "text => heard.includes(text)", f"live {number}")
        server.post(f"at the end {number}")
        await asyncio.to_thread(end)
        server.start()
        server.post(f"unseen {number}")
        await until(page, "count => opened === count", number + 2)
        await until(page, "text => heard.includes(text)", f"unseen {number}")
    words = [f"{word} {number}" for number in range(2) for word in ("live", "at the end", "unseen")]
    assert await page.evaluate("heard") == words
    await page.evaluate("source.close()")
    await asyncio.to_thread(until_it_is, lambda: server.health()["parked"] == 0)


async def test_an_event_source_that_may_not_read_stops(start, visit):
    """A refusal is final for it: it does not ask again and again."""
    server = start(reading="members", posting="members")
    visit.expect("401")
    page = await visit(server, "/signin")
    await page.evaluate("window.source = new EventSource('/api/v1/stream')")
    await until(page, "source.readyState === EventSource.CLOSED")
