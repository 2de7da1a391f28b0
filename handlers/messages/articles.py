"""Messages as finished HTML, rendered once for all pages that show them, in a bounded cache.

Nothing in it belongs to one viewer: the template gets only the message.
"""

import collections
import datetime
import functools
from collections.abc import Sequence

from board.recent import iso, moment
from board.text import pieces
from handlers.http.templates import LOADER
from net.loop_turns import LoopTurns
from storage.records import Message

MOST_BYTES = 4 * 1024 * 1024
"""Size limit of the cache. A page of the longest messages has a megabyte or two."""
MOST_KEPT = 2000


class Articles:
    def __init__(self, turns: LoopTurns) -> None:
        self._turns = turns
        self._kept: collections.OrderedDict[tuple[int, bool], tuple[Message, bytes]] = collections.OrderedDict()
        self.size = 0
        """Bytes of the cache."""

    def __len__(self) -> int:
        return len(self._kept)

    async def html(self, messages: Sequence[Message], this: int | None = None) -> list[bytes]:
        """Returns the HTML of each message. Missing ones are rendered in turns.

        The page is about the message with the id `this`.
        """
        found = {message.id: self._find(message, message.id == this) for message in messages}
        missing = [message for message in messages if found[message.id] is None]
        made = await self._turns.each(lambda message: self.now(message, message.id == this), missing)
        found.update(zip((message.id for message in missing), made, strict=True))
        return [html for html in found.values() if html is not None]

    def now(self, message: Message, is_this: bool = False) -> bytes:
        """Returns the HTML of one message without waiting for a turn."""
        html = self._find(message, is_this)
        if html is None:
            html = render(message, is_this)
            self._keep(message, is_this, html)
        return html

    def _find(self, message: Message, is_this: bool) -> bytes | None:
        """Returns the cached HTML if the message is the same: after a restore, its number may belong to another one."""
        kept = self._kept.get((message.id, is_this))
        if kept is None or kept[0] != message:
            return None
        self._kept.move_to_end((message.id, is_this))
        return kept[1]

    def _keep(self, message: Message, is_this: bool, html: bytes) -> None:
        key = (message.id, is_this)
        if before := self._kept.pop(key, None):
            self.size -= cost(*before)
        self._kept[key] = (message, html)
        self.size += cost(message, html)
        while self.size > MOST_BYTES or len(self._kept) > MOST_KEPT:
            _, oldest = self._kept.popitem(last=False)
            self.size -= cost(*oldest)


def cost(message: Message, html: bytes) -> int:
    """Approximate bytes of an entry. A string with an emoji takes four bytes for each character."""
    return len(html) + 4 * len(message.body or "") + 500


def render(message: Message, is_this: bool) -> bytes:
    this = message.id if is_this else None
    shown = pieces(message.body or "")
    return LOADER.load("message.html").generate(
        message=message, this=this, shown=shown, is_found=False, iso=iso, human=human
    )


@functools.lru_cache(400)
def day_line(day: datetime.date) -> bytes:
    return LOADER.load("day.html").generate(words=f"{day.day} {day:%B %Y}")


def day_of(ms: int) -> datetime.date:
    """Returns the day in UTC."""
    return moment(ms).date()


def human(ms: int) -> str:
    """The time as pages show it without JavaScript. With JavaScript they show local time instead."""
    at = moment(ms)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"
