"""Serves streams, on bare descriptors outside Tornado.

A handler authenticates the client, sends the head and the first event through Tornado's stream, and gives the connection
to resume(). Then the stream is in the waiter list like a parked poll, in a group with the others of its format and
cursor. A delivery writes the bytes of one event to each socket of a group and parks the group again. What the system does
not take at once is sent through a Tornado stream, which has the bounds for slow readers. Until it is sent, the stream is
not parked, and gets no more events. In any doubtful case a stream is closed: its client comes back with its cursor.
"""

import asyncio
import collections
import contextlib
import functools
import logging
import math
import selectors
import socket
import sys
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from board.answering import DRAIN_RETRY_MS, FULL_RETRY_MS, NO_ROOM, SLICE_SECONDS
from board.credentials import Credentials
from board.cursor import Cursor
from board.waiters import WaiterList
from board.wire import cursor_in
from net.connections import Connections, send_now
from net.event_stream import EventStream
from net.streams import Refusals, ServedStream
from storage.errors import StorageError

log = logging.getLogger("longboard")

KEEP_ALIVE_SECONDS = 20
"""Proxies close a connection on which nothing was sent for a while: Heroku's router after 55 s, nginx after 60."""
SOON_SECONDS = 1
"""When the first keep-alive comes, if programs don't see it. Varnish holds back the first event until more arrives."""
UNACKNOWLEDGED_MS = 60_000
"""After which the system closes a connection whose other end is silent, as that of a phone that has lost its network."""
LEFT_AT_ONCE = 256
"""Clients that have left and are handled before the loop handles other events: a few milliseconds."""


class Event(NamedTuple):
    """A reply as all streams of a format get it."""

    reply: bytes
    cursor: Cursor
    data: bytes


def without(ones: Iterable[EventStream], others: Iterable[EventStream]) -> list[EventStream]:
    left_out = set(others)
    return [one for one in ones if one not in left_out]


