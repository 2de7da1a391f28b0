"""A hundred boards on one site with 10,000 members who read them, beside one board with a hundred members.

Nearly each member also has a board of the invited, so nearly no two of them may read the same. Each post wakes a hundred
polls on either side; on the site of many boards, ticks tell all members of the other boards. Ten thousand connections find
less in the processor's caches than a hundred do, on one board or on many. So another site of one board has nearly as
many connections, of which a hundred poll at a time, in turns. Once a minute each member's
session is read again, as always, which costs some rounds more.
"""

import argparse
import asyncio
import collections
import contextlib
import pathlib
import secrets
import time

from bench.connection import BROWSER, PATIENCE, Connection, Crowd, Reply, get, post_form
from bench.outcome import Wrong, print_table, spread
from bench.polls import DESCRIPTORS_KEPT, LOT, allow_descriptors
from bench.process import Server, new_folder, server
from bench.sites import make_boards, make_members, open_site
from storage.records import MODERATORS_BOARDS, MOST_BOARDS

BOARDS = 100
SILENT = f"board-{BOARDS}"
"""A board that nobody reads."""
TRIES = 5
PARKED_SECONDS = 0.02
"""After which a hundred polls that were sent are parked. One that is not is answered with the post nevertheless."""
MONITOR = secrets.token_hex(16)


class Reader:
    """A member who has one board open, and hears of the others if there are any."""

    def __init__(self, slug: str, cookie: str, cursor: str, hears: bool) -> None:
        self.slug = slug
        self.cursor = cursor
        self._cookie = cookie
        self.heard = 0 if hears else None

    def request(self) -> bytes:
        others = "" if self.heard is None else f"&others={self.heard}"
        return get(f"{base(self.slug)}get?after={self.cursor}{others}", BROWSER + self._cookie)

    def take(self, reply: Reply) -> list[str]:
        """Returns the messages that came, and goes on from there."""
        said = reply.json()
        if reply.status != 200 or "reset" in said:
            raise Wrong(f"a poll was answered {reply.status} {reply.body[:200]!r}")
        self.cursor, self.heard = said["cursor"], said.get("others", self.heard)
        return [message["body"] for message in said["messages"]]


