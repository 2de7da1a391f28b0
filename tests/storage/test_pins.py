"""The pinned message of a board in storage: who may pin, what is a change, and what ends a pin."""

# ruff: noqa: F811 (the fixture of the suite for storage)
import asyncio

import pytest

from board.recent import Recent, cost
from storage import open_storage
from storage.boards import BoardChange
from storage.errors import ArchivedError, NotAllowedError, NotFoundError, OutdatedError
from storage.mentions import has_mentions
from storage.pins import has_pins
from storage.records import FIRST_BOARD, GUEST, OPERATOR, Asker
from storage.rows import table_of
from tests.storage.test_boards import AS_ADA, AS_BOB, made
from tests.storage.test_storage import ADA, BOB, KEY, storage  # noqa: F401 (a fixture)


async def snapshot(storage, board_id):
    if board_id == FIRST_BOARD:
        return await storage.snapshot(changes=9, page=1)
    return await storage.snapshot_on(board_id, OPERATOR, changes=9, page=1)


async def pinned(storage, board_id=FIRST_BOARD):
    """The pinned message of a board, as deliver() reads it."""
    return (await snapshot(storage, board_id)).pinned


async def deleted_by_an_old_node(storage, message):
    """Deletes as a node of the last release does, which knows neither pins nor mentions. Returns the message."""

    async def unit(tx):
        await tx.run("UPDATE board SET seq = seq + 1")
        set_empty = "seq = (SELECT seq FROM board), body = NULL, author_name = NULL, fingerprint = NULL, address = NULL"
        await tx.run(f"UPDATE {table_of(message.board_id)} SET {set_empty} WHERE id = $1", message.id)

    await storage._write(unit)
    [changed] = [one for one in (await storage.log_after(0, 99)).messages if one.id == message.id]
    return changed


async def two_boards(storage):
    """Ada moderates both; three messages on each, by Bob."""
    await storage.set_role(None, "ada", "moderator")
    board = await made(storage)
    ids = (FIRST_BOARD, board.id)
    return {id: [(await storage.append(BOB, f"words {n}", None, board_id=id))[0] for n in range(3)] for id in ids}


async def test_a_board_has_one_pinned_message_and_each_change_of_that_has_the_next_number(storage):
    """A second pin ends the first one, whose message changes, too; `edited_at` stays. Other boards keep theirs."""
    boards = await two_boards(storage)
    for board_id, (first, second, _) in boards.items():
        assert await pinned(storage, board_id) is None
        before = (await storage.log_after(0, 99)).head.seq
        one = await storage.pin(first.id, AS_ADA)
        assert (one.is_pinned, one.seq, one.edited_at, one.body) == (True, before + 1, None, first.body)
        assert await pinned(storage, board_id) == one == await storage.message(first.id, GUEST)
        assert await storage.pin(first.id, AS_ADA) == one, "twice is once"
        other = await storage.pin(second.id, AS_ADA)
        changed = (await storage.log_after(before + 1, 9)).messages
        assert [(m.id, m.seq, m.is_pinned) for m in changed] == [
            (first.id, before + 2, False),
            (second.id, before + 3, True),
        ]
        assert await storage.pin(first.id, AS_ADA, ends=True) == changed[0], (
            "the end of what is not pinned is no change"
        )
        assert await pinned(storage, board_id) == other
    for board_id, (_, second, _) in boards.items():
        assert (await pinned(storage, board_id)).id == second.id
        assert (await storage.pin(second.id, AS_ADA, ends=True)).is_pinned is False
        assert await pinned(storage, board_id) is None
    log = [(entry.action, entry.target, entry.board_id) for entry in await storage.audit(None, 99, OPERATOR)]
    expected = [
        (action, f"message {boards[id][n].id} by bob", None if id == FIRST_BOARD else id)
        for id in boards for action, n in (("pin", 0), ("pin", 1))
    ] + [("unpin", f"message {boards[id][1].id} by bob", None if id == FIRST_BOARD else id) for id in boards]  # fmt: skip
    assert [entry for entry in log[::-1] if "pin" in entry[0]] == expected


async def test_an_edit_keeps_the_pin_and_a_deletion_ends_it(storage):
    """Also the removal of all messages of an author; a node of the last release leaves the mark of a deleted one."""
    boards = await two_boards(storage)
    for board_id, (first, second, third) in boards.items():
        await storage.pin(first.id, AS_ADA)
        edited = await storage.edit(first.id, "new words", BOB.id, board_id=board_id)
        assert edited.is_pinned and await pinned(storage, board_id) == edited
        await storage.react(first.id, "heart", AS_ADA)
        assert (await pinned(storage, board_id)).reactions
        assert not (await storage.delete(first.id, BOB.id, board_id=board_id)).is_pinned
        assert await pinned(storage, board_id) is None
        with pytest.raises(NotFoundError):
            await storage.pin(first.id, AS_ADA)
        await storage.pin(second.id, AS_ADA)
        recent = Recent((await snapshot(storage, board_id)), lambda: 0)
        assert recent.pinned.id == second.id
        recent.add([await deleted_by_an_old_node(storage, second)])
        assert recent.pinned is await pinned(storage, board_id) is None
        assert (await storage.pin(third.id, AS_ADA)).is_pinned
    await storage.remove_all(None, boards[FIRST_BOARD][2].id)
    assert [await pinned(storage, id) for id in boards] == [None, None]


