"""Checks a board's database on PostgreSQL without changing anything."""

import contextlib
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import asyncpg

from commands import ADMIN
from storage.errors import CannotOpenError
from storage.migrate import COMPATIBLE, migrations, of_schema
from storage.postgres.address import parse
from storage.postgres.connection import FAULTS, connect, reason, why_not
from storage.postgres.schema import check_directness, check_session, check_version, version_of
from storage.words import VERSION

if TYPE_CHECKING:
    from storage.postgres.connection import Link

Finding = tuple[bool | None, str]
"""The result (None if it was not checked), and the words that describe it."""


async def check_up(url: str) -> AsyncIterator[Finding]:
    try:
        db = await connect(url)
    except CannotOpenError as error:
        yield False, f"the database: {error}"
        return
    except (*FAULTS, ValueError) as error:
        yield False, f"the database: {why_not(error)}"
        return
    try:
        check_version(db)
        await check_session(db)
        await check_directness(url, db)
        yield True, "the database is in UTF8, and is reached without a pooler that would interfere"
        async for finding in check_content(url, db):
            yield finding
    except CannotOpenError as error:
        yield False, f"the database: {error}"
    except FAULTS as error:
        yield False, f"the database can't be read: {reason(error)}"
    finally:
        db.terminate()


async def check_content(url: str, db: "Link") -> AsyncIterator[Finding]:
    with contextlib.suppress(asyncpg.InsufficientPrivilegeError):  # a host may not allow this
        is_encrypted = await db.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        is_here = all(host.startswith(("/", "127.", "localhost:", "[::1]")) for host in parse(url).hosts)
        words = (
            "is encrypted"
            if is_encrypted
            else "is this machine"
            if is_here
            else "is not encrypted: add sslmode=require"
        )
        yield bool(is_encrypted or is_here), f"the connection to the database {words}"
    version, known = await version_of(db), len(migrations("postgres"))
    if version == 0:
        yield False, f"there is no board in this database; the first start, or {ADMIN} migrate, makes one"
        return
    yield of_schema(version, known, await db.fetchval(COMPATIBLE) if version > known else 0)
    try:
        async with db.transaction():
            await db.execute("SELECT take_turn()")
            await db.execute("UPDATE board SET seq = seq")
        yield True, "the database can be written to"
    except FAULTS as error:
        yield False, f"the database can't be written to: {reason(error)}"
    if version == known:
        is_indexed = await db.fetchval("SELECT words = $1 AND words_elsewhere = $1 FROM board", VERSION) is True
        words = "has all messages" if is_indexed else "lacks old messages; the running board adds them"
        yield is_indexed, f"the search index {words}"
    off = abs(await db.fetchval("SELECT now_ms()") / 1000 - time.time())
    yield off < 60, f"the database's clock, which gives messages their times, and this one's are {off:.0f} s apart"
