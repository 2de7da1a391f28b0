"""Copies a whole SQLite board while it runs, compares the copy with it, and restores a copy with another epoch."""

import contextlib
import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable

from storage.errors import CannotOpenError, StorageError
from storage.new_files import belong_like, give_name, make_private, sync_folder
from storage.sqlite.database_file import address, is_frozen, must_be_file, must_exist, reach, why_not
from storage.sqlite.hashes import check_hashes
from storage.sqlite.schema import check_is_ours, columns, migrate, pragma
from storage.sqlite.shape import check_shape
from storage.sqlite.texts import damaged_texts
from storage.sqlite.tx import SQLiteTx, finish
from storage.tables import TABLES
from storage.transfer import start_epoch


def columns_of(db: sqlite3.Connection) -> dict[str, list[str]]:
    """Returns all columns of each table that this board has: one of another version lacks some, or has more."""
    there = sorted(columns(db))
    found = {name: [column for table, column in there if table == name] for name in TABLES}
    return {name: known for name, known in found.items() if known}


def back_up(path: str, target: str) -> dict[str, int]:
    """Copies the board as it is at one moment, even while posts arrive. The copy gets its name only if it is the same.

    Returns how many rows of each table the copy has. Raises StorageError or OSError.
    """
    must_exist(path)
    if target == "-":
        raise OSError("a backup is checked once it is written, so it needs a file; export can write to standard output")
    if os.path.lexists(target):
        raise OSError(f"{target} is there already; name a new file")
    part = f"{target}.part"
    try:
        remove(part)  # left by an interrupted backup
        make_private(part)
        with contextlib.closing(reach(path, read_only=is_frozen(path))) as db:
            check_is_board(db, path)
            use_room_at(db, target)
            before = pragma(db, "data_version")
            db.execute("VACUUM INTO ?", (part,))
            counts = check_copy(part)
            db.execute("ATTACH ? AS copy", (address(part, "ro"),))
            compare(db, lambda: pragma(db, "main.data_version") == before)
        give_name(part, target)
        return counts
    except sqlite3.Error as error:
        raise StorageError(f"the backup failed: {why(error, path, target)}") from error
    finally:
        remove(part)


def remove(part: str) -> None:
    """Removes the file, and what SQLite may have left beside it."""
    for end in ("", "-journal", "-wal", "-shm"):
        if os.path.lexists(part + end):
            os.unlink(part + end)


def check_is_board(db: sqlite3.Connection, path: str) -> None:
    """Raises CannotOpenError."""
    try:
        check_is_ours(db, path)
    except sqlite3.Error as error:
        raise CannotOpenError(why_not(path, error)) from error


def use_room_at(db: sqlite3.Connection, target: str) -> None:
    """SQLite puts temporary files for sorting beside the target, where room is needed anyway.

    By default they are in /var/tmp or /tmp, which may be small. (The statement is deprecated, but SQLITE_TMPDIR, which
    replaces it, is only read when the process starts.)
    """
    folder = os.path.dirname(os.path.abspath(target)).replace("'", "''")
    db.execute(f"PRAGMA temp_store_directory = '{folder}'")


def why(error: sqlite3.Error, path: str, target: str) -> str:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_FULL:
        return str(error)
    folder = os.path.dirname(os.path.abspath(target))
    free, needed = shutil.disk_usage(folder).free, 2 * os.path.getsize(path)
    return (
        f"there is not enough room in {folder}: {free // 2**20} MB are free, up to {needed // 2**20 + 1} MB are needed"
    )


def check_copy(path: str) -> dict[str, int]:
    """Opens the copy and reads all of it. Returns the counts of rows. Raises StorageError, CannotOpenError."""
    with contextlib.closing(reach(path, read_only=True)) as db:
        check_is_board(db, path)
        said = db.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            raise StorageError(f"{path} is damaged: {said}")
        if found := damaged_texts(db):
            raise StorageError(f"{path} is damaged: {'; '.join(found)}")
        if not db.execute("SELECT count(*) FROM board").fetchone()[0]:
            raise StorageError(f"{path} is damaged: its table board has no row")
        counts = {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in columns_of(db)}
        return dict.fromkeys(TABLES, 0) | counts


