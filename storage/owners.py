"""Who owns a board: the account that made it, or to which it was given; and what becomes of it when that account goes."""

from typing import NamedTuple

from storage.asking import BOARD, check_may_read, to_board
from storage.audit import of_board
from storage.board_ends import end_board
from storage.errors import NotFoundError, TooManyOwnedError
from storage.invitations import add_invitations
from storage.records import MOST_BOARDS, OPERATOR, Account, Board
from storage.rows import account_by, next_board_change, note
from storage.tx import Nouns, Tx

ALL_INVITED = (
    "FROM invitations JOIN accounts ON accounts.id = account_id WHERE board_id = boards.id AND account_id <> $1"
)
HEIR = f"SELECT account_id {ALL_INVITED} ORDER BY suspended_at IS NOT NULL, at, invitations.id LIMIT 1"
"""SQL: the member to whom a board for the invited goes when its owner, account $1, is deleted: the one who was invited
first, but one who is suspended only if all are.
"""


class Fate(NamedTuple):
    """What becomes of a board when its owner's account is deleted. One for everyone or for members stays, without an
    owner: moderators look after it.
    """

    board: Board
    invited: int
    """How many have an invitation, besides the owner."""
    heir: Account | None
    """To whom a board for the invited goes. If nobody is invited, nobody could read it any more: it is deleted."""


class Owners(Nouns):
    async def give_board(self, board_id: int, account_id: int) -> Board:
        """Makes the account the owner of a board, also of one whose owner has left. Raises NotFoundError."""

        async def unit(tx: Tx) -> Board:
            await give(tx, None, board_id, account_id)
            return await check_may_read(tx, board_id, OPERATOR)

        return await self._write(unit)

    async def boards_in_the_way(self, account: Account, most: int) -> list[Board]:
        """Returns the boards that an account owns, if these are as many as it may own."""
        return await self._read(read_in_the_way, account, most)

    async def fates(self, account_id: int, limit: int) -> tuple[list[Fate], int]:
        """Returns what would become of the account's boards, of the first so many, and how many there are."""

        async def read(tx: Tx) -> tuple[list[Fate], int]:
            row = await tx.one("SELECT count(*) FROM boards WHERE owner_id = $1", account_id)
            return await read_fates(tx, account_id, limit), row[0] if row else 0

        return await self._read(read)


async def read_in_the_way(tx: Tx, account: Account, most: int | None) -> list[Board]:
    if most is None or account.is_moderator:
        return []
    owned = await tx.all(f"SELECT {BOARD} FROM boards WHERE owner_id = $1 ORDER BY id", account.id)
    return [to_board(row) for row in owned] if len(owned) >= most else []


async def check_may_own(tx: Tx, account: Account, most: int | None) -> None:
    """Raises TooManyOwnedError for an account that owns as many boards as it may. Moderators may own any number."""
    if owned := await read_in_the_way(tx, account, most):
        raise TooManyOwnedError(f"account {account.id} owns {len(owned)}")


async def give(tx: Tx, actor: Account | None, board_id: int, account_id: int, most: int | None = None) -> None:
    """Makes an account the owner of a board. Of one for the invited, who had it before stays invited, unless the operator
    takes it from them.

    Processes see by the row who owns it now, and who did before, and have both judged again. Raises NotFoundError,
    TooManyOwnedError, TooManyInvitationsError.
    """
    board = await check_may_read(tx, board_id, OPERATOR)
    account = await account_by(tx, "id", account_id)
    if account is None or account.is_bot:
        raise NotFoundError(f"account {account_id}")
    if account_id == board.owner_id:
        return
    await check_may_own(tx, account, most)
    await hand_over(tx, board_id, account_id)
    if actor is not None and board.read_by == "invited" and board.owner_id is not None:
        await add_invitations(tx, actor, board_id, [board.owner_id])
    await note(tx, actor, "give", f"{of_board(board_id)} to {account.username}", board_id)


async def hand_over(tx: Tx, board_id: int, account_id: int) -> None:
    """An owner needs no invitation."""
    number = await next_board_change(tx)
    await tx.run("UPDATE boards SET owner_id = $1, changed = $2 WHERE id = $3", account_id, number, board_id)
    await tx.run("DELETE FROM invitations WHERE board_id = $1 AND account_id = $2", board_id, account_id)


async def read_fates(tx: Tx, account_id: int, limit: int) -> list[Fate]:
    columns = f"{BOARD}, (SELECT count(*) {ALL_INVITED}), ({HEIR})"
    rows = await tx.all(f"SELECT {columns} FROM boards WHERE owner_id = $1 ORDER BY id LIMIT $2", account_id, limit)
    fates = []
    for *row, invited, heir_id in rows:
        board = to_board(tuple(row))
        heir = await account_by(tx, "id", heir_id) if heir_id is not None and board.read_by == "invited" else None
        fates.append(Fate(board, invited, heir))
    return fates


async def leave_boards(tx: Tx, account_id: int) -> None:
    """Does with the boards of an account that is deleted what their fates say, with numbers that tell of it, as of any
    change of a row.
    """
    owner = await account_by(tx, "id", account_id)
    for board, _, heir in await read_fates(tx, account_id, MOST_BOARDS):
        if board.read_by == "invited" and heir is None:
            await end_board(tx, owner, board)
            continue
        if heir is not None:
            await hand_over(tx, board.id, heir.id)
        left_to = heir.username if heir else "the moderators"
        await note(tx, owner, "leave", f"{of_board(board.id)} to {left_to}", board.id)
    if await tx.one("SELECT 1 FROM boards WHERE owner_id = $1", account_id):
        number = await next_board_change(tx)
        await tx.run("UPDATE boards SET owner_id = NULL, changed = $1 WHERE owner_id = $2", number, account_id)
