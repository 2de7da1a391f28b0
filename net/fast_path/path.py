"""Connections as bare descriptors, on which known polls are answered or parked without parsing.

A new connection begins here. If its first bytes are exactly one poll that net/fast_path/memo.py knows, and memory can
serve it, it is answered or parked here, through the same waiter list as any other poll, with the same reply. With
anything else the connection is released to Tornado, with all that was read from it. It is resumed here when a handler
has answered a poll on it whose bytes are known from then on. So Tornado never sees bytes that were answered here, and
reads all bytes that were not.

Why not Tornado's streams: asyncio's selector and IOStream spend as much on each packet as everything else together, and
take 9 KB for each connection. Here one epoll object watches all descriptors, and the loop watches that object.
"""

import asyncio
import collections
import contextlib
import logging
import math
import select
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from board.live_board import LiveBoard
from net.connections import Connections, send_now
from net.fast_path.connection import FastConnection
from net.fast_path.known import KnownRequest
from net.fast_path.memo import RequestMemo
from net.fast_path.stream import ReleasedStream
from net.streams import READ_BYTES

log = logging.getLogger("longboard")

PACKETS_AT_ONCE = 256
"""Packets that are handled before the loop handles other events: a few milliseconds."""
EARLY_BYTES_MAX = 64 * 1024
"""Bytes that a client may send while its poll is parked. With more, its connection is closed."""
WATCHED = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
"""Edge-triggered: the kernel reports each arrival once, which saves a tenth of a delivery. The end of a connection is
reported as such, because it may arrive with the last bytes (epoll(7), question 9)."""

Parks = tuple[LiveBoard, float, bool]
"""As in KnownRequest."""


class Slow(Protocol):
    """The server that takes over the connections that can't be served here."""

    connections: Connections

    def adopt(self, one: FastConnection, unread: bytes, deadline: float) -> None: ...
    def send_slowly(self, one: FastConnection, packet: bytes, unread: bytes, *, closes: bool) -> None: ...


