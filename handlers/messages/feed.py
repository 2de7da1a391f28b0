"""The Atom feeds (RFC 4287): the newest messages of a board. All clients get the same bytes until the next change."""

import dataclasses
import email.utils
import hashlib
import re
import time

import tornado.escape

from board.cursor import NO_CURSOR
from board.live_board import LiveBoard
from board.wire import iso
from handlers.boards.on_board import OnBoard
from handlers.http.aside import gzipped
from handlers.http.base import Base
from handlers.http.headers import is_known
from handlers.http.language import ENGLISH
from handlers.http.negotiation import takes_gzip
from handlers.http.static import static_url
from handlers.messages.articles import byline, preview
from storage.records import Message

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


@dataclasses.dataclass(slots=True)
class Feeds:
    """The feeds of one state of a board."""

    rights: int
    """The number of the state of the board's row: see board/live_board.py."""
    messages: list[Message]
    by_origin: dict[str, Made] = dataclasses.field(default_factory=dict)
    made_at: int | None = None
    """The Last-Modified: when the state was first requested, in seconds since 1970."""

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(len(made.feed) + len(made.packed) for made in self.by_origin.values())


class Feed(Base):
    """That of the first board."""

    allows_cors = True
    kept_by = "private, no-cache"
    """The Cache-Control of one that not everybody may read."""

    async def get(self, *slug: str) -> None:
        feeds, made = await self.newest()
        is_open = self.config.reading == "public" and self.board.read_by == "everyone"
        self.send(made, self.made_at(feeds), is_public=is_open)

    @property
    def board(self) -> LiveBoard:
        return self.site.waiters.first

    async def newest(self) -> tuple[Feeds, Made]:
        """Returns the feed of the newest state, or of one that has just passed."""
        while True:
            await self.site.load(self.caller, self.board, NO_CURSOR)
            if not self.is_as_judged:
                await self.look_again()
            elif (feeds := self.kept()) is not None:
                self.site.waiters.recents.use(self.board)
                made = feeds.by_origin.get(self.origin)
                return (feeds, made) if made else await self.keep(feeds)

    def kept(self) -> Feeds | None:
        """Those of the newest state: they go with it. None if memory lacks what they are made of."""
        recent = self.board.recent
        if recent is None or not self.board.has(NO_CURSOR):
            return None
        feeds: Feeds | None = recent.derived.get("feeds")
        if feeds is None or feeds.rights != self.board.rights:
            feeds = recent.derived["feeds"] = Feeds(self.board.rights, recent.page.messages[::-1])
        return feeds

    async def keep(self, feeds: Feeds) -> tuple[Feeds, Made]:
        """Makes one feed for all requests that wait for it."""
        making = self.context.making
        async with making.feed:
            feeds = self.kept() or feeds
            made = feeds.by_origin.get(self.origin)
            if made is None:
                row = self.board.row
                title, place = (row.name, f"/b/{row.slug}/") if row else (self.config.title, "/")
                made = await making.packing.run(Made.make, await self.make(title, place, feeds.messages))
                if len(feeds.by_origin) >= MOST_ORIGINS:
                    del feeds.by_origin[next(iter(feeds.by_origin))]
                feeds.by_origin[self.origin] = made
            return feeds, made

    def made_at(self, feeds: Feeds) -> int | None:
        """Returns the Last-Modified. The time identifies the state and is never in the future, so it is None for a past
        state, and if another state of the board already has this second."""
        if self.kept() is not feeds:
            return None
        now = int(time.time())
        if feeds.made_at is None and now != self.board.feed_made_at:
            feeds.made_at = self.board.feed_made_at = now
        return feeds.made_at

    def send(self, made: Made, made_at: int | None, *, is_public: bool) -> None:
        self.set_header("Content-Type", "application/atom+xml; charset=utf-8")
        self.set_header("Cache-Control", "no-cache" if is_public else self.kept_by)
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
<author><name>{xml(byline(message, ENGLISH))}</name></author>
<published>{iso(message.created_at)}</published>
<updated>{iso(changed_at(message))}</updated>
{self.in_reply_to(message)}<content type="text">{xml(message.body or "")}</content>
</entry>
"""

    def in_reply_to(self, message: Message) -> str:
        """RFC 4685: the id of the entry that this one replies to, and nothing of its words. The namespace is here, so that a
        feed without replies has the bytes that it always had.
        """
        if message.reply_to is None:
            return ""
        where = f"{xml(self.origin)}/m/{message.reply_to}"
        namespace = "http://purl.org/syndication/thread/1.0"
        return f'<thr:in-reply-to xmlns:thr="{namespace}" ref="{where}" href="{where}" type="text/html"/>\n'


class BoardFeed(OnBoard, Feed):
    """The same for the board whose slug is in the path."""


def changed_at(message: Message) -> int:
    return message.edited_at or message.created_at


def xml(text: str) -> str:
    return tornado.escape.xhtml_escape(re.sub(NOT_XML, "\ufffd", text))