class Audience:
    """The readers of one server."""

    def __init__(self, longboard: Server) -> None:
        self.longboard = longboard
        self.crowd = Crowd(longboard.port)
        self.readers: dict[Connection, Reader] = {}
        self.told = self.told_bytes = 0
        """Replies with word of other boards, and their bytes, in this tick."""
        self.cursor = ""
        """The newest, where the readers poll in turns."""
        self.memory_kb = 0.0
        """Resident memory for each poll."""

    def gather(self, slugs: list[str], cookies: list[str], hears: bool) -> None:
        """Spreads the members over the boards, and has them poll."""
        before = self.longboard.settled_memory_kb()
        cursors = {slug: self.longboard.control.ask(get(f"{base(slug)}get")).json()["cursor"] for slug in slugs}
        for start in range(0, len(cookies), LOT):
            for number, connection in enumerate(self.crowd.grow(len(cookies[start : start + LOT])), start):
                slug = slugs[number % len(slugs)]
                reader = self.readers[connection] = Reader(slug, cookies[number], cursors[slug], hears)
                connection.send(reader.request())
            self.wait_until_parked()
        self.memory_kb = (self.longboard.memory_kb() - before) / len(cookies)

    def wait_until_parked(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.longboard.parked() != len(self.readers):
            if time.monotonic() > deadline:
                raise Wrong(f"only {self.longboard.parked()} polls of {len(self.readers)} are parked")
            for connection, reply in self.crowd.replies(0.02):
                self.hear(connection, reply)

    def hear(self, connection: Connection, reply: Reply) -> tuple[str, list[str]]:
        reader = self.readers[connection]
        heard, bodies = reader.heard, reader.take(reply)
        if reader.heard != heard:  # also together with a message, where the machine is slow
            self.told, self.told_bytes = self.told + 1, self.told_bytes + len(reply.body)
        connection.send(reader.request())
        return reader.slug, bodies

    def posts(self, slugs: list[str], text: str) -> float:
        """Posts on these boards, one after the other, until all readers have it and are parked. Returns seconds of CPU."""
        expected = {slug: sum(reader.slug == slug for reader in self.readers.values()) for slug in set(slugs)}
        cpu = self.longboard.cpu_seconds()
        for slug in slugs:
            self.longboard.control.send(post_form(f"{base(slug)}add", {"s": text}))
            left = expected[slug]
            while left:
                for connection, reply in self.crowd.next_replies():
                    where, bodies = self.hear(connection, reply)
                    if bodies and (where, bodies) != (slug, [text]):
                        raise Wrong(f"a reader of {where} got {bodies} when “{text}” was posted on {slug}")
                    left -= len(bodies)
            if self.longboard.control.reply().status != 201:
                raise Wrong("a post was refused")
        self.wait_until_parked()
        return self.longboard.cpu_seconds() - cpu

    def let_go(self, text: str) -> None:
        """Has all polls answered by a post. Nobody polls again."""
        self.longboard.control.send(post_form("/add", {"s": text}))
        self.answered(len(self.readers), text)

    def posts_in_turns(self, at_once: int, text: str) -> float:
        """Has so many of the readers poll, the next ones before each post. Returns seconds of CPU."""
        connections, cpu = list(self.readers), self.longboard.cpu_seconds()
        for start in range(0, len(connections), at_once):
            turn = connections[start : start + at_once]
            for connection in turn:
                self.readers[connection].cursor = self.cursor
                connection.send(self.readers[connection].request())
            time.sleep(PARKED_SECONDS)
            self.longboard.control.send(post_form("/add", {"s": text}))
            self.answered(len(turn), text)
        return self.longboard.cpu_seconds() - cpu

    def answered(self, count: int, text: str) -> None:
        for connection, reply in self.crowd.all_replies(count):
            reader = self.readers[connection]
            if reader.take(reply) != [text]:
                raise Wrong(f"a reader got {reply.body[:200]!r} when “{text}” was posted")
            self.cursor = reader.cursor
        if self.longboard.control.reply().status != 201:
            raise Wrong("a post was refused")

    def tick(self) -> float:
        """Waits until all are told of the other boards, and parked again. Returns seconds of CPU."""
        cpu = self.longboard.cpu_seconds()
        while self.told < len(self.readers):
            for connection, reply in self.crowd.next_replies():
                self.hear(connection, reply)
        self.wait_until_parked()
        return self.longboard.cpu_seconds() - cpu


def base(slug: str) -> str:
    return f"/b/{slug}/" if slug else "/"


Round = collections.namedtuple(
    "Round", "of_many on_one_of_many of_one in_turns unread_of_many unread_of_one told told_bytes"
)
"""Microseconds of CPU, and bytes."""


def run(options: argparse.Namespace) -> None:
    members = min(options.n, MOST_BOARDS)
    own = min(members, MOST_BOARDS - MODERATORS_BOARDS - BOARDS - 1)
    in_turns = members * 3 // 4  # a system often allows 20,000 descriptors
    allow_descriptors(members + BOARDS + in_turns + DESCRIPTORS_KEPT)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder(options.folder))
        many, one, turns, empty = (folder / name for name in ("many", "one", "turns", "empty"))
        for each in (many, one, turns, empty):
            each.mkdir()
        began = time.monotonic()
        cookies = [
            asyncio.run(fill(each, boards, readers, owners))
            for each, boards, readers, owners in (
                (many, BOARDS + 1, members, own), (one, 0, members // BOARDS, 0), (turns, 0, in_turns, 0)
            )
        ]  # fmt: skip
        print(f"Filled the sites in {time.monotonic() - began:.0f} s.", flush=True)
        sites = []
        for each in (many, one, turns, empty):
            started = server(each, max_parked=members, poll_seconds=600, metrics_token=MONITOR)
            sites.append(Audience(stack.enter_context(started)))
            stack.callback(sites[-1].crowd.close)
        of_many, of_one, of_turns, of_none = sites
        of_one.gather([""], cookies[1], hears=False)
        of_turns.gather([""], cookies[2], hears=False)
        of_turns.let_go("Begin")
        of_many.gather([f"board-{n}" for n in range(BOARDS)], cookies[0], hears=True)
        rounds = [measure(of_many, of_one, of_turns, of_none, f"Round {number}") for number in range(options.rounds)]
    report(members, own, rounds)
    print(f"Resident memory for each of the members' polls: {of_many.memory_kb:.1f} KB.")


async def fill(folder: pathlib.Path, boards: int, members: int, own: int) -> list[str]:
    storage = await open_site(folder)
    await make_boards(storage, boards)
    cookies = await make_members(storage, members, own)
    await storage.close()
    return cookies


def measure(many: Audience, one: Audience, turns: Audience, empty: Audience, text: str) -> Round:
    for _ in range(TRIES):
        unread, news, news_on_one = between_ticks(many, text)
        if not many.told:
            break
        many.tick()
    else:
        raise Wrong("a tick always came too early: with more polls (-n), the pause between ticks is longer")
    word = many.tick()
    of_one, unread_of_one = one.posts([""] * BOARDS, text), empty.posts([""] * BOARDS, text)
    of_turns = turns.posts_in_turns(len(one.readers), text)
    deliveries = len(many.readers), BOARDS * len(one.readers)
    return Round(
        1e6 * news / deliveries[0],
        1e6 * news_on_one / deliveries[0],
        1e6 * of_one / deliveries[1],
        1e6 * of_turns / len(turns.readers),
        1e6 * unread / BOARDS,
        1e6 * unread_of_one / BOARDS,
        1e6 * word / len(many.readers),
        many.told_bytes / len(many.readers),
    )


def between_ticks(many: Audience, text: str) -> tuple[float, float, float]:
    """Begins when a tick is through. Returns seconds of CPU for posts that nobody reads, for one on each board, and for as
    many on one of them.
    """
    many.told = 0
    many.posts([SILENT], text)
    many.tick()
    many.told = many.told_bytes = 0
    each = [[SILENT] * BOARDS, [f"board-{n}" for n in range(BOARDS)], ["board-0"] * BOARDS]
    unread, news, news_on_one = (many.posts(slugs, text) for slugs in each)
    return unread, news, news_on_one


def report(members: int, own: int, rounds: list[Round]) -> None:
    each = Round(*zip(*rounds, strict=True))
    news = [a / b for a, b in zip(each.of_many, each.of_one, strict=True)]
    on_one = [a / b for a, b in zip(each.on_one_of_many, each.of_one, strict=True)]
    in_turns = [a / b for a, b in zip(each.of_many, each.in_turns, strict=True)]
    unread = [a / b for a, b in zip(each.unread_of_many, each.unread_of_one, strict=True)]
    print_table(
        [f"server CPU, µs; {len(rounds)} rounds", f"{BOARDS} boards, {members:,} polls", f"one, {members // BOARDS}", "ratio"],
        [
            ["a delivery and the next poll, with its part of the post, between ticks", spread(each.of_many), spread(each.of_one), spread(news, 2)],
            ["the same, with all posts on one of the boards", spread(each.on_one_of_many), spread(each.of_one), spread(on_one, 2)],
            ["the first, beside one board with three quarters as many connections, a hundred at a time", spread(each.of_many), spread(each.in_turns), spread(in_turns, 2)],
            ["a post that nobody reads", spread(each.unread_of_many, 0), spread(each.unread_of_one, 0), spread(unread, 2)],
            ["a poll that is told of the other boards, and the next", spread(each.told), "", ""],
            ["bytes that it is told", spread(each.told_bytes, 0), "", ""],
        ],
    )  # fmt: skip
    print(f"{own:,} members own a board for the invited.")
