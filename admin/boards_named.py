"""Finds rows of an export that name a board which the export lacks, before anything is imported."""

from admin.rows import Row
from storage.errors import StorageError
from storage.records import FIRST_BOARD
from storage.tables import EXPORTED

NAMING = {name for name, table in EXPORTED.items() if "board_id" in table.names}
"""The tables whose rows are about a board."""


class BoardsNamed:
    def __init__(self) -> None:
        self._there: dict[object, tuple[object, int]] = {}
        """The slug of each board, and its line."""
        self._named: dict[object, int] = {}
        """Each board that a row names, with the line of the first such row."""
        self._slugs: set[tuple[object, object]] = set()

    def add(self, table: str, row: Row, line: int) -> None:
        if table == "boards":
            self._there[row["id"]] = row["slug"], line
        elif table in NAMING and row["board_id"] is not None and (table, row["board_id"]) != ("marks", FIRST_BOARD):
            self._named.setdefault(row["board_id"], line)
        if table == "slugs":
            self._slugs.add((row["board_id"], row["slug"]))

    def check(self, file: str) -> None:
        """Raises StorageError, which names the line."""
        for board_id, line in self._named.items():
            if board_id not in self._there:
                raise StorageError(f"{file}, line {line}: there is no board {board_id}")
        for board_id, (slug, line) in self._there.items():
            if (board_id, slug) not in self._slugs:
                raise StorageError(f"{file}, line {line}: the slug of board {board_id} is not one of its slugs")
