"""/api/v1/stream: a poll that stays, for programs. Each reply to it is an event; net/event_streams.py sends them.

Here it begins: the client is authenticated, and gets what a poll that does not wait would be told.
docs/decisions/0018-streams.md says why it is as it is.
"""

import time
from typing import cast

from tornado.httputil import format_timestamp

from board.cursor import Cursor
from board.errors import DeniedError
from board.wire import cursor_in
from handlers.boards.polls import Poll
from handlers.http.errors import RefusedError
from handlers.http.headers import default_headers
from handlers.http.negotiation import preferred
from net.event_stream import FORMATS, RETRY_MS, EventStream
from net.streams import ServedStream


class Stream(Poll):
    async def get(self) -> None:
        kind, cursor = self.kind(), self.after()
        reply = await self.newest() if cursor is None else await self.changes(cursor, 0)
        if reply is None:  # the client has gone
            return
        while not self.is_as_judged:
            await self.look_again()
        await self.begin(kind, reply)

    def kind(self) -> type[EventStream]:
        """Raises RefusedError."""
        media_type = preferred(self.request.headers.get("Accept", ""), list(FORMATS))
        if media_type is None:
            raise RefusedError(406, "not_acceptable", f"A stream is {' or '.join(FORMATS)}: accept one of them.")
        return FORMATS[media_type]

    def after(self) -> Cursor | None:
        """Returns the cursor to go on from. A client that comes back sends the id of its last event, which wins.

        Some programs that imitate a browser's EventSource can't set headers, and send it as a parameter.
        """
        last = self.request.headers.get("Last-Event-ID") or self.query("lastEventId")
        return self.as_cursor(last, "Last-Event-ID") if last else super().after()

    async def begin(self, kind: type[EventStream], reply: bytes) -> None:
        """Sends the head and the first event, and has the stream go on without a handler."""
        account_id, cursor = self.account.id if self.account else None, cursor_in(reply)
        one = kind(self.context.event_streams, cursor, account_id, self.client_address, self.secret)
        stream = cast(ServedStream, self.detach())
        self.context.under_way.discard(self)
        self.application.log_request(self)
        try:
            if self.request.method == "HEAD":
                await stream.write(self.opening(kind))
                stream.close()
                return
            event = self.context.event_streams.event(kind, reply)
            await stream.write(self.opening(kind) + kind.retry(RETRY_MS) + event.data)
            await self.catch_up(stream, one)
        except BaseException:
            stream.close()
            raise
        one.judged_at = self.judged_at
        self.context.event_streams.resume(stream, one)
        self.ui.clear()  # it refers to this handler, which would stay in memory until the next garbage collection

    async def catch_up(self, stream: ServedStream, one: EventStream) -> None:
        """Sends changes that are too old to be in memory, as fast as the client takes them and as the limits allow."""
        while (
            self.site.is_in_storage(self.board, one.cursor)
            and not self.site.waiters.draining
            and time.monotonic() < one.ends_at
        ):
            try:
                self.site.limits.reading.check(self.caller.key)
            except DeniedError as early:
                await stream.write(one.retry(1000 * (early.retry_after or 0)))
                raise
            reply = await self.page_forward(one.cursor)
            if reply is None:  # a reset is due, which the client is told when it comes back
                return
            while not self.is_as_judged:
                await self.look_again()
            one.cursor = cursor_in(reply)
            await stream.write(one.event(one.cursor, reply))

    def opening(self, kind: type[EventStream]) -> bytes:
        """The stream's end is that of its connection: so the bytes of an event are the same for all."""
        headers = {
            "Content-Type": f"{kind.media_type}; charset=utf-8",
            "Date": format_timestamp(time.time()),
            **dict(default_headers(self.config, self.csp)),
            **self.cors_headers(),
            "X-Accel-Buffering": "no",  # nginx
            "Connection": "close",
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode()

    def write_bytes(self, reply: bytes) -> None:
        """Answers with one event, after which the client comes back."""
        kind = self.kind()
        self.set_header("Content-Type", kind.media_type)
        self.finish(kind.retry(RETRY_MS) + kind.event(cursor_in(reply), reply))
