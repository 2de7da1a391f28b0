"""The clients of boards beside the first: writers, readers, and the curious. keepers.py has those who change rights."""

import asyncio
import secrets
from collections.abc import Iterable

from torture.clients import FAULTS, World
from torture.history import Change, Post, Reply, sequence
from torture.keepers import Keeper
from torture.line import Line
from torture.people import Answer, Person
from torture.rights import OLDER, Place, Sight, Try, Word, newest_in

MEMBERS = 3
API, PAGE, HEARING = "through the API", "by the page's poll", "by the page's poll with others"


class Boards:
    """All that happens on `count` boards at a time. `pause` is the average number of seconds between two posts of one."""

    def __init__(self, world: World, count: int, pause: float) -> None:
        self.world, self._pause = world, pause
        self._members = [Person(world, f"friend{n}") for n in range(MEMBERS)]
        self._guest = Person(world, None)
        people = [Person(world, f"keeper{n}") for n in range(count)]
        self._keepers = [Keeper(person, self._members, pause, self._begin_reading) for person in people]
        self._readers: list[asyncio.Task[None]] = []
        self._others: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        if not self._keepers:
            return
        for person in (*self._members, *(keeper.person for keeper in self._keepers)):
            await person.sign_up()
        jobs = [keeper.keep() for keeper in self._keepers]
        jobs += [self._write(person, str(person.name)) for person in self._members]
        jobs += [self._write(self._guest, f"stranger{n}") for n in range(2)]
        jobs += [self._be_curious(person) for person in (self._guest, self._members[0])]
        jobs += [self._use_older() for _ in self.world.older]
        self._others = [asyncio.create_task(job) for job in jobs]

    async def end(self) -> None:
        """Waits until nobody changes anything any more, and until every reader has all that is there."""
        await asyncio.gather(*self._others)
        for keeper in self._keepers:
            await keeper.finish()
        await asyncio.wait_for(asyncio.gather(*self._readers), 120)

    def _begin_reading(self, place: Place) -> None:
        owner = next(keeper.person for keeper in self._keepers if keeper.name == place.owner)
        ann, bob, cid = self._members
        readers = [(owner, API, 0.0), (self._guest, PAGE, 0.0), (ann, HEARING, 0.0), (bob, API, 1.0), (cid, PAGE, 0.2)]
        self._readers += [asyncio.create_task(self._read(place, *one)) for one in readers]

    # --- writers

    def _any_place(self) -> Place | None:
        there = [place for place in self.world.places if place.is_there]
        return self.world.rng.choice(there) if there else None

    async def _write(self, person: Person, client: str) -> None:
        """Posts on one board and another; a member also edits and deletes what they have posted."""
        rng, number = self.world.rng, 0
        while not self.world.is_ending:
            await asyncio.sleep(rng.uniform(0, 2 * self._pause))
            place = self._any_place()
            if place is None:
                continue
            number += 1
            body = f"{client} {number} on {place.name}"
            answer = await person.post_on(place, client, body)
            if person.name is None or answer.status not in (200, 201):
                continue
            for version in range(rng.choice((0, 0, 1, 2))):
                await self._change(person, place, answer.value["id"], f"{body} v{version + 1}")
            if rng.random() < 0.2:
                await self._change(person, place, answer.value["id"], None)

    async def _change(self, person: Person, place: Place, id: int, body: str | None) -> None:
        """An answer that is no success leaves open whether an earlier try, or nothing, has changed the message."""
        wish = Change(id, body)
        place.history.changes.append(wish)
        fields = None if body is None else {"body": body}
        answer = await person.insist("DELETE" if body is None else "PATCH", f"/api/v1/messages/{id}", fields)
        wish.acknowledged = answer.status in (200, 204)
        if answer.status not in (200, 204, 403, 404):
            self.world.strange.append(f"{person.name}: message {id} was not changed: {answer}")

    # --- readers

    async def _read(self, place: Place, person: Person, how: str, pause: float) -> None:
        """Follows a board while it may, by whatever slug it has. Ends when it has all, or when the board was deleted."""
        name = f"{person.name or 'a guest'} {how}"
        replies = place.history.readers.setdefault(name, [])
        if how != API:
            place.history.may_reset.add(name)
        cursor, heard, line = "", 0, None if how == API else Line(self.world.nodes, self.world.rng)
        while place.end is None or not cursor or sequence(cursor) < place.end:
            slug = place.slug
            answer = await person.ask("GET", self._address(slug, how, cursor, heard), line=line)
            if answer.status == 200:
                reply = self._take(place, person, how, cursor, answer)
                if reply.messages or reply.cursor != cursor or reply.reset:
                    replies.append(reply)
                cursor, heard = reply.cursor, answer.value.get("others", heard)
                if answer.value.get("list"):
                    await self._read_list(person)
                await asyncio.sleep(answer.value.get("retry_ms", 0) / 1000 + self.world.rng.uniform(0, 2 * pause))
            elif answer.status == 404:
                place.tries.append(Try(person.name, slug, answer.asked, answer.got, said=answer.code))
                if place.history.is_gone:
                    break
                await asyncio.sleep(self.world.rng.uniform(0, 4 * self._pause))
            elif answer.status in FAULTS:
                await asyncio.sleep(self.world.rng.uniform(0, 0.5))
            else:
                self.world.strange.append(f"{name}: a poll of {place.name} was answered {answer}")
                break
        if line is not None:
            line.close()

    def _address(self, slug: str, how: str, cursor: str, heard: int) -> str:
        path = f"/api/v1/boards/{slug}/messages" if how == API else f"/b/{slug}/get"
        if not cursor:
            return path
        others = f"&others={heard}" if how == HEARING else ""
        return f"{path}?after={cursor}{others}&wait={0 if self.world.is_ending else 5}"

    def _take(self, place: Place, person: Person, how: str, cursor: str, answer: Answer) -> Reply:
        """Records who was given what, and told of which other boards."""
        value = answer.value
        reply = Reply.of(cursor, value, reset=value.get("reset", not cursor))
        if reply.messages:
            is_page = not cursor or value.get("reset", False)
            number = newest_in("" if is_page else cursor, [id for id, _, _ in reply.messages])
            place.sights.append(Sight(person.name, number, answer.got, how))
        self._take_words(person, ((slug, newest) for slug, (newest, _) in value.get("boards", {}).items()), answer.got)
        return reply

    def _take_words(self, person: Person, named: Iterable[tuple[str, int]], got: int) -> None:
        self.world.words += [Word(person.name, slug, newest, got) for slug, newest in named if slug != "first"]

    async def _read_list(self, person: Person) -> None:
        answer = await person.insist("GET", "/api/v1/boards")
        listed = ((one["slug"], one["newest"] or 0) for one in answer.value["boards"])
        self._take_words(person, listed, answer.got)

    # --- the curious

    async def _be_curious(self, person: Person) -> None:
        """Asks for messages by their ids, and searches, here and there."""
        while not self.world.is_ending:
            await asyncio.sleep(self.world.rng.uniform(0, 2 * self._pause))
            place = self._any_place()
            if place is None:
                continue
            ids = [post.ids[0] for post in place.history.posts if post.ids]
            if ids:
                id = self.world.rng.choice(ids[-20:])
                answer = await person.ask("GET", f"/api/v1/messages/{id}")
                if answer.status == 200:
                    place.sights.append(Sight(person.name, id, answer.got, "by its id"))
            self.world.history.found |= found_in(await person.ask("GET", f"/api/v1/search?q={place.name}"))
            for path in (f"boards/{place.slug}/search?q={place.name}", f"search?q={place.name}&board=*"):
                answer = await person.ask("GET", f"/api/v1/{path}")
                if found := found_in(answer):
                    place.history.found |= found
                    place.sights.append(Sight(person.name, max(found), answer.got, "by a search"))

    async def _use_older(self) -> None:
        """A node of the last release knows nothing of boards: it must not show what is there, nor post there."""
        world, number = self.world, 0
        while not world.is_ending:
            await asyncio.sleep(world.rng.uniform(0, 2 * self._pause))
            place = self._any_place()
            ids = [id for post in place.history.posts for id in post.ids] if place else []
            if place is None or not ids:
                continue
            address = f"/api/v1/boards/{place.slug}/messages"
            for path in (f"/api/v1/messages/{world.rng.choice(ids)}", address, f"/b/{place.slug}/get"):
                status, value = await world.ask("GET", path, nodes=world.older)
                if status == 200:
                    place.sights.append(Sight(None, value.get("id", 0), world.moment(), OLDER))
            status, value = await world.ask("GET", f"/api/v1/search?q={place.name}", nodes=world.older)
            world.history.found |= found_in(Answer(status, value, 0, 0))
            number += 1
            wish = Post("older", secrets.token_urlsafe(16), f"by an older node {number}", refused=True)
            place.history.posts.append(wish)
            await world.ask("POST", address, {"body": wish.body, "key": wish.key}, nodes=world.older)


def found_in(answer: Answer) -> set[int]:
    """Returns the messages that a search on one board found; of one in all boards, those on others than the first."""
    found = answer.value["messages"] if answer.status == 200 else ()
    return {one["id"] for one in found if one.get("board") != "first"}
