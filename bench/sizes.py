"""The same requests to a board of 1,000 messages and to one of 1,000,000: what is slower on the big one?"""

import argparse
import asyncio
import contextlib
import pathlib
import sqlite3
import statistics
import time

from bench.connection import Connection, get
from bench.outcome import Wrong, print_table, spread
from bench.process import Server, new_folder, server
from bench.search import index
from storage import open_storage
from storage.records import Import

SIZES = (1_000, 1_000_000)
REQUESTS = 100
"""Requests for one measurement, which is their median."""
YEAR_2026 = 1_767_225_600_000
BODIES = ["Low water at seven, and the wind has gone to the west.\n" * (1 + number % 7) for number in range(500)]
"""500 divides half of both sizes, so the middle of each board has the same words."""

Times = dict[int, list[float]]
"""Milliseconds, for each size of board."""


def run(options: argparse.Namespace) -> None:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder(options.folder))
        boards = {}
        for size in SIZES:
            (own := folder / str(size)).mkdir()
            seconds = fill(own / "board.db", size)
            print(f"Filled a board with {size:,} messages in {seconds:.0f} s.", flush=True)
            boards[size] = stack.enter_context(server(own))
        print()
        report({what: compare(boards, what, options.rounds) for what in requests(boards[SIZES[0]], SIZES[0])})


def fill(path: pathlib.Path, size: int) -> float:
    """Makes a board of this size: the first thousand messages are imported, the others copied from them.

    Returns how many seconds that took. Most of it is for the search index.
    """
    began = time.monotonic()
    asyncio.run(import_first(path))
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        while (have := db.execute("SELECT count(*) FROM messages").fetchone()[0]) < size:
            copy(db, have, size - have)
    asyncio.run(index(path))  # otherwise the server does it while it is measured
    return time.monotonic() - began


async def import_first(path: pathlib.Path) -> None:
    storage = await open_storage(f"sqlite:///{path}")
    words = [BODIES[number % len(BODIES)] for number in range(SIZES[0])]
    await storage.import_messages([Import(w, YEAR_2026 + n, f"bench-{n:020}") for n, w in enumerate(words)])
    await storage.close()


def copy(db: sqlite3.Connection, by: int, most: int) -> None:
    """Copies messages to numbers that are higher by `by`: every column, also those that are added one day."""
    columns = [row[1] for row in db.execute("PRAGMA table_info(messages)")]
    new = {"id": f"id + {by}", "seq": f"seq + {by}", "created_at": f"created_at + {by}", "key": f"key || '+{by}'"}
    values = ", ".join(new.get(column, column) for column in columns)
    db.execute(f"INSERT INTO messages SELECT {values} FROM messages WHERE id <= {most} ORDER BY id")
    db.execute("UPDATE board SET seq = (SELECT max(seq) FROM messages)")


def requests(board: Server, size: int) -> dict[str, bytes]:
    middle, epoch = size // 2, board.health()["cursor"].partition("-")[0]
    return {
        "`/`": get("/"),
        "a poll that has news": get(f"/get?after={epoch}-{size - 10}"),
        "`/?before=…`, in the middle": get(f"/?before={middle}"),
        "`/api/v1/messages?before=…`, in the middle": get(f"/api/v1/messages?before={middle}"),
    }


def compare(boards: dict[int, Server], what: str, rounds: int) -> Times:
    """Returns milliseconds for each size: medians of many requests, sent to the boards in turns."""
    ready = [(size, board.control, requests(board, size)[what]) for size, board in boards.items()]
    medians: Times = {size: [] for size in boards}
    for _ in range(rounds):
        times: Times = {size: [] for size in boards}
        for _ in range(REQUESTS):
            ready.reverse()  # so that each is first as often as the other
            for size, connection, request in ready:
                times[size].append(1000 * seconds_for(connection, request))
        for size, each in times.items():
            medians[size].append(statistics.median(each))
    return medians


def seconds_for(connection: Connection, request: bytes) -> float:
    began = time.perf_counter()
    reply = connection.ask(request)
    took = time.perf_counter() - began
    if reply.status != 200 or len(reply.body) < 1000:
        raise Wrong(f"{request.decode()} was answered {reply.status} {reply.body[:200]!r}")
    return took


def report(times: dict[str, Times]) -> None:
    rows = []
    for what, each in times.items():
        ratios = [big / small for small, big in zip(*each.values(), strict=True)]
        rows.append([what, *(spread(each[size], 2) for size in SIZES), spread(ratios, 2)])
    print_table(["median ms", *(f"{size:,} messages" for size in SIZES), "ratio"], rows)
