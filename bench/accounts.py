"""What accounts cost the board: signing in while polls are parked, and requests with and without a token.

Hashing a password takes a core for about 40 ms, and this must not slow the polls.
"""

import argparse
import contextlib
import pathlib
import statistics
import threading
import time
from collections.abc import Iterator

from bench.connection import Connection, Reply, get, post_form
from bench.outcome import Wrong, print_table, spread
from bench.polls import DESCRIPTORS_KEPT, Audience, allow_descriptors
from bench.process import Server, new_folder, server

POLLS = 1000
RATE = 20
"""Sign-ins per second."""
POSTS = 10
"""Posts in one round, quiet or busy."""
FIELDS = {"username": "ada", "password": "a few random words"}


def run(options: argparse.Namespace) -> None:
    allow_descriptors(POLLS + DESCRIPTORS_KEPT)
    with new_folder(options.folder) as folder, server(folder, max_parked=POLLS, poll_seconds=600) as longboard:
        expect(longboard.control.ask(post_form("/api/v1/signup", FIELDS)), 201)
        sign_ins(longboard, options)
    with new_folder(options.folder) as folder:
        tokens(folder, options)


def expect(reply: Reply, status: int) -> Reply:
    if reply.status != status:
        raise Wrong(f"expected {status}, got {reply.status} {reply.body[:200]!r}")
    return reply


# --- signing in


def sign_ins(longboard: Server, options: argparse.Namespace) -> None:
    """Measures the slowest of the parked polls, in turns while it is quiet and while people sign in."""
    audience = Audience(longboard)
    audience.gather(POLLS)
    quiet, busy, signed_in = [], [], 0
    for number in range(options.rounds):
        quiet.append(slowest(audience, f"quiet {number}"))
        with signing_in(longboard.port) as counted:
            busy.append(slowest(audience, f"busy {number}"))
        signed_in += counted[0]
    audience.crowd.close()
    ratios = [b / q for b, q in zip(busy, quiet, strict=True)]
    rows = [
        ["quiet, ms", spread(quiet)],
        [f"while {RATE} sign in each second, ms", spread(busy)],
        ["ratio", spread(ratios, 2)],
    ]
    print_table([f"slowest of {POLLS:,} polls, {POSTS} posts a round", "median (least–most)"], rows)
    print(f"{signed_in} people signed in during this time.\n", flush=True)


def slowest(audience: Audience, text: str) -> float:
    """Returns the time until the slowest poll has a post, in ms: the median over some posts."""
    times: list[float] = [audience.round(f"{text} {post}").slowest_ms for post in range(POSTS)]
    return statistics.median(times)


@contextlib.contextmanager
def signing_in(port: int) -> Iterator[list[int]]:
    """Signs in at a steady rate, however long the answers take. The first item of the list counts the sign-ins."""
    stop, counted = threading.Event(), [0]

    def sign_in_steadily() -> None:
        connections, due = [Connection(port) for _ in range(8)], time.monotonic()
        while not stop.is_set():
            connection = connections[counted[0] % len(connections)]
            if connection.is_waiting:
                expect(connection.reply(), 200)
            connection.send(post_form("/api/v1/signin", FIELDS))
            counted[0] += 1
            due += 1 / RATE
            stop.wait(max(0.0, due - time.monotonic()))
        for connection in connections:
            if connection.is_waiting:
                expect(connection.reply(), 200)
            connection.socket.close()

    thread = threading.Thread(target=sign_in_steadily)
    thread.start()
    time.sleep(0.5)
    try:
        yield counted
    finally:
        stop.set()
        thread.join()


# --- tokens


def tokens(folder: pathlib.Path, options: argparse.Namespace) -> None:
    """Measures requests per second with and without a token, in turns, on one connection."""
    rates: dict[str, list[float]] = {"without a token": [], "with a token": []}
    with server(folder) as longboard:
        control = longboard.control
        expect(control.ask(post_form("/api/v1/signup", FIELDS)), 201)
        token = expect(control.ask(post_form("/api/v1/signin", FIELDS)), 200).json()["token"]
        cursor = longboard.health()["cursor"]
        path = f"/api/v1/messages?after={cursor}&wait=0"
        headers = {"without a token": "", "with a token": f"Authorization: Bearer {token}\r\n"}
        for number in range(2 * options.rounds):
            name = list(rates)[number % 2]
            rates[name].append(rate(control, get(path, headers[name]), options.seconds))
    ratios = [b / a for a, b in zip(*rates.values(), strict=True)]
    rows = [[name, spread(values, 0)] for name, values in rates.items()] + [["ratio", spread(ratios, 2)]]
    print_table(["polls that never wait, per second", "median (least–most)"], rows)


def rate(control: Connection, request: bytes, seconds: float) -> float:
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        expect(control.ask(request), 200)
        count += 1
    return count / (time.perf_counter() - began)
