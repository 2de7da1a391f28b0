"""The clients of a run. Each does what docs/protocol.md asks of a good client, or vanishes, and records what it saw."""

import asyncio
import json
import random
import secrets
from collections.abc import Sequence
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from torture.history import Change, History, Post, Reply, sequence
from torture.nodes import Node
from torture.rights import Place, Word

GIVE_UP_SECONDS = 60
"""When the faults have ended, every request is answered long before this time is over."""
FAULTS = {502, 503, 504, 429, 599}


class World:
    """What all clients share: the nodes, the history, and whether it is time to end."""

    def __init__(self, nodes: list[Node], rng: random.Random, older: Sequence[Node] = ()) -> None:
        self.nodes, self.rng = nodes, rng
        self.older = list(older)
        """Nodes of the last release, which know the first board only."""
        self.all_nodes = self.nodes + self.older
        self.history = History()
        """Of the first board."""
        self.places: list[Place] = []
        """The boards beside it."""
        self.words: list[Word] = []
        self.is_ending = False
        self.end: int | None = None
        """The last change, known when the posters have ended. Readers end when they have it."""
        self.cursor = "x-0"
        self.strange: list[str] = []
        """Answers that no client should ever get."""
        self.asked = self.faults = self.parked = 0
        self._moment = 0
        self._http: AsyncHTTPClient = AsyncHTTPClient(force_instance=True, max_clients=1000)

    def moment(self) -> int:
        """Each is later than those before."""
        self._moment += 1
        return self._moment

    async def ask(
        self,
        method: str,
        path: str,
        fields: dict[str, Any] | None = None,
        token: str = "",
        nodes: Sequence[Node] = (),
    ) -> Any:
        """Asks one of these nodes, or of all. Returns (status, JSON); the status is 599 if no answer came."""
        headers = {"Content-Type": "application/json"} if fields is not None else {}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        body = None if fields is None else json.dumps(fields).encode()
        request = HTTPRequest(
            self.rng.choice(nodes or self.all_nodes).url + path, method, headers, body, request_timeout=15,
            allow_nonstandard_methods=True, decompress_response=False,
        )  # fmt: skip
        try:
            response = await self._http.fetch(request, raise_error=False)
        except (OSError, HTTPClientError):
            self.count(599)
            return 599, {}
        self.count(response.code)
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return response.code, json.loads(response.body) if response.code < 599 and is_json else {}

    def count(self, status: int) -> None:
        self.asked += 1
        self.faults += status in FAULTS

    async def until_answered(
        self,
        method: str,
        path: str,
        fields: dict[str, Any] | None = None,
        token: str = "",
        nodes: Sequence[Node] = (),
    ) -> Any:
        """Repeats the same request until there is an answer that is not a fault."""
        for _ in range(GIVE_UP_SECONDS * 10):
            status, value = await self.ask(method, path, fields, token, nodes)
            if status not in FAULTS:
                return status, value
            await asyncio.sleep(self.rng.uniform(0, 0.2))
        return 599, {}

    def close(self) -> None:
        self._http.close()


async def guest(world: World, name: str, pause: float) -> None:
    """Posts one message after the other; sometimes one that must be refused, sometimes one again after a success."""
    number = 0
    while not world.is_ending:
        number += 1
        body = f"{name} {number}"
        if world.rng.random() < 0.05:
            await refused(world, name, f"{body} " + "x" * 5000)
        await post(world, name, body, "")
        await asyncio.sleep(world.rng.uniform(0, 2 * pause))


async def refused(world: World, name: str, body: str) -> None:
    wish = Post(name, secrets.token_urlsafe(16), body)
    status, _ = await world.ask("POST", "/api/v1/messages", {"body": body, "key": wish.key})
    wish.refused = 400 <= status < 500
    world.history.posts.append(wish)


async def post(world: World, name: str, body: str, token: str) -> int | None:
    wish = Post(name, secrets.token_urlsafe(16), body)
    world.history.posts.append(wish)
    fields = {"body": body, "key": wish.key} | replying(world)
    status, value = await world.until_answered("POST", "/api/v1/messages", fields, token)
    if status not in (200, 201):
        wish.refused = 400 <= status < 500
        return None
    wish.ids.append(value["id"])
    if "deleted" not in value and value.get("reply_to") != fields.get("reply_to"):
        world.strange.append(f"{name} replied to {fields.get('reply_to')}, and not as it was answered: {value}")
    if world.rng.random() < 0.1:
        status, value = await world.until_answered("POST", "/api/v1/messages", fields, token)
        wish.ids += [value["id"]] if status in (200, 201) else []
    return wish.ids[0]


