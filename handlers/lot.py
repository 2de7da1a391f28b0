"""The lot: connections stand here as bare descriptors, and known polls are answered or parked with no parsing.

A new connection stands in the lot. If its first bytes are exactly one poll that handlers/repeat.py knows, and memory
can serve it, it is answered or parked from here, through the same waiter list as any other, with the same reply.
With anything else, odd bytes above all, the connection goes over to Tornado along with what was read; and it comes
back when a handler has answered a poll on it that may be known from then on. So Tornado never sees the bytes that
were dealt with here, and nothing it reads was looked at here without being handed on whole.

Why not Tornado's streams: asyncio's selector and IOStream spend on each packet as much as all the rest here does,
and take 9 KB for each connection. The lot has an epoll object of its own, in which the loop sees one descriptor.
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
from typing import TYPE_CHECKING

from handlers.repeat import Repeat, Repeats
from handlers.standing import Standing
from handlers.streams import READ_BYTES

if TYPE_CHECKING:
    from handlers.lot_server import LotServer, LotStream

log = logging.getLogger("longboard")

MOST_AT_ONCE = 256
"""Packets that are looked at before anything else gets its turn: a few milliseconds."""
MOST_BEHIND = 64 * 1024
"""Bytes that a client may send behind a parked poll before it is cut off."""
WATCHED = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
"""Once for what has come, so that the system does not look a second time whether there is more: a tenth of all that a
delivery costs. A client's end is told as such, as it may come along with its last bytes (epoll(7), question 9)."""


