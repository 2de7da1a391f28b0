"""Polls. One is answered at once if there is something new, else parked in the waiter list."""

import math
import re
import time
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPServerRequest
from tornado.iostream import IOStream

from board.answering import NO_ROOM
from board.credentials import hash_secret
from board.cursor import NO_CURSOR, Cursor, parse_cursor
from board.live_board import LiveBoard
from board.others import Hears
from board.recent import Recent
from board.waiter import Ended, FutureWaiter
from board.wire import encode, encode_reply
from handlers.http.base import Base
from handlers.http.errors import RefusedError
from net.fast_path.known import KnownRequest, means, split_poll
from net.fast_path.stream import ReleasedStream

NEW_SECRET_RETRY_MS = 1000
"""After how many ms to poll again after a change of the password, whose reply brings the new cookie."""


class Poll(Base):
    """What `/get` and the API's polls share: the cursor, the wait, and parking."""

    allows_cors = True
    waiter: FutureWaiter | None = None
    known: KnownRequest | None = None
    """The memo's entry for this poll, which says what its bytes mean from now on."""
    deadline = math.inf
    """Until when it may be parked, by the monotonic clock, if it was parked before on the fast path."""
    rights = 0
    """The board's `rights` by which the client may read it."""

    @property
    def board(self) -> LiveBoard:
        """The board that is polled."""
        return self.site.waiters.first

    @property
    def counts_as_use(self) -> bool:
        return self.request.method not in ("GET", "HEAD")

    @property
    def counts_as_reading(self) -> bool:
        """Replies from memory are not counted. Methods that need more check the limit themselves."""
        return False

    async def prepare(self) -> None:
        if isinstance(self.stream, ReleasedStream):
            self.deadline, self.stream.deadline = self.stream.deadline, math.inf
        try:
            await super().prepare()
        except RefusedError as refused:
            if refused.code != "signed_out" or not self.has_new_secret or (cursor := self.after()) is None:
                raise
            self.write_bytes(Recent.come_again(cursor, NEW_SECRET_RETRY_MS))

    @property
    def has_new_secret(self) -> bool:
        """Whether this session has just got a new secret, which the page will send with its next poll."""
        return any(self.site.credentials.was_replaced(self.get_cookie(name, "")) for name in self.cookie_names)

    @property
    def stream(self) -> IOStream:
        return cast(HTTP1Connection, self.request.connection).stream

    def on_connection_close(self) -> None:
        if self.waiter is not None:
            self.site.waiters.leave(self.waiter)

    def after(self) -> Cursor | None:
        """Returns the cursor that was sent, if there is one. Raises RefusedError."""
        return self.as_cursor(self.query("after"), "after")

    def as_cursor(self, text: str | None, name: str) -> Cursor | None:
        """Raises RefusedError."""
        if text is None:
            return None
        cursor = parse_cursor(text)
        if cursor is None:
            raise RefusedError(400, "bad_cursor", f"“{name}” is not a cursor: use one as a reply gave it.")
        return cursor

    def wait(self) -> float:
        """Returns how many seconds this poll may be held. More than allowed is no error. Raises RefusedError."""
        most = self.config.poll_seconds
        text = self.query("wait")
        if text is None:
            return most
        if not re.fullmatch(r"\d+(\.\d*)?([eE][+-]?\d+)?", text, re.ASCII):
            raise RefusedError(400, "bad_wait", "“wait” must be a number of seconds, 0 or more.")
        return min(float(text), most)

    async def poll(self, cursor: Cursor, wait: float) -> bytes | None:
        """Returns the reply's body, or None if the client has gone by then."""
        deadline = min(time.monotonic() + wait, self.deadline)
        hears = await self.hears()
        self.learn(wait, hears is not None)
        while True:
            if await self.site.waiters.is_beyond(cursor, self.board):
                cursor = NO_CURSOR
            await self.site.load(self.caller, self.board, cursor)
            if self.is_gone:
                return None
            if not self.is_as_judged:  # storage may have been read; no await from here to the parking
                await self.look_again()
                hears = await self.hears()
                continue
            if not self.board.has(cursor):
                continue
            reply = self.look(cursor, deadline - time.monotonic(), hears)
            if not isinstance(reply, FutureWaiter):
                return reply
            ended = await self.parked(reply)
            if not isinstance(ended, Ended):
                return ended
            if ended is Ended.GONE:
                return None
            if self.has_new_secret:
                self.sign_off()
                return Recent.come_again(cursor, NEW_SECRET_RETRY_MS)
            await self.look_again()
            hears = await self.hears()

    async def hears(self) -> Hears | None:
        """Returns how far the client has heard of the other boards, if it asks for that."""
        return None

    async def newest(self) -> bytes:
        """Returns the reply with the newest page, for a client that has no cursor yet."""
        while True:
            await self.site.load(self.caller, self.board, NO_CURSOR)
            if not self.is_as_judged:
                await self.look_again()
            elif self.board.has(NO_CURSOR):
                return self.site.waiters.newest(self.board)

    async def changes(self, cursor: Cursor, wait: float) -> bytes | None:
        """As `/get`, but changes that are too old to be in memory are read from storage, page by page."""
        await self.site.load(self.caller, self.board, cursor)
        if self.site.is_in_storage(self.board, cursor):
            self.site.limits.reading.check(self.caller.key)
            if reply := await self.page_forward(cursor):
                return reply
        return await self.poll(cursor, wait)

    async def page_forward(self, cursor: Cursor) -> bytes | None:
        """Returns the next page of changes, or None if the cursor needs a reset."""
        async with self.context.making.reading:
            changes = await self.site.changes(self.caller, self.board, cursor)
            if changes is None:
                return None
            seq = changes.messages[-1].seq if changes.more else changes.head.seq
            messages = await self.context.making.turns.each(encode, changes.messages)
            return encode_reply(messages, Cursor(cursor.epoch, seq), more=changes.more)

    def write_bytes(self, reply: bytes) -> None:
        self.closes = reply.endswith(NO_ROOM)
        super().write_bytes(reply)
        if not self._finished:  # finish() authenticates it again first
            return
        if self.known is not None and not self.closes and isinstance(self.stream, ReleasedStream):
            self.stream.resume(self.known)

    def look(self, cursor: Cursor, wait: float, hears: Hears | None = None) -> bytes | FutureWaiter:
        account_id = self.account.id if self.account else None
        return self.site.waiters.poll(cursor, wait, account_id, self.client_address, board=self.board, hears=hears)

    async def parked(self, waiter: FutureWaiter) -> bytes | Ended:
        self.waiter = waiter
        try:
            return await waiter.future
        finally:
            self.site.waiters.leave(waiter)
            self.waiter = None

    def learn(self, wait: float, hears: bool) -> None:
        """Puts this request into the memo. From now on, the same bytes around another cursor need no parsing."""
        memo, stream = self.context.memo, self.stream
        if memo is None or not isinstance(stream, ReleasedStream) or not is_plain(self.request):
            return
        if self.config.cors_from and "Origin" in self.request.headers:  # replies there have the same headers for all
            return
        poll = split_poll(stream.last_read)
        if poll is None or hears != (poll.others is not None) or not means(stream.last_read, self.request):
            return
        matters = hears or not self.board.is_first
        scope = self.site.scopes.recall(self.credential) if matters else None
        if not self.is_as_judged or (matters and scope is None):
            return
        known = KnownRequest(
            head=poll.head,
            tail=poll.tail,
            wait=wait,
            secret_hash=hash_secret(self.secret) if self.secret else None,
            counts_as_use=self.session_secret is None,
            account=self.account,
            address=self.client_address if self.config.client_header else None,
            board=self.board,
            rights=self.rights,
            scope=scope,
            hears=hears,
        )
        self.known = memo.learn(known)


def is_plain(request: HTTPServerRequest) -> bool:
    """Whether only the cursor can change the meaning of the next request."""
    once = all(len(values) == 1 for values in request.query_arguments.values())
    known = request.query_arguments.keys() <= {"after", "others", "wait"}
    special = {"Content-Length", "Transfer-Encoding", "Expect", "Upgrade"}
    lasting = request.version == "HTTP/1.1" and request.headers.get("Connection", "keep-alive").lower() == "keep-alive"
    return request.method == "GET" and once and known and lasting and not any(n in request.headers for n in special)
