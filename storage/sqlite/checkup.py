"""Checks what can be wrong with a board's file, without changing anything."""

import contextlib
import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator

from storage.migrate import COMPATIBLE, migrations, of_schema
from storage.sqlite.database_file import reach
from storage.sqlite.hashes import costly_accounts
from storage.sqlite.schema import APPLICATION_ID, pragma, version_of
from storage.sqlite.shape import described, differences
from storage.sqlite.texts import damaged_texts
from storage.sqlite.word_index import read_missing

LOW_BYTES = 512 * 1024 * 1024
LARGE_LOG = 256 * 1024 * 1024
Finding = tuple[bool, str]
"""Whether the check passed, and the words that describe it."""


def check_up(path: str) -> Iterator[Finding]:
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    if not os.path.isfile(path):
        yield False, f"there is no board at {path}"
        return
    status, holder = os.stat(path), os.stat(folder)
    mode = stat.S_IMODE(status.st_mode)
    yield mode & 0o077 == 0, f"the database {path} can be read by {'others' if mode & 0o077 else 'its owner only'}"
    if os.geteuid() == 0 and status.st_uid != holder.st_uid:  # root can write to it, but the service is not root
        yield False, f"the database belongs to user {status.st_uid}, and its folder to user {holder.st_uid}"
    can_write = os.access(folder, os.W_OK) and os.access(path, os.W_OK)
    yield can_write, f"the folder {folder} {'can' if can_write else 'can not'} be written to"
    free = shutil.disk_usage(folder).free
    enough = max(LOW_BYTES, 2 * os.path.getsize(path))  # a backup needs as much as the database
    yield free >= enough, f"{free // 2**20} MB of the disk are free"
    log = f"{path}-wal"
    size = os.path.getsize(log) if os.path.exists(log) else 0
    yield size < LARGE_LOG, f"the log beside the database has {size // 2**20} MB"
    try:
        with contextlib.closing(reach(path, read_only=True)) as db:
            yield from check_content(db)
    except sqlite3.Error as error:
        yield False, f"the database can't be read: {error}"


def check_content(db: sqlite3.Connection) -> Iterator[Finding]:
    if pragma(db, "application_id") != APPLICATION_ID:
        yield False, "the database is not Longboard's"
        return
    version, known = version_of(db), len(migrations("sqlite"))
    yield of_schema(version, known, db.execute(COMPATIBLE).fetchone()[0] if version > known else 0)
    found = differences(db)
    yield (
        not found,
        f"the schema is not as Longboard makes it: {described(found)}" if found else "the schema has nothing foreign",
    )
    said = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    yield said == "ok", f"the database is {'whole' if said == 'ok' else f'damaged: {said}'}"
    if version <= known and not found and (names := costly_accounts(db)):
        yield False, f"the hashes of these accounts' passwords cost far more than Longboard's: {', '.join(names)}"
    texts = damaged_texts(db) if version <= known and not found else []
    yield not texts, f"texts are damaged: {'; '.join(texts)}" if texts else "all texts can be read"
    if version == known:
        is_indexed = read_missing(db) is None
        words = "has all messages" if is_indexed else "lacks old messages; the running board adds them bit by bit"
        yield is_indexed, f"the search index {words}"
    newest = db.execute("SELECT max(created_at) FROM messages").fetchone()[0]
    ahead = (newest or 0) / 1000 - time.time()
    yield (
        ahead < 60,
        "the clock is not behind the newest message"
        if ahead < 60
        else (f"the newest message is {ahead:.0f} s ahead of this machine's clock"),
    )
