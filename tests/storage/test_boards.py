"""Boards beside the first, where two do something at once, where somebody means harm, and at their bounds."""

# ruff: noqa: F811 (the fixture of the suite for storage)
import asyncio
import dataclasses
import itertools
import os
import sqlite3

import pytest

from board.slugs import clean_slug
from board.text import BadTextError
from board.waiters import WaiterList, load
from storage import open_storage
from storage.asking import closed_to
from storage.boards import BoardChange
from storage.errors import (
    CLOSED,
    KeyReusedError,
    NotAllowedError,
    NotFoundError,
    SlugTakenError,
    TooManyBoardsError,
    TooManyInvitationsError,
    TooManyOwnedError,
    TooManySlugsError,
    UnavailableError,
)
from storage.listing import read_listing, read_newest_on
from storage.marks import read_listed, read_standing
from storage.postgres.search import to_vector
from storage.reading import read_anywhere, read_changes_on, read_log, read_page, read_page_after, read_snapshot_on
from storage.records import FIRST_BOARD, GUEST, OPERATOR, Asker, Author, Password
from storage.sqlite.about import JOIN_LAST
from storage.sqlite.tx import SQLiteTx, finish
from storage.words import BOARD_MARK, mark_of, phrases, words
from tests.storage.test_sqlite import difference
from tests.storage.test_storage import ADA, BOB, KEY, bodies, storage  # noqa: F401 (a fixture)
from tests.support.patience import PATIENCE
from tests.support.postgres import psql
from tests.unit.test_waiters import Counting

AS_ADA, AS_BOB = Asker(ADA.id), Asker(BOB.id)


async def made(storage, slug="rowing", actor=None, **options):
    return await storage.create_board(actor, slug, "Rowing", most_owned=100, **options)


async def patiently(call):
    """What a write gives, where so many are under way that some wait for too long."""
    while True:
        try:
            return await call()
        except UnavailableError:
            continue


# --- slugs


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "rowing-",
        "-rowing",
        "r" * 41,
        "row ing",
        "row/ing",
        "..",
        "row\0",
        "ｒowing",
        "\u212aite",
        "rоwing",
        "all",
        "NEW",
    ],
)
def test_a_slug_that_may_look_like_another_is_refused(text):
    """Of letters only those that every keyboard has, so that no two addresses look alike; and no word that we need."""
    with pytest.raises(BadTextError, match="letters of a to z"):
        clean_slug(text)


@pytest.mark.parametrize(
    ("text", "slug"), [("Rowing", "rowing"), ("r", "r"), ("r" * 40, "r" * 40), ("7-a-side", "7-a-side")]
)
def test_a_slug_is_in_small_letters(text, slug):
    assert clean_slug(text) == slug


