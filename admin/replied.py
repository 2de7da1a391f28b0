"""Finds replies of an export to messages of another board, before anything is imported.

What they reply to may be missing: a reply stays when its message is removed.
"""

import sqlite3

from admin.doubles import faults
from admin.rows import Row
from storage.errors import StorageError
from storage.records import FIRST_BOARD

ROWS_AT_ONCE = 5000
ELSEWHERE = (
    "SELECT min(line) FROM replies JOIN places ON places.id = reply_to WHERE places.board_id <> replies.board_id"
)


class RepliedTo:
    """`db` is a temporary database, so that a million messages take little memory."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._places: list[tuple[object, object]] = []
        self._replies: list[tuple[object, object, int]] = []
        self._db.execute("CREATE TABLE places (id INTEGER, board_id INTEGER)")
        self._db.execute("CREATE TABLE replies (reply_to INTEGER, board_id INTEGER, line INTEGER)")

    def add(self, table: str, row: Row, line: int) -> None:
        """Raises OSError if there is no room for it."""
        if table not in ("messages", "posts"):
            return
        board_id = row.get("board_id", FIRST_BOARD)
        self._places.append((row["id"], board_id))
        if row["reply_to"] is not None:
            self._replies.append((row["reply_to"], board_id, line))
        if len(self._places) >= ROWS_AT_ONCE:
            self._write()

    def check(self, file: str) -> None:
        """Raises StorageError, which names the line, or OSError."""
        self._write()
        with faults():
            (line,) = self._db.execute(ELSEWHERE).fetchone()
        if line is not None:
            raise StorageError(f"{file}, line {line}: it replies to a message of another board")

    def _write(self) -> None:
        with faults():
            self._db.executemany("INSERT INTO places VALUES (?, ?)", self._places)
            self._db.executemany("INSERT INTO replies VALUES (?, ?, ?)", self._replies)
        self._places.clear()
        self._replies.clear()
