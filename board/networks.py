"""The networks that an address is in: whoever has one address of a network often has all of it."""

import functools
import ipaddress


@functools.lru_cache(1000)
def networks_of(address: str) -> tuple[str, ...]:
    """From the narrowest on, of an address as limits count it: an IPv4 address and its /24; an IPv6 /64, /56 and /48.

    What is no address, such as the path of a unix socket, is in none but itself.
    """
    try:
        network = ipaddress.ip_network(address)
    except ValueError:
        return (address,)
    widths = (24,) if network.version == 4 else (56, 48)
    return (address, *(str(network.supernet(new_prefix=width)) for width in widths))