async def test_of_two_nodes_that_make_one_slug_one_does(storage, url):
    """The second is told, and has made nothing."""
    other = await open_storage(url)
    outcomes = await asyncio.gather(made(storage), made(other), return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["Board", "SlugTakenError"]
    assert len(await other.listed(OPERATOR, "", 9, {})) == 1
    await other.close()


async def test_a_slug_is_never_given_to_another_board(storage):
    """An old one leads on to the board that had it; that of a deleted board leads nowhere, and stays taken."""
    board = await made(storage)
    assert (await storage.set_board(None, board.id, BoardChange(slug="boats"))).slug == "boats"
    assert {(await storage.board(slug, GUEST)).id for slug in ("rowing", "boats")} == {board.id}
    other = await made(storage, "diving")
    for slug in ("rowing", "boats"):
        with pytest.raises(SlugTakenError):
            await made(storage, slug)
        with pytest.raises(SlugTakenError):
            await storage.set_board(None, other.id, BoardChange(slug=slug))
    assert (await storage.set_board(None, board.id, BoardChange(slug="rowing"))).slug == "rowing", "back to its own"
    await storage.delete_board(None, board.id)
    for slug in ("rowing", "boats"):
        with pytest.raises(NotFoundError):
            await storage.board(slug, OPERATOR)
        with pytest.raises(SlugTakenError):
            await made(storage, slug)


async def test_a_board_that_becomes_one_of_the_invited_can_not_be_guessed(storage):
    """Its old slugs end, it gets none that anybody could try, and it can't be told from one that never was."""
    board = await made(storage, actor=await storage.account("ada"))
    hidden = await storage.set_board(None, board.id, BoardChange(read_by="invited"))
    assert len(hidden.slug) == 20 and hidden.slug != board.slug
    for slug in (board.slug, hidden.slug, "never-there"):
        with pytest.raises(NotFoundError):
            await storage.board(slug, AS_BOB)
    for asker in (AS_ADA, OPERATOR):
        with pytest.raises(NotFoundError):
            await storage.board(board.slug, asker)
    with pytest.raises(NotAllowedError):
        await storage.set_board(None, board.id, BoardChange(slug="rowing"))
    assert await storage.board(hidden.slug, AS_ADA) == hidden
    opened = await storage.set_board(None, board.id, BoardChange(read_by="members", slug="rowing"))
    assert opened.slug == "rowing" and await storage.board("rowing", AS_BOB) == opened


async def test_a_board_of_however_many_slugs_can_be_closed(storage, monkeypatch):
    """Also again and again: what is kept of that stays bounded, as nobody can choose a slug of the random form."""
    monkeypatch.setattr("storage.slugs.MOST_SLUGS", 2)
    board = await made(storage)
    await storage.set_board(None, board.id, BoardChange(slug="boats"))
    slugs = set()
    for _ in range(5):
        slugs.add((await storage.set_board(None, board.id, BoardChange(read_by="invited"))).slug)
        await storage.set_board(None, board.id, BoardChange(read_by="members"))
    assert len(slugs) == 5
    kept = await storage._read(lambda tx: tx.all("SELECT slug FROM slugs ORDER BY slug"))
    assert len(kept) == 3 and {"boats", "rowing"} < {slug for (slug,) in kept}
    for slug in slugs:
        with pytest.raises(SlugTakenError):
            await made(storage, slug)
        with pytest.raises(SlugTakenError):
            await storage.set_board(None, (await made(storage, f"b-{slug}")).id, BoardChange(slug=slug))


async def test_who_closes_a_board_to_themselves_is_not_told_where_it_is(storage):
    """A moderator whose board it is not; it is another's then."""
    await storage.set_role(None, "bob", "moderator")
    board, bob = await made(storage, actor=await storage.account("ada")), await storage.account("bob")
    assert (await storage.set_board(bob, board.id, BoardChange(about="x"))).about == "x"
    assert await storage.set_board(bob, board.id, BoardChange(read_by="invited")) is None
    with pytest.raises(NotFoundError):
        await storage.set_board(bob, board.id, BoardChange(read_by="everyone"))


async def test_only_who_may_invite_sees_who_is_invited(storage):
    """The owner, a site's moderator, and the command line; not all who read the board. The log says names."""
    ada, bob = await storage.account("ada"), await storage.account("bob")
    board = await made(storage, actor=ada, read_by="members")
    await storage.invite(ada, board.id, BOB.id)
    for asker in (AS_ADA, OPERATOR):
        assert await storage.invited(board.id, asker, 0, 9) == [bob]
    with pytest.raises(NotAllowedError):
        await storage.invited(board.id, AS_BOB, 0, 9)
    with pytest.raises(NotFoundError):
        await storage.invited(board.id, GUEST, 0, 9)
    await storage.set_role(None, "bob", "moderator")
    assert await storage.invited(board.id, AS_BOB, 0, 9) == [await storage.account("bob")]
    await storage.uninvite(ada, board.id, BOB.id)
    (ended,) = await storage.audit(None, 1, OPERATOR)
    assert (ended.action, ended.target) == ("uninvite", f"board {board.id}, bob")
    mine = [(entry.action, entry.target) for entry in await storage.audit_about(bob, 0, 9)]
    assert ("invite", f"board {board.id}, bob") in mine and ("uninvite", f"board {board.id}, bob") in mine
    assert not any(entry.action == "invite" for entry in await storage.audit_about(dataclasses.replace(ada, id=99, username="ob"), 0, 9))  # fmt: skip


async def test_accounts_are_invited_all_or_none(storage, monkeypatch):
    """Who had an invitation before is told from who had none; if one may have no more, nobody gets any."""
    ada, mia = await storage.account("ada"), await storage.create_account("mia", "Mia", Password("a hash"))
    board, other = await made(storage, actor=ada, read_by="invited"), await made(storage, "other", actor=ada)
    assert await storage.invite(ada, board.id, BOB.id) == {BOB.id}
    assert await storage.invite(ada, board.id, BOB.id, mia.id, mia.id) == {mia.id}
    await storage.uninvite(ada, board.id, mia.id)
    monkeypatch.setattr("storage.invitations.MOST_INVITATIONS", 1)
    with pytest.raises(TooManyInvitationsError) as caught:
        await storage.invite(ada, other.id, mia.id, BOB.id)
    assert caught.value.usernames == ["bob"]
    with pytest.raises(TooManyInvitationsError):
        await storage.set_board(ada, other.id, BoardChange(name="Else"), invite=[BOB.id])
    with pytest.raises(TooManyInvitationsError):
        await made(storage, "third", actor=ada, invite=[mia.id, BOB.id])
    assert [one.name for one, _ in await storage.listed(AS_ADA, "", 9, {}) if one.id != board.id] == [other.name]
    with pytest.raises(NotFoundError):
        await storage.invite(ada, other.id, mia.id, 99)
    assert await storage.invited(other.id, AS_ADA, 0, 9) == []
    assert await storage.invite(ada, board.id, BOB.id, mia.id) == {mia.id}, "who is invited already stops nobody"


async def test_accounts_are_found_by_their_usernames_or_their_names(storage):
    """By exactly these on both engines, and so many of each name that no name takes the room of another."""
    ada, bob = await storage.account("ada"), await storage.account("bob")
    bobs = [bob, *[await storage.create_account(f"bob_{n}", "Bob", Password("a hash")) for n in range(4)]]
    olaf = await storage.create_account("olaf", "Ólafur", Password("a hash"))
    assert await storage.accounts_called({"bob"}, {"Bob"}, 9) == bobs
    assert await storage.accounts_called({"bob_3", "nobody"}, {"Bob", "Ólafur"}, 2) == [*bobs[:2], bobs[4], olaf]
    assert await storage.accounts_called({"ada", "olaf"}, set(), 9) == [ada, olaf]
    assert await storage.accounts_called({"nobody"}, {"BOB", "bob", "B%", "ólafur", "ADA"}, 9) == []


async def test_a_board_that_was_just_made_alike_is_the_same_once_more(storage, monkeypatch):
    """Of one's own only, for a minute, with a right that holds, and although one may own no more."""
    ada, bob = [await storage.account(name) for name in ("ada", "bob")]

    async def make(actor, slug="tea", **options):
        return await storage.create_board(actor, slug, "Tea", most_owned=2, once=True, **options)

    made = await make(ada)
    assert await make(ada) == made and await make(ada, "kettle", or_slugs=["pot"]) == made
    assert (await make(ada, rules="Be kind", or_slugs=["tea-2"])).slug == "tea-2"
    assert await make(ada) == made
    hidden = await make(bob, read_by="invited")
    assert await make(bob, read_by="invited") == hidden and await make(bob, "other", read_by="invited") == hidden
    with pytest.raises(SlugTakenError):
        await make(bob)
    await storage.delete_board(ada, made.id)
    assert (await make(ada, "pot")).id != made.id
    monkeypatch.setattr("storage.boards.JUST_MS", 0)
    with pytest.raises(TooManyBoardsError):
        await make(ada, "pot")
    monkeypatch.undo()
    await storage.suspend(None, "ada")
    with pytest.raises(NotAllowedError):
        await make(ada, "pot")


async def test_an_owner_who_leaves_is_a_change_of_the_board(storage):
    """Every node reads its row again; an account that owns none changes nothing."""
    board = await made(storage, actor=await storage.account("ada"))
    before = (await storage.log_after(0, 1)).head
    await storage.delete_account(BOB.id, keep_messages=True)
    assert (await storage.log_after(0, 1)).head.boards == before.boards
    await storage.delete_account(ADA.id, keep_messages=True)
    now = await storage.board("rowing", OPERATOR)
    assert now.owner_id is None and now.changed > board.changed
    assert (await storage.log_after(0, 1)).head.boards == now.changed


async def test_a_number_that_no_row_can_have_finds_nothing(storage):
    """Not even an error of the engine."""
    board = await made(storage)
    for number in (2**63, -(2**63) - 1, 2**200):
        for call in (
            storage.message(number, GUEST), storage.before(None, 9, number, GUEST), storage.changes_on(number, GUEST, 0, 9),
            storage.delete(number, ADA.id, board_id=board.id), storage.invite(None, board.id, number),
            storage.delete_board(None, number), storage.search("x", None, 9, number, GUEST),
        ):  # fmt: skip
            with pytest.raises(NotFoundError):
                await call


async def test_the_operator_reads_what_was_done_on_a_deleted_board(storage):
    """And so do those who could read it, if it was for everyone or for members; of one for the invited, who did it."""
    ada = await storage.account("ada")
    for read_by in ("everyone", "members", "invited"):
        board = await made(storage, read_by, actor=ada, read_by=read_by)
        await storage.delete_board(ada, board.id)
    told = [
        [entry.action for entry in await storage.audit(None, 9, asker)].count("delete")
        for asker in (OPERATOR, AS_ADA, AS_BOB, GUEST)
    ]
    assert told == [3, 3, 2, 1]


async def test_an_old_name_is_in_the_log_for_those_who_read_the_board(storage):
    """What is kept about a member has no such name in it, though its words may seem to be about them."""
    await storage.set_role(None, "ada", "moderator")
    ada, bob = await storage.account("ada"), await storage.account("bob")
    message, _ = await storage.append(BOB, "by Bob", None)
    board = await made(storage, actor=ada, read_by="members")
    names = ["Party, bob", f"About message {message.id}", f"On message {message.id} by bob ", "Garden"]
    for name in names:
        await storage.set_board(ada, board.id, BoardChange(name=name))
    await storage.set_board(ada, board.id, BoardChange(slug="gardens", name="Gardens"))
    log = [entry.target for entry in await storage.audit(None, 99, AS_BOB) if entry.action == "rename"]
    before = [f"board {board.id}, which was {name}" for name in ["Rowing", *names[:-1]]]
    assert log == [f"board {board.id}, which was Garden at /b/rowing/", *reversed(before)]
    assert [entry for entry in await storage.audit_about(bob, 0, 99) if entry.board_id] == []
    await storage.delete(message.id, ADA.id, moderates=True)
    assert [entry.action for entry in await storage.audit_about(bob, 0, 99)] == ["delete"]


async def test_an_old_name_of_a_board_for_the_invited_is_nowhere_in_the_log(storage):
    """Nodes of the last release show every entry to all moderators. What the board is called when it opens is no secret."""
    ada = await storage.account("ada")
    board = await made(storage, actor=ada, read_by="invited")
    for name in ("Layoffs", "Layoffs in March"):
        await storage.set_board(ada, board.id, BoardChange(name=name))
    await storage.set_board(ada, board.id, BoardChange(name="Garden", slug="garden", read_by="everyone"))
    await storage.set_board(ada, board.id, BoardChange(name="Plots", read_by="invited"))
    entries = await storage.audit(None, 99, OPERATOR)
    log = [entry.target for entry in entries if entry.action == "rename"]
    assert log == [f"board {board.id}, which was Garden", *[f"board {board.id}"] * 3]
    assert {entry.board_name for entry in entries} == {None, "Garden"}


async def test_an_entry_says_what_the_board_was_called_when_it_was_written(storage):
    """Also of a message there, and of a board that is gone; an entry about the first board has no name."""
    await storage.set_role(None, "ada", "moderator")
    ada, board = await storage.account("ada"), await made(storage, actor=await storage.account("ada"))
    message, _ = await storage.append(BOB, "by Bob", None, board_id=board.id)
    await storage.delete(message.id, ADA.id, moderates=True, board_id=board.id)
    await storage.set_board(ada, board.id, BoardChange(name="Garden"))
    await storage.delete_board(ada, board.id)
    log = [(entry.action, entry.board_name) for entry in await storage.audit(None, 9, OPERATOR)]
    assert log == [
        ("delete", "Garden"),
        ("rename", "Garden"),
        ("delete", "Rowing"),
        ("make", "Rowing"),
        ("moderator", None),
    ]


# --- at once


async def test_nothing_is_posted_after_a_board_was_closed(storage):
    """Archived, deleted or for the invited only, while posts are under way: each is before it, or refused."""
    ends = [
        lambda id: storage.set_board(None, id, BoardChange(is_archived=True)),
        lambda id: storage.set_board(None, id, BoardChange(read_by="invited")),
        lambda id: storage.delete_board(None, id),
    ]
    for number, end in enumerate(ends):
        board = await made(storage, f"board-{number}")
        posts = [storage.append(BOB, f"words {n}", None, board_id=board.id) for n in range(20)]
        outcomes = await asyncio.gather(
            *posts[:10], patiently(lambda end=end, id=board.id: end(id)), *posts[10:], return_exceptions=True
        )
        posted = [one[0].id for one in outcomes if type(one) is tuple]
        refused = [one for one in outcomes[:10] + outcomes[11:] if not isinstance(one, tuple)]
        assert posted and all(isinstance(one, (NotFoundError, NotAllowedError)) for one in refused)
        with pytest.raises((NotFoundError, NotAllowedError)):
            await storage.append(BOB, "too late", None, board_id=board.id)
        changes = (await storage.log_after(0, 1000)).messages
        assert [one.id for one in changes if one.board_id == board.id] == posted


async def test_an_archived_board_takes_no_words_and_gives_them_back(storage):
    """Nobody posts or edits; but authors can delete what they wrote, and a moderator what others wrote."""
    await storage.set_role(None, "bob", "moderator")
    board = await made(storage, write_by="members")
    posted = [(await storage.append(ADA, f"by Ada {n}", KEY[n:], board_id=board.id))[0] for n in range(2)]
    await storage.set_board(None, board.id, BoardChange(is_archived=True))
    for call in (
        storage.append(ADA, "more", None, board_id=board.id), storage.append(BOB, "more", None, board_id=board.id),
        storage.edit(posted[0].id, "x", ADA.id, board_id=board.id),
    ):  # fmt: skip
        with pytest.raises(NotAllowedError):
            await call
    assert (await storage.append(ADA, "by Ada 0", KEY, board_id=board.id)) == (posted[0], False), "a retry is answered"
    assert (await storage.delete(posted[0].id, ADA.id, board_id=board.id)).deleted
    assert (await storage.delete(posted[1].id, BOB.id, moderates=True, board_id=board.id)).deleted
    await storage.set_board(None, board.id, BoardChange(is_archived=False))
    await storage.append(ADA, "again", None, board_id=board.id)
    with pytest.raises(NotAllowedError):
        await storage.append(None, "by a guest", None, board_id=board.id)


async def test_who_may_not_write_is_told_why_and_all_judges_agree(storage):
    """Posting and editing, on both engines, and the function that pages ask."""
    await storage.set_role(None, "bob", "moderator")
    owner, moderator = await storage.account("ada"), await storage.account("bob")
    guest, member = None, (await storage.create_account("mia", "Mia", Password("a hash")))
    refused = {
        ("guests", False): {}, ("members", False): {guest: "members"},
        ("moderators", False): {guest: "moderators", member: "moderators"},
        ("guests", True): dict.fromkeys((guest, member, owner, moderator), "archived"),
        ("moderators", True): dict.fromkeys((guest, member, owner, moderator), "archived"),
    }  # fmt: skip
    for number, ((write_by, is_archived), reasons) in enumerate(refused.items()):
        made_by_ada = await made(storage, f"board-{number}", actor=owner)
        own = {one: (await post_as(storage, one, made_by_ada.id)).id for one in (member, owner, moderator)}
        change = BoardChange(write_by=write_by, is_archived=is_archived)
        board = await storage.set_board(None, made_by_ada.id, change)
        for account in (guest, member, owner, moderator):
            reason = reasons.get(account)
            assert closed_to(board, account) == reason
            calls = [lambda account=account, id=board.id: post_as(storage, account, id)]
            if account:
                calls.append(lambda a=account, id=board.id, own=own: storage.edit(own[a], "x", a.id, board_id=id))
            for call in calls:
                try:
                    await call()
                except NotAllowedError as error:
                    assert reason is not None and type(error) is CLOSED[reason], (write_by, account)
                else:
                    assert reason is None, (write_by, account)


async def post_as(storage, account, board_id):
    author = account and Author(account.id, account.name)
    return (await storage.append(author, "words", None, board_id=board_id))[0]


async def test_an_invitation_that_is_taken_back_ends_reading_and_every_retry(storage):
    """Nothing of the board is there for somebody who is out: not even their own words, by their key."""
    ada = await storage.account("ada")
    board = await made(storage, actor=ada, read_by="invited")
    await storage.invite(ada, board.id, BOB.id)
    own, _ = await storage.append(BOB, "mine", KEY, board_id=board.id)
    before = (await storage.snapshot(changes=1, page=1)).head.access
    await storage.uninvite(ada, board.id, BOB.id)
    assert await storage.access_changes_after(before) == [BOB.id]
    for call in (
        storage.append(BOB, "mine", KEY, board_id=board.id), storage.message(own.id, AS_BOB),
        storage.edit(own.id, "x", BOB.id, board_id=board.id), storage.delete(own.id, BOB.id, board_id=board.id),
        storage.before(None, 9, board.id, AS_BOB), storage.search("mine", None, 9, board.id, AS_BOB),
        storage.search("", None, 9, board.id, AS_BOB), storage.changes_on(board.id, AS_BOB, 0, 9),
        storage.snapshot_on(board.id, AS_BOB, changes=9, page=9), storage.invited(board.id, AS_BOB, 0, 9),
        storage.board(board.slug, AS_BOB), storage.uninvite(await storage.account("bob"), board.id, BOB.id),
    ):  # fmt: skip
        with pytest.raises(NotFoundError):
            await call
    assert [one.message.body for one in await storage.posted_by(BOB.id, 0, 9)] == ["mine"], "his download has them"


async def test_a_key_names_one_message_on_each_board(storage):
    """So it never brings a message from another, and says nothing of one; a deleted one forgets its words only."""
    boards = [FIRST_BOARD, (await made(storage)).id, (await made(storage, "diving")).id]
    posted = [(await storage.append(ADA, "words", KEY, board_id=board))[0] for board in boards]
    assert [message.board_id for message in posted] == boards
    for message in posted:
        assert await storage.append(ADA, "words", KEY, board_id=message.board_id) == (message, False)
        with pytest.raises(KeyReusedError):
            await storage.append(ADA, "others", KEY, board_id=message.board_id)
    await storage.delete(posted[1].id, board_id=boards[1])
    again, is_new = await storage.append(ADA, "others", KEY, board_id=boards[1])
    assert (again.id, again.deleted, is_new) == (posted[1].id, True, False)


async def test_a_message_is_not_found_on_another_board(storage):
    """By whatever number, also one that no board has."""
    board, other = await made(storage), await made(storage, "diving")
    here, _ = await storage.append(ADA, "here", None, board_id=board.id)
    first, _ = await storage.append(ADA, "first", None)
    for id, where in (
        (here.id, FIRST_BOARD),
        (here.id, other.id),
        (first.id, board.id),
        (here.id, 10**18),
        (10**18, board.id),
    ):
        for call in (
            storage.edit(id, "x", ADA.id, board_id=where),
            storage.delete(id, board_id=where),
            storage.edit(id, "x", board_id=where),
        ):
            with pytest.raises(NotFoundError):
                await call
    assert (await storage.edit(here.id, "there", ADA.id, board_id=board.id)).body == "there"


# --- cursors and floors


async def test_a_removal_on_one_board_resets_nobody_elsewhere(storage):
    """Each board has a floor, which rises with what leaves it, and with nothing else."""
    board, other = await made(storage), await made(storage, "diving")
    spam, _ = await storage.append(None, "spam", None, "192.0.2.1", board_id=board.id)
    await storage.append(None, "fine", None, "192.0.2.2", board_id=other.id)
    floors = [(await storage.changes_on(one.id, OPERATOR, 0, 9)).head.floor for one in (board, other)]
    site = (await storage.snapshot(changes=1, page=1)).head.floor
    assert await storage.remove_all(None, spam.id) == 1
    heads = [(await storage.changes_on(one.id, OPERATOR, 0, 9)).head for one in (board, other)]
    assert heads[0].floor > spam.seq > floors[0] and heads[1].floor == floors[1]
    assert (await storage.snapshot(changes=1, page=1)).head.floor == site
    assert heads[0].seq == heads[0].floor, "its last change is never lower than one that was given"
    assert len({heads[0].epoch, heads[1].epoch, (await storage.log_after(0, 1)).head.epoch}) == 3
    spam = [(await storage.append(None, "spam", None, "192.0.2.1", board_id=id))[0] for id in (FIRST_BOARD, board.id)]
    listed = (await storage.log_after(0, 1)).head.boards
    assert await storage.remove_all(None, spam[0].id) == 2
    of_first = (await storage.snapshot(changes=1, page=1)).head
    heads = [(await storage.changes_on(one.id, OPERATOR, 0, 9)).head for one in (board, other)]
    assert of_first.floor > site and heads[0].floor > spam[1].seq and heads[1].floor == floors[1]
    assert [one.id for one in (await storage.listing(listed)).boards] == [board.id], "deliver() is told of it"


async def test_the_newest_message_of_a_board_is_one_row(storage):
    board = await made(storage)
    assert (await storage.newest_on(board.id))[1] is None
    ada = await storage.account("ada")
    first, _ = await storage.append(Author(ada.id, "Ada"), "one", None, board_id=board.id)
    last, _ = await storage.append(None, "two", None, board_id=board.id)
    await storage.append(None, "elsewhere", None)
    assert (await storage.newest_on(board.id))[1] == (last.id, last.seq, None)
    await storage.delete(last.id, board_id=board.id)
    assert await storage.newest_on(board.id) == ((await storage.log_after(0, 1)).head, (first.id, first.seq, ada.id))


async def test_what_happens_elsewhere_does_not_move_the_first_board(storage):
    """Its cursors stay, so its pages are neither woken nor reset; and every node gives the same ones."""
    await storage.append(None, "first", None)
    before = await storage.snapshot(changes=9, page=9)
    board = await made(storage)
    message, _ = await storage.append(None, "elsewhere", None, board_id=board.id)
    await storage.edit(message.id, "there", board_id=board.id)
    await storage.remove_all(None, (await storage.append(ADA, "x", None, board_id=board.id))[0].id)
    after = await storage.snapshot(changes=9, page=9)
    assert after.head.boards > before.head.boards, "but every read tells that there are rows to read"
    assert after._replace(head=dataclasses.replace(after.head, boards=before.head.boards)) == before
    assert await storage.changes_after(0, 9) == await storage.changes_page(0, 9)
    assert (await storage.changes_after(0, 9)).head == after.head
    again, _ = await storage.append(None, "second", None)
    assert again.id == (await storage.log_after(0, 9)).head.seq == (await storage.changes_after(0, 9)).head.seq


async def test_a_moderator_removes_and_counts_only_where_they_read(storage):
    """What the same guest wrote for the invited stays, and the number says nothing of it."""
    await storage.set_role(None, "bob", "moderator")
    bob, ada = await storage.account("bob"), await storage.account("ada")
    open_to_all, hidden = await made(storage), await made(storage, actor=ada, read_by="invited", write_by="members")
    for board in (FIRST_BOARD, open_to_all.id, hidden.id):
        await storage.append(ADA, "by Ada", None, "192.0.2.1", board_id=board)
    assert await storage.remove_all(bob, (await storage.before(None, 1)).messages[0].id) == 2
    (kept,) = (await storage.before(None, 9, hidden.id, OPERATOR)).messages
    with pytest.raises(NotFoundError):
        await storage.remove_all(bob, kept.id)
    with pytest.raises(NotFoundError):
        await storage.block_address(bob, kept.id, 10**14)
    assert await storage.remove_all(None, kept.id) == 1
    told = [(entry.action, entry.board_id) for entry in await storage.audit(None, 99, Asker(BOB.id))]
    assert ("remove", None) in told and ("make", open_to_all.id) in told and not any(id == hidden.id for _, id in told)


async def test_a_deleted_board_leaves_nothing_behind_but_its_slugs(storage, monkeypatch):
    """At once for everybody; its rows go some at a time, and others' messages stay."""
    monkeypatch.setattr("storage.board_ends.ROWS_AT_ONCE", 3)
    board, other = await made(storage), await made(storage, "diving")
    for n in range(7):
        await storage.append(None, f"low tide {n}", None, board_id=board.id)
    await storage.append(None, "low tide", None, board_id=other.id)
    await storage.delete_board(None, board.id)
    for asker in (GUEST, AS_ADA, OPERATOR):
        with pytest.raises(NotFoundError):
            await storage.search("tide", None, 9, board.id, asker)
    await storage.forget(0, 0)
    assert bodies((await storage.log_after(0, 99)).messages) == ["low tide"]
    assert bodies((await storage.search("tide", None, 9, other.id, GUEST)).messages) == ["low tide"]
    assert (await storage.search("tide", None, 9)).messages == []


@pytest.mark.parametrize("keep_messages", [True, False])
async def test_an_account_is_erased_from_a_deleted_board_too(storage, keep_messages):
    """Whether housekeeping ran in between or not."""
    board = await made(storage)
    await storage.append(ADA, "by Ada", None, "192.0.2.1", board_id=board.id)
    await storage.delete_board(None, board.id)
    await storage.delete_account(ADA.id, keep_messages=keep_messages)
    left = [(one.message.author.name, one.address) for one in await storage.posted_by(ADA.id, 0, 9)]
    assert left == ([("deleted account", None)] if keep_messages else [])


async def test_an_account_that_an_older_version_deleted_is_erased_elsewhere(storage, monkeypatch):
    """A node of the last release knows the first board only: the next look after the house does the rest. Also if it
    was a week ago. Accounts that are there keep their names.
    """
    monkeypatch.setattr("storage.housekeeping.AUTHORS_AT_ONCE", 1)
    board, other = await made(storage), await made(storage, "diving")
    await storage.append(BOB, "by Bob", None, board_id=other.id)
    await storage.append(ADA, "by Ada", None, "192.0.2.1", board_id=board.id)
    await storage._write(lambda tx: tx.run("DELETE FROM accounts WHERE id = $1", ADA.id))
    before = (await storage.changes_on(board.id, OPERATOR, 0, 9)).head.floor
    await storage.forget(0, 0)
    assert (floor := (await storage.changes_on(board.id, OPERATOR, 0, 9)).head.floor) > before
    await storage.forget(0, 0)
    assert (await storage.changes_on(board.id, OPERATOR, 0, 9)).head.floor == floor, "once"
    assert (await storage.before(None, 9, other.id, GUEST)).messages[0].author == BOB
    (message,) = (await storage.before(None, 9, board.id, GUEST)).messages
    assert message.author.name == "deleted account"
    assert [one.address for one in await storage.posted_by(ADA.id, 0, 9)] == [None]


# --- bounds


async def test_what_somebody_can_make_is_bounded(storage, monkeypatch):
    """Boards in all and of one account, slugs of a board, invitations of an account."""
    ada = await storage.account("ada")
    with pytest.raises(NotAllowedError):
        await storage.create_board(ada, "rowing", "Rowing")
    board = await storage.create_board(ada, "rowing", "Rowing", most_owned=1)
    with pytest.raises(TooManyOwnedError):
        await storage.create_board(ada, "diving", "Diving", most_owned=1)
    monkeypatch.setattr("storage.slugs.MOST_SLUGS", 2)
    await storage.set_board(ada, board.id, BoardChange(slug="boats"))
    with pytest.raises(TooManySlugsError):
        await storage.set_board(ada, board.id, BoardChange(slug="oars"))
    monkeypatch.setattr("storage.invitations.MOST_INVITATIONS", 1)
    await storage.invite(ada, board.id, BOB.id)
    with pytest.raises(TooManyInvitationsError):
        await storage.invite(None, (await made(storage, "diving")).id, BOB.id)
    monkeypatch.setattr("storage.boards.MOST_BOARDS", 3)
    monkeypatch.setattr("storage.boards.MODERATORS_BOARDS", 1)
    with pytest.raises(TooManyBoardsError):
        await made(storage, "sails", actor=ada)
    await storage.set_role(None, "ada", "moderator")
    await made(storage, "sails", actor=ada)
    with pytest.raises(TooManyBoardsError):
        await made(storage, "oars")
    await storage.delete_board(None, board.id)
    await made(storage, "oars")


# --- words


def test_no_text_and_no_query_has_the_mark_of_a_board():
    """A query that has it finds no word of another board, also where a word may go on."""
    for text in (
        f"{BOARD_MARK}2{BOARD_MARK}tide",
        f"a{BOARD_MARK}",
        BOARD_MARK,
        f'"{mark_of(2)}tide"',
        f"鷦{BOARD_MARK}鷯",
    ):
        assert not any(
            BOARD_MARK in word for word in itertools.chain(words(text), *(one.words for one in phrases(text)))
        )


async def test_a_search_meets_no_word_of_another_board(storage):
    """Words, phrases and beginnings; and boards whose numbers begin alike."""
    boards = [FIRST_BOARD] + [(await made(storage, f"b{n}")).id for n in range(20)]
    for board in boards:
        await storage.append(None, f"the low tide of {board}", None, board_id=board)
    for board in boards:
        for query in ("tide", '"low tide"', "ti", "the tide"):
            found = await storage.search(query, None, 1, board, GUEST)
            assert bodies(found.messages) == [f"the low tide of {board}"] and not found.older, (board, query)
    assert to_vector("low tide", 7) == f"'{BOARD_MARK}7{BOARD_MARK}low':1 '{BOARD_MARK}7{BOARD_MARK}tide':2"


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_words_elsewhere_outlast_an_index_that_an_older_version_has_made(url, tmp_path):
    """It knows the first board only, and makes its parts again without the words of others."""
    storage = await open_storage(url)
    board = await made(storage)
    first, _ = await storage.append(None, "low tide", None)
    there, _ = await storage.append(None, "low tide there", None, board_id=board.id)
    await storage.close()
    db = sqlite3.connect(url.removeprefix("sqlite:///"))
    db.execute("DROP TABLE words_0")
    db.execute("CREATE VIRTUAL TABLE words_0 USING fts5 (words, content = '', columnsize = 0, tokenize = 'ascii')")
    db.execute("INSERT INTO words_0 (rowid, words) VALUES (?, 'low tide')", (first.id,))
    db.commit()
    db.close()
    storage = await open_storage(url)
    for id, board_id in ((there.id, board.id), (first.id, FIRST_BOARD)):
        assert [one.id for one in (await storage.search("tide", None, 9, board_id, GUEST)).messages] == [id]
        await storage.delete(id, board_id=board_id)
        assert (await storage.search("tide", None, 9, board_id, GUEST)).messages == []
    await storage.close()


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_words_elsewhere_are_cut_anew_whatever_an_older_version_has_cut(url):
    """It says only that those of the first board are as they should be."""
    storage = await open_storage(url)
    board = await made(storage)
    there, _ = await storage.append(None, "low tide", None, board_id=board.id)
    await storage.close()
    psql(url, "UPDATE longboard.posts SET search = NULL; UPDATE longboard.board SET words_elsewhere = 'old'")
    storage = await open_storage(url)
    async with asyncio.timeout(PATIENCE):
        while not (found := await storage.search("tide", None, 9, board.id, GUEST)).is_complete:
            await asyncio.sleep(0)
    assert found.messages == [there]
    await storage.close()
    assert psql(url, "SELECT words_elsewhere = words FROM longboard.board") == "t"


# --- what one board costs


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_post_on_a_site_with_one_board_takes_as_many_statements_as_before(storage):
    """Who uses no boards pays nothing for them."""
    await storage.append(None, "first", None)  # makes the index
    seen: list[str] = []
    connection = storage._writer._connection
    await connection.run(lambda db: db.set_trace_callback(seen.append))
    counts = []
    for author, key in ((None, None), (ADA, KEY)):
        seen.clear()
        await storage.append(author, "words", key, "192.0.2.1")
        counts.append(len([sql for sql in seen if not sql.startswith("--")]))
    await connection.run(lambda db: db.set_trace_callback(None))
    assert counts == COUNTS


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_post_on_a_site_with_one_board_writes_as_much_as_before(storage, url):
    """No further index or table has a page of it in SQLite's log; what is read there after a commit is as it was."""
    await storage.append(None, "first", None)  # makes the index
    log = url.removeprefix("sqlite:///") + "-wal"
    pages = []
    for author, key in ((None, None), (ADA, KEY)):
        before = os.path.getsize(log)
        await storage.append(author, "words", key, "192.0.2.1")
        pages.append((os.path.getsize(log) - before) / (4096 + 24))
    assert pages == PAGES


PAGES = [6, 8]
"""Of a guest's post, and of a member's with a key: the number, the row, each of its indexes, and its words."""
COUNTS = [12, 13]
"""Of a guest's post, and of a member's with a key: BEGIN, SAVEPOINT, what is checked, the number, the row, its words."""


async def test_boards_and_what_is_on_them_are_there_after_closing(url):
    """The database is the same when it is opened again."""
    storage = await open_storage(url)
    board = await made(storage)
    await storage.append(None, "stays", None, board_id=board.id)
    before = await storage.snapshot_on(board.id, GUEST, changes=9, page=9)
    await storage.close()
    storage = await open_storage(url)
    assert await storage.snapshot_on(board.id, GUEST, changes=9, page=9) == before
    assert await storage.board("rowing", GUEST) == board
    await storage.close()


ELSEWHERE = {
    "the page": lambda tx, count: read_page(tx, None, 5, 3, GUEST),
    "older messages": lambda tx, count: read_page(tx, count // 2, 5, 3, GUEST),
    "newer messages": lambda tx, count: read_page_after(tx, count // 2, 3, 3, GUEST),
    "all changes": lambda tx, count: read_changes_on(tx, 3, GUEST, 0, 1000),
    "how far one has read": lambda tx, count: read_standing(tx, 2, AS_ADA, {2: 1}),
    "the list of boards": lambda tx, count: read_listed(tx, AS_ADA, "", 9, {2: 1, 3: 1}),
    "all boards": lambda tx, count: read_listing(tx, 0, JOIN_LAST),
    "its newest message": lambda tx, count: read_newest_on(tx, 3),
    "its snapshot": lambda tx, count: read_snapshot_on(tx, 3, OPERATOR, 5, 5),
    "one message": lambda tx, count: read_anywhere(tx, count // 2, AS_ADA),
    "the end of the log": lambda tx, count: read_log(tx, count - 1, 1000),
}


def filled(path, count):
    """A busy board, 2, and a quiet one, 3, that has one message in ten parts of the other's."""
    asyncio.run(open_and_close(path))
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN")
    for id in (2, 3):
        db.execute(
            "INSERT INTO boards (id, slug, name, about, rules, read_by, write_by, created_at, floor, changed) "
            "VALUES (?, ?, 'x', '', '', 'everyone', 'guests', 1, 0, 0)",
            (id, f"b{id}"),
        )
    db.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
        "INSERT INTO posts (id, seq, board_id, body, created_at) SELECT i, i, iif(i % (?1 / 10), 2, 3), 'message ' || i, i FROM n",
        (count,),
    )
    db.execute("UPDATE board SET seq = ?", (count,))
    db.execute("COMMIT")
    return db


async def open_and_close(path):
    await (await open_storage(f"sqlite:///{path}")).close()


def test_a_quiet_board_is_as_quick_beside_a_busy_one_as_beside_another(tmp_path):
    """No read goes through what is on other boards: same plans, same number of SQLite's steps."""
    small, large = filled(tmp_path / "small.db", 1_000), filled(tmp_path / "large.db", 200_000)
    try:
        for name, read in ELSEWHERE.items():

            def work(db, count, read=read):
                return finish(read(SQLiteTx(db), count))

            assert difference(work, (small, 1_000), (large, 200_000)) == "", name
    finally:
        small.close()
        large.close()


async def test_posts_to_other_boards_are_committed_together_too(storage):
    """Whatever the board: as many commits for many at once as on the first."""
    boards = [(await made(storage, f"b{n}")).id for n in range(3)]
    before = sum(storage.writing().batches.counts)
    await asyncio.gather(*(storage.append(None, str(n), None, board_id=boards[n % 3]) for n in range(150)))
    assert sum(storage.writing().batches.counts) - before <= 4


async def test_a_change_elsewhere_costs_each_node_one_read_and_wakes_nobody_here(storage):
    """As many reads as on a site with one board, whatever the number of boards."""
    counting = Counting(storage)
    waiters = WaiterList(counting, await load(counting), max_parked=2)
    storage.on_commit = waiters.deliver
    boards = [(await made(storage, f"b{n}")).id for n in range(3)]
    parked = waiters.poll(waiters.recent.cursor, PATIENCE)
    for board in (*boards, FIRST_BOARD):
        counting.calls.clear()
        await storage.append(ADA, "words", None, board_id=board)
        assert counting.calls == ["log_after"]
        assert parked.future.done() == (board == FIRST_BOARD)
