"""Reads a DATABASE_URL of PostgreSQL as hosting providers give it: what its parameters mean here.

Such addresses are written for libpq, for Prisma or for JDBC; asyncpg sends parameters that it doesn't know to the
server as settings, and the server then refuses the connection. Here each parameter is honoured, translated, ignored
(if Longboard does the same anyway), or refused by name. All others are sent to the server, which names an unknown
setting. The names are those of https://www.postgresql.org/docs/current/libpq-connect.html.

Only an address's hosts, its database and the names of its parameters are ever shown: anything else may be a password,
even if it does not look like one.
"""

import dataclasses
import functools
import os
import ssl
import urllib.parse
from collections.abc import Mapping

from storage.errors import CannotOpenError

PORT = 5432
LONGEST_TIMEOUT = 60
"""Maximum of connect_timeout: some hosts need 15 s to wake a database up."""
HONOURED = frozenset((
    "host", "port", "dbname", "database", "user", "password", "passfile", "service", "sslmode", "sslcert", "sslkey",
    "sslrootcert", "sslcrl", "sslpassword", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version",
    "target_session_attrs", "krbsrvname", "gsslib",
))  # fmt: skip
"""Honoured by asyncpg."""
LEFT_OUT = frozenset((
    # Each statement has a time limit here, and a check every two seconds finds a lost connection.
    "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
    # Prisma's pools and statements, and a pooler: the start finds out whether there is one.
    "pgbouncer", "connection_limit", "pool_timeout", "statement_cache_size", "prepared_statements",
    # Settings that each connection makes itself, or never makes; a mark that Supabase's integration leaves.
    "client_encoding", "fallback_application_name", "sslcompression", "sslsni", "gssdelegation", "load_balance_hosts", "supa",
))  # fmt: skip
CHECKED = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full", "no-verify"),
    "ssl": ("true", "false", "1", "0", "on", "off", "require", "no-verify", "verify-full"),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer"),
    "target_session_attrs": ("any", "read-write", "primary"),
    "schema": ("public",),
}
"""The allowed values. A board must be able to write. Its tables have their own schema, not that of Prisma."""
FILES = frozenset(("sslcert", "sslkey", "sslrootcert", "sslcrl"))
IMPOSSIBLE = frozenset(("hostaddr", "require_auth", "replication", "requirepeer"))
UNREADABLE = (
    "DATABASE_URL can't be read: in a user's name and in a password each of / # ? @ % : [ ] must be percent-encoded, "
    "such as %2F for / and %40 for @"
)


@dataclasses.dataclass(frozen=True)
class Address:
    dsn: str = dataclasses.field(repr=False)
    """Contains only what asyncpg understands."""
    hosts: tuple[str, ...]
    """As `host:port`, for errors."""
    name: str
    """Host and database, without user and password."""
    seconds: float | None
    """The time-out for connecting, if the address has one."""
    tls: ssl.SSLContext | None
    """Used instead of sslmode if asyncpg has no equivalent."""
    session: Mapping[str, str]
    """Settings of each connection's session that the address asks for."""
    wants_primary: bool
    """Of several hosts, the board uses the one that is not a standby, whatever their order."""


@functools.lru_cache(8)
def parse(url: str) -> Address:
    """Raises CannotOpenError."""
    try:
        parts = urllib.parse.urlsplit(url)
        given = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:  # its message would contain parts of the password
        raise CannotOpenError(UNREADABLE) from None
    if "#" in url or not url.isprintable() or parts.netloc.count("@") > 1 or "@" in parts.path + parts.query:
        raise CannotOpenError(UNREADABLE)
    check(given)
    hosts = hosts_of(parts.netloc, given)
    tls, sslmode = encryption(given)
    kept = {name: value for name, value in given.items() if name in HONOURED} | sslmode
    session = {name: value for name, value in given.items() if name not in HONOURED | LEFT_OUT | CHECKED.keys()}
    timeout = session.pop("connect_timeout", "")
    query = urllib.parse.urlencode(kept, quote_via=urllib.parse.quote)
    return Address(
        dsn=parts._replace(query=query).geturl(),
        hosts=hosts,
        name=",".join(host.rpartition(":")[0] or host for host in hosts) + (parts.path or "/"),
        seconds=seconds(timeout),
        tls=tls,
        session=session,
        wants_primary=len(hosts) > 1 and "target_session_attrs" not in kept,
    )


