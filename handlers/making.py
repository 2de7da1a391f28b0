"""What renders pages: one for the whole process, so that requests share the results and wait in turns."""

import asyncio
from typing import TYPE_CHECKING

from handlers.articles import Articles
from handlers.aside import Aside
from net.loop_turns import LoopTurns

if TYPE_CHECKING:
    from handlers.kept import Kept

READ_AT_ONCE = 8
"""Pages of messages, of up to 2 MB each, that are in memory while their requests wait for a turn."""


class Making:
    def __init__(self) -> None:
        self.turns = LoopTurns()
        self.articles = Articles(self.turns)
        self.big_pages = asyncio.Lock()
        """Held while a big page is rendered and compressed."""
        self.reading = asyncio.Semaphore(READ_AT_ONCE)
        """Held from the reading of messages from storage until the reply is made of them."""
        self.front = asyncio.Lock()
        """Held while the front page is made for guests."""
        self.feed = asyncio.Lock()
        """Held while the feed is made."""
        self.last_front: Kept | None = None
        self.errors: dict[tuple[int, str, int | None], bytes] = {}
        """Cached error pages for guests."""
        self.packing = Aside("packing")
        self.excerpts = Aside("excerpts")
