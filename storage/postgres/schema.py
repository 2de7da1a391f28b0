"""Brings a PostgreSQL database to this version's schema: one transaction for each migration, one node at a time."""

import asyncio
import time
from typing import TYPE_CHECKING

import asyncpg

from storage.errors import CannotOpenError
from storage.migrate import COMPATIBLE, Migration, check_newer, migrations, tell_of
from storage.postgres.connection import CHANNEL, CONNECT_SECONDS, IGNORES, TURN_SECONDS, connect
from storage.words import VERSION

if TYPE_CHECKING:
    from storage.postgres.connection import Link

OLDEST = 13
"""The first PostgreSQL with gen_random_uuid(). Older versions are no longer maintained, either."""
MIGRATION_SECONDS = 600.0
"""How long a migration may take, and how long it is tried while others hold what it needs."""
WAIT_MS = 1_500
"""How long it waits for a table while it has the turn to write: posts queue behind it, and give up after TURN_SECONDS.
PostgreSQL ends an autovacuum that is in the way after one second (deadlock_timeout)."""
PAUSE_SECONDS = 1.0
"""Between two tries, for those who have queued behind it."""
OURS = "FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid AND nspname = 'longboard' WHERE true"
"""Reads the system's tables: to_regclass() may answer from the session's cache, with what was before the lock."""
LOCK = "SELECT pg_advisory_xact_lock(1282371175, 2)"


async def prepare(url: str, *, is_served: bool = False) -> None:
    """Migrates the database if it is older. Serving it is possible with a newer schema, too, if that allows it.

    Raises CannotOpenError, or one of the connection's FAULTS.
    """
    db = await connect(url, MIGRATION_SECONDS)
    try:
        check_version(db)
        await check_session(db)
        await check_directness(url, db)
        await migrate(db, is_served)
    finally:
        await db.close(timeout=CONNECT_SECONDS)


def check_version(db: "Link") -> None:
    if db.get_server_version().major < OLDEST:
        version = db.get_server_version().major
        raise CannotOpenError(f"the database is PostgreSQL {version}; Longboard needs {OLDEST} or newer")


async def check_session(db: "Link") -> None:
    """Checks what no session setting can change. Raises CannotOpenError."""
    encoding, role = await db.fetchrow(SESSION) or ("", "")
    if encoding != "UTF8":
        raise CannotOpenError(
            f"the database is in {encoding}, which can't store most of what people write; Longboard needs UTF8: "
            "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )
    if role != "origin":
        raise CannotOpenError(
            f"session_replication_role is {role} for this user or database: nodes would get no notifications"
        )


SESSION = "SELECT current_setting('server_encoding'), current_setting('session_replication_role')"


async def check_directness(url: str, db: "Link") -> None:
    """Checks that this is PostgreSQL itself, or something in between that passes everything. Raises CannotOpenError.

    A pooler may have ignored the settings of the session; then tables could be made in any schema.
    """
    in_force = "SELECT current_setting('search_path') = 'longboard' AND current_setting('lock_timeout') <> '0'"
    if not await db.fetchval(in_force):
        raise CannotOpenError(IGNORES)
    if await db.fetchval("SELECT pg_backend_pid()") != db.get_server_pid():
        await check_listening(url, db)


async def check_listening(url: str, db: "Link") -> None:
    """Checks that notifications of one connection reach another; a pooler may prevent it. Raises CannotOpenError."""
    heard = asyncio.Event()
    listening = await connect(url)
    try:
        await listening.add_listener(CHANNEL, lambda *_: heard.set())
        await db.execute("SELECT pg_notify($1, '')", CHANNEL)
        async with asyncio.timeout(TURN_SECONDS):
            await heard.wait()
    except TimeoutError:
        raise CannotOpenError(IGNORES) from None
    finally:
        listening.terminate()


async def migrate(db: "Link", is_served: bool) -> None:
    known = migrations("postgres")
    if (before := await version_of(db)) < len(known):
        deadline = time.monotonic() + MIGRATION_SECONDS
        for migration in known:
            while not await has_applied(db, migration, deadline):
                await asyncio.sleep(PAUSE_SECONDS)
        await db.execute("UPDATE board SET words = $1 WHERE words IS NULL AND seq = 0", VERSION)
        unused = "words_elsewhere IS NULL AND NOT EXISTS (SELECT FROM posts)"
        await db.execute(f"UPDATE board SET words_elsewhere = $1 WHERE {unused}", VERSION)
    version = await version_of(db)
    tell_of(before, version)
    if version > len(known):
        compatible: int = await db.fetchval(COMPATIBLE)
        check_newer("the database", version, len(known), compatible, is_served=is_served)


async def has_applied(db: "Link", migration: Migration, deadline: float) -> bool:
    """Returns False if somebody else holds what it needs, and goes on; it has given back all that it had by then.

    Raises CannotOpenError after the deadline, a time of time.monotonic().
    """
    try:
        await apply(db, migration)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        if time.monotonic() < deadline:
            return False
        raise CannotOpenError(
            f"migration {migration.number} needs tables that somebody has been using for {MIGRATION_SECONDS / 60:.0f} "
            "minutes, such as pg_dump, an export or an open psql; start it again when that has ended"
        ) from None
    return True


async def apply(db: "Link", migration: Migration) -> None:
    """Applies one migration if it is the next; several nodes may try at once."""
    async with db.transaction():
        await db.execute(LOCK)
        if await version_of(db) != migration.number - 1:
            return
        if migration.number == 1:
            await make_schema(db)
        else:
            await db.execute("SELECT take_turn()")  # now nobody who writes can have a table that this needs, and wait
            await db.execute(f"SET LOCAL lock_timeout = {WAIT_MS}")
        await db.execute(migration.sql)
        await db.execute("INSERT INTO migrations (number, name) VALUES ($1, $2)", migration.number, migration.name)


async def make_schema(db: "Link") -> None:
    """Makes the schema. Raises CannotOpenError if there is one of that name that is not ours."""
    if await db.fetchval(f"SELECT count(*) {OURS}"):
        raise CannotOpenError("the database has a schema named longboard that is not Longboard's; use another database")
    if not await db.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname = 'longboard'"):
        try:
            await db.execute("CREATE SCHEMA longboard")
        except asyncpg.InsufficientPrivilegeError as error:
            raise CannotOpenError(
                "this user of the database may not make the schema that Longboard keeps its tables in; "
                "its owner can: CREATE SCHEMA longboard AUTHORIZATION <user>"
            ) from error
    await db.execute("CREATE TABLE migrations (number integer PRIMARY KEY, name text NOT NULL)")


async def version_of(db: "Link") -> int:
    """Returns the number of the last migration; 0 for a database without any."""
    if not await db.fetchval(f"SELECT count(*) {OURS} AND relname = 'migrations'"):
        return 0
    version: int = await db.fetchval("SELECT coalesce(max(number), 0) FROM longboard.migrations")
    return version