def check(given: Mapping[str, str]) -> None:
    """Raises CannotOpenError, with the parameter's name and never with its value."""
    for name in given:
        if name in IMPOSSIBLE:
            raise CannotOpenError(f"DATABASE_URL asks for {name}, which Longboard can't do: remove it")
        if name in CHECKED and given[name] not in CHECKED[name]:
            raise CannotOpenError(f"{name} in DATABASE_URL must be {' or '.join(CHECKED[name])}, or be removed")
        if name in FILES and given[name] not in ("", "system") and not os.access(given[name], os.R_OK):
            raise CannotOpenError(f"{name} in DATABASE_URL names no file that can be read")


def hosts_of(netloc: str, given: Mapping[str, str]) -> tuple[str, ...]:
    """Raises CannotOpenError if a port is not a valid number."""
    named = urllib.parse.unquote(netloc.rpartition("@")[2] or given.get("host", ""))
    ports = given.get("port", "").split(",")
    hosts = []
    for number, host in enumerate(named.split(",") if named else ["localhost"]):
        if host.startswith("/"):  # the folder of a unix socket
            hosts.append(host)
            continue
        head, colon, port = ("", "", "") if host.endswith("]") else host.rpartition(":")
        port = port if colon else ports[min(number, len(ports) - 1)] or str(PORT)
        if not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
            raise CannotOpenError("the port in DATABASE_URL must be a number from 1 to 65535. Or, " + UNREADABLE)
        hosts.append(f"{head if colon else host}:{port}")
    return tuple(hosts)


def encryption(given: Mapping[str, str]) -> tuple[ssl.SSLContext | None, dict[str, str]]:
    """Returns a TLS context of ours, or None, and asyncpg's sslmode. Raises CannotOpenError.

    channel_binding=require protects against somebody in the middle. asyncpg lacks it, so the server's certificate
    is checked instead, against the system's authorities or those of sslrootcert. As in libpq, ssl=true means
    sslmode=require, and sslrootcert=system checks the certificate in full.
    """
    mode = given.get("sslmode") or SSL.get(given.get("ssl", ""), "")
    if given.get("channel_binding") == "require":
        if mode == "disable":
            raise CannotOpenError("channel_binding=require in DATABASE_URL needs TLS, which sslmode=disable forbids")
        mode = "verify-full"
    root = given.get("sslrootcert", "")
    if root == "system" or (mode == "verify-full" and not root and given.get("channel_binding") == "require"):
        return certified(given, ssl.create_default_context()), {}
    if mode == "no-verify":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return certified(given, context), {}
    return None, {"sslmode": mode} if mode else {}


SSL = {"true": "require", "1": "require", "on": "require", "false": "disable", "0": "disable", "off": "disable"} | {
    mode: mode for mode in ("require", "no-verify", "verify-full")
}


def certified(given: Mapping[str, str], context: ssl.SSLContext) -> ssl.SSLContext:
    """Adds the client's certificate, if there is one. Raises CannotOpenError."""
    context.set_alpn_protocols(["postgresql"])  # needed for sslnegotiation=direct
    if cert := given.get("sslcert"):
        try:
            context.load_cert_chain(cert, given.get("sslkey"), given.get("sslpassword", ""))
        except OSError as error:
            raise CannotOpenError(f"sslcert in DATABASE_URL can't be used: {error.strerror or error}") from error
    return context


def seconds(timeout: str) -> float | None:
    """As in libpq: 0 or nothing is the default, and less than 2 s count as 2. Raises CannotOpenError."""
    if not timeout:
        return None
    if not (timeout.isascii() and timeout.isdigit()):
        raise CannotOpenError("connect_timeout in DATABASE_URL must be a whole number of seconds")
    return min(max(2.0, float(timeout[:6])), LONGEST_TIMEOUT) if timeout.strip("0") else None
