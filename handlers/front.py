"""The board's page. For guests it is rendered once and kept until the next change, compressed as well.

Only its very end is one visitor's own: the key of the form, which makes a double click post once. It is not compressed,
so that it can be put behind what is kept: a deflate stream may end in a stored block (RFC 1951, 3.2.4).
"""

import dataclasses
import secrets
import struct
import time
import zlib
from typing import TYPE_CHECKING

from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    ResponseStartLine,
    format_timestamp,
)

from board.recent import PAGE
from handlers.messages import new_form_key
from handlers.pages import BLANK, Rendering, first_id
from storage.records import Message

if TYPE_CHECKING:
    from handlers import Application

KEY_HOLE = secrets.token_urlsafe(16)
"""Where the key goes in what is kept; nobody could have written it."""
COUNT_SECONDS = 1
"""How old the count of those who watch may be in what is kept."""
NOT_PLAIN = ("Cookie", "Authorization", "Content-Length", "Transfer-Encoding", "Expect", "Upgrade")
"""Headers with which a request for the page may mean something else."""
GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # RFC 1952: deflate, no time, from no system in particular


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """A guest's page without its end."""

    origin: str
    watching: int
    made_at: float
    page: bytes
    packed: bytes
    crc: int
    end: tuple[bytes, bytes]
    """What stands around the key."""

    @classmethod
    def make(cls, origin: str, watching: int, page: bytes) -> "Kept":
        before, _, after = page.rpartition(KEY_HOLE.encode())
        start, tag, middle = before.rpartition(b"<input")
        deflate = zlib.compressobj(9, wbits=-15)
        packed = GZIP_HEAD + deflate.compress(start) + deflate.flush(zlib.Z_SYNC_FLUSH)
        return cls(origin, watching, time.monotonic(), start, packed, zlib.crc32(start), (tag + middle, after))

    def serves(self, origin: str, watching: int) -> bool:
        """Whether it is right for who asks by this address. Its count may be a moment old."""
        is_fresh = self.watching == watching or time.monotonic() - self.made_at < COUNT_SECONDS
        return self.origin == origin and is_fresh

    def whole(self, key: str) -> bytes:
        return self.page + key.encode().join(self.end)

    def gzipped(self, key: str) -> bytes:
        end = key.encode().join(self.end)
        stored = b"\x01" + struct.pack("<HH", len(end), len(end) ^ 0xFFFF) + end
        size = len(self.page) + len(end)
        return self.packed + stored + struct.pack("<II", zlib.crc32(end, self.crc), size & 0xFFFFFFFF)


class Front(Rendering):
    forgives_old_sessions = True

    async def get(self) -> None:
        before, after = self.whole_number("before"), self.whole_number("after")
        if before is not None:
            page = await self.board.storage.before(before, PAGE)
            newer = page.messages[-1].id if page.messages else None
            self.history_page(page.messages, first_id(page.messages, page.older), newer)
        elif after is not None:
            page = await self.board.storage.after(after, PAGE)
            newer = page.messages[-1].id if page.newer else None
            self.history_page(page.messages, first_id(page.messages, after > 0), newer, is_forward=True)
        elif self.account is None:
            self.guests_page()
        else:
            self.finish(self.live_page(new_form_key(), self.board.waiters.watching.count()))

    def guests_page(self) -> None:
        kept, key = self.kept(), new_form_key()
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.finish(kept.gzipped(key))
        else:
            self.finish(kept.whole(key))

    def kept(self) -> Kept:
        waiters = self.board.waiters
        watching, derived = waiters.watching.count(), waiters.recent.derived
        kept: Kept | None = derived.get("front")
        if kept is None or not kept.serves(self.origin, watching):
            derived["front"] = kept = Kept.make(self.origin, watching, self.live_page(KEY_HOLE, watching))
        return kept

    def live_page(self, key: str, watching: int) -> bytes:
        recent = self.board.waiters.recent
        if "html" not in recent.derived:
            recent.derived["html"] = self.days_html(recent.page.messages)
        return self.render_string(
            "board.html",
            messages=recent.derived["html"],
            blank=self.messages_html([BLANK]),
            cursor=str(recent.cursor),
            older=first_id(recent.page.messages, recent.page.older),
            watching=watching,
            key=key,
        )

    def history_page(
        self, messages: list[Message], older: int | None, newer: int | None, *, is_forward: bool = False
    ) -> None:
        html = self.days_html(messages)
        self.render("history.html", messages=html, older=older, newer=newer, is_forward=is_forward)


class Quick(HTTPMessageDelegate):
    """The plain request of a guest who comes for the first time, answered from what is kept, without a handler.

    That is half of what the page costs then. Whatever is not quite plain goes to the handler: see `quick_front`.
    """

    def __init__(self, application: "Application", request: HTTPServerRequest, kept: Kept) -> None:
        self._application = application
        self._request = request
        self._kept = kept

    def finish(self) -> None:
        packs = "gzip" in self._request.headers.get("Accept-Encoding", "")
        key = new_form_key()
        page = self._kept.gzipped(key) if packs else self._kept.whole(key)
        headers = HTTPHeaders(self._application.front_headers)
        headers["Date"] = format_timestamp(time.time())
        headers["Content-Length"] = str(len(page))
        if packs:
            headers["Content-Encoding"] = "gzip"
        connection = self._request.connection
        assert connection is not None
        connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), headers, page)
        connection.finish()
        self._application.board.waiters.tally.requests["GET", 200] += 1


def quick_front(application: "Application", request: HTTPServerRequest) -> Quick | None:
    """None for whatever only a handler can answer: a member, a query, an odd request, a page that is not kept yet."""
    waiters, config, headers = application.board.waiters, application.config, request.headers
    kept: Kept | None = waiters.recent.derived.get("front")
    if kept is None or config.reading == "members" or config.log_requests or waiters.draining:
        return None
    if request.version != "HTTP/1.1" or headers.get("Connection", "keep-alive").lower() != "keep-alive":
        return None
    if any(name in headers for name in NOT_PLAIN):
        return None
    origin = config.public_url or f"http://{request.host}"
    return Quick(application, request, kept) if kept.serves(origin, waiters.watching.count()) else None
