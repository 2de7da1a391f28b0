"""Finds the addresses of receivers, and refuses those that only this machine or its network should reach."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from tornado.netutil import Resolver

THREADS = 16
"""Names that are looked up at once. Each has a thread, as the loop's own threads have to serve pages."""
WAIT_SECONDS = 10
"""For a free thread, no longer than for the connection."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
GLOBAL = ipaddress.IPv6Network("2000::/3")
TUNNELS = [ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
"""Within it: Teredo and other special uses, 6to4, and addresses for documentation."""
SPECIAL = [
    ipaddress.IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4"),
    )
]
"""IANA's registry, and multicast. What Python says of these differs between its releases."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LookUp = Callable[[str, int], Sequence[tuple[Any, ...]]]


class InnerAddressError(OSError):
    """A name leads to an address that nobody outside should reach."""


def is_outer(address: Address) -> bool:
    """Whether this is an ordinary address of the internet. An IPv4 address within an IPv6 one is judged as itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in one for one in SPECIAL)
    if address.ipv4_mapped is not None:
        return is_outer(address.ipv4_mapped)
    if address in NAT64:
        return is_outer(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in GLOBAL and not any(address in one for one in TUNNELS)


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
        self._free = asyncio.Semaphore(THREADS)
        """A thread that hangs in the system's resolver can't be ended, only waited for."""

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        """Raises InnerAddressError if any of the addresses is an inner one; OSError, TimeoutError."""
        async with asyncio.timeout(WAIT_SECONDS):  # who asked has given up by then
            await self._free.acquire()
        found = await self._on_a_thread(host, port)
        for _, _, _, _, address in found:
            if not is_allowed(address[0], to_loopback=self._to_loopback):
                raise InnerAddressError(address[0])
        return [(family, address) for family, _, _, _, address in found]

    async def _on_a_thread(self, host: str, port: int) -> Sequence[tuple[Any, ...]]:
        """The thread does not delay the end of the process. Raises OSError."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Sequence[tuple[Any, ...]]] = loop.create_future()

        def settle(value: Sequence[tuple[Any, ...]], error: OSError | None) -> None:
            self._free.release()
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
        return await asyncio.shield(done)
