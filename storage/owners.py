"""Who owns a board: the account that made it, or the one to which the operator gave it at the command line."""

from storage.asking import check_may_read
from storage.audit import of_board
from storage.errors import NotFoundError
from storage.records import OPERATOR, Board
from storage.rows import account_by, next_board_change, note
from storage.tx import Nouns, Tx


class Owners(Nouns):
    async def give_board(self, board_id: int, account_id: int) -> Board:
        """Makes the account the owner of a board, also of one whose owner has left. Raises NotFoundError."""

        return await self._write(lambda tx: give(tx, board_id, account_id))


async def give(tx: Tx, board_id: int, account_id: int) -> Board:
    """Processes see by the row who owns it now, and who did before, and have both judged again. Raises NotFoundError."""
    await check_may_read(tx, board_id, OPERATOR)
    account = await account_by(tx, "id", account_id)
    if account is None:
        raise NotFoundError(f"account {account_id}")
    number = await next_board_change(tx)
    await tx.run("UPDATE boards SET owner_id = $1, changed = $2 WHERE id = $3", account_id, number, board_id)
    await note(tx, None, "give", f"{of_board(board_id)} to {account.username}", board_id)
    return await check_may_read(tx, board_id, OPERATOR)
