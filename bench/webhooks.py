"""Posts on a board with a hundred webhooks whose receivers never answer, beside the same board without any, in turns."""

import argparse
import contextlib
import pathlib
import socket
import sqlite3
import time
from collections.abc import Iterator

from bench.outcome import Wrong, print_table, spread
from bench.posts import WARM_UP, Load, load
from bench.process import Server, new_folder, server

WEBHOOKS = 100
POSTERS = 16
QUIET, HUNG = "no webhooks", f"{WEBHOOKS} that hang"


def run(options: argparse.Namespace) -> None:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder(options.folder))
        port = stack.enter_context(silent_receiver())
        servers = {
            QUIET: stack.enter_context(started(folder / "quiet")),
            HUNG: stack.enter_context(started(folder / "hung")),
        }
        add_webhooks(folder / "hung", port)
        for one in servers.values():
            load([one], POSTERS, WARM_UP)
        until_hung(folder / "hung", servers[HUNG])
        loads: dict[str, list[Load]] = {name: [] for name in servers}
        for number in range(options.rounds):
            for name in list(servers)[:: 1 if number % 2 else -1]:  # so that none is always the first
                loads[name].append(load([servers[name]], POSTERS, options.seconds))
        ratio = sum(one.rate for one in loads[HUNG]) / sum(one.rate for one in loads[QUIET])
        print_table(
            [f"{POSTERS} posters, {options.rounds} rounds", *loads],
            [
                ["posts per second", *(spread([one.rate for one in each]) for each in loads.values())],
                ["median answer, ms", *(spread([one.p50_ms for one in each]) for each in loads.values())],
                ["rate, to that without", "1", f"{ratio:.2f}"],
                ["resident memory, KB", *(f"{one.memory_kb():,}" for one in servers.values())],
            ],
        )


@contextlib.contextmanager
def started(folder: pathlib.Path) -> Iterator[Server]:
    folder.mkdir()
    with server(folder, webhooks_to_loopback="on") as one:
        yield one


@contextlib.contextmanager
def silent_receiver() -> Iterator[int]:
    """The port of one to which the system connects anybody, and which never reads."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listening:
        yield listening.getsockname()[1]


def add_webhooks(folder: pathlib.Path, port: int) -> None:
    """All on one board, which may not be made so: each of its posts is news for all."""
    row = (
        "INSERT INTO webhooks (board_id, account_id, url, shape, secret, created_at, revision, epoch, sent, base, told, "
        "settled_at, failures, waited) SELECT 1, 1, ?, 'standard', x'00', 1, 0, epoch, 0, 0, 0, 1, 0, 0 FROM board"
    )
    account = "INSERT INTO accounts (username, name, role, created_at) VALUES ('ada', 'Ada', 'moderator', 1)"
    [path] = folder.glob("*.db")
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(account)
        db.executemany(row, [(f"http://127.0.0.1:{port}/{number}",) for number in range(WEBHOOKS)])


def until_hung(folder: pathlib.Path, server: Server) -> None:
    """Has the server find its webhooks at its next look, which is within a minute, and raises Wrong if none has failed."""
    [path] = folder.glob("*.db")
    with contextlib.closing(sqlite3.connect(path)) as db:
        for _ in range(120):
            if db.execute("SELECT count(*) FROM webhooks WHERE failures > 0").fetchone()[0]:
                return
            time.sleep(1)
    raise Wrong(f"no webhook of the server at port {server.port} was tried")
