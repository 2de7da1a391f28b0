"""The networks of an address: a client with one address of a network often has all of it."""

import functools
import ipaddress
from typing import TypeVar

T = TypeVar("T")


@functools.lru_cache(1000)
def networks_of(address: str) -> tuple[str, ...]:
    """Returns the networks from the narrowest to the widest: an IPv4 address and its /24; an IPv6 /64, /56 and /48.

    Any other text, such as the path of a unix socket, is its own only network.
    """
    try:
        network = ipaddress.ip_network(address)
    except ValueError:
        return (address,)
    widths = (24,) if network.version == 4 else (56, 48)
    return (address, *(str(network.supernet(new_prefix=width)) for width in widths))


def with_networks(address: str, own: T, site: T, network: T) -> tuple[tuple[str, T], ...]:
    """Pairs the networks with `own` for the address itself, `site` for a /56, and `network` for a /48 or IPv4 /24."""
    names = networks_of(address)
    return tuple(zip(names, (own, network) if len(names) == 2 else (own, site, network), strict=False))
