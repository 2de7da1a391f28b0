"""Readers of several boards, whose rights flip: whatever is done in whatever order, nobody is given a message at a number
at which they may not read its board; nothing is lost, and nothing comes twice.
"""

import asyncio
import dataclasses
import json
import pathlib
import tempfile
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from board.caller import Caller
from board.credentials import hash_secret
from board.cursor import NO_CURSOR, Cursor, parse_cursor
from board.errors import DeniedError
from board.others import Hears, Kept
from board.scopes import GUESTS, MEMBERS, Scope
from board.site import Site
from board.site.parts import Rules
from board.waiter import Ended, FutureWaiter, Waiter
from net.fast_path.known import KnownRequest
from net.fast_path.memo import RequestMemo
from storage import open_storage
from storage.boards import BoardChange
from storage.errors import UnavailableError
from storage.records import FIRST_BOARD, Author, Password
from tests.support.board_model import Model, Place, Post
from tests.unit.test_waiters import Counting

NAMES = {1: "Ada", 2: "Bob", 3: "Eve"}
WORDS = st.sampled_from(["low tide", "high tide"])
READERS = st.sampled_from(["everyone", "members", "invited"])
MEMORY = 60_000
"""A board's share is an eighth: nine messages or so, and some replies; what more is used makes others go."""
MOST = 4
CLIENTS = 6
FEW = 5
"""Messages on a page, and changes in memory: so a deletion leaves a page short, and clients are behind what is kept."""
READS_MAX = 500
"""So many reads of storage are no delivery that gets on. A few for each board and each client would do."""
BEFORE, AFTER = ("snapshot", "snapshot_on", "newest_on"), ("listing", "access_changes_after")
"""Where somebody acts in between: before or after these reads."""
TAIL = b"&wait=25 HTTP/1.1\r\nHost: %d\r\n\r\n"


@dataclasses.dataclass
class Client:
    """Who looks at a board, as docs/protocol.md asks of one, and hears of the others."""

    number: int
    account: int | None
    board: int
    slug: str
    cursor: Cursor = NO_CURSOR
    heard: int = 0
    shown: dict[int, str] = dataclasses.field(default_factory=dict)
    oldest: int = 0
    """The id below which it shows nothing: after a reset, it would have to page back."""
    told: dict[str, int] = dataclasses.field(default_factory=dict)
    """The newest message of each other board, by what it was called."""
    parked: FutureWaiter | None = None
    is_refused: bool = False


class InBetween(Counting):
    """Somebody else acts between two reads of one delivery: before this one, or after it."""

    act, where = None, ""
    is_spinning = False

    def __getattr__(self, name):
        call = super().__getattr__(name)

        async def acting(*arguments, **options):
            self.is_spinning = self.is_spinning or len(self.calls) > READS_MAX
            if self.is_spinning:
                raise UnavailableError("spinning")
            if name in BEFORE:
                await self.act_at(name)
            done = await call(*arguments, **options)
            if name in AFTER:
                await self.act_at(name)
            return done

        return acting

    async def act_at(self, name):
        if name == self.where and self.act is not None:
            act, self.act = self.act, None
            await act()


class Known(FutureWaiter):
    """As a connection on the fast path: parked with others, by what its bytes mean."""

    __slots__ = ()


