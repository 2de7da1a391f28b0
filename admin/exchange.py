"""Export and import: the whole board as JSON Lines, which any program can read.

The first line says what the file is, and the board's position. Each other line has one row, and the last says that the
file is complete.
"""

import argparse
import base64
import dataclasses
import functools
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from typing import TextIO

from tqdm import tqdm

from admin.boards_named import BoardsNamed
from admin.doubles import Doubles
from admin.lines import FORMAT, OLDEST_FORMAT, ExportFile, opened, to_position, to_row
from admin.numbers import counted, were
from admin.pace import patiently
from admin.replied import RepliedTo
from board.wire import iso
from settings import Settings
from storage import open_transfer
from storage.boards import has_orders
from storage.errors import StorageError
from storage.hooks import has_bots
from storage.mentions import has_mentions
from storage.new_files import give_name
from storage.pins import has_pins
from storage.replies import has_replies
from storage.tables import EXPORTED
from storage.transfer import Position, RowRefusedError, Transfer
from storage.tx import ROWS_AT_ONCE, Row

CHANGES = {"messages": ("seq",), "posts": ("seq",), "boards": ("floor", "changed")}
"""The columns of each table with numbers of the sequence of changes."""


async def export(settings: Settings, options: argparse.Namespace) -> None:
    """A new file gets its name once it is complete; a device is written directly. Raises StorageError or OSError."""
    if is_stream(options.file):
        await export_to_stream(settings, options.file)
        return
    if os.path.lexists(options.file):
        raise OSError(f"{options.file} is there already; name a new file")
    part = f"{options.file}.part"
    async with aclosing(await open_transfer(settings.database_url, create=False)) as transfer:
        try:
            if os.path.lexists(part):
                os.unlink(part)  # left by an export that was killed
            with private(part) as file:
                count = await write_all(transfer, file)
            give_name(part, options.file)
        finally:
            if os.path.exists(part):
                os.unlink(part)
    print(f"{counted(count, 'rows')} exported to {options.file}. It contains password hashes: keep it secret.")


def is_stream(name: str) -> bool:
    """Whether this is standard output, a fifo or a device: another program reads it."""
    return name in ("-", "/dev/stdout") or (
        os.path.exists(name) and not os.path.isfile(name) and not os.path.isdir(name)
    )


async def export_to_stream(settings: Settings, name: str) -> None:
    """An interrupted export lacks its last line, so no import takes it as complete. Raises StorageError or OSError."""
    async with aclosing(await open_transfer(settings.database_url, create=False)) as transfer:
        try:
            with stream(name) as file:
                count = await write_all(transfer, file)
        except BrokenPipeError:
            raise StorageError("the program that reads the export ended before it was whole") from None
    print(f"{counted(count, 'rows')} exported. They contain password hashes: keep them secret.", file=sys.stderr)


def stream(name: str) -> TextIO:
    where = os.dup(sys.stdout.fileno()) if name in ("-", "/dev/stdout") else os.open(name, os.O_WRONLY)
    return open(where, "w", encoding="utf-8")


def private(path: str) -> TextIO:
    """A new file that only its owner can read. Raises FileExistsError if somebody put one there."""
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")


