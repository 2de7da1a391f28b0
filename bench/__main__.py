"""The command line: which benches to run, and how big."""

import argparse
import importlib
import os
import platform
import signal
import sys
import time

import tornado

from bench.outcome import Missing, Wrong

BENCHES = {
    "polls": "thousands of parked polls, all answered by one post: time, memory, CPU",
    "stream": "thousands of streams beside as many polls: time, memory and CPU for each delivery",
    "posts": "posts per second, beside one commit per post and no database at all",
    "webhooks": "posts on a board with 100 webhooks that hang, beside one without",
    "sizes": "pages and polls with 1,000 and with 1,000,000 messages",
    "page": "the front page beside a bare Tornado handler: requests per second",
    "reads": "reading the worst messages: how long the loop is held, and how long others wait",
    "search": "searching 1,000 and 1,000,000 messages, and what the index costs",
    "accounts": "signing in beside parked polls, and polls with and without a token",
    "view": "opening the page: requests and bytes; and the page while 5,000 messages arrive",
    "nodes": "three nodes on one PostgreSQL: a post on one, polls on all; what three write beside one",
    "boards": "a hundred boards and 10,000 members, nearly all of whom own a board, beside one board",
    "directory": "10,000 boards with a message each beside one board with as many: start, memory, pages",
    "text": "every fortune of Debian's packages, posted and read back, letter for letter",
    "before": "another checkout (--before) beside this one, with one board: start, memory, front page, polls",
}
"""Each is a module of this folder with `run(options)`, which prints what it finds. They run in this order."""


def main() -> int:
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are ended as well
    print(f"{machine()}. Shared machines are noisy: trust ratios within one run.", flush=True)
    status = 0
    for name in options.names or all_benches(options):
        status = max(status, run(name, options))
    return status


def all_benches(options: argparse.Namespace) -> list[str]:
    return [name for name in BENCHES if name != "before" or options.before]


def run(name: str, options: argparse.Namespace) -> int:
    """Runs one bench. Returns 0, 1 if Longboard did something wrong, or 2 if the machine lacks something."""
    print(f"\n## {name}: {BENCHES[name]}\n", flush=True)
    began = time.monotonic()
    try:
        importlib.import_module(f"bench.{name}").run(options)
    except Missing as missing:
        print(f"{name}: not measured: {missing}", flush=True)
        return 2
    except (Wrong, ConnectionError, TimeoutError) as problem:
        print(f"{name}: wrong: {problem}", flush=True)
        return 1
    print(f"{name} took {time.monotonic() - began:.0f} s.", flush=True)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    benches = "\n".join(f"  {name:<9} {about}" for name, about in BENCHES.items())
    parser = argparse.ArgumentParser(
        prog="bin/bench",
        description=f"Measures Longboard on this machine, on 127.0.0.1 only. Without names: all of\n\n{benches}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="name", help="what to run")
    parser.add_argument("-n", type=int, default=10_000, help="polls, stream, boards: how many are parked (10000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is measured (5)")
    parser.add_argument("--seconds", type=float, default=3, help="posts: how long one measurement takes (3)")
    parser.add_argument(
        "--folder", help="where databases are put while it runs, best on a real disk (the system's own)"
    )
    parser.add_argument("--beside", metavar="URL", help="view: another page to measure beside ours")
    parser.add_argument("--before", metavar="FOLDER", help="before: the other checkout")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"there is no bench named {', '.join(sorted(unknown))}")
    if min(options.n, options.rounds, options.seconds) <= 0:
        parser.error("-n, --rounds and --seconds must be above 0")
    return options


def machine() -> str:
    python, system = platform.python_version(), f"{platform.system()} {platform.machine()}"
    load = os.getloadavg()[0]
    return f"Python {python}, Tornado {tornado.version}, {system}, {os.cpu_count()} cores, load {load:.1f} before"


if __name__ == "__main__":
    sys.exit(main())
