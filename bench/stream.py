"""Thousands of streams on one process beside as many polls, in turns: one post reaches all of them.

Each round checks that every client gets exactly that message, exactly once. The streams send nothing between rounds; the
polls ask again, as they must. Both are read by this client in the same way.
"""

import argparse
import contextlib
import selectors
import socket
import time
from typing import NamedTuple

from bench.connection import PATIENCE, post_form
from bench.outcome import Wrong, print_table, spread
from bench.polls import DESCRIPTORS_KEPT, LOT, Audience, allow_descriptors
from bench.process import Server, new_folder, server

ACCEPTS = ("text/event-stream", "application/x-ndjson")


class Round(NamedTuple):
    slowest_ms: float
    cpu_us: float


def run(options: argparse.Namespace) -> None:
    allow_descriptors(options.n + DESCRIPTORS_KEPT)
    rows = {accept: measure(options, accept) for accept in (*ACCEPTS, None)}
    polls, polls_kb = rows[None]
    for accept in ACCEPTS:
        rounds, kb = rows[accept]
        ratio = sum(one.cpu_us for one in rounds) / sum(one.cpu_us for one in polls)
        print_table(
            [f"{options.n:,} clients, {len(rounds)} rounds", f"streams, {accept}", "polls"],
            [
                ["until the slowest has the message, ms", *(spread([r.slowest_ms for r in each]) for each in (rounds, polls))],
                ["server CPU per delivery, µs", *(spread([r.cpu_us for r in each]) for each in (rounds, polls))],
                ["resident memory for each, KB", f"{kb:.1f}", f"{polls_kb:.1f}"],
                ["CPU, streams to polls", f"{ratio:.2f}", "1"],
            ],
        )  # fmt: skip


def measure(options: argparse.Namespace, accept: str | None) -> tuple[list[Round], float]:
    """Returns the rounds of streams in this format, or of polls without one; and the KB of memory for each client."""
    with new_folder(options.folder) as folder, server(folder, max_parked=options.n, poll_seconds=600) as longboard:
        before = longboard.settled_memory_kb()
        audience = Audience(longboard) if accept is None else Followers(longboard, accept)
        audience.gather(options.n)
        rounds = []
        for number in range(options.rounds):
            one = audience.round(f"Round {number}")
            rounds.append(Round(one.slowest_ms, one.cpu_us))
        memory = (longboard.memory_kb() - before) / options.n
        audience.crowd.close()
    return rounds, memory


class Followers:
    """Clients that all follow one server by streams."""

    def __init__(self, longboard: Server, accept: str) -> None:
        self.longboard = longboard
        self.crowd = contextlib.ExitStack()
        self._selector = self.crowd.enter_context(selectors.DefaultSelector())
        self._end = b"\n\n" if accept == ACCEPTS[0] else b"\n"
        cursor = longboard.health()["cursor"]
        self._request = f"GET /api/v1/stream?after={cursor} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n".encode()
        self._count = 0

    def gather(self, n: int) -> None:
        while self._count < n:
            for _ in range(min(LOT, n - self._count)):
                connection = self.crowd.enter_context(socket.create_connection(("127.0.0.1", self.longboard.port)))
                connection.sendall(self._request)
                self._selector.register(connection, selectors.EVENT_READ)
                self._count += 1
            deadline = time.monotonic() + PATIENCE
            while self.longboard.parked() != self._count:
                if time.monotonic() > deadline:
                    raise Wrong(f"only {self.longboard.parked()} streams of {self._count} are parked")
        self._events(b'"messages":[]')

    def round(self, text: str) -> Round:
        """Measures one round: a post, until all clients have it and are parked again."""
        began, cpu = time.perf_counter(), self.longboard.cpu_seconds()
        self.longboard.control.send(post_form("/add", {"s": text}))
        self._events(f'"body":"{text}"'.encode())
        slowest = time.perf_counter()
        if self.longboard.control.reply().status != 201:
            raise Wrong("the post was refused")
        if self.longboard.parked() != self._count:
            raise Wrong("a stream was not parked again")
        cpu = self.longboard.cpu_seconds() - cpu
        return Round(1000 * (slowest - began), 1e6 * cpu / self._count)

    def _events(self, text: bytes) -> None:
        """Reads one event of each client, which must have this text in it once. Keep-alives are left out."""
        heard: dict[int, bytes] = {}
        whole, deadline = 0, time.monotonic() + PATIENCE
        while whole < self._count:
            if time.monotonic() > deadline:
                raise Wrong(f"only {whole} streams of {self._count} have the event")
            for key, _ in self._selector.select(1):
                data = heard.get(key.fd, b"") + key.fileobj.recv(65536)  # type: ignore[union-attr]
                heard[key.fd] = data
                whole += data.count(text)
                if data.count(text) > 1 or (text in data and not data.endswith((self._end, b":\n"))):
                    raise Wrong(f"a stream got {data[:200]!r}")