async def write_all(transfer: Transfer, file: TextIO) -> int:
    position = await transfer.read(lambda _: transfer.position(EXPORTED))
    format = max((EXPORTED[table].since for table, count in position.counts.items() if count), default=OLDEST_FORMAT)
    if any([await transfer.read(has) for has in (has_replies, has_mentions, has_pins, has_orders, has_bots)]):
        format = FORMAT
    counts = {table: count for table, count in position.counts.items() if EXPORTED[table].since <= format}
    last = {table: number for table, number in position.last.items() if table in counts}
    head = {"longboard": format, "exported_at": iso(time.time_ns() // 1_000_000), "seq": position.seq,
            "floor": position.floor, "last": last, "counts": counts}  # fmt: skip
    file.write(json.dumps(head) + "\n")
    written = 0
    with tqdm(total=sum(counts.values()), unit=" rows", disable=None, file=sys.stderr) as bar:
        for table in counts:
            async for rows in transfer.rows(table):
                plainly = (json.dumps({table: plain(table, row, format)}, ensure_ascii=False) + "\n" for row in rows)
                file.writelines(plainly)
                written += len(rows)
                bar.update(len(rows))
    file.write(json.dumps({"end": written}) + "\n")
    return written


async def bring_in(settings: Settings, options: argparse.Namespace) -> None:
    """Checks the whole file before anything is written. Raises StorageError or OSError."""
    folder = folder_of(settings)
    with opened(options.file, folder) as file:
        with Doubles(folder) as doubles:
            position, total = check(file, doubles)
        async with aclosing(await open_transfer(settings.database_url, create=True)) as transfer:
            new = await bring_in_all(transfer, file, position, total)
    print(f"{counted(new, 'rows')} brought in; {were(total - new)} here already.")


def folder_of(settings: Settings) -> str | None:
    """Returns the folder of the database if that is a file: it has room for the import. None lets the system choose."""
    scheme, _, path = settings.database_url.partition(":///")
    return os.path.dirname(os.path.realpath(path)) if scheme == "sqlite" else None


async def bring_in_all(transfer: Transfer, file: ExportFile, position: Position, total: int) -> int:
    """Returns how many rows were new. Raises StorageError."""
    new = seen = 0
    await transfer.make_room(position.seq)
    with tqdm(total=total, unit=" rows", disable=None, file=sys.stderr) as bar:
        for table, rows, numbers in chunks(file):
            try:
                new += await patiently(functools.partial(transfer.put, table, rows))
            except RowRefusedError as refused:
                where = f"{file.name}, line {numbers[refused.index]}"
                raise StorageError(
                    f"{where}: {refused}. What was brought in before it stays: {counted(new, 'rows')}"
                ) from refused
            seen += len(rows)
            bar.update(len(rows))
    if seen != total:
        raise StorageError(
            f"{file.name} changed during the import: of the {total} rows that were checked, {seen} were read again. "
            f"What was brought in stays: {counted(new, 'rows')}"
        )
    if new:
        await transfer.finish(position)
    return new


def check(file: ExportFile, doubles: Doubles) -> tuple[Position, int]:
    """Returns what the first line says, and how many rows follow. Raises StorageError if the export is not complete."""
    position, count, end, boards, replied = None, 0, None, BoardsNamed(), RepliedTo(doubles.db)
    last: dict[str, int] = {}
    for number, fields in file.lines():
        if number == 1:
            position = to_position(file.name, fields)
        elif end is not None:
            raise StorageError(f"{file.name}, line {number}: nothing may follow the end")
        elif "end" in fields:
            end = fields["end"]
        else:
            table, row = to_row(file.name, number, fields)
            count += 1
            doubles.add(table, row, number)
            boards.add(table, row, number)
            replied.add(table, row, number)
            if position and newest_change(table, row) > position.seq:
                raise StorageError(f"{file.name}, line {number}: its change is after the last one that line 1 names")
            if EXPORTED[table].counts:
                last[table] = max(last.get(table, 0), int(str(row["id"])))
    if position is None or end != count:
        raise StorageError(f"{file.name} is not whole: it should end by saying how many rows it has")
    doubles.check(file.name)
    boards.check(file.name)
    replied.check(file.name)
    numbers = {table: max(number, position.last.get(table, 0)) for table, number in last.items()}
    return dataclasses.replace(position, last={**position.last, **numbers}), count


def newest_change(table: str, row: Mapping[str, object]) -> int:
    """Returns the greatest number of the sequence of changes in a row; 0 if it has none."""
    return max((int(str(row[column])) for column in CHANGES.get(table, ())), default=0)


def chunks(file: ExportFile) -> Iterator[tuple[str, list[Row], list[int]]]:
    """Yields rows of one table at a time, with their line numbers."""
    lines = ((number, fields) for number, fields in file.lines() if number > 1 and "end" not in fields)
    rows = ((number, *to_row(file.name, number, fields)) for number, fields in lines)
    for table, those in itertools.groupby(rows, lambda row: row[1]):
        while chunk := list(itertools.islice(those, ROWS_AT_ONCE)):
            yield table, [tuple(row.values()) for _, _, row in chunk], [number for number, _, _ in chunk]


def plain(table: str, row: Row, format: int) -> dict[str, object]:
    """Returns what this format has of the row, as JSON can have it: bytes as {"base64": …}, and flags, which SQLite
    lacks, as true and false.
    """
    return {
        column.name: bool(value)
        if column.kind == "flag"
        else {"base64": base64.b64encode(value).decode()}
        if isinstance(value, bytes)
        else value
        for column, value in zip(EXPORTED[table].columns, row, strict=True)
        if column.since <= format
    }
