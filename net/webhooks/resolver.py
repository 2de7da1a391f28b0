"""Finds the addresses of receivers, and refuses those that only this machine or its network should reach."""

import asyncio
import ipaddress
import socket
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from tornado.netutil import Resolver

from board.receivers import is_outer

THREADS = 16
"""Names that are looked up at once. Each has a thread, as the loop's own threads have to serve pages."""
LOOK_UP_SECONDS = 8
"""For a name, with the wait for a free thread. Shorter than for the connection: Tornado logs what comes after its limit."""
FREE: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]" = weakref.WeakKeyDictionary()
"""The free threads of a process, which has one loop. A thread that hangs in the system's resolver can't be ended, only
waited for."""
LookUp = Callable[[str, int], Sequence[tuple[Any, ...]]]


class InnerAddressError(OSError):
    """A name leads to an address that nobody outside should reach."""


def is_allowed(text: str, *, to_loopback: bool) -> bool:
    """`to_loopback` also allows 127.0.0.0/8 and ::1, as they are written there."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # with a scope, such as fe80::1%eth0
        return False
    return is_outer(address) or (to_loopback and address.is_loopback)


def look_up(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class JudgingResolver(Resolver):
    """Tornado connects to what it returns, and asks no one else: what was judged is what is connected to."""

    def initialize(self, *, to_loopback: bool = False, look_up: LookUp = look_up) -> None:
        self._to_loopback = to_loopback
        self._look_up = look_up

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        """Raises InnerAddressError if any of the addresses is an inner one; OSError, TimeoutError."""
        async with asyncio.timeout(LOOK_UP_SECONDS):
            free = FREE.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(THREADS))
            await free.acquire()
            found = await self._on_a_thread(free, host, port)
        for _, _, _, _, address in found:
            if not is_allowed(address[0], to_loopback=self._to_loopback):
                raise InnerAddressError(address[0])
        return [(family, address) for family, _, _, _, address in found]

    async def _on_a_thread(self, free: asyncio.Semaphore, host: str, port: int) -> Sequence[tuple[Any, ...]]:
        """The thread does not delay the end of the process, and what it finds too late is dropped. Raises OSError."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Sequence[tuple[Any, ...]]] = loop.create_future()

        def settle(value: Sequence[tuple[Any, ...]], error: OSError | None) -> None:
            free.release()
            if done.cancelled():
                return
            if error is None:
                done.set_result(value)
            else:
                done.set_exception(error)

        def run() -> None:
            value: Sequence[tuple[Any, ...]] = ()
            error: OSError | None = None
            try:
                value = self._look_up(host, port)
            except OSError as raised:
                error = raised
            except ValueError as raised:  # of a name that no name server knows
                error = OSError(str(raised))
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, value, error)

        threading.Thread(target=run, daemon=True, name="longboard-names").start()
        return await done
