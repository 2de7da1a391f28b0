"""Checks a board: prints a line for each check, and exits with 1 if one fails. Also reports what was not checked."""

import argparse
import asyncio
import os
import resource
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator

from admin import proxy
from admin.numbers import counted
from commands import ADMIN
from setting_names import Oddity
from setting_values import is_loopback
from setting_warnings import doubts
from settings import Settings
from storage.errors import StorageError
from storage.new_files import in_words
from storage.sqlite.checkup import check_up
from storage.sqlite.copies import LATE_SECONDS, Copies

Finding = tuple[bool | None, str]
SAID = {True: "ok     ", False: "PROBLEM", None: "unseen "}
KEPT = 64
"""Descriptors in addition to those of connections."""


async def doctor(settings: Settings, options: argparse.Namespace) -> None:
    findings: list[Finding] = [
        *check_settings(settings, options.odd),
        *await check_database(settings),
        *await asyncio.to_thread(lambda: list(check_copies(settings))),
        *check_limits(settings),
    ]
    if options.url:
        findings += await asyncio.to_thread(lambda: list(proxy.check(options.url, settings)))
    for is_well, words in findings:
        print(f"{SAID[is_well]} {words}")
    problems = sum(is_well is False for is_well, _ in findings)
    if problems:
        sys.exit(f"{ADMIN}: {counted(problems, 'problems')} in {len(findings)} checks")


def check_settings(settings: Settings, odd: Iterable[Oddity]) -> Iterator[Finding]:
    """Checks settings that the server itself would accept; it would refuse wrong ones."""
    yield True, f"the settings given to this command can be read; with them, the board is at {settings.origin}"
    for oddity in odd:
        yield (False if oddity.is_mistake else None), oddity.words
    for words in doubts(settings):
        yield False, words
    if settings.disk_is_wiped:
        yield False, "the database is a file on a dyno, where it is lost with the next restart"
    for name, value in vars(settings).items():
        if (name.endswith("_fake") or name == "webhooks_to_loopback") and value:
            yield False, f"{name.upper()} is set: that is for trying out only"
    if any(client.issuer.startswith("http:") for client in settings.oidc):
        yield False, "OIDC has an issuer with http:// on this machine: that is for trying out only"
    if not settings.public_url and (settings.client_header or settings.dyno or not is_loopback(settings.address)):
        yield False, "PUBLIC_URL is not set: the board answers at every name, and can't tell http from https"
    if settings.public_url and not settings.client_header:
        yield False, "PUBLIC_URL is set, but not CLIENT_HEADER: behind a proxy all clients share one limit"
    if not settings.limits:
        yield False, "LIMITS=off: everybody may post and try passwords as often as they like"


async def check_database(settings: Settings) -> list[Finding]:
    scheme, _, path = settings.database_url.partition(":///")
    if scheme == "sqlite":
        return await asyncio.to_thread(lambda: list(check_up(path)))
    from storage.postgres import checkup

    return [finding async for finding in checkup.check_up(settings.database_url)]


def check_copies(settings: Settings) -> Iterator[Finding]:
    scheme, _, path = settings.database_url.partition(":///")
    if scheme != "sqlite" or not settings.backup_dir:
        return
    copies, now, folder = Copies(path, settings.backup_dir, settings.backup_keep), time.time(), settings.backup_dir
    try:
        stem = copies.stem()
        newest, number = copies.newest(stem, now), len(copies.times(stem))
        is_beside = os.stat(folder).st_dev == os.stat(path).st_dev
    except (StorageError, sqlite3.Error, OSError) as error:
        yield False, f"copies: {in_words(error)}"
        return
    made = time.strftime("the newest is of %Y-%m-%d %H:%M UTC", time.gmtime(newest)) if newest else "there is none"
    yield now - newest < LATE_SECONDS, f"copies in {folder}: {made}; {number} of {settings.backup_keep}"
    if not os.access(folder, os.W_OK):
        yield False, f"copies: this user can't write to {folder}"
    if is_beside:
        yield None, f"whether another disk has the copies, too: {folder} is on the board's own"


def check_limits(settings: Settings) -> Iterator[Finding]:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    enough = hard == resource.RLIM_INFINITY or hard >= settings.max_parked + KEPT
    yield enough, f"{'enough' if enough else f'only {hard}'} files may be open for MAX_PARKED={settings.max_parked}"
