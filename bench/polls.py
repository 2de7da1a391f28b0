"""Thousands of polls parked on one process, and one post that answers them all.

Each round checks that every client gets exactly that message, exactly once, and that its next poll parks.
"""

import argparse
import collections
import resource
import time

from bench.connection import BROWSER, PATIENCE, Crowd, Reply, get, post_form
from bench.outcome import Missing, Wrong, print_table, spread
from bench.process import Server, new_folder, server

DESCRIPTORS_KEPT = 100
"""Descriptors besides those of the polls, here and in the server."""
LOT = 500
"""Clients that connect at once: fewer than any system's queue of connections to be accepted."""


def run(options: argparse.Namespace) -> None:
    allow_descriptors(options.n + DESCRIPTORS_KEPT)
    # Polls are held for long here, so that none ends by itself in the middle of a round.
    with new_folder(options.folder) as folder, server(folder, max_parked=options.n, poll_seconds=600) as longboard:
        audience = Audience(longboard)
        before = longboard.settled_memory_kb()
        audience.gather(options.n)
        memory = [(longboard.memory_kb() - before) / options.n]
        rounds = [audience.round(f"Round {number}") for number in range(options.rounds)]
        audience.expect_silence(1)
        memory.append((longboard.memory_kb() - before) / options.n)
        audience.crowd.close()
    report(options, rounds, memory)


def allow_descriptors(wanted: int) -> None:
    """Raises this process's limit; its server inherits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError):
            raise Missing(
                f"a process may open only {hard} files here, and {wanted} are needed: raise the limit (ulimit -n), "
                f"or park fewer polls, such as -n {max(hard - DESCRIPTORS_KEPT, 1)}"
            ) from None


Round = collections.namedtuple("Round", "slowest_ms parked_ms cpu_us client_us")


class Audience:
    """Clients that all poll one server."""

    def __init__(self, longboard: Server) -> None:
        self.longboard = longboard
        self.crowd = Crowd(longboard.port)
        self.use(longboard.control.ask(get("/get")).json()["cursor"])

    def use(self, cursor: str) -> None:
        self.request = get(f"/get?after={cursor}", BROWSER)

    def gather(self, n: int) -> None:
        while (size := len(self.crowd.connections)) < n:
            for connection in self.crowd.grow(min(LOT, n - size)):
                connection.send(self.request)
            self.wait_until_parked()

    def wait_until_parked(self) -> None:
        """Waits until the server has parked all polls. Raises Wrong if one is answered, because nothing is new."""
        deadline = time.monotonic() + PATIENCE
        while (parked := self.longboard.parked()) != len(self.crowd.connections):
            if time.monotonic() > deadline:
                raise Wrong(f"only {parked} polls of {len(self.crowd.connections)} are parked")
            self.expect_silence(0.05)
        self.expect_silence(0)

    def expect_silence(self, seconds: float) -> None:
        for _, reply in self.crowd.replies(seconds):
            raise Wrong(f"a poll was answered though nothing was new: {reply.body[:200]!r}")

    def round(self, text: str) -> Round:
        """Measures one round: a post, until all clients have it; and their next polls, until all are parked."""
        n, began = len(self.crowd.connections), time.perf_counter()
        cpu, own = self.longboard.cpu_seconds(), time.process_time()
        self.longboard.control.send(post_form("/add", {"s": text}))
        replies = collections.Counter(reply for _, reply in self.crowd.all_replies(n))
        slowest = time.perf_counter()
        self.use(check(replies, text))
        if self.longboard.control.reply().status != 201:
            raise Wrong("the post was refused")
        again = time.perf_counter()
        for connection in self.crowd.connections:
            connection.send(self.request)
        own = time.process_time() - own  # waiting until they are parked is no part of a client's work
        self.wait_until_parked()
        parked, cpu = time.perf_counter(), self.longboard.cpu_seconds() - cpu
        return Round(1000 * (slowest - began), 1000 * (parked - again), 1e6 * cpu / n, 1e6 * own / n)


def check(replies: "collections.Counter[Reply]", text: str) -> str:
    """Returns the cursor to go on from. Connection has checked that each client got no more than one reply."""
    cursors = set()
    for reply in replies:
        said = reply.json() if reply.status == 200 else {}
        if [message.get("body") for message in said.get("messages", [])] != [text] or said.keys() - {
            "messages",
            "cursor",
            "watching",
        }:
            raise Wrong(f"a poll should have been answered with “{text}”: {reply.status} {reply.body[:200]!r}")
        cursors.add(said["cursor"])
    if len(cursors) != 1:
        raise Wrong(f"the cursors after one post differ: {cursors}")
    return str(cursors.pop())


def report(options: argparse.Namespace, rounds: list[Round], memory: list[float]) -> None:
    each = Round(*zip(*rounds, strict=True))
    rows = [
        ["until the slowest has the message, ms", spread(each.slowest_ms)],
        ["until all poll again and are parked, ms", spread(each.parked_ms)],
        ["server CPU per delivery and next poll, µs", spread(each.cpu_us)],
        ["resident memory per parked poll, KB", f"{memory[0]:.1f}, after the last round {memory[1]:.1f}"],
        ["(this client's CPU per delivery and next poll, µs)", spread(each.client_us)],
    ]
    print_table([f"{options.n:,} polls, {len(rounds)} rounds", "median (least–most)"], rows)
    print(f"Each of {options.n * len(rounds):,} deliveries was the right message, once; nothing was doubled.")
