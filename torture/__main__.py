"""Posts, edits and reads under faults for some minutes, then checks everything that anybody saw.

Exit status: 0 if every promise was kept, 1 if one was broken, 2 if it was asked wrongly.
"""

import argparse
import asyncio
import contextlib
import pathlib
import random
import re
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator

from torture import churn, clients
from torture.boards import Boards
from torture.faults import Faults, mount_disk, unmount_disk
from torture.history import check, sequence
from torture.kept import read_kept
from torture.nodes import ROOT, Node
from torture.people import Person
from torture.pins import keep_pinning, make_moderator
from torture.rights import check_site

RECENT_BYTES = 60_000
"""For the newest changes of all boards beside the first, and their newest pages: less than those of two boards take."""
MANY = ["--board-making=members", "--boards-each=1000"]


def main() -> None:
    options = parser().parse_args()
    if options.older and not (options.url or options.postgres):
        parser().error("--older needs PostgreSQL: --postgres or --url")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="longboard-torture-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        if options.postgres:
            options.url = stack.enter_context(own_postgres())
        own_disk = options.url is None and not options.churn and mount_disk(folder)
        if own_disk:
            stack.callback(unmount_disk, folder)
        if options.churn:
            kept = asyncio.run(churn.run(folder, options.url, 60 * options.churn, options.rate))
        else:
            kept = asyncio.run(run(options, folder, own_disk=own_disk))
    sys.exit(0 if kept else 1)


@contextlib.contextmanager
def own_postgres() -> Iterator[str]:
    from tests.support.postgres import cluster, psql

    with cluster() as database:
        psql(database.url("postgres"), "CREATE DATABASE board")
        yield database.url("board")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="bin/torture", description=__doc__)
    top.add_argument("minutes", nargs="?", type=float, default=2, help="how long faults come (2)")
    top.add_argument("--kills", type=int, default=0, metavar="N", help="go on until there were so many kill -9")
    top.add_argument("--url", help="a DATABASE_URL to use (default: a SQLite file, on a small disk of its own if root)")
    top.add_argument("--postgres", action="store_true", help="start a PostgreSQL, which ends with the run")
    top.add_argument("--nodes", type=int, default=1, help="servers over that database (1)")
    top.add_argument(
        "--boards", type=int, default=0, metavar="N", help="boards beside the first, whose rights change (0)"
    )
    top.add_argument(
        "--older",
        type=pathlib.Path,
        metavar="FOLDER",
        help="a checkout of the last release, of which one more server runs on PostgreSQL, and no fault comes to it",
    )
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
    flags, recent_bytes = (MANY, RECENT_BYTES) if options.boards else ([], 0)
    nodes = [Node(f"node{n + 1}", url, folder, flags, ROOT, recent_bytes) for n in range(options.nodes)]
    older = [Node("older", url, folder, [], options.older.resolve())] if options.older else []
    file = folder / "board.db" if options.url is None else None
    faults, world = Faults(nodes, rng, file, own_disk=own_disk), clients.World(nodes, rng, older)
    try:
        for node in [*older, *nodes]:  # an older one may refuse a database that a newer one has migrated
            await node.start()
        began = time.monotonic()
        moderator = Person(world, "pinner")
        if not older:  # which doesn't say what is pinned
            await make_moderator(moderator, url)
        await torment(options, world, faults, began, moderator)
        for node in world.all_nodes:
            await faults.terminate_for_good(node)
        await read_kept(url, world.history, world.places)
        return report(world, faults, seed, time.monotonic() - began, own_disk=own_disk, file=file)
    finally:
        for node in world.all_nodes:
            await node.end(signal.SIGKILL)


