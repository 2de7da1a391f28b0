"""Reactions in storage: who may react, what is counted, and what ends with what."""

# ruff: noqa: F811 (the fixture of the suite for storage)
import asyncio
import random

import pytest

from storage import open_storage
from storage.boards import BoardChange
from storage.errors import ArchivedError, NotAllowedError, NotFoundError, OutdatedError, UnavailableError
from storage.reactions import Reaction
from storage.records import FIRST_BOARD, GUEST, OPERATOR, REACTIONS, Asker
from tests.storage.test_boards import AS_ADA, AS_BOB, made
from tests.storage.test_storage import ADA, BOB, KEY, storage  # noqa: F401 (a fixture)


async def rows(storage):
    return [
        tuple(row)
        for row in await storage._read(lambda tx: tx.all("SELECT message_id, account_id, kind FROM reactions"))
    ]


async def on_both(storage, **options):
    """A message on the first board, and one on another."""
    board = await made(storage, **options)
    return board, [(await storage.append(ADA, "words", None, board_id=id))[0] for id in (FIRST_BOARD, board.id)]


async def test_a_reaction_is_a_change_of_its_message_and_counted_beside_it(storage):
    """On each board: the message has the next number, is read with its counts in the order of the row, and is else as it was."""
    board, messages = await on_both(storage)
    for message in messages:
        before = (await storage.log_after(0, 9)).head.seq
        await storage.react(message.id, "heart", AS_ADA)
        await storage.react(message.id, "thumbs_up", AS_ADA)
        after = await storage.react(message.id, "heart", AS_BOB)
        assert after.reactions == (("thumbs_up", 1), ("heart", 2)) and after.seq == before + 3
        assert (after.body, after.edited_at, after.created_at) == ("words", None, message.created_at)
        assert await storage.message(message.id, GUEST) == after
        assert (await storage.withdraw(message.id, "heart", AS_ADA)).reactions == (("thumbs_up", 1), ("heart", 1))
    changes = [await storage.changes_after(0, 9), await storage.changes_on(board.id, GUEST, 0, 9)]
    assert [[one.reactions for one in found.messages] for found in changes] == [[(("thumbs_up", 1), ("heart", 1))]] * 2
    assert [found.head.seq for found in changes] == [found.messages[0].seq for found in changes]
    assert (await storage.search("words", None, 9)).messages[0].reactions
    assert (await storage.append(ADA, "words", KEY))[0].reactions == ()


async def test_the_same_reaction_twice_is_one_and_no_change(storage):
    """To take back what is not there is no change, either."""
    message, _ = await storage.append(ADA, "words", KEY)
    first = await storage.react(message.id, "heart", AS_BOB)
    assert await storage.react(message.id, "heart", AS_BOB) == first
    assert await storage.withdraw(message.id, "eyes", AS_BOB) == first
    assert await rows(storage) == [(message.id, BOB.id, "heart")]
    assert (await storage.append(ADA, "words", KEY))[0] == first, "a post that is sent again is answered with them"
    gone = await storage.withdraw(message.id, "heart", AS_BOB)
    assert gone.reactions == () and await storage.withdraw(message.id, "heart", AS_BOB) == gone
    assert (await storage.changes_after(0, 9)).head.seq == gone.seq == 3


async def test_counts_are_those_of_the_rows_as_they_come_and_go(storage):
    """Also beyond nine, where a kind's digits begin another's."""
    message, _ = await storage.append(ADA, "words", None)
    await storage._write(lambda tx: tx.run_many(
        "INSERT INTO accounts (id, username, name, role, created_at) VALUES ($1, $2, 'x', 'member', 0)",
        [(id, f"member_{id}") for id in range(10, 30)],
    ))  # fmt: skip
    dice, kept = random.Random(1), set()
    for step in range(300):
        account, kind = dice.randrange(10, 30), dice.choice(REACTIONS[:3])
        does = dice.random() < (0.8 if step < 200 else 0.2)
        after = await (storage.react if does else storage.withdraw)(message.id, kind, Asker(account))
        (kept.add if does else kept.discard)((account, kind))
        counts = {kind: sum(one == kind for _, one in kept) for kind in REACTIONS}
        assert after.reactions == tuple((kind, count) for kind, count in counts.items() if count)
    assert sorted((account, kind) for _, account, kind in await rows(storage)) == sorted(kept)


