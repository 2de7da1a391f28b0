"""Reads the lines of an export, twice: once to check all of it, and once to import it.

A pipe can be read only once, so it is copied to a temporary file while it is checked.
"""

import base64
import contextlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, Any

from admin.rows import MOST_NUMBER, Row, checked, whole
from commands import ADMIN
from storage.columns import Table
from storage.errors import StorageError
from storage.tables import EXPORTED
from storage.transfer import Position

FORMAT, OLDEST_FORMAT = 3, 1
"""The format of exports, and the oldest. A site gets the oldest that has all of its rows, which older versions read."""
LONGEST_LINE = 16 * 1024 * 1024
"""Bytes. The longest message, with each character escaped, has a few hundred thousand, and so has a picture."""


class ExportFile:
    def __init__(self, name: str, file: IO[bytes], copy: IO[bytes] | None) -> None:
        self.name = name
        self._file = file
        self._copy = copy
        """The first reading copies a pipe to this file; later ones read the copy."""

    def lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yields all lines with their numbers. Raises StorageError, with the number of the line, or OSError."""
        for number, line in enumerate(self._raw(), 1):
            if len(line) == LONGEST_LINE:
                raise StorageError(f"{self.name}, line {number} is longer than any line of an export")
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise StorageError(f"{self.name}, line {number} is no JSON: {why_not(error)}") from error
            if not isinstance(fields, dict):
                raise StorageError(f"{self.name}, line {number} is no object")
            yield number, fields

    def _raw(self) -> Iterator[bytes]:
        """Yields the lines. Each is copied only if all before it were right, so that nothing else can fill the disk."""
        copy, self._copy = self._copy, None
        if copy is None:
            self._file.seek(0)
        for line in iter(lambda: self._file.readline(LONGEST_LINE), b""):
            if copy is not None:
                copy.write(line)
            yield line
        if copy is not None:
            copy.flush()
            self._file = copy


def why_not(error: ValueError | RecursionError) -> str:
    """Describes the error without the decoder's line number: it gets only one line at a time."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, in column {error.colno}"
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else "it can't be read"


@contextlib.contextmanager
def opened(name: str, folder: str | None) -> Iterator[ExportFile]:
    """Opens a file, a pipe, or `-` for standard input. A pipe is copied into the folder or, without one, to where the
    system puts temporary files. Raises OSError.
    """
    with open(0 if name == "-" else name, "rb", closefd=name != "-") as file, contextlib.ExitStack() as stack:
        is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        copy = None if is_file else stack.enter_context(tempfile.TemporaryFile(dir=folder))
        yield ExportFile(name, file, copy)


def to_position(path: str, fields: dict[str, Any]) -> Position:
    if fields.get("longboard") not in range(OLDEST_FORMAT, FORMAT + 1):
        raise StorageError(f"{path} was not made by {ADMIN} export, or by a newer one")
    check = whole(0, MOST_NUMBER)
    try:
        seq, floor = check(fields["seq"]), check(fields["floor"])
        last = {
            name: check(given)
            for name, given in dict(fields["last"]).items()
            if name in EXPORTED and EXPORTED[name].counts
        }
        if floor > seq:
            raise ValueError("floor must not be above seq")
        return Position(seq, floor, last, {})
    except KeyError as error:
        raise StorageError(f"{path}, line 1 lacks {error}") from error
    except (TypeError, ValueError) as error:
        raise StorageError(f"{path}, line 1: the board's position can't be read: {error}") from error


def to_row(path: str, number: int, fields: dict[str, Any]) -> tuple[str, Row]:
    """Raises StorageError, which names the line and the fault."""
    if len(fields) == 1:
        ((name, row),) = fields.items()
        table = EXPORTED.get(name)
        if table and isinstance(row, dict) and is_row_of(table, row):
            with contextlib.suppress(TypeError, ValueError):
                values = {column.name: from_plain(row.get(column.name, column.default)) for column in table.columns}
                try:
                    return name, checked(name, values)
                except ValueError as error:
                    raise StorageError(f"{path}, line {number}: {error}") from error
    raise StorageError(f"{path}, line {number}: this is no row of a board")


def is_row_of(table: Table, row: Mapping[str, object]) -> bool:
    """Whether the row has the table's columns. Exports of older versions may lack the later ones."""
    return {column.name for column in table.columns if not column.later} <= set(row) <= set(table.names)


def from_plain(value: object) -> object:
    """Raises TypeError or ValueError."""
    if isinstance(value, dict):
        (text,) = value.values()
        return base64.b64decode(text, validate=True)
    if value is None or (isinstance(value, int) and abs(value) < 2**63):
        return value
    if isinstance(value, str):
        value.encode()  # raises UnicodeEncodeError for half a character
        return value
    raise TypeError(value)
