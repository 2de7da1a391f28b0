"""Who owns a board: the operator may give it to somebody else; and a bot's token that was made for one board."""

# ruff: noqa: F811 (the fixture of the suite for storage)
import pytest

from storage.errors import NotFoundError
from storage.records import OPERATOR, Asker
from tests.storage.test_boards import AS_ADA, AS_BOB, made
from tests.storage.test_storage import ADA, BOB, storage  # noqa: F401 (a fixture)


async def test_a_board_that_is_given_to_somebody_is_theirs(storage):
    """Processes are told by its row; the one who had it reads it no longer, if it is for the invited."""
    board = await made(storage, read_by="invited")
    before = (await storage.snapshot(changes=0, page=0)).head.boards
    given = await storage.give_board(board.id, ADA.id)
    assert given.owner_id == ADA.id and given.changed > board.changed
    assert (await storage.give_board(board.id, BOB.id)).slug == board.slug
    assert [one.board.owner_id for one in (await storage.listing(before)).boards] == [BOB.id]
    assert await storage.board(board.slug, AS_BOB)
    assert [entry.target for entry in await storage.audit(None, 1, OPERATOR)] == [f"board {board.id} to bob"]
    with pytest.raises(NotFoundError):
        await storage.board(board.slug, AS_ADA)
    for board_id, account_id in ((board.id, 99), (99, ADA.id)):
        with pytest.raises(NotFoundError):
            await storage.give_board(board_id, account_id)


async def test_a_board_is_made_for_somebody_or_not_at_all(storage):
    """Who makes it for an account that has just gone has used up no short name."""
    with pytest.raises(NotFoundError):
        await made(storage, "oars", owner_id=99)
    assert await storage.audit(None, 9, OPERATOR) == []
    board = await made(storage, "oars", owner_id=BOB.id, read_by="invited")
    assert board.owner_id == BOB.id and await storage.board(board.slug, AS_BOB) == board
    assert [entry.action for entry in await storage.audit(None, 9, OPERATOR)] == ["give", "make"]


async def test_a_bot_reads_and_writes_on_the_board_that_its_token_was_made_for(storage):
    """As far as its account may, and on no other board of the invited; it can't be made for one that is hidden."""
    ada = await storage.account("ada")
    board, other = [await made(storage, actor=ada, read_by="invited") for _ in range(2)]
    token = await storage.create_credential(ADA.id, "bot", b"hash", "a bot", board_id=board.id)
    bot = Asker(ADA.id, token.id)
    assert token.board_id == board.id and (await storage.credential(b"hash")).board_id == board.id
    assert (await storage.board(board.slug, bot)).id == board.id
    message, _ = await storage.append(ADA, "by a bot", None, None, token.id, board.id)
    assert (await storage.message(message.id, bot)).body == "by a bot"
    with pytest.raises(NotFoundError):
        await storage.board(other.slug, bot)
    with pytest.raises(NotFoundError):
        await storage.append(ADA, "by a bot", None, None, token.id, other.id)
    with pytest.raises(NotFoundError):
        await storage.create_credential(BOB.id, "bot", b"other", "a bot", board_id=board.id)
    assert await storage.credentials(BOB.id) == []
    await storage.give_board(board.id, BOB.id)
    with pytest.raises(NotFoundError):
        await storage.board(board.slug, bot)
