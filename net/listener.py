"""The listening sockets: opened here or inherited, and paused while descriptors are short.

A server that has used up its descriptors can neither accept a connection nor open a file. The waiting connection is
still reported, so it would try again and again without a pause.
"""

import asyncio
import errno
import logging
import os
import resource
import socket
import sys
from collections.abc import Sequence
from typing import Any

import tornado.netutil
from tornado.ioloop import IOLoop

log = logging.getLogger("longboard")

BACKLOG = 4096
"""Connections that may wait to be accepted, because after a restart thousands of pages come back at once."""
DESCRIPTORS_KEPT = 64
"""Descriptors for the database, files and the log, which connections may not take."""
IN_A_ROW = 8
"""Connections that are accepted before the loop handles other events, so that nodes behind one socket share a burst."""
PAUSE_SECONDS = 0.5
WARN_SECONDS = 60
"""At most one line is logged in this time, however often accepting is paused."""
FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


def raise_descriptor_limit(max_parked: int) -> int:
    """Raises the limit as far as needed and allowed, and returns it. Warns if it is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = wanted_descriptors(max_parked)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return sys.maxsize if soft == resource.RLIM_INFINITY else soft
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < max_parked + DESCRIPTORS_KEPT:
        log.warning(
            "Only %d files may be open here, so fewer than MAX_PARKED=%d polls can be held. "
            "Raise the limit (LimitNOFILE= of systemd, ulimit -n) or set MAX_PARKED to %d.",
            allowed, max_parked, max(allowed - DESCRIPTORS_KEPT, 0) // 2,
        )  # fmt: skip
    return allowed


def room_for(max_parked: int) -> int:
    """Returns how many connections there may be: no more than MAX_PARKED needs, even if more files may be open."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    foreseen = wanted_descriptors(max_parked)
    allowed = foreseen if soft == resource.RLIM_INFINITY else min(soft, foreseen)
    return most_connections(allowed)


def wanted_descriptors(max_parked: int) -> int:
    return 2 * max_parked + 1024  # a client that is told to come back later needs a connection, too


def most_connections(descriptors: int) -> int:
    return max(descriptors - DESCRIPTORS_KEPT, descriptors // 2)


def listen(port: int, address: str, handed_over: list[int], descriptors: int) -> list[socket.socket]:
    """Returns sockets of the descriptors that were handed over, or else new ones. Raises OSError, in words for people.

    No socket is shared with another process by SO_REUSEPORT.
    """
    inherited = [socket.socket(fileno=number) for number in handed_over]
    for one in inherited:
        if one.family not in FAMILIES or not one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            raise OSError(f"descriptor {one.fileno()} of LISTEN_FDS is no listening TCP or unix socket")
    if not inherited:
        try:
            inherited = tornado.netutil.bind_sockets(port, address, backlog=BACKLOG)
        except OSError as error:
            where = f"{address} port {port}"
            raise OSError(f"can't listen on {where}: {error.strerror}. Set PORT or ADDRESS to another.") from error
    most = most_connections(descriptors)
    sockets: list[socket.socket] = [ListeningSocket(one, most) for one in inherited]
    for one in sockets:
        one.setblocking(False)
    return sockets


class ListeningSocket(socket.socket):
    """Pauses accepting while descriptors are short. New connections then wait in the backlog."""

    def __init__(self, opened: socket.socket, most: int) -> None:
        super().__init__(opened.family, opened.type, opened.proto, opened.detach())
        self._most = most
        self._is_paused = False
        self._in_a_row = 0
        self._warned_at = -float(WARN_SECONDS)

    def accept(self) -> tuple[socket.socket, Any]:
        self._in_a_row = (self._in_a_row + 1) % (IN_A_ROW + 1)
        if self._is_paused or not self._in_a_row:
            raise BlockingIOError
        try:
            connection, address = super().accept()
        except OSError as error:
            if error.errno not in SHORTAGES:
                raise
            self._pause(error.strerror or str(error))
            raise BlockingIOError from error
        if connection.fileno() >= self._most:  # the system gives the lowest free one, so nearly all are in use
            self._pause(f"{connection.fileno()} files are open")
        return connection, address

    def _pause(self, why: str) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - self._warned_at >= WARN_SECONDS:
            self._warned_at = loop.time()
            log.warning("Not accepting more connections until some have ended: %s.", why)
        self._is_paused = True
        IOLoop.current().update_handler(self, 0)
        loop.call_later(PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        """Accepts again when there is room."""
        if self.fileno() == -1:
            return  # it was closed
        if not self._has_room():
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._go_on)
            return
        self._is_paused = False
        IOLoop.current().update_handler(self, IOLoop.READ)

    def _has_room(self) -> bool:
        try:
            lowest = os.dup(self.fileno())
        except OSError:
            return False
        os.close(lowest)
        return lowest < self._most


def port_of(sockets: Sequence[socket.socket]) -> int | None:
    """Returns the port of the first socket that has one. Unix sockets have none."""
    return next((one.getsockname()[1] for one in sockets if one.family != socket.AF_UNIX), None)


def address_of(address: str, sockets: Sequence[socket.socket]) -> str:
    """Returns where these sockets can be reached, in words for people."""
    host = f"[{address}]" if ":" in address else address
    port = port_of(sockets)
    tcp = [f"http://{host}:{port}/"] if port else []
    return " and ".join([*tcp, *(f"unix:{path}" for path in paths_of(sockets))])


def paths_of(sockets: Sequence[socket.socket]) -> list[str]:
    """Returns the paths of unix sockets. On Linux, one without a file begins with a zero byte, shown as @ (unix(7))."""
    names = [one.getsockname() for one in sockets if one.family == socket.AF_UNIX]
    return [os.fsdecode(name).replace("\0", "@") for name in names]
