"""The Atom feed (RFC 4287)."""

import dataclasses
import email.utils
import hashlib
import re
import time

import tornado.escape

from board.recent import iso
from handlers.http.aside import gzipped
from handlers.http.base import Base
from handlers.http.headers import is_known
from handlers.http.negotiation import takes_gzip
from handlers.http.static import static_url
from handlers.messages.rendering import preview
from storage.records import FIRST_BOARD, Message

NOT_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Characters that XML 1.0 can't contain. Compiled when it is first used: that takes 5 ms, too much for each start."""


MOST_ORIGINS = 4
"""Origins for which the feed is cached: without PUBLIC_URL, clients choose the name."""


@dataclasses.dataclass(frozen=True, slots=True)
class Made:
    """The feed as sent at one origin."""

    feed: bytes
    packed: bytes
    etag: str
    """Weak, because the compressed feed has the same one (RFC 9110, 8.8.3.3)."""

    @classmethod
    def make(cls, feed: bytes) -> "Made":
        return cls(feed, gzipped(feed), f'W/"{hashlib.sha256(feed).hexdigest()[:24]}"')


class AnyFeed(Base):
    """What the feeds of all boards share."""

    def send(self, made: Made, made_at: int | None, *, is_public: bool) -> None:
        self.set_header("Content-Type", "application/atom+xml; charset=utf-8")
        self.set_header("Cache-Control", "no-cache" if is_public else "private, no-cache")
        self.set_header("Etag", made.etag)
        if made_at is not None:
            self.set_header("Last-Modified", email.utils.formatdate(made_at, usegmt=True))
        if is_known(self, made_at):
            self.set_status(304)
            self.finish()
        elif takes_gzip(self.request.headers.get("Accept-Encoding", "")):
            self.set_header("Content-Encoding", "gzip")
            self.finish(made.packed)
        else:
            self.finish(made.feed)

    async def make(self, title: str, place: str, messages: list[Message]) -> bytes:
        """Returns the feed of a board at this path, which ends in a slash."""
        updated = max((changed_at(message) for message in messages), default=0)
        entries = await self.context.making.turns.each(lambda message: self.entry(message).encode(), messages)
        return b"".join([self.head_of(title, place, updated).encode(), *entries, b"</feed>\n"])

    def head_of(self, title: str, place: str, updated: int) -> str:
        where = xml(self.origin + place)
        return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<title>{xml(title)}</title>
<id>{where}</id>
<link href="{where}"/>
<link rel="self" type="application/atom+xml" href="{where}feed.atom"/>
<icon>{xml(self.origin + static_url("icon-192.png"))}</icon>
<updated>{iso(updated)}</updated>
"""

    def entry(self, message: Message) -> str:
        where = f"{xml(self.origin)}/m/{message.id}"
        return f"""<entry>
<id>{where}</id>
<link href="{where}"/>
<title>{xml(preview(message.body or "", 80))}</title>
<author><name>{xml(message.author.name if message.author else "Guest")}</name></author>
<published>{iso(message.created_at)}</published>
<updated>{iso(changed_at(message))}</updated>
<content type="text">{xml(message.body or "")}</content>
</entry>
"""


class Feed(AnyFeed):
    """The newest messages of the first board. All clients get the same bytes until the next change."""

    last_made = 0
    """When the newest state with a Last-Modified was first requested, in seconds since 1970."""

    async def get(self) -> None:
        made = self.all_kept().get(self.origin) or await self.keep()
        self.send(made, self.made_at(made), is_public=self.config.reading == "public")

    def all_kept(self) -> dict[str, Made]:
        """The feeds of the newest state, by origin."""
        kept: dict[str, Made] = self.site.waiters.recent.derived.setdefault("feeds", {})
        return kept

    async def keep(self) -> Made:
        making, waiters = self.context.making, self.site.waiters
        async with making.feed:
            if made := self.all_kept().get(self.origin):
                return made
            recent, page = waiters.recent, waiters.recent.page
            feed = await self.make(self.config.title, "/", page.messages[::-1])
            made = await making.packing.run(Made.make, feed)
            if waiters.recent is recent and recent.page is page:
                kept = self.all_kept()
                if len(kept) >= MOST_ORIGINS:
                    del kept[next(iter(kept))]
                kept[self.origin] = made
            return made

    def made_at(self, made: Made) -> int | None:
        """Returns when this state was first requested, in seconds since 1970. The time identifies the state and is
        never in the future, so it is None for a past state, and if another state already has this second."""
        derived, now = self.site.waiters.recent.derived, int(time.time())
        if self.all_kept().get(self.origin) is not made:
            return None
        if "feed_made_at" not in derived and now != Feed.last_made:
            derived["feed_made_at"] = Feed.last_made = now
        at: int | None = derived.get("feed_made_at")
        return at


class BoardFeed(AnyFeed):
    """The newest messages of a board, read for each request. Clients that have them already are told so by the ETag."""

    async def get(self, slug: str) -> None:
        board = await self.site.board(self.caller, slug)
        async with self.context.making.reading:
            page, _ = await self.site.page_of(self.caller, board.id, None)
            place = "/" if board.id == FIRST_BOARD else f"/b/{board.slug}/"
            feed = await self.make(board.name, place, page.messages[::-1])
            made = await self.context.making.packing.run(Made.make, feed)
        self.send(made, None, is_public=self.config.reading == "public" and board.read_by == "everyone")


def changed_at(message: Message) -> int:
    return message.edited_at or message.created_at


def xml(text: str) -> str:
    return tornado.escape.xhtml_escape(re.sub(NOT_XML, "\ufffd", text))
