"""What the address and the secret of an outgoing webhook look like, and which addresses of machines are of the internet."""

import base64
import ipaddress
import re
import secrets
import urllib.parse

from board.errors import DeniedError
from board.said import msgid, said

URL_MAX = 1000
SECRET_BYTES = 32
PREFIX = "whsec_"
SIGNS = re.compile(r"[!-~]+", re.ASCII)
"""No address needs others. What a name is in other letters, two standards say in two ways."""
HOST = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?"
)
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
NOT_ASCII = msgid(
    "Write the address as browsers send it: letters outside a to z become xn--… in its name, and percent signs with digits elsewhere."
)
NOT_URL = msgid("This isn't an address that can be sent to. It looks like https://example.org/hooks/3f9a.")
NOT_HTTPS = msgid("The address must begin with https://, as messages are nobody else's business on the way.")
WITH_PASSWORD = msgid("The address has a username or password in it. Leave it out: each event is signed instead.")
BAD_PORT = msgid("Outgoing webhooks go to port 443, or to one of 1024 and above.")
INNER = msgid(
    "This address is inside a private network, or is this machine's own. Outgoing webhooks only go to the internet."
)


def clean_url(text: str, *, to_loopback: bool = False) -> str:
    """Returns the address of a receiver, without a fragment. `to_loopback` also allows this machine, by http, too.

    Where a name leads is judged at each try, not here. Raises DeniedError.
    """
    url = text.strip()
    if len(url) > URL_MAX:
        raise DeniedError("bad_url", said("The address may have %(most)s characters.", most=URL_MAX))
    if not url.isascii():
        raise DeniedError("bad_url", NOT_ASCII)
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise DeniedError("bad_url", NOT_URL) from None
    if not SIGNS.fullmatch(url) or "\\" in url or parts.scheme not in ("http", "https") or not host:
        raise DeniedError("bad_url", NOT_URL)
    if "@" in parts.netloc:
        raise DeniedError("bad_url", WITH_PASSWORD)
    literal = literal_of(host)
    if literal is None and not HOST.fullmatch(host):
        raise DeniedError("bad_url", NOT_URL)
    is_here = host == "localhost" or (literal is not None and literal.is_loopback)
    if is_here and to_loopback:
        return urllib.parse.urlunsplit(parts._replace(fragment=""))
    if is_here or (literal is not None and not is_outer(literal)):
        raise DeniedError("bad_url", INNER)
    if parts.scheme != "https":
        raise DeniedError("bad_url", NOT_HTTPS)
    if port is not None and port != 443 and port < 1024:
        raise DeniedError("bad_url", BAD_PORT)
    return urllib.parse.urlunsplit(parts._replace(fragment=""))


def is_outer(address: Address) -> bool:
    """Whether this is an ordinary address of the internet. An IPv4 address within an IPv6 one is judged as itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in one for one in SPECIAL)
    if address.ipv4_mapped is not None:
        return is_outer(address.ipv4_mapped)
    if address in NAT64:
        return is_outer(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in GLOBAL and not any(address in one for one in TUNNELS)


def literal_of(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """As Standard Webhooks writes it, and its libraries read it."""
    return PREFIX + base64.b64encode(secret).decode()
