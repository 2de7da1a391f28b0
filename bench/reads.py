"""Readers of the worst messages that can be posted: how long the loop is held, and how long other clients wait."""

import argparse
import contextlib
import functools
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterable

from bench.connection import Connection, Crowd, Reply, get
from bench.outcome import Wrong, print_table
from bench.process import Server, new_folder, server

LENGTH = 4000
KINDS = ("http://a ", "`a`", "```a```", '"', "\u337f", "ab ", "`a` x\n\n")
BODIES = [*((kind * LENGTH)[:LENGTH] for kind in KINDS), "http://a?" + "'" * (LENGTH - 10) + "x"]
MESSAGES = 120
WORST = "/?before=100"
PATHS = (
    "/", WORST, "/?after=10", "/m/50", "/search?q=ab", "/feed.atom", "/get", "/get?t=0&wait=0", "/api/v1/messages",
    "/api/v1/messages?before=110&limit=100", "/api/v1/search?q=ab&limit=100", "/api/v1/openapi.json", "/api", "/signin",
    "/privacy", "/nothing",
)  # fmt: skip
WAYS = {"as it is": "", "compressed": "Accept-Encoding: gzip\r\n"}
LOOKS = 10
"""Requests of each page once it is cached."""
AT_ONCE = 40
A_SECOND, SECONDS = 8, 20
PAUSE = 0.01
"""Seconds between two probes."""
QUIET_SECONDS = 5


def run(options: argparse.Namespace) -> None:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder(options.folder))
        board = stack.enter_context(server(folder, ("-m", "bench.server_timed")))
        for number in range(MESSAGES):
            post(board, BODIES[number % len(BODIES)])
        print_table(
            ["longest hold of the loop, ms of CPU", "bytes", "not cached", "cached", "compressed"],
            [hold(board, path) for path in PATHS],
        )
        print_table(
            ["/healthz of another client, ms", "median", "worst", "median : quiet", "worst : quiet median"],
            list(others(board)),
        )


def post(board: Server, body: str) -> None:
    data = json.dumps({"body": body}).encode()
    head = "POST /api/v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    reply = board.control.ask(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
    if reply.status != 201:
        raise Wrong(f"a post was answered {reply.status} {reply.body[:200]!r}")


def hold(board: Server, path: str, cookie: str = "") -> list[str]:
    """Measures the longest callback for this page before it is cached, and then from the cache."""
    cells, size = [], 0
    board.control.ask(get(path, cookie))  # compiles its template, once in a process's life
    for headers, times, forget in (("", 1, "?forget=1"), ("", LOOKS, ""), (WAYS["compressed"], LOOKS, "")):
        board.control.ask(get(f"/bench/longest{forget}"))
        board.control.ask(get("/bench/longest"))  # excludes the time for emptying the cache
        for _ in range(times):
            reply = board.control.ask(get(path, headers + cookie))
            if reply.status not in (200, 404):
                raise Wrong(f"{path} was answered {reply.status}")
            size = max(size, len(reply.body))
        cells.append(f"{board.control.ask(get('/bench/longest')).json()['ms']:.1f}")
    return [f"`{path}`", f"{size:,}", *cells]


class Probe(threading.Thread):
    """Another client, which requests /healthz repeatedly."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._connection = Connection(port)
        self._is_over = threading.Event()
        self.times: list[float] = []

    def run(self) -> None:
        while not self._is_over.wait(PAUSE):
            began = time.perf_counter()
            self._connection.ask(get("/healthz"))
            self.times.append(1000 * (time.perf_counter() - began))

    def __enter__(self) -> "Probe":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()


def others(board: Server) -> list[list[str]]:
    rows, quiet = [], 0.0
    loads: dict[str, Callable[[], None]] = {"quiet": functools.partial(time.sleep, QUIET_SECONDS)}
    for way, headers in WAYS.items():
        request = get(WORST, headers)
        loads[f"{AT_ONCE} at once, not cached, {way}"] = functools.partial(at_once, board, request)
        loads[f"{A_SECOND} a second for {SECONDS} s, {way}"] = functools.partial(steadily, board, request)
    for name, load in loads.items():
        with Probe(board.port) as probe:
            load()
        median, worst = statistics.median(probe.times), max(probe.times)
        quiet = quiet or median
        rows.append([name, f"{median:.1f}", f"{worst:.0f}", f"{median / quiet:.1f}", f"{worst / quiet:.0f}"])
    return rows


def at_once(board: Server, request: bytes) -> None:
    crowd = Crowd(board.port, AT_ONCE)
    for _ in range(5):
        board.control.ask(get("/bench/longest?forget=1"))
        for connection in crowd.connections:
            connection.send(request)
        check(reply for _, reply in crowd.all_replies(AT_ONCE))
    crowd.close()


def steadily(board: Server, request: bytes) -> None:
    crowd, began = Crowd(board.port), time.perf_counter()
    for number in range(A_SECOND * SECONDS):
        while (left := began + number / A_SECOND - time.perf_counter()) > 0:
            check(reply for _, reply in crowd.replies(left))
        free = next((one for one in crowd.connections if not one.is_waiting), None)
        (free or crowd.grow(1)[0]).send(request)
    check(reply for _, reply in crowd.all_replies(sum(one.is_waiting for one in crowd.connections)))
    crowd.close()


def check(replies: Iterable[Reply]) -> None:
    for reply in replies:
        if reply.status != 200:
            raise Wrong(f"a page was answered {reply.status}")