class EventStreams:
    def __init__(
        self, waiters: WaiterList, credentials: Credentials, connections: Connections, refusals: Refusals
    ) -> None:
        self._waiters = waiters
        self._credentials = credentials
        self._connections = connections
        self._refusals = refusals
        self._events: dict[type[EventStream], Event] = {}
        self._doubtful: collections.deque[EventStream] = collections.deque()
        self._judging: asyncio.Task[None] | None = None

    @functools.cached_property
    def _watched(self) -> selectors.BaseSelector:
        """Watches the sockets, so that clients that leave are noticed. Made for the first stream."""
        watched = selectors.DefaultSelector()
        asyncio.get_running_loop().add_reader(watched, self._on_ready)
        return watched

    def resume(self, stream: ServedStream, one: EventStream) -> None:
        """Takes the connection from a Tornado stream that has sent everything, and goes on with it."""
        if stream.closed():
            return
        try:
            one.socket = stream.socket.dup()
        except OSError:  # no descriptor is free
            stream.close()
            return
        self._connections.move(stream, one)
        stream.close()
        with contextlib.suppress(OSError):  # a unix socket has no such option
            one.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if sys.platform == "linux":
                one.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        try:
            self._watched.register(one.socket, selectors.EVENT_READ, one)
        except OSError:  # the system watches no more of them
            self.drop(one)
            return
        self._go_on([one], one.cursor, math.inf if one.keep_alive is None else time.monotonic() + SOON_SECONDS)

    def answer(self, ones: Sequence[EventStream], reply: bytes) -> None:
        """Sends a reply to streams of one format that have the same cursor, and parks them again."""
        event, keep_alive = self.event(type(ones[0]), reply), ones[0].keep_alive
        if self._waiters.draining or reply.endswith(NO_ROOM):
            self._end(ones, event)
        elif event.cursor == ones[0].cursor and keep_alive is not None:
            self._go_on(self._send(ones, keep_alive, event.cursor), event.cursor)
        else:
            self._go_on(self._send(ones, event.data, event.cursor), event.cursor)

    def drop(self, one: EventStream) -> None:
        self._waiters.leave(one)
        with contextlib.suppress(KeyError):  # it was never watched
            self._watched.unregister(one.socket)
        self._connections.leave(one)
        one.socket.close()

    def doubt(self, one: EventStream, deadline: float) -> None:
        """Something about its account has changed: it goes on if its client may, which only storage can say. It is parked
        until the deadline then, so that its keep-alive, which would have come at that time, does not tell of the change.
        """
        one.is_in_doubt, one.deadline = True, deadline
        self._doubtful.append(one)
        if self._judging is None:
            self._judging = asyncio.create_task(self._judge_all())

    async def _judge_all(self) -> None:
        """One after the other, in slices of time: what storage says of the first is known for others with its credential."""
        until = time.monotonic() + SLICE_SECONDS
        while self._doubtful:
            one = self._doubtful.popleft()
            try:
                await self._judge(one)
            except Exception:
                log.exception("A stream is closed because of a fault")
                if one.group is not None:
                    self.drop(one)
            if time.monotonic() > until:
                await asyncio.sleep(0)
                until = time.monotonic() + SLICE_SECONDS
        self._judging = None

    async def _judge(self, one: EventStream) -> None:
        changes, credential = self._credentials.changes, None
        if one.secret is not None:
            with contextlib.suppress(StorageError):
                credential = await self._credentials.find(one.secret, use=False)
        one.is_in_doubt = False
        if one.group is None:  # its client has left
            return
        if credential is None:  # it comes back, and is told why
            self.drop(one)
            return
        one.judged_at = changes
        self._go_on([one], one.cursor, one.deadline)

    def event(self, kind: type[EventStream], reply: bytes) -> Event:
        """Makes the event once for all streams that get the same reply one after the other."""
        event = self._events.get(kind)
        if event is None or event.reply is not reply:
            cursor = cursor_in(reply)
            event = self._events[kind] = Event(reply, cursor, kind.event(cursor, reply))
        return event

    def _go_on(self, ones: Sequence[EventStream], cursor: Cursor, deadline: float = math.inf) -> None:
        """Parks streams whose clients have all changes up to the cursor, or sends what follows it.

        The next keep-alive comes at the deadline at the latest.
        """
        waiters, recent = self._waiters, self._waiters.recent
        if cursor == recent.cursor:
            cursor = recent.cursor  # the same object for all, which is quickly compared
        is_in_memory = cursor.epoch == recent.epoch and recent.start <= cursor.seq <= recent.seq
        now = time.monotonic()
        deadline = min(deadline, now + KEEP_ALIVE_SECONDS)
        for one in ones:
            one.cursor = cursor
        staying = [one for one in ones if now < one.ends_at and self._is_as_judged(one)] if is_in_memory else []
        if len(staying) < len(ones):
            for one in without(ones, staying):
                if is_in_memory and now < one.ends_at:
                    self.doubt(one, deadline)
                else:
                    self.drop(one)
        if not staying:
            return
        reply = waiters.reply_for(cursor)
        if reply is not None:
            self.answer(staying, reply)
        elif refused := waiters.park(staying, cursor, deadline - now):
            self.answer(refused, waiters.full(cursor))

    def _is_as_judged(self, one: EventStream) -> bool:
        """Whether nothing about its account has changed."""
        return one.account_id is None or self._credentials.is_unchanged(one.account_id, one.judged_at)

    def _send(self, ones: Sequence[EventStream], data: bytes, cursor: Cursor) -> Sequence[EventStream]:
        """Returns the streams that have taken everything. The others are sent the rest, or have left."""
        length, others = len(data), dict[EventStream, int]()
        for one in ones:
            if (sent := send_now(one.socket, data)) != length:
                others[one] = sent
        for one, sent in others.items():
            if sent < 0:
                self.drop(one)
            else:
                one.cursor = cursor
                self._send_slowly(one, data[sent:])
        return without(ones, others) if others else ones

    def _send_slowly(self, one: EventStream, unsent: bytes) -> None:
        self._watched.unregister(one.socket)
        stream = ServedStream(one.socket, self._connections, self._refusals)
        self._connections.move(one, stream)
        stream.write(unsent).add_done_callback(functools.partial(self._when_sent, stream, one))

    def _when_sent(self, stream: ServedStream, one: EventStream, sent: "asyncio.Future[None]") -> None:
        if not sent.cancelled() and sent.exception() is None:
            self.resume(stream, one)

    def _end(self, ones: Sequence[EventStream], event: Event) -> None:
        """Sends the last event, and says when to come back."""
        least_ms = FULL_RETRY_MS if event.reply.endswith(NO_ROOM) else DRAIN_RETRY_MS
        for one in ones:
            send_now(one.socket, one.retry(least_ms) + event.data)
            self.drop(one)

    def _on_ready(self) -> None:
        """Clients have left. Those that say something are closed, too: their request has no end yet."""
        for key, _ in self._watched.select(0)[:LEFT_AT_ONCE]:
            self.drop(key.data)
