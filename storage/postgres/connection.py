"""PostgreSQL through asyncpg: opens connections, sets up their sessions, and puts errors into words."""

import contextlib
import errno
import re
import socket
import ssl
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from storage.errors import CannotOpenError, UnavailableError
from storage.postgres.address import UNREADABLE, Address, parse

if TYPE_CHECKING:
    Database = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
    Link = asyncpg.Connection[asyncpg.Record]

CONNECT_SECONDS = 3.0
"""The time-out for connecting, if the address has none."""
READ_SECONDS = 5.0
WRITE_SECONDS = 10.0
"""For writes that are long and rare, such as removing all messages of a spammer; posts have READ_SECONDS."""
TURN_SECONDS = 2.0
"""How long a node waits for its turn to write, and how long a transaction may be idle: a node that is paused in the
middle of one loses it, and delays the others no longer than this."""
CHANNEL = "longboard"
FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, EOFError)
"""Errors of a database, or of the way to it. TimeoutError is an OSError."""
POOLED = "; give Longboard the address of PostgreSQL itself"
IGNORES = (
    "this address leads to a connection pooler such as PgBouncer (in transaction mode, it seems), "
    "through which neither LISTEN nor time limits work" + POOLED
)
REFUSES = "this address leads to a connection pooler such as PgBouncer, which does not support time limits of a session"


def settings(seconds: float) -> dict[str, str]:
    """Returns the settings with which each connection's session starts, as PostgreSQL names them."""
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
    "default_transaction_isolation": "read committed",  # reads after the lock see all that is committed by then
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
"""Other settings that a database or a role may have for its sessions, and that matter here. Some exist only in newer
versions. default_transaction_read_only stays as it is, because hosts use it to stop writes."""
PIN = "SELECT set_config(name, value, false) FROM pg_settings JOIN unnest($1::text[], $2::text[]) AS ours (name, value) USING (name)"


def patience(url: str) -> float:
    """Returns the seconds to wait for a connection to this address to open, or to be free. Raises CannotOpenError."""
    return parse(url).seconds or CONNECT_SECONDS


async def connect(url: str, seconds: float = READ_SECONDS, **options: Any) -> "Link":
    """Opens a connection, outside the pools unless options say otherwise. Raises CannotOpenError or one of FAULTS."""
    address = parse(url)
    session = {"application_name": "longboard", **address.session, **settings(seconds)}
    timeout = patience(url)
    try:
        db: Link = await asyncpg.connect(
            address.dsn,
            ssl=address.tls,
            target_session_attrs=SessionAttribute.primary if address.wants_primary else None,
            timeout=timeout,
            command_timeout=seconds + 1,  # the database ends the statement first, unless it can't be reached
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
    """Describes which host failed, and how."""
    hosts = " and ".join(address.hosts)
    numbers = {int(number) for number in re.findall(r"\[Errno (\d+)\]", str(error))}  # one for each address
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
        raise  # not the database's fault; the next try would fail too
    except FAULTS as error:
        raise UnavailableError(reason(error)) from error


class UnstorableTextError(UnavailableError):
    """The database can't store a character: its encoding is no longer UTF-8, which it was at the start."""


def reason(error: BaseException) -> str:
    """Returns the error in one line, without the values that PostgreSQL may put into its details."""
    if isinstance(error, OSError):
        said = error.strerror or str(error) or ("the database did not answer in time" * isinstance(error, TimeoutError))
    else:
        said = str(error.args[0] if error.args else error)
    return (said.splitlines() or [""])[0] or type(error).__name__


def why_not(error: BaseException) -> CannotOpenError:
    """Describes the error for the operator. The address is not shown, because the password is in it."""
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
        return CannotOpenError(UNREADABLE)  # the parser's message may contain parts of the password
    return CannotOpenError(f"PostgreSQL, as named by DATABASE_URL, can't be used: {said}")