class FastPath:
    def __init__(self, memo: RequestMemo, server: Slow) -> None:
        self.memo = memo
        self.now = time.monotonic()
        """The monotonic clock at the server's last tick."""
        self._server = server
        self._waiters = memo.waiters
        self._connections: dict[int, FastConnection] = {}
        self._early: dict[FastConnection, bytes] = {}
        """Bytes that arrived while polls were parked. They are handled when the poll is answered."""
        self._epoll = select.epoll()
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._on_ready)

    def __len__(self) -> int:
        return len(self._connections)

    def add(self, connection: socket.socket, host: str) -> FastConnection:
        connection.setblocking(False)
        with contextlib.suppress(OSError):  # a unix socket has no such option
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one = self._connections[connection.fileno()] = FastConnection(self, connection, host)
        self._epoll.register(connection.fileno(), WATCHED)
        return one

    def resume(self, stream: ReleasedStream, known: KnownRequest) -> None:
        """Takes a connection back from Tornado when the handler of a poll has answered on it.

        The stream is closed as usual; the connection goes on with a copy of its descriptor.
        """
        if stream.closed() or stream.writing() or self._waiters.draining:
            return
        try:
            connection = stream.socket.dup()
        except OSError:  # no descriptor is free: Tornado keeps the connection
            return
        behind = stream.take_unread()
        one = self.add(connection, stream.host)
        one.asks(known)
        self._server.connections.move(stream, one)
        stream.close()
        if behind:
            self._handle_early(one, behind)

    def close(self) -> None:
        """Closes all connections, and the epoll object."""
        for one in list(self._connections.values()):
            self.drop(one)
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()

    def close_idle(self, seconds: float) -> None:
        """Closes connections that have sent nothing for this time and have no parked poll."""
        for one in list(self._connections.values()):
            if one.parked is not None:
                one.active_at = self.now
            elif self.now - one.active_at > seconds:
                self.drop(one)

    # --- reading

    def _on_ready(self) -> None:
        """Handles some of the packets that have arrived. The loop calls again while there are more."""
        connections, memo = self._connections, self.memo
        draining, told = self._waiters.draining, self._waiters.others.latest
        have_all = collections.defaultdict[Parks, list[FastConnection]](list)
        for number, happened in self._epoll.poll(0, PACKETS_AT_ONCE):
            one = connections[number]
            try:
                data = one.socket.recv(READ_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            known = one.known
            if known is not None and (known.cursor is not known.board.cursor or known.heard != one.heard):
                known.move_to(one.heard)
            if not data:
                self.drop(one)
            elif one.parked is not None:
                self._hold(one, data)
            elif (
                known is not None
                and data == known.next
                and (known.is_certain or memo.is_valid(known))
                and (one.told == told or not known.hears)  # it may have been away during a tick
                and not draining
            ):
                one.asked = known.next
                have_all[known.parks].append(one)
            else:
                with self._alone(one):
                    if found := self._look(one, data):
                        have_all[found.parks].append(one)
            if (happened != select.EPOLLIN or len(data) == READ_BYTES) and connections.get(number) is one:
                self._epoll.modify(number, WATCHED)  # there may be more, or the end: report it again
        for parks, ones in have_all.items():
            self._park(ones, parks)

    def _look(self, one: FastConnection, data: bytes) -> KnownRequest | None:
        """Returns what the bytes mean if they are a known poll that has all changes, which the caller parks.

        A known poll that lacks changes is answered. With anything else the connection is released.
        """
        one.active_at = self.now
        verdict = self.memo.classify(data)
        if verdict is None:
            self.release(one, data)
            return None
        known, news = verdict
        one.heard, one.told = known.heard, self._waiters.others.latest  # as of these bytes
        if one.known is not known:
            one.asks(known)
        if news is not None:
            self._waiters.counters.repeated += 1
            self.send([one], news)
            return None
        one.asked = known.next if data == known.next else data  # one object for all, if possible
        return known

    def _park(self, ones: Sequence[FastConnection], parks: Parks) -> None:
        """Parks polls that have all changes. Those that don't wait, or for which there is no room, are answered."""
        waiters, (board, wait, hears) = self._waiters, parks
        cursor = board.cursor
        waiters.counters.repeated += len(ones)
        refused = waiters.park(ones, cursor, wait, board, hears) if wait > 0 else ones
        if refused:
            for one in refused:
                one.active_at = self.now
            self.send(refused, waiters.full(cursor, board) if wait > 0 else board.empty(cursor))

    def _handle_early(self, one: FastConnection, data: bytes) -> None:
        """Handles bytes that arrived while a poll was parked."""
        if known := self._look(one, data):
            self._park([one], known.parks)

    def _hold(self, one: FastConnection, data: bytes) -> None:
        """Keeps bytes that arrive while a poll is parked, until the poll is answered."""
        behind = self._early[one] = self._early.get(one, b"") + data
        one.held = len(behind)
        self._server.connections.hold(one, len(data))
        if one.held > EARLY_BYTES_MAX:
            self.drop(one)

    # --- answering

    def send(self, ones: Sequence[FastConnection], body: bytes) -> None:
        """Sends a reply. Tornado sends what the system does not take at once."""
        packet, behind = self.memo.packet(body), self._early
        data, length = packet.data, len(packet.data)
        for one in ones:
            sent = send_now(one.socket, data)
            if sent < 0:
                self.drop(one)
            elif sent < length or packet.closes or (behind and one in behind):
                with self._alone(one):
                    self._follow(one, data[sent:], closes=packet.closes)

    def _follow(self, one: FastConnection, unsent: bytes, *, closes: bool) -> None:
        """Continues after the system has taken a reply or a part of it."""
        if unsent:
            self._server.send_slowly(one, unsent, self._remove(one), closes=closes)
        elif closes:
            self.drop(one)
        else:
            self._handle_early(one, self._take_early(one))

    def release(self, one: FastConnection, data: bytes, deadline: float = math.inf) -> None:
        """Releases the connection to Tornado, which reads these bytes first. A poll in them ends at the deadline."""
        with self._alone(one):
            behind = self._remove(one)
            self._server.adopt(one, data + behind, deadline)

    @contextlib.contextmanager
    def _alone(self, one: FastConnection) -> Iterator[None]:
        """Lets a fault end this connection and none of the others of the same turn.

        The others would hang, because the system reports an arrival once, and their polls have left the waiter list.
        """
        try:
            yield
        except Exception:
            log.exception("A connection is closed because of a fault")
            if self._connections.get(one.socket.fileno()) is one:
                self.drop(one)

    def _remove(self, one: FastConnection) -> bytes:
        """Removes the connection from the fast path. Returns the bytes that arrived after its poll."""
        del self._connections[one.socket.fileno()]
        self._epoll.unregister(one.socket.fileno())
        return self._take_early(one)

    def _take_early(self, one: FastConnection) -> bytes:
        """Returns the bytes that arrived after its poll, and no longer keeps them."""
        held, one.held = one.held, 0
        self._server.connections.hold(one, -held)
        return self._early.pop(one, b"")

    def drop(self, one: FastConnection) -> None:
        self._waiters.leave(one)
        self._remove(one)
        self._server.connections.leave(one)
        one.socket.close()