@pytest.mark.parametrize("place", [0, 1])
async def test_what_an_old_node_has_deleted_is_neither_pinned_nor_mentions_anybody(storage, place):
    """So such a site exports in the format that it had before."""
    board_id = list(await two_boards(storage))[place]
    message, _ = await storage.append(BOB, "@ada", None, board_id=board_id, mentioned=["ada"])
    await storage.pin(message.id, AS_ADA)
    assert [await storage._read(one) for one in (has_pins, has_mentions)] == [True, True]
    await deleted_by_an_old_node(storage, message)
    assert [await storage._read(one) for one in (has_pins, has_mentions)] == [False, False]


async def test_the_memory_of_a_board_counts_the_pinned_message(storage):
    """Which may be as long as a message may be, and older than all others in memory."""
    boards = await two_boards(storage)
    first = boards[FIRST_BOARD][0]
    read = await storage.snapshot(changes=1, page=1)
    before = Recent(read, lambda: 0).size
    after = Recent(read._replace(pinned=await storage.pin(first.id, AS_ADA)), lambda: 0).size
    assert after - before >= cost(first) > 0


async def test_only_who_moderates_the_board_at_that_moment_pins(storage):
    """Not a message's author, a member, or a moderator who has lost the role; the owner on their own board. Hidden boards,
    deleted messages and missing ones are not found, before any other refusal; archived boards keep what is pinned.
    """
    board = await made(storage, actor=await storage.account("ada"))
    [own] = [(await storage.append(BOB, "words", None, board_id=board.id))[0]]
    first, _ = await storage.append(BOB, "words", None)
    for ends in (False, True):
        for id, asker in ((first.id, AS_BOB), (own.id, AS_BOB), (first.id, AS_ADA)):
            with pytest.raises(NotAllowedError):
                await storage.pin(id, asker, ends=ends)
    assert (await storage.pin(own.id, AS_ADA)).is_pinned, "its owner"
    await storage.set_role(None, "bob", "moderator")
    assert (await storage.pin(first.id, AS_BOB)).is_pinned
    with pytest.raises(OutdatedError):
        await storage.pin(first.id, Asker(BOB.id, 77), ends=True)
    await storage.set_board(None, board.id, BoardChange(is_archived=True))
    for ends in (False, True):
        with pytest.raises(ArchivedError):
            await storage.pin(own.id, AS_ADA, ends=ends)
    await storage.set_board(None, board.id, BoardChange(read_by="invited"))
    for id in (own.id, 10**6, 2**62):
        with pytest.raises(NotFoundError):
            await storage.pin(id, AS_BOB, ends=True)
    assert (await pinned(storage, board.id)).id == own.id
    await storage.set_role(None, "bob", "member")
    with pytest.raises(NotAllowedError):
        await storage.pin(first.id, AS_BOB, ends=True)
    await storage.set_role(None, "bob", "moderator")
    await storage.suspend(None, "bob")
    with pytest.raises(NotAllowedError):
        await storage.pin(first.id, AS_BOB, ends=True)
    assert (await pinned(storage)).id == first.id


async def test_of_two_who_pin_at_once_one_is_the_last(storage, url):
    """On two nodes, many at once: one message is pinned in the end, and all numbers are different."""
    boards = await two_boards(storage)
    other = await open_storage(url)
    try:
        for board_id, messages in boards.items():
            before = (await storage.log_after(0, 99)).head.seq
            await asyncio.gather(
                *(node.pin(one.id, AS_ADA) for _ in range(3) for node in (storage, other) for one in messages)
            )
            now = (await storage.log_after(before, 99)).messages
            assert [one.id for one in now if one.is_pinned] == [(await pinned(storage, board_id)).id]
            assert len({one.seq for one in now}) == len(now) == 3
    finally:
        await other.close()


async def test_a_post_that_is_sent_again_is_answered_as_it_is_now(storage):
    """With the same key, also by the functions of PostgreSQL, which know of no pins."""
    await storage.set_role(None, "ada", "moderator")
    board = await made(storage)
    for board_id in (FIRST_BOARD, board.id):
        posted, _ = await storage.append(ADA, "words", KEY, board_id=board_id)
        now = await storage.pin(posted.id, AS_ADA)
        assert (await storage.append(ADA, "words", KEY, board_id=board_id)) == (now, False)
        assert now.is_pinned and posted.is_pinned is False
