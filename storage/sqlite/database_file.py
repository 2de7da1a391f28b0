"""The database's file: whether it exists, who may read it, why it can't be opened."""

import os
import pathlib
import sqlite3
import time
import urllib.parse

from commands import ADMIN, IS_INSTALLED
from storage.errors import CannotOpenError
from storage.new_files import belong_like, make_private


def address(path: str, mode: str) -> str:
    """Returns the file's URI for SQLite. The mode is `ro`, `rw`, or `rwc`, which makes the file if there is none."""
    frozen = "&immutable=1" if mode == "ro" and is_frozen(path) else ""
    return f"file:{urllib.parse.quote(os.path.abspath(path))}?mode={mode}{frozen}"


def is_frozen(path: str) -> bool:
    """Whether the file is on a read-only disk, with nothing left in its log: then SQLite needs no other file.

    Otherwise SQLite makes a file beside it even for reading, which fails on such a disk.
    """
    path = os.path.realpath(path)
    return is_read_only(path) and os.path.exists(path) and not os.path.exists(f"{path}-wal")


def is_read_only(path: str) -> bool:
    """Whether the file's disk is read-only."""
    try:
        return bool(os.statvfs(os.path.dirname(os.path.realpath(path))).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def write_safely(db: sqlite3.Connection, seconds: float) -> None:
    """Makes each commit reach the disk, and each deletion overwrite its data. Waits up to `seconds` for a lock."""
    use_wal(db, seconds)
    db.execute("PRAGMA synchronous = FULL")  # NORMAL may lose acknowledged commits when power fails
    db.execute("PRAGMA journal_size_limit = 67108864")
    db.execute("PRAGMA secure_delete = ON")  # a deleted message's words are overwritten


def use_wal(db: sqlite3.Connection, seconds: float) -> None:
    """Waits for its turn: several processes may open a new database at once, and SQLite does not wait for that."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            primary_code = error.sqlite_errorcode & 0xFF  # https://sqlite.org/rescode.html#extrc
            if primary_code != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def add_clock(db: sqlite3.Connection) -> None:
    """Adds the function now_ms(), which PostgreSQL has too."""
    db.create_function("now_ms", 0, now_ms)


def reach(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    """Opens a plain connection, for code in a separate process. It waits longer for its turn than a server may."""
    db = sqlite3.connect(address(path, "ro" if read_only else "rw"), uri=True, isolation_level=None, timeout=15)
    try:
        add_clock(db)
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON")
    except BaseException:
        db.close()
        raise
    return db


def must_exist(path: str) -> None:
    """Raises CannotOpenError if the file is missing, or is a pipe, on which SQLite would wait forever."""
    if not os.path.exists(path):
        elsewhere = "" if IS_INSTALLED else "go to the folder where it runs, or "
        raise CannotOpenError(
            f"there is no board at {os.path.abspath(path)}: {elsewhere}name its database with --database-url"
        )
    must_be_file(path)


def must_be_file(path: str) -> None:
    """Raises CannotOpenError if the file is missing, or is a pipe, a device or a folder."""
    if not os.path.exists(path):
        raise CannotOpenError(f"there is no file {path}")
    if not os.path.isfile(path):
        raise CannotOpenError(f"{path} is a pipe, a device or a folder; a database needs a file")


def keep_to_owner(path: str) -> None:
    """Makes the file, if there is none, so that only its owner can read it. SQLite's files beside it get the same mode.

    If root makes it, it is given to the folder's owner: otherwise the service could not open it.
    """
    path = os.path.realpath(path)
    try:
        make_private(path)
    except FileExistsError:
        os.close(os.open(path, os.O_RDWR))
    else:
        belong_like(path, os.path.dirname(path))


def why_not(path: str, error: Exception) -> str:
    folder = pathlib.Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        return f"the folder {folder} for the database does not exist"
    if is_read_only(path) and os.path.exists(f"{os.path.realpath(path)}-wal"):
        name = os.path.basename(path)
        return (
            f"the disk of {path} is read-only, and the board there was not ended in order: copy it, with {name}-wal, "
            "to another disk first"
        )
    if is_read_only(path):
        return f"the disk of {path} is read-only; there, {ADMIN} has only backup, export, stats, audit and doctor"
    if not os.access(folder, os.W_OK):
        return f"the folder {folder} can't be written to; SQLite needs that for the files it keeps beside {path}"
    reason = getattr(error, "strerror", None) or error
    return f"the database {path} can't be opened: {reason}"