async def torment(
    options: argparse.Namespace, world: clients.World, faults: Faults, began: float, moderator: Person
) -> None:
    boards = Boards(world, options.boards, options.pause)
    writers = [asyncio.create_task(clients.guest(world, f"guest{n}", options.pause)) for n in range(4)]
    writers += [asyncio.create_task(clients.member(world, f"member{n}", options.pause)) for n in range(2)]
    writers += [asyncio.create_task(clients.vanishing(world)) for _ in range(4)]
    if not world.older:
        writers.append(asyncio.create_task(keep_pinning(moderator, world.history, options.pause)))
    readers = [
        asyncio.create_task(clients.reader(world, f"reader{n}", path, pause))
        for n, (path, pause) in enumerate([("/api/v1/messages", 0.0), ("/get", 0.0), ("/api/v1/messages", 1.0)] * 2)
    ]
    await boards.begin()
    await faults.go_on(lambda: time.monotonic() - began > 60 * options.minutes, 0.5, options.kills)
    world.is_ending = True
    await asyncio.gather(*writers)
    await boards.end()
    await end(world, readers)


async def end(world: clients.World, readers: list["asyncio.Task[None]"]) -> None:
    """Lets every reader finish, and records what is on the first board."""
    heads = [await world.until_answered("GET", "/healthz", nodes=world.nodes) for _ in range(4 * len(world.nodes))]
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
    broken = check(history) + check_site(history, world.places, world.words) + world.strange + faults.strange
    replies = sum(len(replies) for replies in history.readers.values())
    resets = sum(reply.reset for replies in history.readers.values() for reply in replies)
    acknowledged = sum(bool(post.ids) for post in history.posts)
    disk = "" if file is None else f" (full disk: {'a tmpfs' if own_disk else 'RLIMIT_FSIZE'})"
    nodes = f"{len(world.nodes)} node{'s' * (len(world.nodes) > 1)}" + " and an older one" * len(world.older)
    print(f"{took:.0f} s, seed {seed}, {nodes}{disk}")
    print("faults:   " + ", ".join(f"{count} × {name}" for name, count in faults.count.items()))
    print(f"requests: {world.asked}, of which {world.faults} met a fault and were asked again")
    print(
        f"posted:   {len(history.posts)}, acknowledged {acknowledged}, refused {sum(p.refused for p in history.posts)},"
    )
    print(f"          sent again after a success {sum(len(post.ids) - 1 for post in history.posts if post.ids)}")
    print(f"changed:  {len(history.changes)} edits and deletions, on the board at the end: {len(history.board)}")
    print(f"pinned:   {len(history.pins)} messages, one after the other; at the end {history.pinned}")
    print(f"read:     {len(history.readers)} readers, {replies} replies with news, {resets} resets")
    if world.places:
        report_boards(world)
    for line in broken[:50]:
        print(f"BROKEN    {line}")
    print(
        f"verdict:  {len(broken)} promises broken"
        if broken
        else "verdict:  nothing lost, nothing doubled, all in order"
    )
    return not broken


def report_boards(world: clients.World) -> None:
    places = world.places
    posts = [post for place in places for post in place.history.posts]
    tries = [one for place in places for one in place.tries]
    readers = [replies for place in places for replies in place.history.readers.values()]
    evictions = sum(
        int(count) for node in world.nodes for count in re.findall(r"evictions: (\d+)", node.log.read_text())
    )
    gone = sum(not place.is_there for place in places)
    changes = sum(len(place.rights) - 1 for place in places)
    print(f"boards:   {len(places)} beside the first, {gone} of them deleted; {changes} changes of their rights")
    print(f"          posted {len(posts)}, acknowledged {sum(bool(p.ids) for p in posts)}", end="")
    print(f", not allowed {sum(one.id is None and one.writes for one in tries)}")
    print(f"          {len(readers)} readers, {sum(map(len, readers))} replies with news", end="")
    print(f", {sum(reply.reset and bool(reply.asked) for replies in readers for reply in replies)} resets", end="")
    print(f", not allowed {sum(one.id is None and not one.writes for one in tries)}")
    print(f"          {len(world.words)} words of other boards, {evictions} evictions from memory counted")


if __name__ == "__main__":
    main()