async def test_who_may_not_read_a_board_finds_nothing_to_react_to(storage):
    """As for a message that never was; also for one that is deleted, and before any other refusal."""
    board, [first, hidden] = await on_both(storage, read_by="invited", actor=await storage.account("ada"))
    deleted, _ = await storage.append(ADA, "words", None)
    await storage.delete(deleted.id)
    await storage.react(hidden.id, "heart", AS_ADA)
    await storage.set_board(None, board.id, BoardChange(is_archived=True))
    for id in (hidden.id, deleted.id, 99, 2**62):
        for attempt in (storage.react, storage.withdraw):
            with pytest.raises(NotFoundError):
                await attempt(id, "heart", AS_BOB)
        with pytest.raises(NotFoundError):
            await storage.reactions_to(id, 0, 9, AS_BOB)
    everything = [first.id, hidden.id, deleted.id, 99]
    assert await storage.own_reactions(everything, AS_BOB) == []
    assert await storage.own_reactions(everything, AS_ADA) == [(hidden.id, board.id, "heart")]
    for attempt in (storage.react, storage.withdraw):
        with pytest.raises(ArchivedError):
            await attempt(hidden.id, "heart", AS_ADA)
    assert await rows(storage) == [(hidden.id, ADA.id, "heart")]


async def test_what_one_did_is_not_told_once_one_may_not_read_the_board(storage):
    """Nor to others who may not read it; the rows stay."""
    _, [_, there] = await on_both(storage)
    await storage.react(there.id, "heart", AS_BOB)
    assert await storage.own_reactions([there.id], AS_BOB) == [(there.id, there.board_id, "heart")]
    await storage.set_board(None, there.board_id, BoardChange(read_by="invited"))
    assert await storage.own_reactions([there.id], AS_BOB) == []
    assert (await storage.reactions_to(there.id, 0, 9, OPERATOR))[1] == [(BOB, ["heart"])]


async def test_only_active_accounts_react_and_with_a_credential_that_is_in_force(storage):
    """Judged in the transaction that writes."""
    message, _ = await storage.append(ADA, "words", None)
    with pytest.raises(OutdatedError):
        await storage.react(message.id, "heart", Asker(BOB.id, 77))
    await storage.suspend(None, "bob")
    for attempt in (storage.react, storage.withdraw):
        with pytest.raises(NotAllowedError):
            await attempt(message.id, "heart", AS_BOB)
    with pytest.raises(NotAllowedError):
        await storage.react(message.id, "heart", Asker(99))
    assert (await storage.changes_after(0, 9)).head.seq == message.seq and await rows(storage) == []


async def test_a_message_takes_its_reactions_with_it(storage, monkeypatch):
    """However it goes: by its author, with all by its author, or with its board."""
    board, messages = await on_both(storage)
    kept, _ = await storage.append(BOB, "by Bob", None)
    more = [(await storage.append(ADA, "more", None, board_id=one.board_id))[0] for one in messages]
    for message in (*messages, *more, kept):
        for kind in ("heart", "eyes"):
            await storage.react(message.id, kind, AS_BOB)
    for message in messages:
        deleted = await storage.delete(message.id, board_id=message.board_id)
        assert deleted.reactions == () and deleted.deleted
    assert {id for id, _, _ in await rows(storage)} == {more[0].id, more[1].id, kept.id}
    await storage.remove_all(None, more[0].id)
    assert {id for id, _, _ in await rows(storage)} == {kept.id}
    last, _ = await storage.append(BOB, "last", None, board_id=board.id)
    await storage.react(last.id, "heart", AS_BOB)
    await storage.delete_board(None, board.id)
    await storage.forget(0, 0)
    assert {id for id, _, _ in await rows(storage)} == {kept.id}


