"""Searching a board of 1,000 messages and one of 1,000,000, and what the index costs."""

import argparse
import asyncio
import contextlib
import itertools
import pathlib
import random
import sqlite3
import statistics
import time
import urllib.parse
from collections.abc import Iterator

from bench.connection import get
from bench.outcome import Wrong, print_table, spread
from bench.process import Server, new_folder, server
from storage import open_storage
from storage.sqlite import SQLite

SIZES = (1_000, 1_000_000)
NEEDLE = 17
"""The number of the one old message with the rare words."""
RARE = "Zaunkönig 鷦鷯の巣"
QUERIES = {
    "two characters of one old message: `鷦鷯`": "鷦鷯",
    "a word of one old message: `zaunkonig`": "zaunkonig",
    "a word that none has": "nonesuch",
    "a word of every tenth message": "w3",
    "two characters of every 300th message": "川海",
    "two frequent words": "w1 w2",
    "two frequent words in quotes that never follow each other": '"w0 x9"',
    "the beginning of most words: `w`": "w",
}
REQUESTS = 20
"""Requests for one measurement, which is their median."""


def run(options: argparse.Namespace) -> None:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder(options.folder))
        for size in SIZES:
            (own := folder / str(size)).mkdir()
            fill(own / "board.db", size)
            before = used(own / "board.db")
            seconds = asyncio.run(index(own / "board.db"))
            grown = used(own / "board.db") - before
            print(
                f"{size:,} messages of {before / size:.0f} bytes on disk: the index took {seconds:.1f} s to make "
                f"({1e6 * seconds / size:.0f} µs a message) and takes {grown / size:.0f} bytes a message.",
                flush=True,
            )
        boards = {size: stack.enter_context(server(folder / str(size))) for size in SIZES}
        print()
        report({what: measure(boards, query, options.rounds) for what, query in QUERIES.items()})


def messages(size: int) -> Iterator[tuple[int, int, str, int]]:
    """Yields rows of messages. Few words are frequent and most are rare, as in any language; every third is Chinese."""
    chance = random.Random(7)
    for number in range(1, size + 1):
        if number % 3:
            body = " ".join(f"w{int(chance.paretovariate(0.7))}" for _ in range(chance.randint(4, 20)))
        else:
            body = "".join(chr(0x4E00 + int(chance.paretovariate(0.5)) % 5000) for _ in range(chance.randint(6, 30)))
        if number % 300 == 0:
            body += "川海"
        if number % 10 == 0:
            body += " w3"
        yield number, number, f"{body} {RARE}" if number == NEEDLE else f"{body} w0 and x9", 1_767_225_600_000 + number


def fill(path: pathlib.Path, size: int) -> None:
    """Makes a board as it was before there was a search."""
    asyncio.run(index(path))  # makes the tables
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        rows = messages(size)
        while some := list(itertools.islice(rows, 10_000)):
            db.executemany("INSERT INTO messages (id, seq, body, created_at) VALUES (?, ?, ?, ?)", some)
        db.execute("UPDATE board SET seq = ?", (size,))


async def index(path: pathlib.Path) -> float:
    """Opens the board until its index is complete.

    Returns how many seconds that took, with the pauses in which others may write.
    """
    storage = await open_storage(f"sqlite:///{path}")
    assert isinstance(storage, SQLite)
    began = time.perf_counter()
    while not (await storage.search("nonesuch", None, 1)).is_complete:
        await asyncio.sleep(0.02)
    took = time.perf_counter() - began
    await storage.close()
    return took


def used(path: pathlib.Path) -> int:
    """Bytes of the database that are in use."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        pages, free, size = (
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)


def measure(boards: dict[int, Server], query: str, rounds: int) -> dict[int, list[float]]:
    """Returns milliseconds for each size: medians of many requests, sent to the boards in turns."""
    request = get(f"/api/v1/search?limit=20&q={urllib.parse.quote(query)}")
    medians: dict[int, list[float]] = {size: [] for size in boards}
    for _ in range(rounds):
        for size, board in boards.items():
            medians[size].append(statistics.median(ask(board, request, query) for _ in range(REQUESTS)))
    return medians


def ask(board: Server, request: bytes, query: str) -> float:
    began = time.perf_counter()
    reply = board.control.ask(request)
    took = time.perf_counter() - began
    found = reply.json().get("messages")
    if found is None or (query in ("鷦鷯", "zaunkonig") and [message["id"] for message in found] != [NEEDLE]):
        raise Wrong(f"a search for {query} was answered {reply.status} {reply.body[:200]!r}")
    return 1000 * took


def report(times: dict[str, dict[int, list[float]]]) -> None:
    rows = [[what, *(spread(each[size], 2) for size in SIZES)] for what, each in times.items()]
    print_table(["median ms, over HTTP", *(f"{size:,} messages" for size in SIZES)], rows)
