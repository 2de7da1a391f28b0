"""The database's file: whether there is one, who may read it, why it can't be opened."""

import os
import pathlib
import sqlite3
import time
import urllib.parse

from storage.records import CannotOpen


def address(path: str, mode: str) -> str:
    """As SQLite takes it: `ro`, `rw`, or `rwc` to make it."""
    return f"file:{urllib.parse.quote(os.path.abspath(path))}?mode={mode}"


def use_wal(db: sqlite3.Connection, seconds: float) -> None:
    """Waits for its turn: several processes may open a new database at once, and for this SQLite itself does not wait."""
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


def reach(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    """A plain connection, for those who have a process of their own. Waits longer for its turn than a server may."""
    db = sqlite3.connect(address(path, "ro" if read_only else "rw"), uri=True, isolation_level=None, timeout=15)
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA secure_delete = ON")
    return db


def must_exist(path: str) -> None:
    """Raises CannotOpen where there is no file."""
    if not os.path.exists(path):
        raise CannotOpen(
            f"there is no board at {os.path.abspath(path)}: go to the folder where it runs, "
            "or name its database with --database-url"
        )


def keep_to_owner(path: str) -> None:
    """Makes the file, if it is new, one that only its owner can read; SQLite's own files beside it follow."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def why_not(path: str, error: Exception) -> str:
    folder = pathlib.Path(path).absolute().parent
    if not folder.is_dir():
        return f"the folder {folder} for the database does not exist"
    if not os.access(folder, os.W_OK):
        return f"the folder {folder} can't be written to; SQLite needs that for the files it keeps beside {path}"
    reason = getattr(error, "strerror", None) or error
    return f"the database {path} can't be opened: {reason}"
