"""Limits the connections of each address that the server waits for: above the share of the address, those that have
waited longest are closed.

The server waits for connections that are silent, whose request is still arriving, or whose reply is still being sent.
It does not wait for parked polls or for requests that it is working on. The bytes kept for connections are limited in
the same way, and in total. docs/decisions/0010-connections.md says why. Behind a proxy all connections come from the
proxy, so none are counted.
"""

import asyncio
import enum
import functools
import socket
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from board.networks import with_networks
from net.loop_turns import LoopTurns

HELD_BYTES = 16 * 1024 * 1024
"""Bytes kept for requests that are still arriving and replies that are still being sent, over all connections."""
ADDRESS, SITE, NETWORK = 1 / 4, 3 / 8, 1 / 2
"""The share of all connections and bytes for an IPv4 address or IPv6 /64, a /56, and a /48 or IPv4 /24."""
LEAST_SHARE = 16
"""The smallest share in connections, however few files may be open: enough for two browsers that load a page."""
RELIEF = 8
"""If a share is exceeded, an eighth of it is freed as well, so that it isn't checked again for each new connection."""
FIRST_SECONDS = 15
SILENT_SECONDS = 20
"""Time-outs before the first request and between two, while more than half of the descriptors are in use."""


class Wait(enum.Enum):
    """What the server waits for on a connection."""

    NOTHING = "the server is at work, or a poll is parked"
    FIRST = "its first request"
    NEXT = "another request"
    BODY = "the rest of its request"
    READER = "its reply to be taken"


IDLE_SECONDS = {Wait.FIRST: FIRST_SECONDS, Wait.NEXT: SILENT_SECONDS}


class Connection(Protocol):
    """A connection on the fast path, in Tornado, or about to be closed."""

    group: "Group | None"
    """The group of its address, or the group of all; None when the connection has ended."""

    @property
    def wait(self) -> Wait: ...
    @property
    def since(self) -> float:
        """When this wait began, by the monotonic clock."""

    @property
    def held(self) -> int:
        """Bytes that are kept for the connection."""

    def drop(self) -> None:
        """Closes it at once."""


class Group:
    """The connections of an address, of a network, or all. A network includes those of its addresses."""

    __slots__ = ("busy", "count", "held", "members", "most", "most_held", "name", "parent", "parts")

    def __init__(self, name: str, parent: "Group | None", most: float, most_held: float) -> None:
        self.name = name
        self.parent = parent
        self.most = most
        self.most_held = most_held
        self.parts: set[Group] = set()
        self.members: dict[Connection, None] = {}
        self.count = self.busy = self.held = 0
        """`busy` is how many connections the server did not wait for at the last check."""

    def __iter__(self) -> Iterator[Connection]:
        yield from self.members
        for part in self.parts:
            yield from part

    def chain(self) -> "Iterator[Group]":
        """Yields this group, and the groups that it is part of."""
        group: Group | None = self
        while group is not None:
            yield group
            group = group.parent


def send_now(to: socket.socket, data: bytes) -> int:
    """Returns how many bytes the system has taken at once; -1 if the client has left."""
    try:
        return to.send(data)
    except BlockingIOError:
        return 0
    except OSError:
        return -1


