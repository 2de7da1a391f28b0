"""This checkout beside another one, such as the last release, in turns: start, memory, the front page, and polls.

`--before` names the other checkout. Both run with this Python and its packages.
"""

import argparse
import contextlib
import gzip
import http.client
import pathlib
import re
import time

from bench.connection import PATIENCE, post_form
from bench.outcome import Missing, Wrong, print_table, spread
from bench.page import WORDS, load
from bench.polls import DESCRIPTORS_KEPT, Audience, allow_descriptors
from bench.process import ROOT, Server, new_folder, server

MESSAGES = 50


def run(options: argparse.Namespace) -> None:
    if not options.before:
        raise Missing("name another checkout: --before /path/to/it")
    polls = options.n // 2
    allow_descriptors(polls + DESCRIPTORS_KEPT)
    checkouts = {"before": pathlib.Path(options.before), "now": ROOT}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    for number in range(options.rounds):
        for name in list(checkouts)[:: 1 if number % 2 else -1]:
            with new_folder(options.folder) as folder:
                rounds[name].append(measure(checkouts[name], folder, polls, options.seconds))
    report(polls, rounds)


def measure(checkout: pathlib.Path, folder: pathlib.Path, polls: int, seconds: float) -> dict[str, float]:
    with server(folder, checkout=checkout):
        pass  # makes the database
    began = time.perf_counter()
    with contextlib.ExitStack() as stack:
        board = stack.enter_context(server(folder, checkout=checkout, max_parked=polls, poll_seconds=600))
        start_ms, start_cpu = 1000 * (time.perf_counter() - began), 1000 * board.cpu_seconds()
        memory = board.settled_memory_kb()
        for number in range(MESSAGES):
            board.control.ask(post_form("/add", {"s": f"{number}: {WORDS}"}))
        page = load(board, seconds)
        before = board.settled_memory_kb()
        audience = Audience(board)
        audience.gather(polls)
        stack.callback(audience.crowd.close)
        audience.round("The first round begins with empty caches")
        one = audience.round("The second one counts")
        kb = (board.memory_kb() - before) / polls
        return {
            "from the command to the address, ms": start_ms,
            "CPU until then, ms": start_cpu,
            "memory after the start, MB": memory / 1024,
            "the front page, CPU, µs": page.cpu_us,
            "the front page, compressed, bytes": page.size,
            "the page and what it loads, compressed, bytes": view_bytes(board),
            "a delivery and the next poll, CPU, µs": one.cpu_us,
            "until the slowest has the message, ms": one.slowest_ms,
            "memory per parked poll, KB": kb,
        }


def view_bytes(board: Server) -> int:
    """Returns the bytes of the front page and of all that it loads at once from this server, compressed."""
    page = ask(board, "/")
    paths = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', gzip.decompress(page).decode()))
    if not paths:
        raise Wrong("the page names no file")
    return len(page) + sum(len(ask(board, path)) for path in paths)


def ask(board: Server, path: str) -> bytes:
    """Returns the bytes of a file as they are sent, compressed; some come in chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", board.port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Accept": "text/html, */*", "Accept-Encoding": "gzip"})
        reply = connection.getresponse()
        if reply.status != 200:
            raise Wrong(f"{path} was answered {reply.status}")
        return reply.read()


def report(polls: int, rounds: dict[str, list[dict[str, float]]]) -> None:
    before, now = rounds.values()
    rows = []
    for label in now[0]:
        old, new = ([one[label] for one in each] for each in (before, now))
        rows.append([label, spread(old), spread(new), spread([b / a for a, b in zip(old, new, strict=True)], 2)])
    print_table([f"one board, {polls:,} polls, {len(now)} rounds in turns", *rounds, "now : before"], rows)
