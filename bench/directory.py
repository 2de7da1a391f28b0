"""A site of 10,000 boards with a message each, beside one board with as many messages: start, memory, and its pages."""

import argparse
import asyncio
import collections
import contextlib
import pathlib
import time

from bench.connection import get
from bench.outcome import Wrong, print_table, spread
from bench.process import Server, new_folder, server
from bench.reads import hold
from bench.sites import make_boards, make_members, open_site, write
from storage.records import FIRST_BOARD, MOST_BOARDS

PATHS = ("/", "/boards", "/boards?after=board-5", "/api/v1/boards", "/b/board-5000/")


Start = collections.namedtuple("Start", "ms cpu_ms memory_mb")


def run(options: argparse.Namespace) -> None:
    with new_folder(options.folder) as folder:
        sites = {f"{MOST_BOARDS:,} boards": folder / "many", "one board": folder / "one"}
        for each in sites.values():
            each.mkdir()
        cookie = asyncio.run(fill_many(folder / "many"))
        asyncio.run(fill_one(folder / "one"))
        starts: dict[str, list[Start]] = {name: [] for name in sites}
        for number in range(
            options.rounds + 1
        ):  # the first, which begins without anything in the system's cache, is left out
            for name in list(sites)[:: 1 if number % 2 else -1]:
                starts[name].append(start(sites[name]))
        report(starts)
        with contextlib.ExitStack() as stack:
            board = stack.enter_context(server(folder / "many", ("-m", "bench.server_timed")))
            for who, headers in (("a guest", ""), ("a member", cookie)):
                rows = [hold(board, path, headers) for path in PATHS]
                print_table(
                    [f"longest hold of the loop for {who}, ms of CPU", "bytes", "not cached", "cached", "compressed"],
                    rows,
                )


async def fill_many(folder: pathlib.Path) -> str:
    storage = await open_site(folder)
    await make_boards(storage, MOST_BOARDS, messages=1)
    cookies = await make_members(storage, 1)
    await storage.close()
    return cookies[0]


async def fill_one(folder: pathlib.Path) -> None:
    storage = await open_site(folder)
    await write(storage, [FIRST_BOARD] * MOST_BOARDS)
    await storage.close()


def start(folder: pathlib.Path) -> Start:
    began = time.perf_counter()
    with server(folder) as board:
        ms, cpu = 1000 * (time.perf_counter() - began), board.cpu_seconds()
        look(board)
        return Start(ms, 1000 * cpu, board.settled_memory_kb() / 1024)


def look(board: Server) -> None:
    """Has the front page and a poll answered, which a server does soon after its start."""
    for path in ("/", "/get"):
        if board.control.ask(get(path)).status != 200:
            raise Wrong(f"{path} was refused")


def report(starts: dict[str, list[Start]]) -> None:
    many, one = (Start(*zip(*each[1:], strict=True)) for each in starts.values())
    ratios = [[a / b for a, b in zip(x, y, strict=True)] for x, y in zip(many, one, strict=True)]
    more = [a - b for a, b in zip(many.memory_mb, one.memory_mb, strict=True)]
    rows = [
        ["from the command to the address, ms", spread(many.ms, 0), spread(one.ms, 0), spread(ratios[0], 2)],
        ["CPU until then, ms", spread(many.cpu_ms, 0), spread(one.cpu_ms, 0), spread(ratios[1], 2)],
        ["memory after the first page, MB", spread(many.memory_mb), spread(one.memory_mb), f"{spread(more)} more"],
    ]
    print_table([f"{MOST_BOARDS:,} messages, {len(many.ms)} starts in turns", *starts, "ratio"], rows)
