"""Somebody who uses boards: a guest, or a member with a token from signing in, which a wrong clock ends."""

import asyncio
import secrets
from typing import Any, NamedTuple

from torture.clients import FAULTS, GIVE_UP_SECONDS, World
from torture.history import History, Post
from torture.line import Line
from torture.rights import Place, Try

PASSWORD = "a few random words"


class Answer(NamedTuple):
    """`asked` and `got` are moments of the last try; `met_fault` says whether one before it met a fault."""

    status: int
    value: Any
    asked: int
    got: int
    met_fault: bool = False

    @property
    def code(self) -> str:
        """Of an error."""
        return str(self.value["error"]["code"])


class Person:
    """A guest has no name. All requests go to nodes that know boards."""

    def __init__(self, world: World, name: str | None) -> None:
        self.world, self.name = world, name
        self._token = ""
        self._signing_in = asyncio.Lock()

    async def sign_up(self) -> None:
        await self.world.until_answered("POST", "/api/v1/signup", {"username": self.name, "password": PASSWORD})
        await self._sign_in("")

    async def _sign_in(self, ended: str) -> None:
        """Only the first who finds that the token has ended asks for another."""
        async with self._signing_in:
            if self._token == ended:
                fields = {"username": self.name, "password": PASSWORD}
                _, value = await self.world.until_answered("POST", "/api/v1/signin", fields)
                self._token = value.get("token", ended)

    async def ask(
        self, method: str, path: str, fields: dict[str, Any] | None = None, line: Line | None = None
    ) -> Answer:
        """Asks once; again if the token has ended. A line is for GET."""
        while True:
            token, asked = self._token, self.world.moment()
            if line is None:
                status, value = await self.world.ask(method, path, fields, token, self.world.nodes)
            else:
                status, value = await line.get(path, token)
                self.world.count(status)
            if not token or status != 401 or value["error"]["code"] != "invalid_token":
                return Answer(status, value, asked, self.world.moment())
            await self._sign_in(token)

    async def insist(self, method: str, path: str, fields: dict[str, Any] | None = None) -> Answer:
        """Repeats the same request until there is an answer that is not a fault."""
        met_fault = False
        for _ in range(GIVE_UP_SECONDS * 10):
            answer = await self.ask(method, path, fields)
            if answer.status not in FAULTS:
                return answer._replace(met_fault=met_fault)
            met_fault = True
            await asyncio.sleep(self.world.rng.uniform(0, 0.2))
        self.world.strange.append(f"{method} {path} by {self.name} was never answered")
        return Answer(599, {}, 0, 0, True)

    async def post(self, history: History, path: str, client: str, body: str) -> Answer:
        """Posts, sometimes again after a success, and records it. A refusal after a fault leaves open what is there."""
        wish = Post(client, secrets.token_urlsafe(16), body)
        history.posts.append(wish)
        fields = {"body": body, "key": wish.key}
        answer = await self.insist("POST", path, fields)
        if answer.status in (200, 201):
            wish.ids.append(answer.value["id"])
            if self.world.rng.random() < 0.1:
                again = await self.insist("POST", path, fields)
                wish.ids += [again.value["id"]] if again.status in (200, 201) else []
        else:
            wish.refused = not answer.met_fault and 400 <= answer.status < 500
        return answer

    async def post_on(self, place: Place, client: str, body: str) -> Answer:
        """Posts on a board beside the first, and records whether that was refused."""
        slug = place.slug
        answer = await self.post(place.history, f"/api/v1/boards/{slug}/messages", client, body)
        one = Try(self.name, slug, answer.asked, answer.got, writes=True)
        if answer.status in (200, 201):
            one.id = answer.value["id"]
            place.tries.append(one)
        elif answer.status not in (401, 403, 404):
            self.world.strange.append(f"{client}: a post on {place.name} was answered {answer}")
        elif not answer.met_fault:
            one.said = answer.code
            place.tries.append(one)
        return answer
