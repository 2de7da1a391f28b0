"""Who owns a board: the operator may give it to somebody else; and a bot's token that was made for one board."""

# ruff: noqa: F811 (the fixture of the suite for storage)
import pytest

from storage.boards import BoardChange
from storage.errors import NotAllowedError, NotFoundError, TooManyOwnedError
from storage.records import OPERATOR, Asker, Password
from tests.storage.test_boards import AS_ADA, AS_BOB, made
from tests.storage.test_storage import ADA, BOB, storage  # noqa: F401 (a fixture)


async def test_a_board_that_is_given_to_somebody_is_theirs(storage):
    """Processes are told by its row; the one who had it reads it no longer, if it is for the invited."""
    board = await made(storage, read_by="invited")
    before = (await storage.snapshot(changes=0, page=0)).head.boards
    given = await storage.give_board(board.id, ADA.id)
    assert given.owner_id == ADA.id and given.changed > board.changed
    assert (await storage.give_board(board.id, BOB.id)).slug == board.slug
    assert [one.owner_id for one in (await storage.listing(before)).boards] == [BOB.id]
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


async def test_boards_of_an_account_that_is_deleted_are_looked_after_by_somebody(storage):
    """What the account is told beforehand comes true: an open board stays without an owner, one for the invited goes to
    the member who was invited first and is not suspended, and one that nobody could read any more is deleted.
    """
    ada = await storage.account("ada")
    mia, joe, eve = [await storage.create_account(name, name, Password("a hash")) for name in ("mia", "joe", "eve")]
    open_one, club, alone = [await made(storage, slug, actor=ada, read_by=read_by) for slug, read_by in
                             (("open", "everyone"), ("club", "invited"), ("alone", "invited"))]  # fmt: skip
    for invited in (eve, joe, mia):
        await storage.invite(ada, club.id, invited.id)
    await storage.invite(ada, open_one.id, mia.id)  # means nothing while it is open
    await storage.suspend(None, "eve")
    fates, count = await storage.fates(ADA.id, 2)
    assert count == 3 and [(fate.board.id, fate.invited, fate.heir) for fate in fates] == [
        (open_one.id, 1, None), (club.id, 3, joe)
    ]  # fmt: skip
    await storage.delete_account(ADA.id, keep_messages=True)
    assert (await storage.board("open", OPERATOR)).owner_id is None
    assert (await storage.board(club.slug, Asker(joe.id))).owner_id == joe.id
    assert {one.id for one in await storage.invited(club.id, Asker(joe.id), 0, 9)} == {mia.id, eve.id}
    with pytest.raises(NotFoundError):
        await storage.board(alone.slug, OPERATOR)
    log = [(one.actor_name, one.action, one.target) for one in await storage.audit(None, 3, OPERATOR)]
    assert log == [
        ("ada", "delete", f"board {alone.id}"), ("ada", "leave", f"board {club.id} to joe"),
        ("ada", "leave", f"board {open_one.id} to the moderators"),
    ]  # fmt: skip
    for heir in (joe, mia):
        await storage.delete_account(heir.id, keep_messages=False)
    assert (await storage.board(club.slug, OPERATOR)).owner_id == eve.id, "rather one who is suspended than nobody"


async def test_an_owner_hands_a_board_over_and_stays_invited(storage):
    """The new owner needs no invitation any more. Only the owner and moderators may, and a member owns so many at most."""
    ada, bob = await storage.account("ada"), await storage.account("bob")
    board = await made(storage, actor=ada, read_by="invited")
    await storage.invite(ada, board.id, BOB.id)
    with pytest.raises(NotAllowedError):
        await storage.set_board(bob, board.id, BoardChange(), owner_id=BOB.id)
    given = await storage.set_board(ada, board.id, BoardChange(name="Oars"), owner_id=BOB.id, most_owned=1)
    assert (given.owner_id, given.name) == (BOB.id, "Oars") and given.changed > board.changed
    assert [one.id for one in await storage.invited(board.id, AS_BOB, 0, 9)] == [ADA.id]
    other = await made(storage, "other", actor=ada)
    with pytest.raises(TooManyOwnedError):
        await storage.set_board(ada, other.id, BoardChange(name="Else"), owner_id=BOB.id, most_owned=1)
    assert (await storage.board("other", AS_ADA)) == other, "all or nothing"
    assert await storage.boards_in_the_way(bob, 1) == [given] and await storage.boards_in_the_way(bob, 2) == []
    assert (await storage.set_board(bob, board.id, BoardChange(), owner_id=BOB.id, most_owned=1)) == given


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
