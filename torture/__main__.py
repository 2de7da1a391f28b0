"""Posts, edits and reads under faults for some minutes, then checks everything that anybody saw.

Exit status: 0 if every promise was kept, 1 if one was broken, 2 if it was asked wrongly.
"""

import argparse
import asyncio
import pathlib
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time

from torture import churn, clients
from torture.faults import Faults, mount_disk, unmount_disk
from torture.history import check, sequence
from torture.nodes import Node


def main() -> None:
    options = parser().parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="longboard-torture-"))
    own_disk = options.url is None and not options.churn and mount_disk(folder)
    try:
        if options.churn:
            kept = asyncio.run(churn.run(folder, options.url, 60 * options.churn, options.rate))
        else:
            kept = asyncio.run(run(options, folder, own_disk=own_disk))
    finally:
        if own_disk:
            unmount_disk(folder)
        shutil.rmtree(folder)
    sys.exit(0 if kept else 1)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="bin/torture", description=__doc__)
    top.add_argument("minutes", nargs="?", type=float, default=2, help="how long faults come (2)")
    top.add_argument("--kills", type=int, default=0, metavar="N", help="go on until there were so many kill -9")
    top.add_argument("--url", help="a DATABASE_URL to use (default: a SQLite file, on a small disk of its own if root)")
    top.add_argument("--nodes", type=int, default=1, help="servers over that database (1)")
    top.add_argument("--seed", type=int, default=None, help="of the random choices, to try the same ones again")
    top.add_argument("--pause", type=float, default=0.1, help="average seconds between one poster's messages (0.1)")
    top.add_argument("--churn", type=float, default=0, metavar="MINUTES", help="instead: look whether memory is flat")
    top.add_argument("--rate", type=float, default=20, help="with --churn: visits per second (20)")
    return top


async def run(options: argparse.Namespace, folder: pathlib.Path, *, own_disk: bool) -> bool:
    """Runs everything. Returns whether every promise was kept."""
    seed = secrets.randbits(32) if options.seed is None else options.seed
    rng = random.Random(seed)
    url = options.url or f"sqlite:///{folder}/board.db"
    nodes = [Node(f"node{n + 1}", url, folder, []) for n in range(options.nodes)]
    try:
        return await torment(options, folder, nodes, rng, seed, own_disk=own_disk)
    finally:
        for node in nodes:
            await node.end(signal.SIGKILL)


async def torment(
    options: argparse.Namespace,
    folder: pathlib.Path,
    nodes: list[Node],
    rng: random.Random,
    seed: int,
    *,
    own_disk: bool,
) -> bool:
    for node in nodes:
        await node.start()
    file = folder / "board.db" if options.url is None else None
    faults, world = Faults(nodes, rng, file, own_disk=own_disk), clients.World(nodes, rng)
    began = time.monotonic()
    writers = [asyncio.create_task(clients.guest(world, f"guest{n}", options.pause)) for n in range(4)]
    writers += [asyncio.create_task(clients.member(world, f"member{n}", options.pause)) for n in range(2)]
    writers += [asyncio.create_task(clients.vanishing(world)) for _ in range(4)]
    readers = [
        asyncio.create_task(clients.reader(world, f"reader{n}", path, pause))
        for n, (path, pause) in enumerate([("/api/v1/messages", 0.0), ("/get", 0.0), ("/api/v1/messages", 1.0)] * 2)
    ]
    await faults.go_on(lambda: time.monotonic() - began > 60 * options.minutes, 0.5, options.kills)
    await end(world, writers, readers)
    for node in nodes:
        await faults.terminate_for_good(node)
    return report(world, faults, seed, time.monotonic() - began, own_disk=own_disk, file=file)


async def end(world: clients.World, writers: list["asyncio.Task[None]"], readers: list["asyncio.Task[None]"]) -> None:
    """Lets every client finish what it began, and records what is on the board."""
    world.is_ending = True
    await asyncio.gather(*writers)
    heads = [await world.until_answered("GET", "/healthz") for _ in range(4 * len(world.nodes))]
    world.end = max(sequence(health["cursor"]) for _, health in heads)
    await asyncio.wait_for(asyncio.gather(*readers), 120)
    before = 10**17
    while before:
        _, page = await world.until_answered("GET", f"/api/v1/messages?before={before}&limit=100")
        world.history.board[:0] = [(message["id"], message["body"]) for message in page["messages"]]
        before = page["messages"][0]["id"] if page.get("older") else 0
    world.close()


def report(
    world: clients.World, faults: Faults, seed: int, took: float, *, own_disk: bool, file: pathlib.Path | None
) -> bool:
    history = world.history
    broken = check(history) + world.strange + faults.strange
    replies = sum(len(replies) for replies in history.readers.values())
    resets = sum(reply.reset for replies in history.readers.values() for reply in replies)
    acknowledged = sum(bool(post.ids) for post in history.posts)
    disk = "" if file is None else f" (full disk: {'a tmpfs' if own_disk else 'RLIMIT_FSIZE'})"
    print(f"{took:.0f} s, seed {seed}, {len(world.nodes)} node{'s' * (len(world.nodes) > 1)}{disk}")
    print("faults:   " + ", ".join(f"{count} × {name}" for name, count in faults.count.items()))
    print(f"requests: {world.asked}, of which {world.faults} met a fault and were asked again")
    print(
        f"posted:   {len(history.posts)}, acknowledged {acknowledged}, refused {sum(p.refused for p in history.posts)},"
    )
    print(f"          sent again after a success {sum(len(post.ids) - 1 for post in history.posts if post.ids)}")
    print(f"changed:  {len(history.changes)} edits and deletions, on the board at the end: {len(history.board)}")
    print(f"read:     {len(history.readers)} readers, {replies} replies with news, {resets} resets")
    for line in broken[:50]:
        print(f"BROKEN    {line}")
    print(
        f"verdict:  {len(broken)} promises broken"
        if broken
        else "verdict:  nothing lost, nothing doubled, all in order"
    )
    return not broken


if __name__ == "__main__":
    main()
