"""The board's page. For guests it is rendered and compressed once, and cached until the next change.

Only its end differs for each visitor: the key of the form, with which a double click posts only once.
"""

import time
from typing import Any, NamedTuple

from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    ResponseStartLine,
    format_timestamp,
)

from board.cursor import NO_CURSOR, Cursor
from board.live_board import LiveBoard
from board.site import Site
from handlers.boards.kept import KEY_HOLE, MESSAGES_HOLE, Address, Body, Kept, Shared, cut_page
from handlers.boards.rail import WithRail
from handlers.http.bearer import OTHER_HEADERS
from handlers.http.context import Context
from handlers.http.negotiation import takes_gzip
from handlers.messages.api import new_form_key
from handlers.messages.rendering import BIG, BLANK, Rendering, first_id, needs
from storage.records import Message
from storage.records import Page as MessagesPage

MOST_ORIGINS = 4
"""Origins for which the page is cached, in each language: without PUBLIC_URL, clients choose the name."""
KeptPages = dict[tuple[str, str, str], Kept]
"""Cached pages, by origin, language and theme."""
NOTHING: KeptPages = {}
NOT_PLAIN = frozenset(
    ("Cookie", "Authorization", *OTHER_HEADERS, "Content-Length", "Transfer-Encoding", "Expect", "Upgrade")
)
"""Headers that may change the meaning of a request for the page, spelled as Tornado spells all names."""


class State(NamedTuple):
    """What the page shows, and its cursor. Both are read at the same moment, however long rendering takes."""

    page: MessagesPage
    cursor: Cursor
    pinned: Message | None


class LivePage(WithRail, Rendering):
    """What the page of the first board shares with those of others, and with those in frames."""

    forgives_old_sessions = True
    template = "board.html"
    kept_name = "front"
    """Under which its pages are kept beside the newest messages."""
    themes = 1
    """How many pages there are of each, one in each colour scheme."""
    theme = ""

    async def show(self) -> None:
        before, after = self.whole_number("before"), self.whole_number("after")
        if before is None and after is None:
            await (self.guests_page() if self.account is None else self.live_page())
            return
        async with self.context.making.reading:
            page = await self.site.page(self.caller, self.board.id, before=before, after=after)
            older, newer = first_id(page.messages, page.older or bool(after)), last_id(page, before)
            html = await self.days_html(page.messages)
            names = {"older": older, "newer": newer, "is_forward": before is None}
            await self.send_page("history.html", html, **names | needs(page.messages) | self.beside())

    @property
    def counts_as_reading(self) -> bool:
        """A guest's newest page counts only if it is not cached, and as many are as there may be in one language: a cached page
        costs nothing, and what clients can have made for nothing grows with no catalogue.
        """
        if self.request.query_arguments.keys() & {"before", "after"} or self.account is not None:
            return True
        return self.kept_as not in self.all_kept() and len(self.all_kept()) >= MOST_ORIGINS * self.themes

    # --- guests

    async def guests_page(self) -> None:
        kept, key = self.kept_for_guests() or await self.keep_for_guests(), new_form_key()
        if takes_gzip(self.request.headers.get("Accept-Encoding", "")):
            self.set_header("Content-Encoding", "gzip")
            self.finish(kept.gzipped(key))
        else:
            self.finish(kept.whole(key))

    @property
    def kept_as(self) -> tuple[str, str, str]:
        return self.origin, self.language.tag, self.theme

    @property
    def most_kept(self) -> int:
        return MOST_ORIGINS * self.themes * len(self.context.languages.all)

    def all_kept(self) -> KeptPages:
        """The cached pages, all with the newest messages; they go with the next change."""
        recent = self.board.recent
        kept: KeptPages = {} if recent is None else recent.derived.setdefault(self.kept_name, {})
        return kept

    def kept_for_guests(self) -> Kept | None:
        kept = self.all_kept().get(self.kept_as)
        return kept if kept and kept.serves(self.address(), self.board.watching.count()) else None

    async def keep_for_guests(self) -> Kept:
        """Makes one page for all requests that wait for it. The page polls for changes that were made in between."""
        asked_at, in_which = time.monotonic(), (self.kept_name, self.board.id, self.language.tag)
        shared = self.context.making.shared.setdefault(in_which, Shared())
        async with shared.lock:
            if kept := self.kept_for_guests():
                return kept
            while shared.last is None or shared.last.address != self.address() or shared.last.read_at < asked_at:
                shared.last = await self.make_for_guests()
            return shared.last

    async def make_for_guests(self) -> Kept:
        began_at = time.monotonic()
        state, address, watching = await self.state(), self.address(), self.board.watching.count()
        all_kept = self.all_kept()
        alike = (address.language, address.rights)  # the order of the messages is one of the board's row
        bodies = [kept.body for kept in all_kept.values() if (kept.address.language, kept.address.rights) == alike]
        self.is_for_others = True
        messages = await self.days_html(state.page.messages)
        async with self.context.making.turns.turn():
            page = self.render_string(self.template, messages=MESSAGES_HOLE, **self.names(state, KEY_HOLE, watching))
            head, rest, end = cut_page(page)
        if bodies and bodies[0].rest == rest:
            body = bodies[0]
        elif sum(map(len, messages)) < BIG:
            body = Body.make(messages, rest)
        else:
            body = await self.context.making.packing.run(Body.make, messages, rest)
        kept = Kept.make(address, began_at, watching, head, body, end)
        if (self.address(), self.board.cursor) == (address, state.cursor) and not self.lacks_quotes:
            all_kept.pop(self.kept_as, None)
            if len(all_kept) >= self.most_kept:
                del all_kept[next(iter(all_kept))]
            all_kept[self.kept_as] = kept
        return kept

    def address(self) -> Address:
        return address_of(self.site, self.board, *self.kept_as)

    # --- members

    async def live_page(self) -> None:
        state, watching = await self.state(), self.board.watching.count()
        html = await self.days_html(state.page.messages)
        await self.send_page(self.template, html, **self.names(state, new_form_key(), watching))

    # --- both

    def names(self, state: State, key: str, watching: int) -> dict[str, Any]:
        """What the template needs besides the messages."""
        return {
            "blank": self.context.making.articles.now(BLANK, language=self.language),
            "cursor": str(state.cursor),
            "older": first_id(state.page.messages, state.page.older),
            "watching": watching,
            "key": key,
            **needs(state.page.messages),
            "rail": self.rail,
            "has_replies": any(message.reply_to is not None for message in state.page.messages),
            "pinned": state.pinned,
            "current": "page",
        }

    async def state(self) -> State:
        """Reads what the page shows: the newest messages, and the list of boards."""
        while True:
            await self.site.load(self.caller, self.board, NO_CURSOR)
            if not self.is_as_judged:
                await self.look_again()
            elif (recent := self.board.recent) is not None and self.board.has(NO_CURSOR):
                self.show_boards()
                return State(recent.page, recent.cursor, recent.pinned)


