"""Two sites to which the same happens, but for boards that somebody may not read, of which one site has none: what they
are told is the same, and when; but for the numbers between those that they see. What has to be made again for them is the
same, too, as that takes time.
"""

import asyncio
import dataclasses
import itertools
import json
import pathlib
import re
import tempfile
from unittest import mock

from hypothesis import example, given, settings
from hypothesis import strategies as st

from board.caller import Caller
from board.credentials import hash_secret
from board.cursor import NO_CURSOR, Cursor, parse_cursor
from board.errors import DeniedError
from board.others import Hears
from board.scopes import GUESTS, MEMBERS
from board.site import Site
from board.site.parts import Rules
from board.ticks import Ticks
from board.waiter import Ended, FutureWaiter
from storage import open_storage
from storage.boards import BoardChange
from storage.records import FIRST_BOARD, OPERATOR, Author, Password
from storage.rows import epoch_of

NUMBERS = st.integers(0, 3)
SEEN = ("write", "edit", "delete", "make", "rename", "end", "remove_all")
UNSEEN = ("write", "edit", "delete", "make", "rename", "end", "invite", "uninvite")
STEPS = st.one_of(
    st.tuples(st.just("seen"), st.sampled_from(SEEN), NUMBERS),
    st.tuples(st.just("unseen"), st.sampled_from(UNSEEN), NUMBERS),
    st.tuples(st.just("unseen"), st.sampled_from(UNSEEN), NUMBERS),
    st.tuples(
        st.just("memory"), st.sampled_from(("deliver", "deliver", "tick", "tick", "rename_reader", "restart")), NUMBERS
    ),
    st.tuples(st.just("poll"), st.sampled_from(("at once", "parked", "parked", "from 0", "from beyond")), NUMBERS),
)


@dataclasses.dataclass
class Reader:
    """Of the first board, or of the first public one beside it; hears of the others."""

    slug: str | None
    cursor: Cursor = NO_CURSOR
    heard: int = 0
    parked: FutureWaiter | None = None


