"""A page on a board of several nodes, while its database goes away and comes back."""

import asyncio
import signal

from playwright.async_api import expect

from tests.support.browser import BROWSER_TEST, message
from tests.support.postgres import cluster, psql

pytestmark = BROWSER_TEST


async def test_what_was_written_while_the_database_was_away_is_on_every_page_later(start, visit):
    """The page keeps it, sends it once the database is back, and a page on another node shows it, once."""
    with cluster() as database:
        psql(database.url("postgres"), "CREATE DATABASE board")
        one, other = (start(database_url=database.url("board")) for _ in range(2))
        visit.expect("503")
        writing, watching = await visit(one), await visit(other)
        await asyncio.to_thread(database.stop, signal.SIGKILL)
        await writing.fill("#s", "patience")
        await writing.keyboard.press("Control+Enter")
        await expect(writing.locator("#outbox .late .state")).to_contain_text("Not sent yet. Trying again…")
        await asyncio.to_thread(database.start)
        await expect(message(watching, "patience")).to_have_count(1)
        await expect(writing.locator("#outbox .message")).to_have_count(0)
        await expect(message(writing, "patience")).to_have_count(1)