@pytest.mark.parametrize("keeps", [True, False])
async def test_an_account_takes_its_reactions_with_it_and_the_counts_are_lower(storage, monkeypatch, keeps):
    """In steps; pages of the boards where it reacted load again, and no others."""
    monkeypatch.setattr("storage.reactions.REMOVED_AT_ONCE", 2)
    _, messages = await on_both(storage)
    quiet = await made(storage, "quiet")
    for message in messages:
        await storage.react(message.id, "heart", AS_ADA)
        for kind in REACTIONS[:3]:
            await storage.react(message.id, kind, AS_BOB)
    await storage.delete_account(BOB.id, keep_messages=keeps)
    assert [one[1] for one in await rows(storage)] == [ADA.id] * 2
    for message in messages:
        assert (await storage.message(message.id, GUEST)).reactions == (("heart", 1),)
        changes = (
            await storage.changes_on(message.board_id, GUEST, 0, 9)
            if message.board_id > 1
            else await storage.changes_after(0, 9)
        )
        assert changes.head.floor > message.seq + 4
    assert (await storage.board_of(quiet.id, GUEST)).floor == quiet.floor


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
async def test_a_deletion_that_is_refused_takes_no_reaction_and_one_that_is_not_is_told(storage, monkeypatch, count):
    """Whether there are as many as go in one step, fewer, or twice as many; nothing is told before the end."""
    message, _ = await storage.append(ADA, "words", None)
    told = []
    monkeypatch.setattr("storage.reactions.REMOVED_AT_ONCE", 4)
    for kind in REACTIONS[:count]:
        await storage.react(message.id, kind, AS_BOB)

    async def tell():
        told.append(len(await rows(storage)))

    storage.on_commit = tell
    with monkeypatch.context() as full, pytest.raises(UnavailableError):
        full.setattr("storage.accounts.remove_account", fail)
        await storage.delete_account(BOB.id, keep_messages=True)
    assert len(await rows(storage)) == count and told == []
    monkeypatch.setattr("storage.reactions.REMOVED_AT_ONCE", 2)
    await storage.delete_account(BOB.id, keep_messages=True)
    assert await rows(storage) == [] and told[-1:] == [0] and set(told) == {0}


async def fail(*_, **__):
    raise UnavailableError("the disk is full")


async def test_who_reacted_is_told_a_part_at_a_time_and_by_present_names(storage):
    """In the order of accounts, each with all of its kinds."""
    message, _ = await storage.append(ADA, "words", None)
    for kind in ("eyes", "heart"):
        await storage.react(message.id, kind, AS_BOB)
    await storage.react(message.id, "eyes", AS_ADA)
    await storage.set_name(BOB.id, "Robert")
    found, first = await storage.reactions_to(message.id, 0, 1, GUEST)
    assert found.id == message.id and first == [(ADA, ["eyes"])]
    [(author, kinds)] = (await storage.reactions_to(message.id, ADA.id, 1, GUEST))[1]
    assert (author.name, kinds) == ("Robert", ["eyes", "heart"])
    assert (await storage.reactions_to(message.id, BOB.id, 1, GUEST))[1] == []
    [one, two] = await storage.reacted_by(BOB.id, 0, 9)
    assert [(row.message_id, row.kind) for row in (one, two)] == [(message.id, "eyes"), (message.id, "heart")]
    assert isinstance(one, Reaction) and await storage.reacted_by(BOB.id, one.id, 9) == [two]


async def test_many_at_once_on_two_nodes_are_all_counted(url, storage):
    """Each of them once, on either node, and both nodes say the same in the end."""
    message, _ = await storage.append(ADA, "words", None)
    other = await open_storage(url)
    tries = [(node, kind, asker) for node in (storage, other) for kind in REACTIONS for asker in (AS_ADA, AS_BOB)]
    await asyncio.gather(*(node.react(message.id, kind, asker) for node, kind, asker in tries))
    counts = [(await node.message(message.id, GUEST)).reactions for node in (storage, other)]
    assert counts == [tuple((kind, 2) for kind in REACTIONS)] * 2 and len(await rows(storage)) == 16
    assert (await other.changes_after(0, 9)).head.seq == message.seq + 16, "what changed nothing took no number"
    await other.close()