class World:
    def __init__(self, folder, *, has_unseen, is_member):
        self.url, self.has_unseen, self.is_member = f"sqlite:///{folder}/board.db", has_unseen, is_member
        self.boards: dict[str, list[int]] = {"seen": [], "unseen": []}
        self.slugs = {}
        self.names = {}
        """What is told by its number: of each number that something had which the readers may know of."""
        self.told = []
        """What every reader was told, in order."""
        self.made = {"seen": 0, "unseen": 0}
        self.words, self.in_order = [], None

    async def open(self):
        self.storage = await open_storage(self.url)
        self.storage.on_commit = None
        with mock.patch.object(
            Ticks, "request_tick"
        ):  # else one could come by the clock: it is asked for by a first read
            self.site = await Site.open(self.storage, max_parked=10, limits=False, rules=Rules())
        self.site.waiters.request_tick = lambda: None
        make = self.site.waiters.others._make_word
        self.site.waiters.others._make_word = lambda *parts: self.words.append(make(*parts)) or self.words[-1]
        self.readers = [Reader(None), Reader("seen-0"), Reader(None)]

    async def build(self):
        await self.open()
        self.reader, self.poster, self.guest = [
            (await self.storage.create_account(name, name, Password(None))).id
            for name in ("reader", "poster", "visitor")
        ]
        await self.storage.create_credential(self.reader, "session", hash_secret("secret"), "")

    async def close(self):
        for reader in self.readers:
            self.leave(reader)
        await self.site.close()
        await self.storage.close()

    async def seq(self):
        return (await self.storage.listing(0)).head.seq

    async def take(self, step, number):
        kind, what, which = step
        if kind == "poll":
            await self.poll(self.readers[which % len(self.readers)], what)
        elif kind == "memory":
            await getattr(self, what)()
        elif kind == "seen":
            before = await self.seq()
            await getattr(self, what)("seen", which)
            for change in range(before + 1, await self.seq() + 1):
                self.names[change] = f"change {number}.{change - before}"
        elif self.has_unseen:
            await getattr(self, what)("unseen", which)
        self.take_answers()
        self.note_what_was_made()

    def note_what_was_made(self):
        """Words that are not kept, if there are boards to tell of; the list in its order; and what is made of the first
        board's messages. A tick may make the same word twice, for those who have heard of earlier ticks and for others.
        """
        waiters, before = self.site.waiters, self.in_order
        scope = MEMBERS if self.is_member else GUESTS
        waiters.others.word(0, waiters.first, scope, None)
        listed = waiters.directory.listed(scope, 100)
        self.in_order = waiters.directory._open[self.is_member]
        words = len({word for word in self.words if word}) if listed and self.boards["seen"] else 0
        is_kept = "test" in waiters.recent.derived
        waiters.recent.derived["test"] = b""
        self.words.clear()
        alike = sorted(waiters.directory.alike([board.row for board in listed], scope, "Board"))
        self.told.append(([board.slug for board in listed], alike, self.in_order is before, words, is_kept))

    # --- what happens

    def board(self, kind, which):
        boards = self.boards[kind]
        return boards[which % len(boards)] if boards else None

    def place(self, kind, which):
        places = [*self.boards[kind], *([FIRST_BOARD] if kind == "seen" else ())]
        return places[which % len(places)] if places else None

    async def write(self, kind, which):
        if place := self.place(kind, which):
            await self.storage.append(Author(self.poster, ""), "words", None, board_id=place)

    async def newest(self, kind, which):
        """Returns the id of the newest message of a board, with the board."""
        place, few = self.place(kind, which), {"changes": 1, "page": 1}
        if place is None:
            return None
        of_first = place == FIRST_BOARD
        snapshot = await (
            self.storage.snapshot(**few) if of_first else self.storage.snapshot_on(place, OPERATOR, **few)
        )
        return next(((message.id, place) for message in snapshot.page.messages), None)

    async def edit(self, kind, which):
        if found := await self.newest(kind, which):
            await self.storage.edit(found[0], "other words", board_id=found[1])

    async def delete(self, kind, which):
        if found := await self.newest(kind, which):
            await self.storage.delete(found[0], board_id=found[1])

    async def remove_all(self, kind, which):
        """Only where it concerns none but the first board."""
        guests, _ = await self.storage.append(Author(self.guest, ""), "words", None)
        await self.storage.remove_all(None, guests.id)

    async def make(self, kind, which):
        if len(self.boards[kind]) >= 3 or self.made[kind] >= 9:
            return
        slug, of_members = f"{kind}-{self.made[kind]}", which % 2 and self.is_member == (kind == "seen")
        self.made[kind] += 1
        read_by = "members" if of_members else "everyone" if kind == "seen" else "invited"
        made = await self.storage.create_board(None, slug, "Name", read_by=read_by)
        self.boards[kind].append(made.id)
        if kind == "seen":
            self.slugs[made.id] = slug
        else:
            await self.storage.invite(None, made.id, self.poster)

    async def rename(self, kind, which):
        if board := self.board(kind, which):
            await self.storage.set_board(None, board, BoardChange(name="Another"))

    async def end(self, kind, which):
        if board := self.board(kind, which):
            await self.storage.delete_board(None, board)
            self.boards[kind].remove(board)

    async def invite(self, kind, which):
        if board := self.board(kind, which):
            await self.storage.invite(None, board, self.guest)

    async def uninvite(self, kind, which):
        if board := self.board(kind, which):
            await self.storage.uninvite(None, board, self.guest)

    # --- what memory does

    async def deliver(self):
        await self.site.waiters.deliver()

    async def tick(self):
        """As the clock would have it."""
        waiters = self.site.waiters
        await waiters.deliver()
        if waiters.directory.last_word > waiters.others.latest:
            await waiters.tick()

    async def rename_reader(self):
        """Something about the reader changes, which has nothing to do with boards."""
        await self.storage.set_name(self.reader, "Another name")

    async def restart(self):
        before = self.readers
        await self.close()
        await self.open()
        self.readers = before

    # --- readers

    async def caller(self):
        return Caller(await self.site.credentials.find("secret", use=False) if self.is_member else None, "")

    async def poll(self, reader, how):
        if reader.parked is not None:
            return
        waiters, board = self.site.waiters, self.site.waiters.first
        try:
            if reader.slug is not None:
                board = await self.site.find_board(await self.caller(), reader.slug)
            if await waiters.is_beyond(reader.cursor, board):
                reader.cursor = NO_CURSOR
            while not board.has(reader.cursor):
                await self.site.load(await self.caller(), board, reader.cursor)
        except DeniedError:
            self.told.append((self.readers.index(reader), "refused"))
            return
        heard = {"from 0": 0, "from beyond": 10**9}.get(how, reader.heard)
        caller = await self.caller()
        hears = Hears(heard, await self.site.scope_of(caller))
        account = self.reader if self.is_member else None
        reply = waiters.poll(reader.cursor, 1000 if how == "parked" else 0, account, "", board=board, hears=hears)
        if isinstance(reply, FutureWaiter):
            reader.parked = reply
            self.told.append((self.readers.index(reader), "parked"))
        else:
            self.note(reader, reply)

    def leave(self, reader):
        if reader.parked is not None:
            self.site.waiters.leave(reader.parked)
            reader.parked = None

    def take_answers(self):
        for reader in self.readers:
            if reader.parked is not None and reader.parked.future.done():
                answer, reader.parked = reader.parked.future.result(), None
                if isinstance(answer, Ended):
                    self.told.append((self.readers.index(reader), answer.name))
                else:
                    self.note(reader, answer)

    def note(self, reader, reply):
        self.told.append((self.readers.index(reader), self.as_seen(reply.decode())))
        reply = json.loads(reply)
        reader.cursor = parse_cursor(reply["cursor"])
        reader.heard = reply.get("others", reader.heard)

    def as_seen(self, reply):
        """With names for what differs between two sites: epochs, numbers of changes, times, and what is taken over some
        seconds.
        """
        epoch = self.site.waiters.first.epoch
        reply = reply.replace(f'"{epoch}-', '"first-')
        for id, slug in self.slugs.items():
            reply = reply.replace(f'"{epoch_of(self.site.secret, epoch, id)}-', f'"{slug}-')
        reply = re.sub(r'"(created_at|edited_at|watching)":("[^"]*"|\d+)', "", reply)
        numbers = r'((?<=\{"id":)(?=\d+,"[bd])|(?<="others":)|(?<=":\[)|(?<=first-)|(?<=seen-\d-))[1-9]\d*'
        return re.sub(numbers, lambda found: self.names.get(int(found[0]), found[0]), reply)


