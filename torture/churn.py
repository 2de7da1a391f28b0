"""Checks that memory is flat: visitors come, poll, post and leave for a long time, and the server's memory is read."""

import asyncio
import pathlib
import random
import signal
import statistics
import time

from torture.clients import World
from torture.history import sequence
from torture.nodes import Node

WARM_SECONDS = 60
"""After this time, everything that is kept (recent changes, remembered requests) is as full as it gets."""
FIRST_POSTS = 12_000
"""More than the changes that are kept in memory, and than fit into the 2 MB that SQLite caches for each connection."""
FIRST_POLLS = 11_000
"""More than the different polls that are remembered. Each poll here differs, because it has the visitor's number."""
TOLERANCE = 0.05


async def run(folder: pathlib.Path, url: str | None, seconds: float, rate: float) -> bool:
    """Returns whether the memory of each minute stayed near that of the first one."""
    node = Node("node1", url or f"sqlite:///{folder}/board.db", folder, [])
    await node.start()
    world = World([node], random.Random(1))
    for number in range(FIRST_POSTS):
        await world.ask("POST", "/api/v1/messages", {"body": f"before {number} " + "x" * 200})
    world.cursor = (await world.ask("GET", "/healthz"))[1]["cursor"]
    await fill(world, node)
    visitors: set[asyncio.Task[None]] = set()
    began, samples, number = time.monotonic(), list[tuple[float, int]](), 0
    while (now := time.monotonic() - began) < WARM_SECONDS + seconds:
        number += 1
        task = asyncio.create_task(visit(world, node, number))
        visitors.add(task)
        task.add_done_callback(visitors.discard)
        if number % max(round(rate), 1) == 0 and now > WARM_SECONDS:
            samples.append((now - WARM_SECONDS, memory(node)))
        await asyncio.sleep(1 / rate)
    await asyncio.gather(*visitors)
    _, health = await world.ask("GET", "/healthz")
    world.close()
    status = await node.end(signal.SIGTERM)
    return report(samples, number, health, status)


async def fill(world: World, node: Node) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    for number in range(FIRST_POLLS):
        writer.write(f"GET /get?after={world.cursor}&wait=0 HTTP/1.1\r\nHost: x\r\nX-Visit: -{number}\r\n\r\n".encode())
        await reader.readuntil(b"}")
    writer.close()


async def visit(world: World, node: Node, number: int) -> None:
    """One visitor: some post, most poll for a moment and leave, some of these without waiting for the answer."""
    if number % 10 == 0:
        _, message = await world.ask("POST", "/api/v1/messages", {"body": f"churn {number} " + "x" * 200})
        world.cursor = f"{world.cursor.rpartition('-')[0]}-{message['id']}"
        return
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    for _ in range(world.rng.randrange(1, 4)):
        wait = world.rng.uniform(0, 2)
        request = f"GET /get?after={world.cursor}&wait={wait:.1f} HTTP/1.1\r\nHost: x\r\nX-Visit: {number}\r\n\r\n"
        writer.write(request.encode())
        if world.rng.random() < 0.3:
            await asyncio.sleep(world.rng.uniform(0, wait))
            break  # leaves while it is parked
        await reader.readuntil(b"}")
    writer.close()


def memory(node: Node) -> int:
    """Returns the resident memory in KB (VmRSS; proc(5))."""
    assert node.process is not None
    status = pathlib.Path(f"/proc/{node.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def report(samples: list[tuple[float, int]], visits: int, health: dict[str, object], status: int) -> bool:
    minutes: dict[int, list[int]] = {}
    for at, kb in samples:
        minutes.setdefault(int(at // 60), []).append(kb)
    means = [statistics.mean(kbs) for kbs in minutes.values()]
    first, worst = means[0], max(means, key=lambda mean: abs(mean - means[0]))
    change = worst / first - 1
    print(
        f"{len(means)} minutes, {visits} visits, {sequence(str(health['cursor']))} changes, parked at the end: {health['parked']}"
    )
    print("memory:   " + " ".join(f"{mean / 1024:.1f}" for mean in means) + " MB, minute by minute")
    flat = abs(change) <= TOLERANCE and health["parked"] == 0 and status == 0
    print(f"verdict:  {'flat' if flat else 'NOT flat'}: at most {100 * change:+.1f} % from the first minute")
    return flat
