"""PostgreSQL through asyncpg: opening connections, settings of their sessions, and words for errors."""

import contextlib
import errno
import re
import socket
import ssl
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from storage.postgres.address import UNREADABLE, Address, parse
from storage.records import CannotOpenError, UnavailableError

if TYPE_CHECKING:
    Database = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
    Link = asyncpg.Connection[asyncpg.Record]

CONNECT_SECONDS = 3.0
"""The time-out for connecting, if the address has none."""
READ_SECONDS = 5.0
WRITE_SECONDS = 10.0
"""For what is long and rare, such as removing all that a spammer wrote; posts have READ_SECONDS."""
TURN_SECONDS = 2.0
"""How long to wait for one's turn to write, and how long a transaction may be left lying: a node that is paused in
the middle of one loses it, and holds nobody up for longer."""
CHANNEL = "longboard"
FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, EOFError)
"""What can go wrong with a database on the way or by itself; TimeoutError is an OSError."""
POOLED = "; give Longboard the address of PostgreSQL itself"
IGNORES = (
    "this address leads to a connection pooler such as PgBouncer (in transaction mode, it seems), "
    "through which neither LISTEN nor time limits work" + POOLED
)
REFUSES = "this address leads to a connection pooler such as PgBouncer, which does not support time limits of a session"


def settings(seconds: float) -> dict[str, str]:
    """Settings of each connection's session, from its start, in PostgreSQL's words."""
    turn = str(round(1000 * TURN_SECONDS))
    return {
        "search_path": "longboard",
        "statement_timeout": str(round(1000 * seconds)),
        "lock_timeout": turn,
        "idle_in_transaction_session_timeout": turn,
        "synchronous_commit": "on",  # what is answered is on disk, whatever the database's own default
        "jit": "off",  # compiling would take longer than these statements do
        "plan_cache_mode": "force_custom_plan",  # how to search depends on how common the words are
    }


PINNED = {
    "default_transaction_isolation": "read committed",  # reads after the lock see what is committed then
    "default_transaction_deferrable": "off",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",  # statements have a limit, and so has an idle transaction
    "gin_fuzzy_search_limit": "0",  # a search finds all messages
    "row_security": "on",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
}
"""Other settings that a database or a role may have for its sessions and that would matter here; some exist only in
newer versions. default_transaction_read_only stays as it is: hosts use it to stop writes."""
PIN = "SELECT set_config(name, value, false) FROM pg_settings JOIN unnest($1::text[], $2::text[]) AS ours (name, value) USING (name)"


def patience(url: str) -> float:
    """Seconds for opening a connection there, or waiting for a free one. Raises CannotOpenError."""
    return parse(url).seconds or CONNECT_SECONDS


async def connect(url: str, seconds: float = READ_SECONDS, **options: Any) -> "Link":
    """A connection, outside the pools unless options say otherwise. Raises CannotOpenError or one of FAULTS."""
    address = parse(url)
    session = {"application_name": "longboard", **address.session, **settings(seconds)}
    timeout = patience(url)
    try:
        db: Link = await asyncpg.connect(
            address.dsn,
            ssl=address.tls,
            target_session_attrs=SessionAttribute.primary if address.wants_primary else None,
            timeout=timeout,
            command_timeout=seconds + 1,  # the database ends it first, unless it can't be reached
            server_settings=session,
            **options,
        )
    except TimeoutError:
        raise TimeoutError(f"{' and '.join(address.hosts)} did not answer within {timeout:.0f} s") from None
    except OSError as error:
        raise OSError(error.errno or 0, unreachable(error, address)) from error
    try:
        await db.execute(PIN, list(PINNED), list(PINNED.values()))
    except BaseException:
        db.terminate()
        raise
    return db


def unreachable(error: OSError, address: Address) -> str:
    """Says in words which host failed, and how."""
    hosts = " and ".join(address.hosts)
    numbers = {int(number) for number in re.findall(r"\[Errno (\d+)\]", str(error))}  # of several addresses of a host
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {hosts} can't be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"there is no TLS with {hosts}: {error.reason}"
    if isinstance(error, socket.gaierror):
        return f"there is no host called {hosts}: {error.strerror}"
    if error.errno == errno.ECONNREFUSED or numbers == {errno.ECONNREFUSED}:
        return f"connection refused at {hosts}"
    return f"{hosts} can't be reached: {error.strerror or error}"


@contextlib.asynccontextmanager
async def faults_as_unavailable() -> AsyncIterator[None]:
    try:
        yield
    except asyncpg.UntranslatableCharacterError as error:
        raise UnstorableTextError(reason(error)) from error
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError):
        raise  # that is not the database's fault, and will be so next time
    except FAULTS as error:
        raise UnavailableError(reason(error)) from error


class UnstorableTextError(UnavailableError):
    """The database can't store such a character: its encoding is no longer UTF-8, as it was at the start."""


def reason(error: BaseException) -> str:
    """The error in one line, without the values that PostgreSQL may put into its details."""
    if isinstance(error, OSError):
        said = error.strerror or str(error) or ("the database did not answer in time" * isinstance(error, TimeoutError))
    else:
        said = str(error.args[0] if error.args else error)
    return (said.splitlines() or [""])[0] or type(error).__name__


def why_not(error: BaseException) -> CannotOpenError:
    """In the operator's words. The address is not shown: it has the password in it."""
    said = reason(error)
    if "startup parameter" in said:
        return CannotOpenError(f"{REFUSES} ({said}){POOLED}")
    if "prepared statement" in said:
        return CannotOpenError(f"{IGNORES} ({said})")
    if "root certificate file" in said:
        return CannotOpenError(
            f"sslmode in DATABASE_URL needs the server's root certificate: {said}. Or add sslrootcert=system"
        )
    if "unrecognized configuration parameter" in said:
        return CannotOpenError(f"a parameter after the ? of DATABASE_URL can't be used: {said}. Remove it")
    if isinstance(error, ValueError) and not isinstance(error, asyncpg.PostgresError):
        return CannotOpenError(UNREADABLE)  # the parser's message may have pieces of the password in it
    return CannotOpenError(f"PostgreSQL, as named by DATABASE_URL, can't be used: {said}")
