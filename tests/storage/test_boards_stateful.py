"""Boards, rights, posts and all that ends them, in whatever order: each engine does what the model says, to every asker."""

import asyncio
import contextlib

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from board.markup import usernames_in
from storage import open_storage
from storage.boards import BoardChange
from storage.errors import NotAllowedError, NotFoundError, StorageError
from storage.marks import Standing
from storage.records import DELETED_NAME, FIRST_BOARD, GUEST, OPERATOR, Asker, Author, Board, Password
from storage.words import mark_of
from tests.support.board_model import Model, Place, Post

NAMES = {1: "Ada", 2: "Bob", 3: "Max"}
NOWHERE = (99, 10**18, -1, 0)
WORDS = st.sampled_from(["low tide", "high tide", "潮", "@bob high tide"])
KEYS = st.sampled_from([None, "a" * 22, "b" * 22])
SLUGS = st.sampled_from(["rowing", "diving", "old"])
READERS, WRITERS = (
    st.sampled_from(["everyone", "members", "invited"]),
    st.sampled_from(["guests", "members", "moderators"]),
)
PERSONS = st.sampled_from(sorted(NAMES))
NUMBERS = (0, -1, 10**18, 2**70)
MOST = 4  # boards
MOST_ASKERS = 10


class Boards(RuleBasedStateMachine):
    """Askers are a guest, three accounts, bots of theirs, which may be made for a board, and the command line."""

    make_url = None

    @initialize()
    def build(self):
        self.loop = asyncio.new_event_loop()
        self.url, self.model = self.make_url(), Model()
        self.storage = self.run(open_storage(self.url))
        for id, name in NAMES.items():
            assert self.run(self.storage.create_account(name.lower(), name, Password(None))).id == id
            self.model.roles[id] = "member"
        self.change_role(3, "moderator")
        self.askers = [GUEST, OPERATOR, *map(Asker, NAMES)]
        self.heads, self.clients = {}, {}
        self.listed, self.listed_at, self.opens, self.opens_at = {}, 0, set(), -1
        open_to_all = self.make_one(OPERATOR, "rowing", "everyone", "guests")
        hidden = self.make_one(Asker(1), "diving", "invited", "members")
        self.run(self.storage.invite(None, hidden, 2))
        self.model.boards[hidden].invited[2] = None
        for account, board in ((1, None), (2, hidden)):
            self.make_one_bot(account, board)
        for asker, board in (
            (Asker(2), open_to_all),
            (Asker(2), hidden),
            (GUEST, open_to_all),
            (Asker(2), FIRST_BOARD),
        ):
            self.post_one(asker, board, "low tide", None)
        self.catch_up(1)

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    def tried(self, coroutine, refusal):
        """What it gives, if the model says that it is not refused; None if it is refused as the model says."""
        try:
            given = self.run(coroutine)
        except StorageError as error:
            assert refusal is not None and isinstance(error, refusal), (error, refusal)
            return None
        assert refusal is None, refusal
        return (given,)

    def asker(self, data):
        return data.draw(st.sampled_from(self.askers), "asker")

    def board(self, data):
        ever = sorted(set(self.model.slug_owners.values()))
        return data.draw(st.sampled_from([FIRST_BOARD, *self.model.boards, *ever, *NOWHERE[:2]]), "board")

    def actor(self, asker):
        """As moderation takes it."""
        return None if asker.is_operator else self.run(self.storage.account_of(asker.account_id))

    def person(self, data):
        """Somebody who may act: an account that is there, or the command line."""
        return data.draw(st.sampled_from([OPERATOR, *map(Asker, self.model.roles)]), "actor")

    # --- boards

    @rule(data=st.data(), slug=SLUGS, read_by=READERS, write_by=WRITERS)
    def make(self, data, slug, read_by, write_by):
        if len(self.model.boards) < MOST:
            self.make_one(self.person(data), slug, read_by, write_by)

    def make_one(self, by, slug, read_by, write_by):
        """Its id, if it is made."""
        refusal = None if by.is_operator or self.model.is_active(by.account_id) else NotAllowedError
        refusal = refusal or (None if read_by == "invited" else self.model.refusal_of_slug(slug, 0))
        making = self.storage.create_board(
            self.actor(by), slug, "Name", read_by=read_by, write_by=write_by, most_owned=MOST
        )
        for board in self.tried(making, refusal) or ():
            assert board.id not in {FIRST_BOARD, *self.model.boards, *self.model.slug_owners.values()}
            assert (board.slug == slug) == (read_by != "invited")
            self.model.boards[board.id] = Place("", read_by, write_by, by.account_id)
            self.model.give_slug(board.id, board.slug)
            return board.id

    @precondition(lambda self: self.model.boards)
    @rule(
        data=st.data(), read_by=st.none() | READERS, write_by=st.none() | WRITERS, is_archived=st.none() | st.booleans()
    )
    def change(self, data, read_by, write_by, is_archived):
        by, board = self.person(data), data.draw(st.sampled_from(sorted(self.model.boards)))
        slug = data.draw(st.none() | SLUGS | st.sampled_from(sorted(self.model.slug_owners)))
        place, refusal = self.model.boards[board], self.model.refusal_of_actor(by, board)
        later, closes = read_by or place.read_by, read_by == "invited" != place.read_by
        if slug == place.slug or closes:
            slug = None
        if slug is not None and refusal is None:
            refusal = NotAllowedError if later == "invited" else self.model.refusal_of_slug(slug, board)
        change = BoardChange(slug=slug, read_by=read_by, write_by=write_by, is_archived=is_archived)
        for now in self.tried(self.storage.set_board(self.actor(by), board, change), refusal) or ():
            is_told, now = now is not None, now or self.now(board)
            if closes:
                place.slugs, place.owner = set(), place.owner or by.account_id
                assert now.slug not in self.model.slug_owners
            self.model.give_slug(board, now.slug)
            assert slug is None or now.slug == slug
            place.read_by, place.write_by = later, write_by or place.write_by
            place.is_archived = place.is_archived if is_archived is None else is_archived
            assert is_told == self.model.reads(by, board), "a moderator who reads it no more hears no slug"

    def now(self, board):
        return {one.id: one for one, _ in self.run(self.storage.listed(OPERATOR, "", 100, {}))}[board]

    @precondition(lambda self: self.model.boards)
    @rule(data=st.data())
    def end(self, data):
        by, board = self.person(data), self.board(data)
        refusal = NotFoundError if board == FIRST_BOARD else self.model.refusal_of_actor(by, board)
        if self.tried(self.storage.delete_board(self.actor(by), board), refusal):
            self.model.ended[board] = self.model.boards.pop(board).read_by

    @rule(data=st.data(), account=PERSONS, is_in=st.booleans())
    def invite(self, data, account, is_in):
        by, board = (
            self.person(data),
            data.draw(st.sampled_from([*self.model.boards, FIRST_BOARD, NOWHERE[0]]), "board"),
        )
        leaves = not is_in and account == by.account_id
        refusal = NotFoundError if board == FIRST_BOARD else self.model.refusal_of_actor(by, board)
        if leaves and refusal is not NotFoundError:
            refusal = None
        if is_in and refusal is None and account not in self.model.roles:
            refusal = NotFoundError
        call = self.storage.invite if is_in else self.storage.uninvite
        if self.tried(call(self.actor(by), board, account), refusal):
            invited = self.model.boards[board].invited
            invited.setdefault(account) if is_in else invited.pop(account, None)

    @precondition(lambda self: self.model.boards)
    @rule(data=st.data(), account=PERSONS)
    def hand_over(self, data, account):
        by, board = self.person(data), data.draw(st.sampled_from(sorted(self.model.boards)))
        refusal = self.model.refusal_of_actor(by, board)
        if refusal is None and account not in self.model.roles:
            refusal = NotFoundError
        giving = self.storage.set_board(self.actor(by), board, BoardChange(), owner_id=account)
        if self.tried(giving, refusal):
            self.model.give(board, account, stays=not by.is_operator)

    # --- messages

    @rule(data=st.data(), words=WORDS, key=KEYS)
    def post(self, data, words, key):
        asker, board = self.asker(data), self.board(data)
        if not asker.is_operator:
            self.post_one(asker, board, words, key)

    def post_one(self, asker, board, words, key):
        author = None if asker.account_id is None else Author(asker.account_id, "x")
        posting = self.storage.append(
            author, words, key, "192.0.2.1", asker.credential_id, board, mentioned=usernames_in(words)
        )
        retry = self.model.retry(asker.account_id, board, key)
        for message, is_new in self.tried(posting, self.model.refusal_of_post(asker, board, words, key)) or ():
            assert message.board_id == board and is_new == (retry is None)
            if is_new:
                assert message.id > max(self.model.posts, default=0)
                self.model.posts[message.id] = Post(board, asker.account_id, words, key, words)
            else:
                assert message.id == retry

    @precondition(lambda self: self.model.posts)
    @rule(data=st.data(), words=st.none() | WORDS, is_elsewhere=st.booleans(), moderates=st.booleans())
    def edit_or_delete(self, data, words, is_elsewhere, moderates):
        by, id = self.asker(data), data.draw(st.sampled_from(sorted(self.model.posts)))
        if by == GUEST:
            return
        board = self.board(data) if is_elsewhere else self.model.posts[id].board
        moderates = moderates and words is None
        refusal = self.model.refusal_of_change(by, id, board, edits=words is not None, moderates=moderates)
        rest = {"credential": by.credential_id, "board_id": board}
        if words is None:
            call = self.storage.delete(id, by.account_id, moderates=moderates, **rest)
        else:
            call = self.storage.edit(id, words, by.account_id, **rest, mentioned=usernames_in(words))
        if self.tried(call, refusal):
            self.model.posts[id].body = words
            self.model.posts[id].first_body = self.model.posts[id].first_body if words else None

    @precondition(lambda self: self.model.posts)
    @rule(data=st.data())
    def remove_all(self, data):
        by, id = self.person(data), data.draw(st.sampled_from(sorted(self.model.posts)))
        post = self.model.posts[id]
        if not by.is_operator and self.model.roles.get(post.author) == "moderator":
            return
        refusal = None if by.is_operator or self.model.moderates(by.account_id, FIRST_BOARD) else NotAllowedError
        if not by.is_operator and not self.model.is_active(by.account_id):
            refusal = NotAllowedError
        if refusal is None and not self.model.reads(by, post.board):
            refusal = NotFoundError
        of_guests = post.author is None and post.body is None
        if refusal is None and of_guests:
            refusal = NotFoundError  # a deleted message keeps no address
        gone = {
            number for number, other in self.model.posts.items()
            if other.author == post.author and self.model.reads(by, other.board)
            and (post.author is not None or other.body is not None)
        }  # fmt: skip
        for count in self.tried(self.storage.remove_all(self.actor(by), id), refusal) or ():
            assert count == len(gone)
            self.model.posts = {number: one for number, one in self.model.posts.items() if number not in gone}

    # --- accounts

    @rule(account=PERSONS, role=st.sampled_from(["member", "moderator"]))
    def change_role(self, account, role):
        if account in self.model.roles:
            self.run(self.storage.set_role(None, NAMES[account].lower(), role))
            self.model.roles[account] = role

    @rule(account=PERSONS, ends=st.booleans())
    def suspend(self, account, ends):
        if account in self.model.roles:
            call = self.storage.restore if ends else self.storage.suspend
            self.run(call(None, NAMES[account].lower()))
            (self.model.suspended.discard if ends else self.model.suspended.add)(account)
            if not ends:
                self.model.end_bots(account)

    @precondition(lambda self: len(self.model.roles) == len(NAMES))
    @rule(account=PERSONS, keeps=st.booleans())
    def delete_account(self, account, keeps):
        self.run(self.storage.delete_account(account, keep_messages=keeps))
        self.model.delete_account(account, keeps=keeps)

    @precondition(lambda self: len(self.askers) < MOST_ASKERS)
    @rule(data=st.data(), account=PERSONS)
    def make_bot(self, data, account):
        self.make_one_bot(account, data.draw(st.none() | st.sampled_from([*self.model.boards, NOWHERE[0]])))

    def make_one_bot(self, account, board):
        refusal = None if self.model.is_active(account) else NotAllowedError
        if refusal is None and board is not None and not self.model.reads(Asker(account), board):
            refusal = NotFoundError
        hash = b"bot %d" % len(self.askers)
        making = self.storage.create_credential(account, "bot", hash, "a bot", board_id=board)
        for credential in self.tried(making, refusal) or ():
            assert credential.board_id == board
            self.model.bots[credential.id] = account, board
            self.askers.append(Asker(account, credential.id))

    # --- read marks

    @rule(data=st.data(), account=PERSONS, odd=st.none() | st.sampled_from(NUMBERS))
    def mark(self, data, account, odd):
        board = self.board(data)
        id = odd if odd is not None else data.draw(st.sampled_from([0, *self.model.posts]), "message")
        self.run(self.storage.save_marks({(account, board): id}))
        self.model.mark(account, board, id)

    @rule(data=st.data(), limit=st.sampled_from([1, 3]))
    def see_what_is_new(self, data, limit):
        """On each board, and in the list; with marks that are not saved yet, and without."""
        unsaved = {
            board: mark for board in self.model.boards
            if (mark := data.draw(st.none() | st.sampled_from([0, *self.model.posts]), "unsaved")) is not None
        }  # fmt: skip
        for asker in self.askers:
            self.see_as(asker, {} if asker.account_id is None else unsaved, limit)

    def see_as(self, asker, unsaved, limit):
        for board in (FIRST_BOARD, *set(self.model.slug_owners.values()), NOWHERE[0]):
            refusal = None if self.model.reads(asker, board) else NotFoundError
            for standing in self.tried(self.storage.standing(board, asker, unsaved), refusal) or ():
                assert standing == self.standing(asker, board, unsaved)
        listed, after = {}, ""
        while page := self.run(self.storage.listed(asker, after, limit, unsaved)):
            listed |= {board.id: standing for board, standing in page}
            after = page[-1][0].slug
        mine = [id for id in self.model.boards if self.model.reads(asker, id)]
        assert listed == {id: self.standing(asker, id, unsaved) for id in mine}

    def standing(self, asker, board, unsaved):
        shown = self.model.shown(board)
        marks = unsaved.get(board), self.model.marks.get((asker.account_id, board))
        mark = max((mark for mark in marks if mark is not None), default=None)
        reads_others = board != FIRST_BOARD or any(self.model.reads(asker, id) for id in self.model.boards)
        begin = 0 if reads_others and asker.account_id in self.model.roles else None  # all came after them
        seen = begin if mark is None else mark
        new = [body for id, body in shown.items() if seen is not None and id > seen]
        of_them = sum(
            f"@{NAMES[asker.account_id].lower()}" in body for body in new if asker.account_id in self.model.roles
        )
        return Standing(max(shown, default=None), mark, len(new), of_them)

    @rule()
    def tidy(self):
        """What deleted boards leave ends; nothing that can be read does."""
        self.run(self.storage.forget(0, 0))
        there = {message.board_id for message in self.run(self.storage.log_after(0, 1000)).messages}
        assert there <= {FIRST_BOARD, *self.model.boards}
        self.model.posts = {id: post for id, post in self.model.posts.items() if post.board in there}

    @rule()
    def reopen(self):
        self.run(self.storage.close())
        self.storage = self.run(open_storage(self.url))

    # --- each asker is told what the model says

    @rule(data=st.data(), limit=st.sampled_from([1, 2, 100]))
    def read(self, data, limit):
        board = self.board(data)
        for asker in self.askers:
            self.read_as(asker, board, limit)

    @rule(limit=st.sampled_from([1, 2, 100]))
    def search_everywhere(self, limit):
        everywhere = [FIRST_BOARD, *sorted(set(self.model.slug_owners.values()), reverse=True), *NOWHERE]
        for asker in self.askers:
            shown = {}
            for board in filter(lambda id: self.model.reads(asker, id), everywhere):
                shown |= self.model.shown(board)
            for word in ("tide", "潮", "nothing", "\ufdd0", f"{mark_of(2)}tide"):
                matching = sorted((id for id, body in shown.items() if word in body), reverse=True)
                found = self.run(self.storage.search_in(everywhere, word, None, limit, asker))
                assert [one.id for one in found.messages] == matching[:limit]
                assert found.older == (len(matching) > limit)
                assert all(one.board_id == self.model.posts[one.id].board for one in found.messages)

    def read_as(self, asker, board, limit):
        refusal = None if self.model.reads(asker, board) else NotFoundError
        shown = self.model.shown(board)
        for page in self.tried(self.storage.before(None, limit, board, asker), refusal) or ():
            assert {one.id: one.body for one in page.messages} == dict(sorted(shown.items())[-limit:])
            assert page.older == (len(shown) > limit)
        for page in self.tried(self.storage.after(0, limit, board, asker), refusal) or ():
            assert {one.id: one.body for one in page.messages} == dict(sorted(shown.items())[:limit])
        for word in ("tide", "ti", "潮", "nothing", "\ufdd0", "\ue000"):
            for found in self.tried(self.storage.search(word, None, 100, board, asker), refusal) or ():
                assert {one.id for one in found.messages} == {id for id, body in shown.items() if word in body}
                assert {one.board_id for one in found.messages} <= {board}
        for id, post in self.model.posts.items():
            is_there = post.body is not None and self.model.reads(asker, post.board)
            for message in self.tried(self.storage.message(id, asker), None if is_there else NotFoundError) or ():
                assert (message.board_id, message.body) == (post.board, post.body)
                assert message.author is None or message.author.name in {NAMES[post.author], DELETED_NAME}

    @rule()
    def find_boards(self):
        for asker in self.askers:
            self.find_boards_as(asker)

    def find_boards_as(self, asker):
        """By each slug that ever was; and no line of the log tells of another."""
        mine = {id for id in self.model.boards if self.model.reads(asker, id)}
        for slug, id in self.model.slug_owners.items():
            leads = id in mine and slug in self.model.boards[id].slugs
            for board in self.tried(self.storage.board(slug, asker), None if leads else NotFoundError) or ():
                assert (board.id, board.slug) == (id, self.model.boards[id].slug)
        told, entries = [self.run(self.storage.audit(None, 1000, one)) for one in (asker, OPERATOR)]
        by_it = {
            entry.board_id for entry in entries if entry.actor_id is not None and entry.actor_id == asker.account_id
        }
        assert {entry.board_id for entry in told} - {None} == self.model.is_told_of(asker) | (by_it - {None})
        for id in self.model.boards:
            invited, refusal = self.storage.invited(id, asker, 0, 100), self.model.refusal_of_actor(asker, id)
            for accounts in self.tried(invited, refusal) or ():
                assert {account.id for account in accounts} == self.model.boards[id].invited.keys()

    @rule()
    def list_for_delivery(self):
        """Somebody who keeps the list, and reads what has changed since, has what a new reader has: what the model says."""
        changed, told = self.run(self.storage.listing(self.listed_at)), {}
        whole = self.run(self.storage.listing(0))
        for one in changed.boards:
            self.listed[one.id] = one
        self.listed_at = changed.head.boards
        for one in whole.boards:
            shown, old_slugs = self.model.shown(one.id), whole.old_slugs.get(one.id, [])
            _, newest, author_id = one.position
            author = self.model.posts[newest].author if shown else None
            assert (newest, author_id) == (max(shown, default=0), author)
            told[one.id] = Board(*one[: len(Board._fields)])
            assert {one.slug, *old_slugs} == self.model.boards[one.id].slugs
        for one in self.listed.values():  # a deleted account owns nothing: there is nobody left to whom it matters
            owner = one.owner_id if one.owner_id in self.model.roles else None
            if not one.has_ended:
                assert told.pop(one.id) == Board(*one[: len(Board._fields)])._replace(owner_id=owner)
        assert not told
        assert {one.id for one in whole.boards} == set(self.model.boards)
        for account in NAMES:
            mine = {id for id, place in self.model.boards.items() if account in {place.owner, *place.invited}}
            assert self.run(self.storage.boards_open_to(account)) == mine
        opens = {(id, account) for id, place in self.model.boards.items() for account in place.invited}
        assert set(self.run(self.storage.invited_lately())) == {account for _, account in opens}
        gone = {(id, account) for id, account in self.opens if account not in self.model.roles}
        assert opens == self.opens - gone or self.listed_at > self.opens_at, "an invitation without a number"
        self.opens, self.opens_at = opens, self.listed_at

    @rule(limit=st.sampled_from([1, 3]))
    def catch_up(self, limit):
        """Somebody who follows a board by its cursor, with resets, has exactly what is there; numbers never go back."""
        for board in {*self.model.boards, *self.model.slug_owners.values(), *NOWHERE}:
            self.catch_up_on(board, limit)
        assert len({epoch for epoch, _ in self.heads.values()}) == len(self.heads)

    def catch_up_on(self, board, limit):
        refusal = None if board in self.model.boards else NotFoundError
        for taken in self.tried(self.storage.snapshot_on(board, OPERATOR, changes=2, page=100), refusal) or ():
            head, (cursor, shown) = taken.head, self.clients.get(board, (-1, {}))
            assert (self.heads.get(board, (head.epoch, 0))[0], head.seq >= cursor) == (head.epoch, True)
            self.heads[board] = head.epoch, head.seq
            kept = self.run(self.storage.changes_on(board, OPERATOR, head.floor, 1000)).messages
            assert taken.changes == kept[-2:] and taken.start == (kept[-3].seq if len(kept) > 2 else head.floor)
            if cursor < head.floor:
                cursor, shown = head.seq, {one.id: one.body for one in taken.page.messages}
            more = True
            while more:
                changes = self.run(self.storage.changes_on(board, OPERATOR, cursor, limit))
                for message in changes.messages:
                    assert message.seq > cursor and message.board_id == board
                    cursor = message.seq
                    shown[message.id] = message.body
                more = changes.more
            shown = {id: body for id, body in shown.items() if body is not None}
            assert shown == self.model.shown(board)
            self.clients[board] = head.seq, shown

    @invariant()
    def the_log_has_every_message_once(self):
        if not hasattr(self, "clients"):
            return
        changes = self.run(self.storage.log_after(0, 1000))
        numbers = [message.seq for message in changes.messages]
        assert numbers == sorted(set(numbers)) and all(number <= changes.head.seq for number in numbers)
        there = {
            message.id: message.body for message in changes.messages
            if message.board_id in {FIRST_BOARD, *self.model.boards}
        }  # fmt: skip
        known = {
            id: post.body for id, post in self.model.posts.items() if post.board in {FIRST_BOARD, *self.model.boards}
        }
        assert there == known
        first = self.run(self.storage.changes_after(0, 1000)).messages
        assert {message.id for message in first} == {id for id, post in self.model.posts.items() if post.board == 1}

    def teardown(self):
        with contextlib.suppress(AttributeError):
            self.run(self.storage.close())
            self.loop.close()


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_boards_are_what_the_model_says(engine, tmp_path, new_database):
    numbers = iter(range(10**6))

    def make():
        machine = Boards()
        machine.make_url = lambda: (
            new_database() if engine == "postgres" else f"sqlite:///{tmp_path}/{next(numbers)}.db"
        )
        return machine

    few = settings(
        max_examples=40 if engine == "sqlite" else 15, stateful_step_count=40, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(make, settings=few)
