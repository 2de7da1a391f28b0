"""Read marks: how far somebody has read; and the list of boards, with what is new on each."""

# ruff: noqa: F811 (the fixture of the suite for storage)
import pytest

from storage.boards import BoardChange
from storage.errors import NotFoundError
from storage.marks import MOST_UNREAD, Standing, read_listed
from storage.records import FIRST_BOARD, GUEST, OPERATOR, Asker
from tests.storage.test_boards import AS_ADA, AS_BOB, made
from tests.storage.test_storage import ADA, BOB, storage  # noqa: F401 (a fixture)


async def mark_of(storage, asker, board_id):
    return (await storage.standing(board_id, asker, {})).read


@pytest.mark.parametrize("where", ["the first board", "another"])
async def test_a_mark_is_the_greater_of_what_is_kept_and_sent_and_at_most_the_newest(storage, where):
    """Whatever a client sends: numbers that no message has, and older ones from another of its windows."""
    other = (await made(storage)).id
    board = FIRST_BOARD if where == "the first board" else other
    await storage.save_marks({(ADA.id, board): 1})
    assert await mark_of(storage, AS_ADA, board) is None, "nothing is there to be read"
    ids = [(await storage.append(BOB, f"words {n}", None, board_id=board))[0].id for n in range(3)]
    for sent, kept in (
        (ids[0], ids[0]), (ids[1], ids[1]), (ids[0], ids[1]), (0, ids[1]), (-5, ids[1]), (10**18, ids[2]), (2**70, ids[2]),
    ):  # fmt: skip
        await storage.save_marks({(ADA.id, board): sent})
        assert await mark_of(storage, AS_ADA, board) == kept
    assert await mark_of(storage, AS_BOB, board) is None
    await storage.save_marks({(BOB.id, board): ids[1], (99, board): ids[0]})
    assert await mark_of(storage, AS_BOB, board) == ids[1]
    assert (await storage.notes_about(BOB.id)).marks == [(board, ids[1])]


async def test_a_mark_is_kept_only_where_somebody_reads(storage):
    """Not on a board that they may not read, that is deleted or never was, nor for nobody."""
    hidden = await made(storage, actor=await storage.account("ada"), read_by="invited")
    ended = await made(storage, "ended")
    for board in (hidden, ended):
        await storage.append(ADA, "words", None, board_id=board.id)
    await storage.delete_board(None, ended.id)
    boards = (hidden.id, ended.id, 99)
    await storage.save_marks({(account, board): 9 for account in (BOB.id, 99, 2**62) for board in boards})
    rows = await storage._read(lambda tx: tx.all("SELECT account_id FROM marks"))
    assert list(rows) == []
    await storage.save_marks({(ADA.id, hidden.id): 9})
    assert len(await storage._read(lambda tx: tx.all("SELECT account_id FROM marks"))) == 1


async def test_who_sees_one_board_has_no_marks(storage):
    """A site with one board exports what it did; and a mark on the first board tells of no other that is hidden or gone."""
    first, _ = await storage.append(None, "words", None)
    await storage.save_marks({(ADA.id, FIRST_BOARD): first.id})
    assert await storage.standing(FIRST_BOARD, AS_ADA, {}) == Standing(first.id)
    await made(storage, "x", read_by="invited")
    ended = await made(storage, "ended")
    await storage.delete_board(None, ended.id)
    await storage.save_marks({(ADA.id, FIRST_BOARD): first.id})
    assert await storage.standing(FIRST_BOARD, AS_ADA, {}) == Standing(first.id)
    await made(storage)
    await storage.save_marks({(ADA.id, FIRST_BOARD): first.id})
    assert await storage.standing(FIRST_BOARD, AS_ADA, {}) == Standing(first.id, first.id)
    assert await storage.standing(FIRST_BOARD, GUEST, {}) == Standing(first.id)


async def test_marks_leave_with_their_board_and_their_account(storage, monkeypatch):
    """Some at a time, as its messages."""
    monkeypatch.setattr("storage.board_ends.ROWS_AT_ONCE", 1)
    board, other = await made(storage), await made(storage, "diving")
    for one in (board, other):
        posted, _ = await storage.append(ADA, "words", None, board_id=one.id)
        await storage.save_marks({(account, one.id): posted.id for account in (ADA.id, BOB.id)})
    await storage.delete_board(None, board.id)
    await storage.forget(0, 0)
    await storage.delete_account(BOB.id, keep_messages=True)
    rows = await storage._read(lambda tx: tx.all("SELECT account_id, board_id FROM marks"))
    assert [tuple(row) for row in rows] == [(ADA.id, other.id)]


async def test_the_list_says_what_is_new_to_whom(storage):
    """On each board that one may read: the newest message that is there, and those after one's mark."""
    quiet, busy = await made(storage, "a-quiet"), await made(storage, "busy")
    hidden = await made(storage, "hidden", actor=await storage.account("ada"), read_by="invited")
    ids = [(await storage.append(BOB, f"words {n}", None, board_id=busy.id))[0].id for n in range(5)]
    last, _ = await storage.append(ADA, "secret", None, board_id=hidden.id)
    await storage.save_marks({(ADA.id, busy.id): ids[1]})
    await storage.delete(ids[3], board_id=busy.id)
    assert await storage.listed(GUEST, "", 9, {}) == [(quiet, Standing(None)), (busy, Standing(ids[4]))]
    for_ada = {board.id: news for board, news in await storage.listed(AS_ADA, "", 9, {})}
    assert for_ada == {
        quiet.id: Standing(None),
        busy.id: Standing(ids[4], ids[1], 2),
        hidden.id: Standing(last.id, None, 1),
    }
    assert len(await storage.listed(OPERATOR, "", 9, {})) == 3 and len(await storage.listed(AS_BOB, "", 9, {})) == 2
    with pytest.raises(NotFoundError):
        await storage.standing(hidden.id, AS_BOB, {hidden.id: 1})
    assert (await storage.standing(busy.id, AS_ADA, {busy.id: ids[2], 77: 1})) == Standing(ids[4], ids[2], 1)
    older = {busy.id: ids[0], 77: 1}  # another node has saved a later one
    assert (await storage.standing(busy.id, AS_ADA, older)).read == ids[1]
    listed = {board.id: one for board, one in await storage.listed(AS_ADA, "", 9, older)}
    assert (listed[busy.id].read, listed[busy.id].unread) == (ids[1], 2)
    await storage.delete(ids[4], board_id=busy.id)
    assert await storage.listed(AS_ADA, "bu", 1, {}) == [(busy, Standing(ids[2], ids[1], 1))]