class Boards(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.few = [
            mock.patch(f"board.{name}", FEW)
            for name in ("recent.PAGE", "recent.RECENT", "waiters.PAGE", "waiters.RECENT")
        ]
        for patch in self.few:
            patch.start()
        self.url = f"sqlite:///{pathlib.Path(self.folder.name)}/board.db"
        self.model = Model()
        self.posted_at, self.versions = {}, []
        """When each number was given: the version of the rights at that time."""
        self.slugs = {}

    def run(self, coroutine):
        if hasattr(self, "counting"):
            self.counting.calls.clear()
        done = self.loop.run_until_complete(coroutine)
        assert not self.counting.is_spinning, "it reads and reads"
        return done

    @initialize()
    def build(self):
        self.run(self.open())
        self.secrets = {}
        for id, name in NAMES.items():
            assert self.run(self.storage.create_account(name.lower(), name, Password(None))).id == id
            self.run(self.storage.create_credential(id, "session", hash_secret(name), ""))
            self.model.roles[id] = "member"
        self.poster = self.run(self.storage.create_account("poster", "Poster", Password(None))).id
        self.flip()
        for read_by in ("everyone", "invited"):
            self.make(read_by)
        self.post(self.boards[0], "low tide")
        self.run(self.site.waiters.deliver())
        self.seen = len(self.versions) - 1
        accounts = [None, 1, 2, 3, None, 1]
        first, hidden = self.boards
        self.invite_one(hidden, 1)
        places = [first, hidden, hidden, first, FIRST_BOARD, first]
        self.clients = [Client(n, accounts[n], places[n], self.slugs.get(places[n], "")) for n in range(CLIENTS)]

    async def open(self):
        self.counting = InBetween(await open_storage(self.url))
        self.storage = self.counting.storage
        self.site = await Site.open(self.counting, max_parked=CLIENTS, limits=False, rules=Rules())
        self.site.waiters.recents._most = MEMORY
        self.site.waiters.request_tick = lambda: None  # there is a rule for that
        self.memo = RequestMemo(self.site.waiters, self.site.credentials, self.site.scopes, [], [])
        self.storage.on_commit = self.counting.on_commit = None
        self.seen = len(self.versions) - 1

    @property
    def boards(self):
        return sorted(self.model.boards)

    # --- what is written, none of which is delivered yet

    def flip(self):
        """Another version of the rights."""
        self.versions.append(
            {id: (place.read_by, {place.owner, *place.invited}) for id, place in self.model.boards.items()}
        )

    def may_read(self, account, board, version):
        if board == FIRST_BOARD:
            return True
        read_by, invited = self.versions[version].get(board, ("invited", set()))
        return read_by == "everyone" or (account is not None and (read_by == "members" or account in invited))

    def make(self, read_by):
        slug = f"board-{len(self.slugs)}"
        made = self.run(self.storage.create_board(None, slug, "Name", read_by=read_by))
        self.run(self.storage.invite(None, made.id, self.poster))
        self.model.boards[made.id] = Place(made.slug, read_by, "guests", None)
        self.slugs[made.id] = made.slug
        self.flip()

    @precondition(lambda self: len(self.boards) < MOST)
    @rule(read_by=READERS)
    def make_board(self, read_by):
        self.make(read_by)

    @precondition(lambda self: self.boards)
    @rule(data=st.data(), read_by=READERS)
    def change(self, data, read_by):
        self.run(self.change_now(data.draw(st.sampled_from(self.boards)), read_by))

    async def change_now(self, board, read_by):
        place = self.model.boards[board]
        made = await self.storage.set_board(None, board, BoardChange(read_by=read_by, about="changed"))
        place.read_by, place.slug = read_by, made.slug
        self.slugs[board] = made.slug
        self.flip()

    @precondition(lambda self: self.boards)
    @rule(data=st.data(), account=st.sampled_from(sorted(NAMES)))
    def invite(self, data, account):
        self.invite_one(data.draw(st.sampled_from(self.boards)), account)

    def invite_one(self, board, account):
        invited = self.model.boards[board].invited
        if account in invited:
            self.run(self.storage.uninvite(None, board, account))
            del invited[account]
        else:
            self.run(self.storage.invite(None, board, account))
            invited[account] = None
        self.flip()

    @precondition(lambda self: self.boards)
    @rule(
        data=st.data(),
        where=st.sampled_from([*BEFORE, *AFTER]),
        closes=st.booleans(),
        removes=st.booleans(),
        others=st.booleans(),
        ticks=st.booleans(),
    )
    def act_in_between(self, data, where, closes, removes, others, ticks):
        """Between two reads, everything is removed or not, and it is posted on a board and elsewhere, after it has been
        closed or not."""
        board = data.draw(st.sampled_from([FIRST_BOARD, *self.boards]))

        async def act():
            if ticks and not self.site.waiters.waits:
                await self.site.waiters.tick()
                self.take_answers()  # they are of a moment before that of this delivery
            if board in (FIRST_BOARD, *self.model.boards):
                if removes and self.model.posts:
                    await self.remove_now(max(self.model.posts))
                if closes and board != FIRST_BOARD:
                    await self.change_now(board, "invited")
                await self.post_now(board, "in between")
                for other in self.boards if others else ():
                    await self.post_now(other, "in between")

        self.counting.act = None  # of an earlier rule, if that read did not come
        if where == "snapshot":
            self.shorten_page()
        self.counting.act, self.counting.where = act, where
        self.deliver(None)

    def shorten_page(self):
        """The newest page of the first board has to be read again."""
        for _ in range(FEW + 1):
            self.post(FIRST_BOARD, "on the page")
        self.run(self.site.waiters.deliver())
        last = max(self.model.posts)
        changed = self.run(self.storage.delete(last))
        self.model.posts[last].body = None
        self.posted_at[changed.seq] = len(self.versions) - 1

    @precondition(lambda self: self.boards)
    @rule(data=st.data())
    def end(self, data):
        board = data.draw(st.sampled_from(self.boards))
        self.run(self.storage.delete_board(None, board))
        del self.model.boards[board]
        self.flip()

    def post(self, board, words):
        self.run(self.post_now(board, words))

    async def post_now(self, board, words):
        message, _ = await self.storage.append(Author(self.poster, ""), words, None, board_id=board)
        self.model.posts[message.id] = Post(board, self.poster, words, None, words)
        self.posted_at[message.seq] = len(self.versions) - 1

    @rule(data=st.data(), words=WORDS, count=st.sampled_from([1, 1, 2, 12]))
    def post_some(self, data, words, count):
        board = data.draw(st.sampled_from([FIRST_BOARD, *self.boards]))
        for _ in range(count):
            self.post(board, words)

    @precondition(lambda self: self.model.posts)
    @rule(data=st.data(), words=st.none() | WORDS, is_newest=st.booleans())
    def edit_or_delete(self, data, words, is_newest):
        there = [id for id, post in self.model.posts.items() if post.board in (FIRST_BOARD, *self.boards) and post.body]
        if not there:
            return
        id = max(there) if is_newest else data.draw(st.sampled_from(there))
        post = self.model.posts[id]
        if words is None:
            changed = self.run(self.storage.delete(id, board_id=post.board))
        else:
            changed = self.run(self.storage.edit(id, words, board_id=post.board))
        post.body = words
        self.posted_at[changed.seq] = len(self.versions) - 1

    @precondition(lambda self: self.model.posts)
    @rule(data=st.data())
    def remove_all(self, data):
        """All that one author wrote leaves, everywhere, and the floors rise."""
        id = data.draw(st.sampled_from(sorted(self.model.posts)))
        self.run(self.remove_now(id))

    async def remove_now(self, id):
        if self.model.posts[id].board in (FIRST_BOARD, *self.boards):
            await self.storage.remove_all(None, id)
            self.model.posts = {}

    # --- what memory does

    @rule(fails=st.sampled_from([None, None, None, "log_after", "listing", "access_changes_after", *BEFORE]))
    def deliver_or_not(self, fails):
        self.deliver(fails)

    def deliver(self, fails):
        self.counting.failing = fails
        before = len(self.versions) - 1
        if self.run(self.site.waiters.deliver()):
            self.seen = before
        self.counting.failing = None
        self.take_answers()

    @rule()
    def tick(self):
        if not self.site.waiters.waits:
            self.run(self.site.waiters.tick())
            self.take_answers()

    @rule()
    def restart(self):
        for client in self.clients:
            self.leave(client.number)
        self.run(self.site.close())
        self.run(self.storage.close())
        self.run(self.open())
        self.seen = len(self.versions) - 1

    # --- readers

    async def caller(self, client):
        if client.account is None:
            return Caller(None, "")
        credential = await self.site.credentials.find(NAMES[client.account], use=False)
        return Caller(credential, "")

    @rule(number=st.integers(0, CLIENTS - 1), data=st.data(), keeps=st.booleans())
    def look_at(self, number, data, keeps):
        """Another board; sometimes with the cursor of the one before, but for one that it shows no more."""
        client = self.clients[number]
        self.leave(number)
        board = data.draw(st.sampled_from([FIRST_BOARD, *self.slugs]), "board")
        if board != client.board:
            there = self.site.waiters.directory.of(board)
            keeps = keeps and not (there and there.epoch == client.cursor.epoch)
        if not keeps or board != client.board:
            client.shown, client.oldest = {}, 0
        client.board, client.slug = board, self.slugs.get(board, "")
        client.cursor = client.cursor if keeps else NO_CURSOR
        client.told.clear()
        client.heard = 0

    @rule(wait=st.booleans(), hears=st.booleans())
    def poll(self, wait, hears):
        for client in self.clients:
            if client.parked is None:
                self.run(self.ask(client, 1000 if wait else 0, hears))
                self.take_answers()

    async def ask(self, client, wait, hears=True):
        """As a handler does it, in its order: find the board, look at the cursor, load, and judge again after each."""
        waiters = self.site.waiters
        try:
            for _ in range(20):
                caller, changes = await self.caller(client), self.site.credentials.changes
                board, cursor = waiters.first, client.cursor
                if client.board != FIRST_BOARD:
                    board = await self.site.find_board(caller, client.slug)
                rights, heard = board.rights, Hears(client.heard, await self.site.scope_of(caller)) if hears else None
                if await waiters.is_beyond(cursor, board):
                    cursor = NO_CURSOR
                await self.site.load(caller, board, cursor)
                is_same = client.account is None or self.site.credentials.is_unchanged(client.account, changes)
                if board.rights == rights and is_same and board.has(cursor):
                    break
            else:
                raise AssertionError("memory is never ready")
        except DeniedError:
            self.refuse(client)
            return
        except UnavailableError:
            return
        client.is_refused = False
        reply = waiters.poll(cursor, wait, client.account, "", board=board, hears=heard)
        if isinstance(reply, Waiter):
            client.parked = reply
        else:
            self.take(client, reply)

    @rule(hears=st.booleans())
    def ask_by_bytes(self, hears):
        """As the fast path does it, with what a handler has found at some time before."""
        for client in self.clients:
            self.ask_one_by_bytes(client, hears)

    def ask_one_by_bytes(self, client, hears):
        if client.parked is not None or client.cursor == NO_CURSOR:
            return
        head = b"GET /get?after=" if client.board == FIRST_BOARD else b"GET /b/%s/get?after=" % client.slug.encode()
        others = b"&others=%d" % client.heard if hears else b""
        verdict = self.memo.classify(head + str(client.cursor).encode() + others + TAIL % client.number)
        if verdict is None:
            self.run(self.learn(client, head, hears))
        elif verdict.news is not None:
            self.take(client, verdict.news)
        else:
            self.run(self.park(client, verdict.known))
        self.take_answers()

    async def learn(self, client, head, hears):
        try:
            caller = await self.caller(client)
            board = self.site.waiters.first
            if client.board != FIRST_BOARD:
                board = await self.site.find_board(caller, client.slug)
        except (DeniedError, UnavailableError):
            return
        secret = None if client.account is None else hash_secret(NAMES[client.account])
        matters = hears or not board.is_first
        scope = self.site.scopes.recall(caller.credential) if matters else None
        if scope is not None or not matters:
            address = (None, board, board.rights, scope, hears)
            self.memo.learn(KnownRequest(head, TAIL % client.number, 25, secret, False, caller.account, *address))

    async def park(self, client, known):
        waiter = Known(client.account, "", known.scope)
        board, wait, hears = known.parks
        if self.site.waiters.park([waiter], board.cursor, wait, board, hears):
            self.take(client, self.site.waiters.full(board.cursor, board))
        else:
            client.parked = waiter

    @rule(number=st.integers(0, CLIENTS - 1))
    def leave(self, number):
        client = self.clients[number]
        if client.parked is not None:
            self.site.waiters.leave(client.parked)
            client.parked = None

    # --- the judge

    def refuse(self, client):
        """Only who may not read: memory is brought up to date before anybody is told that there is no such board."""
        leads = self.slugs[client.board] == client.slug
        assert not (leads and self.may_read(client.account, client.board, len(self.versions) - 1)), "refused"
        client.is_refused = True

    def take(self, client, reply):
        reply = json.loads(reply)
        numbers = [message["id"] for message in reply["messages"]]
        assert len(numbers) == len(set(numbers)), "a message twice in one reply"
        if reply.get("reset"):
            above = max(self.model.posts, default=0) + 1
            client.shown, client.oldest = {}, min(numbers, default=above) if reply.get("older") else 0
        cursor = parse_cursor(reply["cursor"])
        if numbers or reply.get("reset"):
            newest = [at for seq, at in self.posted_at.items() if seq <= cursor.seq and seq > client.cursor.seq]
            self.judge(client, client.board, max([self.seen, *newest[-1:]]))
        for message in reply["messages"]:
            assert message["id"] not in self.model.posts or self.model.posts[message["id"]].board == client.board
            if message.get("deleted"):
                client.shown.pop(message["id"], None)
            elif message["id"] >= client.oldest:
                client.shown[message["id"]] = message["body"]
        is_same = cursor.epoch == client.cursor.epoch
        assert reply.get("reset") or (is_same and cursor.seq >= client.cursor.seq), "a cursor went back"
        client.cursor = cursor
        self.take_word(client, reply)
        return bool(reply.get("more"))

    def judge(self, client, board, since):
        """May they read it now, or could they at some time since this version?"""
        versions = range(since, len(self.versions))
        assert any(self.may_read(client.account, board, version) for version in versions), (client, self.versions)

    def take_word(self, client, reply):
        has_word = reply.get("boards") or reply.get("list")
        assert ("others" in reply) == bool(has_word) or reply["others"] < client.heard
        for slug, (newest, _) in reply.get("boards", {}).items():
            board = next((id for id, one in self.slugs.items() if one == slug), None)
            if slug != "first":
                assert board is None or board != client.board
                if board is not None:
                    self.judge(client, board, self.seen)
            client.told[slug] = newest
        if reply.get("list"):  # which is read from storage
            now = [
                id for id in (FIRST_BOARD, *self.boards) if self.may_read(client.account, id, len(self.versions) - 1)
            ]
            client.told = {self.slugs.get(id, "first"): max(self.model.shown(id), default=0) for id in now}
        client.heard = reply.get("others", client.heard)

    def take_answers(self):
        for client in self.clients:
            if client.parked is not None and client.parked.future.done():
                answer, client.parked = client.parked.future.result(), None
                if not isinstance(answer, Ended):
                    self.take(client, answer)

    @rule()
    def catch_up(self):
        """Each client that asks until there is no more has exactly what is there, or is refused; and knows the other boards."""
        self.counting.act = None
        assert self.run(self.site.waiters.deliver())
        self.seen = len(self.versions) - 1
        self.run(self.site.waiters.tick())
        self.take_answers()
        for client in self.clients:
            self.catch_up_one(client)

    def catch_up_one(self, client):
        self.leave(client.number)
        for _ in range(100):
            before = client.cursor
            self.run(self.ask(client, 0))
            if client.is_refused or client.cursor == before:
                break
        may = self.may_read(client.account, client.board, self.seen)
        leads = client.board == FIRST_BOARD or (client.board in self.boards and self.slugs[client.board] == client.slug)
        assert client.is_refused == (not (may and leads))
        if not client.is_refused:
            there = self.model.shown(client.board)
            assert client.shown == {id: body for id, body in there.items() if id >= client.oldest}
            self.check_word(client)

    def check_word(self, client):
        """It is state: what was told last of each board is so."""
        for id in (FIRST_BOARD, *self.boards):
            if id != client.board and self.may_read(client.account, id, self.seen):
                newest = max(self.model.shown(id), default=0)
                assert client.told.get(self.slugs.get(id, "first"), 0) == newest

    @invariant()
    def those_parked_have_all_that_memory_has(self):
        if not hasattr(self, "clients"):
            return
        for client in self.clients:
            if client.parked is not None and not client.parked.future.done():
                board = self.site.waiters.directory.of(client.board)
                assert board is not None and client.parked.parked.board is board
                assert client.cursor.seq >= board.seq
        parked = [one for one in self.clients if one.parked is not None and not one.parked.future.done()]
        assert (
            self.site.waiters.parked
            == len(parked)
            == sum(board.parked for board in self.site.waiters.directory._boards.values())
        )

    @invariant()
    def words_that_are_kept_are_as_if_made_now(self):
        if not hasattr(self, "site"):
            return
        waiters, everywhere = self.site.waiters, Scope(True, frozenset(self.boards))
        others, kept = waiters.others, waiters.others._words
        asked = [
            (after, waiters.first, scope, account)
            for after in (0, others.told)
            for scope, account in ((GUESTS, None), (MEMBERS, 1), (everywhere, 2))
        ]
        words = [others.word(*one) for one in asked]
        others._words = {GUESTS: Kept(), MEMBERS: Kept()}
        assert words == [others.word(*one) for one in asked]
        others._words = kept

    @invariant()
    def memory_has_its_bound(self):
        recents = self.site.waiters.recents if hasattr(self, "site") else None
        if recents is not None and len(recents) > 1:
            whole = sum(board.recent.size for board in recents._sizes)
            unsettled = recents._last.recent.size if recents._last else 0
            assert whole <= MEMORY + unsettled

    def teardown(self):
        if hasattr(self, "site"):
            self.run(self.site.close())
            self.run(self.storage.close())
        for patch in self.few:
            patch.stop()
        self.loop.close()
        self.folder.cleanup()


Boards.TestCase.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
TestBoardsAreLive = Boards.TestCase