def replying(world: World) -> dict[str, int]:
    """Sometimes one of the newest messages, which may be deleted by then: such a reply must be refused, and leave nothing.
    A node of the last release would not know the field.
    """
    ids = [post.ids[0] for post in world.history.posts[-20:] if post.ids]
    if world.older or not ids or world.rng.random() < 0.7:
        return {}
    return {"reply_to": world.rng.choice(ids)}


async def member(world: World, name: str, pause: float) -> None:
    """Posts with a token, and edits and deletes what it has posted."""
    fields = {"username": name, "password": "a few random words"}
    await world.until_answered("POST", "/api/v1/signup", fields)
    status = 401
    while status == 401 and not world.is_ending:  # the clock may have jumped past the first token's hours
        _, signed_in = await world.until_answered("POST", "/api/v1/signin", fields)
        wish = {"name": name, "password": fields["password"]}
        status, bot = await world.until_answered("POST", "/api/v1/tokens", wish, signed_in.get("token", ""))
    if status == 401:
        return
    if status != 201:
        world.strange.append(f"{name} has no token: {status} {bot}")
        return
    number = 0
    while not world.is_ending:
        number += 1
        id = await post(world, name, f"{name} {number}", bot["token"])
        for version in range(world.rng.choice((0, 0, 1, 3)) if id else 0):
            await change(world, id, f"{name} {number} v{version + 1}", bot["token"])
        if id and world.rng.random() < 0.3:
            await react(world, id, bot["token"])
        if id and world.rng.random() < 0.2:
            await change(world, id, None, bot["token"])
        await asyncio.sleep(world.rng.uniform(0, 2 * pause))


async def change(world: World, id: int | None, body: str | None, token: str) -> None:
    assert id is not None
    wish = Change(id, body)
    world.history.changes.append(wish)
    path = f"/api/v1/messages/{id}"
    if body is None:
        status, _ = await world.until_answered("DELETE", path, None, token)
        wish.acknowledged = status in (204, 404)  # 404: an earlier try, whose answer was lost
    else:
        status, _ = await world.until_answered("PATCH", path, {"body": body}, token)
        wish.acknowledged = status == 200


async def react(world: World, id: int, token: str) -> None:
    """Nodes of an older release have no such address."""
    world.history.reacted.add(id)
    for method in ("PUT", "DELETE")[: world.rng.choice((1, 2))]:
        await world.until_answered(method, f"/api/v1/messages/{id}/reactions/heart", None, token)


async def reader(world: World, name: str, path: str, pause: float) -> None:
    """Follows the board from its beginning. `pause` is the average pause after each reply. Ends when it has all."""
    replies = world.history.readers.setdefault(name, [])
    if path == "/get":
        world.history.may_reset.add(name)
    if world.older:  # whose cursors count the changes of all boards: a new node has not reached some of them
        world.history.may_reset.add(name)
    _, health = await world.until_answered("GET", "/healthz")
    cursor = f"{health['cursor'].rpartition('-')[0]}-0"
    while True:
        status, reply = await world.ask("GET", f"{path}?after={cursor}&wait={5 if world.end is None else 0}")
        if status == 200:
            got = Reply.of(cursor, reply, reset=reply.get("reset", False))
            if got.messages or got.cursor != cursor or got.reset:
                replies.append(got)
            world.cursor = cursor = got.cursor
            if world.end is not None and sequence(cursor) >= world.end:
                return
            await asyncio.sleep(reply.get("retry_ms", 0) / 1000 + world.rng.uniform(0, 2 * pause))
        elif status in FAULTS:
            await asyncio.sleep(world.rng.uniform(0, 0.2))
        else:
            world.strange.append(f"{name}: a poll was answered {status}: {reply}")
            return


async def vanishing(world: World) -> None:
    """Begins polls, reads little or nothing of the answer, and leaves, sometimes in the middle of its own request."""
    while not world.is_ending:
        node = world.rng.choice(world.all_nodes)
        path = world.rng.choice((f"/get?after={world.cursor}", "/get", f"/api/v1/messages?after={world.cursor}"))
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", node.port, limit=64)
            writer.write(request[: world.rng.choice((len(request), world.rng.randrange(1, len(request))))])
            await asyncio.sleep(world.rng.uniform(0, 0.5))
            if world.rng.random() < 0.3:
                await asyncio.wait_for(reader.read(10), 1)
                await asyncio.sleep(world.rng.uniform(0, 2))
            writer.close()
        except (OSError, TimeoutError):
            await asyncio.sleep(0.1)