class Front(LivePage):
    """The first board's page."""

    async def get(self) -> None:
        await self.show()

    @property
    def board(self) -> LiveBoard:
        return self.site.waiters.first


def address_of(site: Site, board: LiveBoard, origin: str, language: str, theme: str = "") -> Address:
    return Address(origin, board.id, board.rights, site.waiters.directory.guests_list, language, theme)


def last_id(page: MessagesPage, before: int | None) -> int | None:
    """Returns the id from which the link to newer messages continues, or None if there are no newer ones."""
    return page.messages[-1].id if page.messages and (before is not None or page.newer) else None


class Quick(HTTPMessageDelegate):
    """Answers a guest's plain first request from the cached page, without a handler.

    On a kept connection the page then costs half the CPU time; on a new one, whose opening costs more than either, a
    sixth less. Any request that is not plain goes to the handler: see `quick_front`.
    """

    def __init__(self, context: Context, request: HTTPServerRequest, kept: Kept) -> None:
        self._context = context
        self._request = request
        self._kept = kept

    def finish(self) -> None:
        packs = takes_gzip(self._request.headers.get("Accept-Encoding", ""))
        key = new_form_key()
        page = self._kept.gzipped(key) if packs else self._kept.whole(key)
        headers = HTTPHeaders(self._context.front_headers)
        headers["Date"] = format_timestamp(time.time())
        headers["Content-Length"] = str(len(page))
        if packs:
            headers["Content-Encoding"] = "gzip"
        connection = self._request.connection
        assert connection is not None
        connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), headers, page)
        connection.finish()
        self._context.site.counters.requests["GET", 200] += 1


def quick_front(context: Context, request: HTTPServerRequest) -> Quick | None:
    """Returns None if only a handler can answer: for a member, an unusual request, or a page that is not cached yet."""
    waiters, config, headers = context.site.waiters, context.config, request.headers
    all_kept: KeptPages = waiters.recent.derived.get("front", NOTHING)
    language = context.languages.asked(headers)
    kept = all_kept.get((config.public_url or f"http://{request.host}", language.tag, ""))
    if kept is None or config.reading == "members" or config.log_requests or waiters.draining:
        return None
    if request.version != "HTTP/1.1" or headers.get("Connection", "keep-alive").lower() != "keep-alive":
        return None
    if not NOT_PLAIN.isdisjoint(headers):
        return None
    address = address_of(context.site, waiters.first, kept.address.origin, language.tag)
    is_right = kept.serves(address, waiters.first.watching.count())
    return Quick(context, request, kept) if is_right else None
