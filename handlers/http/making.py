"""Renders pages. There is one for the whole process, so that requests share its results and take turns."""

import asyncio
import weakref

from handlers.boards.kept import Shared
from handlers.http.aside import Aside
from handlers.messages.articles import Articles
from net.loop_turns import LoopTurns

READ_AT_ONCE = 8
"""Pages of messages, up to 2 MB each, that may be in memory while their requests wait for a turn."""


class Making:
    def __init__(self) -> None:
        self.turns = LoopTurns()
        self.articles = Articles(self.turns)
        self.big_pages = asyncio.Lock()
        """Held while a big page is rendered and compressed."""
        self.reading = asyncio.Semaphore(READ_AT_ONCE)
        """Held from reading messages from storage until the reply has been made from them."""
        self.shared: weakref.WeakValueDictionary[tuple[str, int, str], Shared] = weakref.WeakValueDictionary()
        """The guests' pages that are being made, by the kind of page, board and language."""
        self.feed = asyncio.Lock()
        """Held while the feed is made."""
        self.errors: dict[tuple[str, int, str, int | None, bool], bytes] = {}
        """Cached error pages for guests."""
        self.packing = Aside("packing")
        self.excerpts = Aside("excerpts")