class Lot:
    def __init__(self, repeats: Repeats, server: "LotServer") -> None:
        self.repeats = repeats
        self.now = time.monotonic()
        """Set by the server now and then."""
        self._server = server
        self._waiters = repeats.waiters
        self._standing: dict[int, Standing] = {}
        self._behind: dict[Standing, bytes] = {}
        """What came behind polls that are parked, and waits for its turn."""
        self._epoll = select.epoll()
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._on_ready)

    def __len__(self) -> int:
        return len(self._standing)

    def stand(self, connection: socket.socket, host: str) -> Standing:
        connection.setblocking(False)
        with contextlib.suppress(OSError):  # a unix socket has no such option
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one = self._standing[connection.fileno()] = Standing(self, connection, host)
        self._epoll.register(connection.fileno(), WATCHED)
        return one

    def take_back(self, stream: "LotStream", repeat: Repeat) -> None:
        """Takes a connection from Tornado, when the handler of a poll has just answered on it.

        The stream ends in its ordinary way; the connection goes on in a copy of its descriptor.
        """
        if stream.closed() or stream.writing() or self._waiters.draining:
            return
        try:
            connection = stream.socket.dup()
        except OSError:  # no descriptor is free: it stays where it is
            return
        behind = stream.left()
        one = self.stand(connection, stream.host)
        one.asks(repeat)
        self._server.connections.move(stream, one)
        stream.close()
        if behind:
            self._take_up(one, behind)

    def close(self) -> None:
        """Ends all that stand here, and the lot."""
        for one in list(self._standing.values()):
            self.drop(one)
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()

    def close_idle(self, seconds: float) -> None:
        """Cuts off who has said nothing for long, and has nothing parked."""
        for one in list(self._standing.values()):
            if one.parked is not None:
                one.said_at = self.now
            elif self.now - one.said_at > seconds:
                self.drop(one)

    # --- reading

    def _on_ready(self) -> None:
        """Looks at some of what has come; the loop calls again while there is more."""
        standing, repeats = self._standing, self.repeats
        recent, draining = self._waiters.recent, self._waiters.draining
        have_all = collections.defaultdict[float, list[Standing]](list)
        for number, happened in self._epoll.poll(0, MOST_AT_ONCE):
            one = standing[number]
            try:
                data = one.socket.recv(READ_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            repeat = one.repeat
            if repeat is not None and repeat.cursor is not recent.cursor:
                repeat.move_to(recent)
            if not data:
                self.drop(one)
            elif one.parked is not None:
                self._hold(one, data)
            elif (
                repeat is not None
                and data == repeat.next
                and (repeat.secret_hash is None or repeats.is_still(repeat))
                and not draining
            ):
                one.asked = repeat.next
                have_all[repeat.wait].append(one)
            else:
                with self._alone(one):
                    if found := self._look(one, data):
                        have_all[found.wait].append(one)
            if (happened != select.EPOLLIN or len(data) == READ_BYTES) and standing.get(number) is one:
                self._epoll.modify(number, WATCHED)  # there may be more, or the end: to be told again
        for wait, ones in have_all.items():
            self._park(ones, wait)

    def _look(self, one: Standing, data: bytes) -> Repeat | None:
        """What this means, if it is a known poll that has everything, and is to be parked.

        A known poll that lacks something is answered; with anything else the connection is handed over.
        """
        one.said_at = self.now
        known = self.repeats.find(data)
        if known is None:
            self.hand_over(one, data)
            return None
        repeat, seq = known
        if one.repeat is not repeat:
            one.asks(repeat)
        if seq < self._waiters.recent.seq:
            self._waiters.counters.repeated += 1
            self.send([one], self._waiters.recent.after(seq))
            return None
        one.asked = repeat.next if data == repeat.next else data  # one object for all, where it can be
        return repeat

    def _park(self, ones: Sequence[Standing], wait: float) -> None:
        """Parks polls that have everything; those that don't want to wait, or find no room, are answered."""
        waiters, cursor = self._waiters, self._waiters.recent.cursor
        waiters.counters.repeated += len(ones)
        refused = waiters.park(ones, cursor, wait) if wait > 0 else ones
        if refused:
            for one in refused:
                one.said_at = self.now
            self.send(refused, waiters.full(cursor) if wait > 0 else waiters.recent.empty(cursor))

    def _take_up(self, one: Standing, data: bytes) -> None:
        """What has come before its turn."""
        if repeat := self._look(one, data):
            self._park([one], repeat.wait)

    def _hold(self, one: Standing, data: bytes) -> None:
        """What comes behind a parked poll waits for its turn."""
        behind = self._behind[one] = self._behind.get(one, b"") + data
        one.held = len(behind)
        self._server.connections.hold(one, len(data))
        if one.held > MOST_BEHIND:
            self.drop(one)

    # --- answering

    def send(self, ones: Sequence[Standing], body: bytes) -> None:
        """At once where the system takes it; what it does not take goes out through Tornado, as it can."""
        packet, behind = self.repeats.packet(body), self._behind
        data, length = packet.data, len(packet.data)
        for one in ones:
            try:
                sent = one.socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.drop(one)
                continue
            if sent < length or packet.closes or (behind and one in behind):
                with self._alone(one):
                    self._follow(one, data[sent:], closes=packet.closes)

    def _follow(self, one: Standing, unsent: bytes, *, closes: bool) -> None:
        """What comes after the part of a reply that the system took at once."""
        if unsent:
            self._server.send_slowly(one, unsent, self._leave(one), closes=closes)
        elif closes:
            self.drop(one)
        else:
            self._take_up(one, self._let_go(one))

    def hand_over(self, one: Standing, data: bytes, seconds: float = math.inf) -> None:
        """Tornado reads this, as if it had come now; a poll that was parked may be so for what it has left."""
        with self._alone(one):
            behind = self._leave(one)
            self._server.adopt(one, data + behind, seconds)

    @contextlib.contextmanager
    def _alone(self, one: Standing) -> Iterator[None]:
        """A fault here ends this connection, and none of those that are dealt with in the same turn.

        Nobody is told of these again: what the system has reported once, and polls that have left the list.
        """
        try:
            yield
        except Exception:
            log.exception("A connection is closed because of a fault")
            if self._standing.get(one.socket.fileno()) is one:
                self.drop(one)

    def _leave(self, one: Standing) -> bytes:
        """Takes it out of the lot; gives what came behind its poll."""
        del self._standing[one.socket.fileno()]
        self._epoll.unregister(one.socket.fileno())
        return self._let_go(one)

    def _let_go(self, one: Standing) -> bytes:
        """Bytes that arrived after its poll, removed from here."""
        held, one.held = one.held, 0
        self._server.connections.hold(one, -held)
        return self._behind.pop(one, b"")

    def drop(self, one: Standing) -> None:
        self._waiters.leave(one)
        self._leave(one)
        self._server.connections.leave(one)
        one.socket.close()