async def outcome(steps, *, has_unseen, is_member):
    with tempfile.TemporaryDirectory() as folder:
        world = World(pathlib.Path(folder), has_unseen=has_unseen, is_member=is_member)
        await world.build()
        for number, step in enumerate(steps):
            await world.take(step, number)
        await world.close()
        return world.told


ENDS_LAST = [
    ("seen", "make", 0),
    ("memory", "tick", 0),
    ("seen", "end", 0),
    ("unseen", "make", 0),
    ("memory", "tick", 0),
]
ENDS_UNTOLD = [("seen", "make", 1), ("seen", "end", 0), ("unseen", "make", 0), ("memory", "tick", 0)]
PARKED_BEFORE = [("unseen", "make", 0), ("poll", "parked", 0), ("seen", "make", 1), ("memory", "tick", 0)]
ROW_CHANGES = [("seen", "make", 0), ("memory", "tick", 0), ("unseen", "make", 0), ("memory", "deliver", 0)]
NEWS_BEFORE = [("unseen", "make", 1), ("seen", "remove_all", 2), ("memory", "tick", 1), ("seen", "make", 3)]


@settings(max_examples=60, deadline=None)
@example(steps=[*ENDS_LAST, ("seen", "write", 0), ("poll", "at once", 0)], is_member=True)
@example(steps=[*ENDS_UNTOLD, ("seen", "write", 0), ("poll", "at once", 0)], is_member=True)
@example(steps=[("poll", "from 0", 0), *PARKED_BEFORE], is_member=True)
@example(steps=[*NEWS_BEFORE, ("poll", "from 0", 1)], is_member=True)
@example(steps=ROW_CHANGES, is_member=False)
@given(steps=st.lists(STEPS, min_size=10, max_size=40), is_member=st.booleans())
def test_nobody_is_told_of_what_they_may_not_read(steps, is_member):
    told = [asyncio.run(outcome(steps, has_unseen=has, is_member=is_member)) for has in (True, False)]
    for one, other in itertools.zip_longest(*told):
        assert one == other
