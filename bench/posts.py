"""Posts per second: Longboard as it is, compared with one commit per post and with no database at all.

The three differ only in storage, run at the same time, and are loaded in turns.
"""

import argparse
import contextlib
import os
import pathlib
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from bench.connection import Crowd, post_form
from bench.outcome import Wrong, print_table, spread
from bench.process import LONGBOARD, Server, new_folder, server

WAYS = {
    "Longboard": LONGBOARD,
    "one commit per post": ("-m", "bench.server_one_commit"),
    "no database": ("-m", "bench.server_no_database"),
}
POSTERS = (1, 16, 128)
REQUEST = post_form("/add", {"s": "Good morning! Has anyone seen the tide table for Thursday?"})
WARM_UP = 0.5
SETTLE = 0.5
"""Seconds until a node has heard of the last posts on the others."""


K = TypeVar("K")


class Load(NamedTuple):
    """One measurement."""

    rate: float
    p50_ms: float
    client_us: float


Loads = dict[tuple[int, str], list[Load]]


def run(options: argparse.Namespace) -> None:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder(options.folder))
        print(f"One sync of 4 KB to this disk takes {1000 * sync_seconds(folder):.2f} ms.\n", flush=True)
        servers = {}
        for name, program in WAYS.items():
            (own := folder / name.replace(" ", "-")).mkdir()
            servers[name] = stack.enter_context(server(own, program))
            load([servers[name]], max(POSTERS), WARM_UP)
        report(measure(servers, options))


def measure(servers: dict[str, Server], options: argparse.Namespace) -> Loads:
    loads: Loads = {(posters, name): [] for posters in POSTERS for name in servers}
    for number in range(options.rounds):
        for posters in POSTERS:
            order = list(servers)[number % 3 :] + list(servers)[: number % 3]  # so that none is always the first
            for name in order:
                loads[posters, name].append(load([servers[name]], posters, options.seconds))
    return loads


def load(nodes: Sequence[Server], posters: int, seconds: float) -> Load:
    """Measures posters on these nodes, each posting again as soon as it is answered.

    Raises Wrong unless each post counts once.
    """
    crowd, first, times = Crowd(nodes[0].port), nodes[0].seq(), []
    for number in range(posters):
        crowd.grow(1, nodes[number % len(nodes)].port)
    began, own = time.perf_counter(), time.process_time()
    for connection in crowd.connections:
        connection.send(REQUEST)
    under_way = posters
    while under_way:
        for connection, reply in crowd.next_replies():
            now = time.perf_counter()
            if reply.status != 201:
                raise Wrong(f"a post was refused: {reply}")
            times.append(now - connection.sent_at)
            if now - began < seconds:
                connection.send(REQUEST)
            else:
                under_way -= 1
    took, own = time.perf_counter() - began, time.process_time() - own
    crowd.close()
    time.sleep(SETTLE * (len(nodes) > 1))
    if nodes[0].seq() - first != len(times):
        raise Wrong(f"{len(times)} posts were acknowledged, but there are {nodes[0].seq() - first} more messages")
    return Load(len(times) / took, 1000 * statistics.median(times), 1e6 * own / len(times))


def report(loads: Loads) -> None:
    head = ["posts per second; p50 in ms", *(f"{posters} at a time" for posters in POSTERS)]
    rows = []
    for name in WAYS:
        each = [loads[posters, name] for posters in POSTERS]
        rows.append([name, *(spread([load.rate for load in one], 0) for one in each)])
        rows.append([f"{name}, p50", *(spread([load.p50_ms for load in one]) for one in each)])
    for name in list(WAYS)[1:]:
        rows.append([f"Longboard : {name}", *(spread(ratios(loads, posters, name), 2) for posters in POSTERS)])
    own = [[load.client_us for name in WAYS for load in loads[posters, name]] for posters in POSTERS]
    rows.append(["(this client's CPU per post, µs)", *(spread(one, 0) for one in own)])
    print_table(head, rows)


def ratios(loads: Loads, posters: int, other: str) -> list[float]:
    """Returns how Longboard compares in each round, because what slows the machine in a round slows both."""
    return ratios_of(loads, (posters, "Longboard"), (posters, other))


def ratios_of(loads: Mapping[K, Sequence[Load]], ours: K, theirs: K) -> list[float]:
    return [one.rate / other.rate for one, other in zip(loads[ours], loads[theirs], strict=True)]


def sync_seconds(folder: pathlib.Path) -> float:
    """Returns the time of one sync to this disk. A commit can't be faster."""
    sync, times = getattr(os, "fdatasync", os.fsync), []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(bytes(4096))
            began = time.perf_counter()
            sync(file)
            times.append(time.perf_counter() - began)
    return statistics.median(times)
