"""How many connections one address may keep us waiting with: above its share, the one waited for longest is closed.

Waited for are connections that are silent, whose request is still coming, or whose reply is still going out; never
parked polls, nor what the server itself is working at. Bytes that are held for them are bounded likewise, in total too.
docs/decisions/0010-connections.md says why. Behind a proxy all connections are the proxy's, and none are counted.
"""

import asyncio
import enum
import functools
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from board.networks import with_networks

HELD_BYTES = 16 * 1024 * 1024
"""Of requests that are still coming and replies that are still going out, over all connections."""
ADDRESS, SITE, NETWORK = 1 / 4, 3 / 8, 1 / 2
"""What part of all connections and bytes one IPv4 address or IPv6 /64 may take, a /56, and a /48 or an IPv4 /24."""
LEAST_SHARE = 16
"""However few files may be open: two browsers that load a page."""
RELIEF = 8
"""A share that is exceeded is brought down by this part of it, so that it isn't looked at again for each newcomer."""
FIRST_SECONDS = 15
SILENT_SECONDS = 20
"""Until the first request and between two of them, while more than half of the descriptors are in use."""


class Wait(enum.Enum):
    """What is waited for on a connection."""

    NOTHING = "the server is at work, or a poll is parked"
    FIRST = "its first request"
    NEXT = "another request"
    BODY = "the rest of its request"
    READER = "its reply to be taken"


PATIENCE = {Wait.FIRST: FIRST_SECONDS, Wait.NEXT: SILENT_SECONDS}


class Connection(Protocol):
    """In the lot, in Tornado, or about to be closed."""

    group: "Group | None"
    """That of its address, or the one for all; none when it has ended."""

    @property
    def wait(self) -> Wait: ...
    @property
    def since(self) -> float:
        """By the monotonic clock, when this wait began."""

    @property
    def held(self) -> int:
        """Bytes that are kept for it."""

    def drop(self) -> None:
        """Closes it at once."""


class Group:
    """The connections of an address or a network, or all; a network's are in those of its addresses."""

    __slots__ = ("busy", "count", "held", "members", "most", "most_held", "name", "parent", "parts")

    def __init__(self, name: str, parent: "Group | None", most: float, most_held: float) -> None:
        self.name = name
        self.parent = parent
        self.most = most
        self.most_held = most_held
        self.parts: set[Group] = set()
        self.members: dict[Connection, None] = {}
        self.count = self.busy = self.held = 0
        """`busy` are those on which nothing was waited for when they were last looked at."""

    def __iter__(self) -> Iterator[Connection]:
        yield from self.members
        for part in self.parts:
            yield from part

    def chain(self) -> "Iterator[Group]":
        """This one, and those that it is part of."""
        group: Group | None = self
        while group is not None:
            yield group
            group = group.parent


class Connections:
    """`room` is how many there may be; `is_counting` says whether addresses are those of clients."""

    def __init__(self, room: int, *, is_counting: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._room = room
        self._is_counting = is_counting
        self._clock = clock
        self.all = Group("", None, float("inf"), HELD_BYTES)
        self._groups: dict[str, Group] = {}
        self._crowded: dict[Group, None] = {}
        self._is_due = False
        self.lingering: set[Connection] = set()
        """Those on which all has been said."""

    # --- what connections tell

    def enter(self, connection: Connection, host: str) -> None:
        """A new one, from this address; from none that is counted, if it is a proxy's."""
        networks = shares_of(host) if self._is_counting else ()
        self.join(connection, self._group(networks))

    def join(self, connection: Connection, group: Group) -> None:
        connection.group = group
        if group is self.all:
            return
        group.members[connection] = None
        for one in group.chain():
            one.count += 1
            if one.count - one.busy > one.most:
                self._look_soon(one)

    def move(self, old: Connection, new: Connection) -> None:
        """The same connection, in other hands."""
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
        """So many bytes more, or fewer, are kept for it than before; it says so itself already."""
        group = connection.group
        if group is None:
            return
        if group is self.all:  # it is not counted, but may have to go
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
        """That of the first of these, within those of the others."""
        group = self.all
        for name, part in reversed(networks):
            inner = self._groups.get(name)
            if inner is None:
                most = max(LEAST_SHARE, int(self._room * part))
                inner = self._groups[name] = Group(name, group, most, HELD_BYTES * part)
                group.parts.add(inner)
            group = inner
        return group

    # --- who has to go

    def _look_soon(self, group: Group) -> None:
        """Not at once: whoever tells of a connection may be in the middle of a list of them."""
        self._crowded[group] = None
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self.relieve)

    def relieve(self) -> None:
        """Closes what is too much; looks again at those who had more connections than they may be waited for."""
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
        """Those for whom bytes have been held for longest; never the last who came."""
        enough = group.most_held * (1 - 1 / RELIEF)
        for one in sorted((one for one in group if one.held), key=since)[:-1]:
            if group.held <= enough:
                break
            one.drop()

    def sweep(self, open_now: int) -> None:
        """Now and then, with how many connections there are."""
        self.relieve()
        if 2 * open_now > self._room and self._is_counting:
            now = self._clock()
            for one in list(self.all):
                if now - one.since > PATIENCE.get(one.wait, float("inf")):
                    one.drop()


def since(connection: Connection) -> float:
    return connection.since


@functools.lru_cache(1000)
def shares_of(host: str) -> tuple[tuple[str, float], ...]:
    """The networks of an address, from the narrowest on, each with its share; none for what is no address."""
    shares = with_networks(host, ADDRESS, SITE, NETWORK)
    return shares if len(shares) > 1 else ()
