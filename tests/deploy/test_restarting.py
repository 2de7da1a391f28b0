"""Restarts that nobody notices: with a socket that outlives the server, and on a dyno, where there is none."""

import asyncio
import contextlib
import json
import sqlite3
import time
import urllib.request

import pytest

from tests.support.patience import PATIENCE
from tests.support.restarting import Activated, Poster, Reader

DELIVERIES = 1000
"""A second, all readers together: what clients in one process of Python can take while others use the machine."""


def health(server):
    with urllib.request.urlopen(f"{server.url}/healthz", timeout=PATIENCE) as reply:
        return json.load(reply)


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def running(clients):
    tasks = [asyncio.create_task(client.run()) for client in clients]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in clients:
            client.close()


def bodies(database):
    db = sqlite3.connect(database)
    kept = [body for (body,) in db.execute("SELECT body FROM messages ORDER BY id")]
    db.close()
    return kept


async def all_have(readers, posters, database):
    """Ends the posting, waits until every reader has all, and looks whether it is exactly what is kept, in order."""
    for poster in posters:
        poster.is_over = True
    acknowledged = {body for poster in posters for body in poster.acknowledged}
    await until(lambda: all(acknowledged <= set(reader.got) for reader in readers))
    kept = bodies(database)
    assert acknowledged <= set(kept) and len(kept) == len(set(kept))
    for reader in readers:
        assert reader.got == kept[: len(reader.got)], "missed, doubled or out of order"


@pytest.mark.timeout(0)  # as long as the options ask for
async def test_restarts_behind_a_lasting_socket_are_not_noticed(tmp_path, pytestconfig, capsys):
    """Under parked polls and steady posting: no client sees an error, misses a message or has one twice."""
    restarts, parked = pytestconfig.getoption("restarts"), pytestconfig.getoption("parked")
    asyncio.get_running_loop().set_debug(False)  # a thousand clients in one process have no time for it
    server = Activated(tmp_path)
    server.start()
    try:
        cursor = health(server)["cursor"]
        readers = [Reader(server.port, cursor) for _ in range(parked)]
        posters = [Poster(server.port, name, every=4 * parked / DELIVERIES) for name in "abcd"]
        began = time.monotonic()
        async with running([*readers, *posters]):
            for _ in range(restarts):
                await until(lambda: health(server)["parked"] >= 0.9 * parked)
                posted = sum(len(poster.acknowledged) for poster in posters)
                await until(lambda before=posted: sum(len(p.acknowledged) for p in posters) > before)
                await asyncio.to_thread(server.restart)
            await all_have(readers, posters, server.database)
    finally:
        server.close()
    clients = [*readers, *posters]
    assert [error for client in clients for error in client.errors] == []
    assert "Traceback" not in server.log.read_text()
    again, slowest = sum(client.again for client in clients), max(poster.slowest for poster in posters)
    assert again < 0.1 * restarts * parked, "connections were cut instead of ended with a reply"
    with capsys.disabled():
        print(
            f"\n{restarts} restarts in {time.monotonic() - began:.0f} s under {parked} polls: "
            f"{sum(len(p.acknowledged) for p in posters)} posts, {sum(r.replies for r in readers)} answered polls, "
            f"{sum(len(r.got) for r in readers)} deliveries; 0 errors, 0 missed, 0 doubled; "
            f"{again} requests sent again on a new connection; slowest post {slowest:.1f} s"
        )


async def test_without_such_a_socket_clients_come_back_by_themselves(start):
    """As on a dyno: for a while nobody answers; then every page goes on from its cursor, and no post is lost."""
    server = start()
    readers = [Reader(server.port, server.cursor) for _ in range(20)]
    posters = [Poster(server.port, name, every=0.02) for name in "ab"]
    async with running([*readers, *posters]):
        for stop in (server.stop, server.kill):
            await until(lambda: server.health()["parked"] > 10)
            await asyncio.to_thread(stop)
            seen = sum(len(client.errors) for client in posters)
            await until(lambda before=seen: sum(len(client.errors) for client in posters) > before)
            await asyncio.to_thread(server.start)
        await until(lambda: server.health()["parked"] > 10)
        await all_have(readers, posters, server.database)
