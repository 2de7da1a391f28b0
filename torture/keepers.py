"""Those who make boards beside the first, change who may read and write there, and delete them."""

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from torture.people import Person
from torture.pins import pin_one
from torture.rights import NEVER, NOTHING, Place, Rights

FLIPS = {
    "close": 4,
    "open": 3,
    "members": 2,
    "writers": 2,
    "archive": 2,
    "rename": 1,
    "invite": 5,
    "pin": 3,
    "delete": 1,
}
"""How often each comes, beside the others. The first time, they come in this order."""
RENAMES = 10
"""A board may have had 20 slugs of somebody's choice."""
LEAST_FLIPS = 10
"""A board is not deleted before."""


class Keeper:
    """Has one board at a time. `made` is called with each."""

    def __init__(self, person: Person, members: Sequence[Person], pause: float, made: Callable[[Place], None]) -> None:
        assert person.name is not None
        self.person, self.name, self._members, self._pause, self._made = person, person.name, members, pause, made
        self.world = person.world
        self.place: Place | None = None

    async def keep(self) -> None:
        self.place = await self._make()
        for kind in FLIPS:  # each at least once, then by chance
            if kind != "delete":
                await self._flip(self.place, kind)
        while not self.world.is_ending:
            if not self.place.is_there:
                self.place = await self._make()
            await self._flip(self.place, self.world.rng.choices(list(FLIPS), list(FLIPS.values()))[0])

    async def finish(self) -> None:
        """Opens the board, so that everybody reads all of it. Called when nobody else writes there."""
        if self.place is not None and self.place.is_there:
            await self._patch(self.place, {"archived": False}, is_archived=False)
            await self._patch(self.place, {"read_by": "everyone"}, read_by="everyone")
            self.place.end = self.place.rights[-1].number

    async def _make(self) -> Place:
        number = len(self.world.places)
        place = Place(f"place{number:04}", self.name, f"place-{number}")
        rights = Rights(self.world.moment(), slugs=frozenset({place.slug}))
        place.rights = [NOTHING, rights]
        self.world.places.append(place)
        answer = await self.person.insist("POST", "/api/v1/boards", {"slug": place.slug, "name": place.name})
        if answer.status != 201 and not (answer.status == 409 and answer.met_fault):
            self.world.strange.append(f"{place.name} could not be made: {answer}")
        await self._settle(place, rights)
        self._made(place)
        return place

    async def _flip(self, place: Place, kind: str) -> None:
        rng, now = self.world.rng, place.rights[-1]
        await asyncio.sleep(rng.uniform(0, 10 * self._pause))
        match kind:
            case "close" if now.read_by != "invited":
                await self._patch(place, {"read_by": "invited"}, read_by="invited")
            case "open" if now.read_by != "everyone":
                await self._patch(place, {"read_by": "everyone"}, read_by="everyone")
            case "members" if now.read_by != "members":
                await self._patch(place, {"read_by": "members"}, read_by="members")
            case "writers":
                who = rng.choice(("guests", "members", "moderators"))
                await self._patch(place, {"write_by": who}, write_by=who)
            case "archive":
                await self._patch(place, {"archived": not now.is_archived}, is_archived=not now.is_archived)
            case "rename" if now.read_by != "invited" and len(place.chosen_slugs) < RENAMES:
                await self._patch(place, {"slug": f"{place.name}-{len(place.rights)}"})
            case "invite":
                await self._invite(place, rng.choice(self._members))
            case "pin" if not now.is_archived:
                await pin_one(self.person, place.history)
            case "delete" if len(place.rights) > LEAST_FLIPS:
                await self._delete(place)

    async def _patch(self, place: Place, fields: dict[str, Any], **becomes: Any) -> None:
        before, rights = place.rights[-1], self._next(place, **becomes)
        answer = await self.person.insist("PATCH", f"/api/v1/boards/{place.slug}", fields)
        value = answer.value
        if answer.status == 404 and answer.met_fault:  # its slug has ended with a try whose answer was lost
            value = await self._find(place)
        elif answer.status != 200:
            self.world.strange.append(f"{place.name} was not changed: {fields} {answer}")
            return
        place.slug = value["slug"]
        closes = rights.read_by == "invited" and before.read_by != "invited"
        rights.slugs = frozenset({place.slug}) | (frozenset() if closes else before.slugs)
        await self._settle(place, rights)

    async def _find(self, place: Place) -> Any:
        answer = await self.person.insist("GET", "/api/v1/boards")
        found = [one for one in answer.value["boards"] if one["name"] == place.name]
        if not found:
            self.world.strange.append(f"{place.name} is not in its owner's list")
        return found[0] if found else {"slug": place.slug}

    async def _invite(self, place: Place, member: Person) -> None:
        """Gives an invitation, or takes it back."""
        assert member.name is not None
        before = place.rights[-1].invited
        rights = self._next(place, invited=before ^ {member.name})
        method = "DELETE" if member.name in before else "PUT"
        answer = await self.person.insist(method, f"/api/v1/boards/{place.slug}/members/{member.name}")
        if answer.status not in (200, 204):
            self.world.strange.append(f"{place.name}: {method} of {member.name}: {answer}")
        await self._settle(place, rights)

    async def _delete(self, place: Place) -> None:
        rights = self._next(place, is_there=False, slugs=frozenset())
        answer = await self.person.insist("DELETE", f"/api/v1/boards/{place.slug}?name={place.name}")
        if answer.status != 204 and not (answer.status == 404 and answer.met_fault):
            self.world.strange.append(f"{place.name} was not deleted: {answer}")
        place.history.is_gone = True
        await self._settle(place, rights)

    def _next(self, place: Place, **becomes: Any) -> Rights:
        """Notes that other rights are asked for."""
        rights = dataclasses.replace(place.rights[-1], **becomes)
        rights.began, rights.acknowledged, rights.number = self.world.moment(), NEVER, NEVER
        place.rights.append(rights)
        return rights

    async def _settle(self, place: Place, rights: Rights) -> None:
        """Notes that rights were acknowledged, and posts: those who have just lost the right must not see it."""
        rights.acknowledged = self.world.moment()
        body = f"{place.name} is {rights.read_by} {len(place.rights)}"
        if rights.is_there and not rights.is_archived:
            answer = await self.person.post_on(place, self.name, body)
        else:
            answer = await self.person.post(self.world.history, "/api/v1/messages", self.name, body)
        if answer.status in (200, 201):
            rights.number = answer.value["id"]
