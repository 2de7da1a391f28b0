"""The front page, 50 messages long, against Tornado saying "hello": requests per second and CPU for each."""

import argparse
import contextlib
import time
from typing import NamedTuple

from bench.connection import Crowd, get, post_form
from bench.outcome import Wrong, print_table, spread
from bench.process import LONGBOARD, Server, new_folder, server

WAYS = {"the front page": LONGBOARD, "a bare “hello” of Tornado": ("-m", "bench.server_hello")}
CLIENTS = 16
WORDS = "Good morning! Has anyone seen the tide table for Thursday? https://example.org/tides"
REQUEST = get("/", "Accept: text/html\r\nAccept-Encoding: gzip, deflate, br\r\nUser-Agent: bench\r\n")


class Load(NamedTuple):
    """One measurement."""

    rate: float
    cpu_us: float
    size: int


def run(options: argparse.Namespace) -> None:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder(options.folder))
        servers = {}
        for name, program in WAYS.items():
            (own := folder / program[-1]).mkdir()
            servers[name] = stack.enter_context(server(own, program))
        for number in range(50):
            servers["the front page"].control.ask(post_form("/add", {"s": f"{number}: {WORDS}"}))
        loads: dict[str, list[Load]] = {name: [] for name in WAYS}
        for number in range(options.rounds):
            for name in list(WAYS)[:: 1 if number % 2 else -1]:
                loads[name].append(load(servers[name], options.seconds))
        report(loads)


def load(board: Server, seconds: float) -> Load:
    """Measures clients that ask again as soon as they are answered."""
    crowd, count, size = Crowd(board.port, CLIENTS), 0, 0
    began, cpu = time.perf_counter(), board.cpu_seconds()
    for connection in crowd.connections:
        connection.send(REQUEST)
    under_way = CLIENTS
    while under_way:
        for connection, reply in crowd.next_replies():
            count, size = count + 1, len(reply.body)
            if reply.status != 200:
                raise Wrong(f"the page was refused: {reply}")
            if time.perf_counter() - began < seconds:
                connection.send(REQUEST)
            else:
                under_way -= 1
    took, cpu = time.perf_counter() - began, board.cpu_seconds() - cpu
    crowd.close()
    return Load(count / took, 1e6 * cpu / count, size)


def report(loads: dict[str, list[Load]]) -> None:
    rows = []
    for name, each in loads.items():
        rates, cpus = spread([one.rate for one in each], 0), spread([one.cpu_us for one in each], 0)
        rows.append([f"{name}, {each[-1].size:,} bytes", rates, cpus])
    ours, theirs = loads.values()
    ratios = [(a.rate / b.rate, b.cpu_us / a.cpu_us) for a, b in zip(ours, theirs, strict=True)]
    rows.append(["page : hello", *(spread(column, 2) for column in zip(*ratios, strict=True))])
    print_table(["", "requests per second", "server CPU per request, µs"], rows)
