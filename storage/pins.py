"""The pinned message of a board: at most one."""

from storage.asking import check_may_read, may_moderate
from storage.audit import of_message
from storage.errors import ArchivedError, NotAllowedError
from storage.reading import read_anywhere, read_message, read_pinned
from storage.records import FIRST_BOARD, Account, Asker, Message
from storage.rights import check_active, check_in_force
from storage.rows import author_of, next_number, note, table_of
from storage.tx import Nouns, Tx


class Pins(Nouns):
    async def pin(self, id: int, asker: Asker, *, ends: bool = False) -> Message:
        """Makes a message of any board the pinned one of its board, in the place of another one; or ends that it is.

        The asker must be a moderator or the board's owner; the same transaction writes to the audit log. Each message of
        which this changes something gets the next number; `edited_at` stays. Nothing changes if it is so already.

        Returns the message as it is then. Raises NotFoundError, NotAllowedError, ArchivedError, OutdatedError.
        """

        async def unit(tx: Tx) -> Message:
            message = await read_anywhere(tx, id, asker)
            board_id = message.board_id
            account = await check_may_pin(tx, board_id, asker)
            tx.has_news = True  # so that the board shows what the answer says, also if this was sent again
            if message.is_pinned != ends:  # it is so already
                return message
            before = await read_pinned(tx, board_id)
            if before is not None:
                await set_pinned(tx, before, "NULL")
            if not ends:
                await set_pinned(tx, message, "now_ms()")
            author, _ = await author_of(tx, id)
            await note(tx, account, "unpin" if ends else "pin", of_message(id, author), board_id)
            return await read_message(tx, board_id, id)

        return await self._write(unit)


async def check_may_pin(tx: Tx, board_id: int, asker: Asker) -> Account:
    """Checks the right to pin a message of a board that the asker may read. Returns the asker's account.

    Raises NotAllowedError, ArchivedError, OutdatedError.
    """
    assert asker.account_id is not None
    account = await check_active(tx, asker.account_id)
    await check_in_force(tx, asker.account_id, asker.credential_id)
    board = None if board_id == FIRST_BOARD else await check_may_read(tx, board_id, asker)
    if not may_moderate(account, board):
        raise NotAllowedError(f"account {account.id} is no moderator")
    if board is not None and board.archived_at is not None:
        raise ArchivedError(f"board {board_id}")
    return account


async def set_pinned(tx: Tx, message: Message, at: str) -> None:
    """`at` is SQL."""
    update = f"UPDATE {table_of(message.board_id)} SET seq = $1, pinned_at = {at} WHERE id = $2"
    await tx.run(update, await next_number(tx), message.id)


async def has_pins(tx: Tx) -> bool:
    """Whether a message of the site is pinned."""
    pinned = "SELECT 1 FROM {} WHERE pinned_at IS NOT NULL AND body IS NOT NULL LIMIT 1"
    return any([await tx.one(pinned.format(table)) for table in ("messages", "posts")])
