"""New boards without the time that migrations take: made once, and given out as often as tests want one.

Each has an epoch and a secret that no other has, as a new board does. Tests of making a board begin with a path without a
file, or with the fixture `new_database`.
"""

import asyncio
import contextlib
import functools
import os
import pathlib
import sqlite3
import tempfile
import threading

from storage import open_storage

PERMISSIONS = 0o600
"""As those of a file that a board makes."""


def make(url: str) -> None:
    """Makes a board there. On a loop in a thread that ends: there may be one in this thread."""

    async def opened() -> None:
        await (await open_storage(url)).close()

    thread = threading.Thread(target=asyncio.run, args=(opened(),))
    thread.start()
    thread.join()


@functools.cache
def _file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        make(f"sqlite:///{folder}/board.db")
        assert os.listdir(folder) == ["board.db"], "a part of it is in another file"
        return pathlib.Path(folder, "board.db").read_bytes()


def make_file(path: pathlib.Path) -> None:
    """Makes a board in a new SQLite file."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PERMISSIONS), "wb") as file:
        file.write(_file())
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("UPDATE board SET epoch = lower(hex(randomblob(4))), secret = randomblob(32)")