def compare(db: sqlite3.Connection, is_unchanged: Callable[[], bool]) -> None:
    """Checks that the copy has what the board had. Raises StorageError.

    If nothing was written since, every row must be the same. Otherwise the board has changed, but each message whose
    last change is no newer than the copy must be the same in it.
    """
    tables = columns_of(db)
    differing = {
        name: count(db, "main", "copy", name, quoted(known)) + count(db, "copy", "main", name, quoted(known))
        for name, known in tables.items()
    }
    if is_unchanged():
        wrong = [name for name, number in differing.items() if number]
    else:
        seq = db.execute("SELECT seq FROM copy.board").fetchone()[0]
        wrong = [table for table in ("messages", "posts") if table in tables and lacks(db, table, tables[table], seq)]
    if wrong:
        raise StorageError(f"the copy is not the same as the board in: {', '.join(wrong)}")


def lacks(db: sqlite3.Connection, table: str, columns: list[str], seq: int) -> bool:
    """Whether a message that has not changed since this number is another in the copy, or isn't there."""
    kept = quoted([name for name in columns if name != "address"])  # forgotten without a change
    older = f"SELECT {kept} FROM main.{table} WHERE seq <= {seq} EXCEPT SELECT {kept} FROM copy.{table}"
    return bool(db.execute(f"SELECT count(*) FROM ({older})").fetchone()[0])


def quoted(columns: list[str]) -> str:
    return ", ".join('"' + name.replace('"', '""') + '"' for name in columns)


def count(db: sqlite3.Connection, one: str, other: str, table: str, columns: str) -> int:
    """Returns how many rows `one` has that `other` lacks."""
    sql = f"SELECT count(*) FROM (SELECT {columns} FROM {one}.{table} EXCEPT SELECT {columns} FROM {other}.{table})"
    number: int = db.execute(sql).fetchone()[0]
    return number


def restore(path: str, backup: str, *, replace: bool) -> tuple[dict[str, int], str | None]:
    """Puts a backup in the place of the board, with another epoch and everybody signed out.

    Returns the counts of rows, and the path of the previous board, if there was one. Raises StorageError or OSError.
    """
    path = os.path.realpath(path)  # a symbolic link stays
    if backup == "-":
        raise OSError("a backup is checked before it is restored, so it has to be a file")
    must_be_file(backup)
    if os.path.exists(path) and not replace:
        raise StorageError(f"there is a board at {path} already; with --replace it is put aside")
    part, aside = f"{path}.part", None
    try:
        counts = copy_anew(backup, part)
        take_place_of(part, path)
        with contextlib.ExitStack() as stack:
            if os.path.exists(path):
                take_alone(stack, path)
                aside = f"{path}.{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
                put_aside(path, aside)
            os.replace(part, path)
        sync_folder(path)
        return counts, aside
    except sqlite3.Error as error:
        raise StorageError(f"{backup} could not be restored: {why(error, backup, path)}") from error
    finally:
        remove(part)


def copy_anew(backup: str, part: str) -> dict[str, int]:
    """Makes a copy and migrates it to this version's schema, with a new epoch, and without sessions, tokens (except
    bots') and links: none of those that were revoked or used since the backup becomes valid again.
    """
    with contextlib.closing(reach(backup, read_only=True)) as db:
        check_shape(db, backup)
        check_hashes(db, backup)
    counts = check_copy(backup)
    remove(part)
    make_private(part)
    with contextlib.closing(reach(backup, read_only=True)) as db:
        use_room_at(db, part)
        db.execute("VACUUM INTO ?", (part,))
    with contextlib.closing(reach(part)) as db:
        migrate(db, backup)
        db.execute("BEGIN")
        finish(start_epoch(SQLiteTx(db)))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return counts


def put_aside(path: str, aside: str) -> None:
    """The old board keeps its name until the new one takes it: a start in between must not create an empty board."""
    for end in ("-wal", "-shm"):  # only if the database is damaged
        if os.path.exists(path + end):
            os.rename(path + end, aside + end)
    try:
        os.link(path, aside)
    except OSError:  # some file systems have no hard links
        os.rename(path, aside)


def take_place_of(part: str, path: str) -> None:
    """Gives the new board the owner and mode of the old one or, if there is none, the owner of the folder."""
    if os.path.exists(path):
        belong_like(part, path)
        os.chmod(part, stat.S_IMODE(os.stat(path).st_mode))
    else:
        belong_like(part, os.path.dirname(path))


def take_alone(stack: contextlib.ExitStack, path: str) -> None:
    """Locks the board. Leaves write-ahead logging, which SQLite does only if nobody else has the file open.

    Raises StorageError.
    """
    db = stack.enter_context(contextlib.closing(reach(path)))
    db.execute("PRAGMA busy_timeout = 500")
    try:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StorageError(f"the board at {path} is running, or in use: stop it first ({error})") from error
        # It is damaged: a good reason to restore a backup.