class Connections:
    """`room` is the highest number of connections. `is_counting` is whether addresses are those of clients."""

    def __init__(self, room: int, *, is_counting: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._room = room
        self._is_counting = is_counting
        self._clock = clock
        self._open = 0
        self.all = Group("", None, float("inf"), HELD_BYTES)
        self._groups: dict[str, Group] = {}
        self._crowded: dict[Group, None] = {}
        self._is_due = False
        self.turns = LoopTurns()
        """For connections whose requests take long to read."""
        self.served: weakref.WeakSet[Any] = weakref.WeakSet()
        """The streams of Tornado's (net/streams.py) that exist."""
        self.lingering: set[Connection] = set()
        """Connections that have had their last reply and whose clients still send."""

    @property
    def open_now(self) -> int:
        """How many connections are open, without the lingering ones."""
        return self._open - len(self.lingering)

    # --- events of connections

    def enter(self, connection: Connection, host: str) -> None:
        """Adds a connection from this address. The address is not counted if it is that of a proxy."""
        networks = shares_of(host) if self._is_counting else ()
        self.join(connection, self._group(networks))

    def join(self, connection: Connection, group: Group) -> None:
        self._open += 1
        connection.group = group
        if group is self.all:
            return
        group.members[connection] = None
        for one in group.chain():
            one.count += 1
            if one.count - one.busy > one.most:
                self._look_soon(one)

    def move(self, old: Connection, new: Connection) -> None:
        """Replaces the object that serves a connection."""
        group = old.group
        if group is None:
            return
        old.group, new.group = None, group
        if group.members.pop(old, self) is None:
            group.members[new] = None
        self._change(group, new.held - old.held)

    def leave(self, connection: Connection) -> None:
        group = connection.group
        if group is None:
            return
        self._open -= 1
        connection.group = None
        self._change(group, -connection.held)
        if group.members.pop(connection, self) is self or group is self.all:
            return
        for one in group.chain():
            one.count -= 1
            if not one.count and one.parent is not None:
                one.parent.parts.discard(one)
                self._groups.pop(one.name, None)
                self._crowded.pop(one, None)

    def hold(self, connection: Connection, change: int) -> None:
        """The bytes kept for a connection have changed by this number, which `connection.held` already includes."""
        group = connection.group
        if group is None:
            return
        if group is self.all:  # it is not counted, but may have to be closed
            if connection.held:
                group.members[connection] = None
            else:
                group.members.pop(connection, None)
        self._change(group, change)

    def _change(self, group: Group, change: int) -> None:
        if not change:
            return
        for one in group.chain():
            one.held += change
            if change > 0 and one.held > one.most_held:
                self._look_soon(one)

    def _group(self, networks: tuple[tuple[str, float], ...]) -> Group:
        """Returns the group of the first network, within the groups of the others."""
        group = self.all
        for name, part in reversed(networks):
            inner = self._groups.get(name)
            if inner is None:
                most = max(LEAST_SHARE, int(self._room * part))
                inner = self._groups[name] = Group(name, group, most, HELD_BYTES * part)
                group.parts.add(inner)
            group = inner
        return group

    # --- closing

    def _look_soon(self, group: Group) -> None:
        """Checks in the loop's next turn, because the caller may be in the middle of a list of connections."""
        self._crowded[group] = None
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self.relieve)

    def relieve(self) -> None:
        """Closes connections that exceed the shares. Groups that still have more than their share are checked again."""
        self._is_due = False
        crowded, self._crowded = self._crowded, {}
        for group in crowded:
            waiting = sorted((one for one in group if one.wait is not Wait.NOTHING), key=since)
            group.busy = group.count - len(waiting)
            too_many = len(waiting) - group.most
            if too_many > 0:
                for one in waiting[: int(too_many + group.most // RELIEF)]:
                    one.drop()
            if group.held > group.most_held:
                self._let_go(group)
            if group.count > group.most:
                self._crowded[group] = None

    def _let_go(self, group: Group) -> None:
        """Closes the connections for which bytes have been kept for longest, but never the newest."""
        enough = group.most_held * (1 - 1 / RELIEF)
        for one in sorted((one for one in group if one.held), key=since)[:-1]:
            if group.held <= enough:
                break
            one.drop()

    def sweep(self) -> None:
        """Checks the shares, and closes silent connections if many are open. Called regularly."""
        self.relieve()
        if 2 * self.open_now > self._room and self._is_counting:
            now = self._clock()
            for one in list(self.all):
                if now - one.since > IDLE_SECONDS.get(one.wait, float("inf")):
                    one.drop()


def since(connection: Connection) -> float:
    return connection.since


@functools.lru_cache(1000)
def shares_of(host: str) -> tuple[tuple[str, float], ...]:
    """Returns the networks of an address, from the narrowest to the widest, each with its share; () for other texts."""
    shares = with_networks(host, ADDRESS, SITE, NETWORK)
    return shares if len(shares) > 1 else ()
