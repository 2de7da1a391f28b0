"""Addresses of clients, as limits count them."""

import functools
import ipaddress
import re

LONGEST_ADDRESS = 100
"""The most characters of an address with port and zone. A longer text is not an address."""
WITH_PORT = re.compile(r"(?:\[([^\]]*)\]|([0-9.]+))(?::[0-9]{1,5})?")


def parse_address(text: str) -> str | None:
    """Returns the address as limits count it, or None if the text is not an address."""
    return parse_short(text) if len(text) <= LONGEST_ADDRESS else None


@functools.lru_cache(1000)
def parse_short(text: str) -> str | None:
    """Returns one shared object for each text. Some proxies add a port: 192.0.2.1:5678, or [2001:db8::1]:5678."""
    if match := WITH_PORT.fullmatch(text):
        text = match[2] if match[1] is None else match[1]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address.packed[:8] + bytes(8), 64)))
    return str(address)