async def test_without_a_mark_what_came_since_the_account_was_made_is_unread(storage):
    """So every browser, and every page, says the same of a board that a member never opened. To the invited all is new."""
    boards = {read_by: await made(storage, read_by, read_by=read_by) for read_by in ("everyone", "members", "invited")}
    await storage.invite(None, boards["invited"].id, ADA.id)
    for n in range(5):
        for board in (FIRST_BOARD, *(one.id for one in boards.values())):
            last, _ = await storage.append(ADA, f"{n}", None, board_id=board, mentioned=["ada"])
            change = f"UPDATE {'messages' if board == FIRST_BOARD else 'posts'} SET created_at = $1 WHERE id = $2"
            await storage._write(lambda tx, n=n, id=last.id, change=change: tx.run(change, 1000 + n, id))
    await storage._write(lambda tx: tx.run("UPDATE accounts SET created_at = 1003"))

    async def unread(read_by, asker=AS_ADA):
        board = boards[read_by].id if read_by in boards else FIRST_BOARD
        standing = await storage.standing(board, asker, {})
        if board != FIRST_BOARD:
            assert standing in [one for listed, one in await storage.listed(asker, "", 9, {}) if listed.id == board]
        assert standing.read is None and standing.mentions == (standing.unread if asker == AS_ADA else 0)
        return standing.unread

    assert [await unread(who) for who in ("the first", "everyone", "members", "invited")] == [2, 2, 2, 5]
    assert [await unread("everyone", asker) for asker in (AS_BOB, GUEST, Asker(99))] == [2, 0, 0]
    for _ in range(MOST_UNREAD):
        await storage.append(BOB, "words", None, board_id=boards["everyone"].id, mentioned=["ada"])
    assert await unread("everyone") == MOST_UNREAD
    for read_by in ("everyone", "members"):
        await storage.delete_board(None, boards[read_by].id)
    assert [await unread("the first", asker) for asker in (AS_ADA, AS_BOB)] == [2, 0], (
        "which would tell of a hidden one"
    )


@pytest.mark.parametrize("board", [FIRST_BOARD, 2])
async def test_unread_messages_and_mentions_are_counted_up_to_a_hundred(storage, board):
    """Of a mention counts who is meant, and nobody whose id or username is within theirs."""
    await made(storage)
    first, _ = await storage.append(BOB, "@ada before", None, board_id=board, mentioned=["ada"])
    await storage.save_marks({(ADA.id, board): first.id})

    async def news(asker=AS_ADA):
        standing = await storage.standing(board, asker, {})
        if board != FIRST_BOARD:
            assert (await storage.listed(asker, "", 9, {}))[0][1] == standing
        return standing

    for mentioned in (["ada"], ["bob", "ada"], ["ada", "nobody"]):
        await storage.append(BOB, "words", None, board_id=board, mentioned=mentioned)
    assert ((await news()).unread, (await news()).mentions) == (3, 3)
    await storage._write(lambda tx: tx.run_many(
        "INSERT INTO accounts (id, username, name, role, created_at) VALUES ($1, $2, 'x', 'member', 0)",
        [(11, "adam"), (21, "ada_"), (112, "dada")],
    ))  # fmt: skip
    for mentioned in (["adam"], ["ada_"], ["dada"], ["bob"], ["adam", "ada_", "dada", "bob"], ["nobody"], []):
        last, _ = await storage.append(BOB, "@ada", None, board_id=board, mentioned=mentioned)
    assert ((await news()).unread, (await news()).mentions) == (10, 3)
    for n in range(MOST_UNREAD):
        last, _ = await storage.append(ADA, f"{n}", None, board_id=board, mentioned=["ada"])
    assert await news() == Standing(last.id, first.id, 100, 100)
    assert await news(GUEST) == Standing(last.id)
    await storage.save_marks({(ADA.id, board): last.id})
    assert await news() == Standing(last.id, last.id)


class Counting:
    def __init__(self, tx):
        self._tx = tx
        self.count = 0

    async def all(self, sql, *values):
        self.count += 1
        return await self._tx.all(sql, *values)


async def test_the_list_takes_one_statement_however_many_boards_there_are(storage):
    """A hundred at a time, by their slugs."""
    boards = [await made(storage, f"b{n:02}") for n in range(30)]
    for board in boards:
        posted, _ = await storage.append(ADA, "words", None, board_id=board.id)
        await storage.save_marks({(BOB.id, board.id): posted.id})
    await storage.set_board(None, boards[5].id, BoardChange(slug="z"))

    async def read(tx):
        counting = Counting(tx)
        rows = await read_listed(counting, AS_BOB, "b01", 20, {boards[7].id: 10**6})
        return [board.slug for board, _ in rows], counting.count

    slugs, count = await storage._read(read)
    assert count == 1 and slugs == [f"b{n:02}" for n in range(2, 23) if n != 5]
