"""Feeds random input to everything that reads what others have sent: N inputs, most of them inside this process, one in
fifty as bytes on the socket of a real server. Exit status: 0 if nothing failed, hung or grew, 1 else.
"""

import argparse
import asyncio
import collections
import logging
import pathlib
import random
import resource
import secrets
import shutil
import signal
import sys
import tempfile
import time
import traceback

from fuzz import wire
from fuzz.targets import TARGETS

SHARE_OF_WIRE = 50
HANG_SECONDS = 5.0
"""Seconds of CPU for one input. The slowest inputs take milliseconds."""
GROWTH_KB = 40 * 1024
"""How much more memory may be needed at the end than after the first tenth, because everything kept is bounded."""


class Hang(BaseException):
    """Not an Exception, so that no target can take it for one of its own."""


def hang(*_: object) -> None:
    raise Hang


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/fuzz", description=__doc__)
    parser.add_argument("n", nargs="?", type=int, default=100_000, help="how many inputs (100000)")
    parser.add_argument("--seed", type=int, default=None, help="of the random choices, to try the same ones again")
    options = parser.parse_args()
    seed = secrets.randbits(32) if options.seed is None else options.seed
    logging.getLogger("longboard").setLevel(logging.ERROR)
    print(f"seed {seed}", flush=True)
    began = time.monotonic()
    bad = feed(seed, options.n - options.n // SHARE_OF_WIRE)
    bad += feed_server(seed, options.n // SHARE_OF_WIRE)
    print(f"verdict: {bad} failures in {options.n} inputs, {time.monotonic() - began:.0f} s")
    sys.exit(1 if bad else 0)


def feed(seed: int, count: int) -> int:
    """Feeds the targets in this process. Returns how many failures there were."""
    signal.signal(signal.SIGPROF, hang)
    rng = random.Random(seed)
    names, weights = list(TARGETS), [weight for weight, _ in TARGETS.values()]
    counts, failures, after_tenth = collections.Counter[str](), collections.Counter[str](), 0
    for number in range(count):
        name = rng.choices(names, weights)[0]
        case = rng.getrandbits(64)
        counts[name] += 1
        signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
        try:
            TARGETS[name][1](random.Random(case))
        except (Exception, Hang):
            failures[name] += 1
            if failures[name] <= 3:
                print(f"FAILED {name}, case {case}:\n{traceback.format_exc()}", flush=True)
        if number == count // 10:
            after_tenth = peak()
    signal.setitimer(signal.ITIMER_PROF, 0)
    for name in names:
        print(f"{counts[name]:>9} {name}: {failures[name]} failures")
    grown = after_tenth > 0 and peak() > after_tenth + GROWTH_KB
    print(f"memory at its peak {peak() // 1024} MB, after a tenth {after_tenth // 1024} MB")
    return sum(failures.values()) + grown


def feed_server(seed: int, count: int) -> int:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="longboard-fuzz-"))
    try:
        sent, memory = asyncio.run(wire.run(folder, random.Random(seed), count))
    finally:
        shutil.rmtree(folder)
    for line in sent.strange[:5]:
        print(f"FAILED on the socket: {line}", flush=True)
    print(f"{sent.sent:>9} requests on a socket, {sent.answered} answered: {len(sent.strange)} failures")
    print("the server's memory: " + ", ".join(f"{kb / 1024:.0f}" for kb in memory) + " MB after a tenth, half and all")
    return len(sent.strange) + (memory[-1] > memory[0] + GROWTH_KB)


def peak() -> int:
    """Returns the peak of resident memory so far, in KB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used // 1024 if sys.platform == "darwin" else used


if __name__ == "__main__":
    main()
