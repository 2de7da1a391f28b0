"""Reads messages by their ids, for those who show what a reply is to."""

from collections.abc import Sequence

from storage.asking import read_judged, together
from storage.records import FIRST_BOARD, GUEST, Asker, Message
from storage.rows import IN_ANOTHER, IN_FIRST, to_message
from storage.tx import Nouns, Tx, places


class Replies(Nouns):
    async def named(self, ids: Sequence[int], board_id: int = FIRST_BOARD, asker: Asker = GUEST) -> list[Message]:
        """Returns those of these messages that are on the board, by id, also deleted ones. Raises NotFoundError."""
        return await self._read(read_named, ids, board_id, asker)


async def read_named(tx: Tx, ids: Sequence[int], board_id: int, asker: Asker) -> list[Message]:
    numbers = together(ids)
    rest = f"AND id IN ({places(2, numbers)})"
    if board_id == FIRST_BOARD:
        rows = await tx.all(f"SELECT {IN_FIRST} {rest} ORDER BY id", board_id, *numbers)
    else:
        rows = await read_judged(tx, asker, f"SELECT {IN_ANOTHER} {rest}", "id", board_id, *numbers)
    return [to_message(row) for row in rows]


async def has_replies(tx: Tx) -> bool:
    """Whether there is any reply on the site that is not deleted."""
    reply = "SELECT 1 FROM {} WHERE reply_to IS NOT NULL LIMIT 1"
    return any([await tx.one(reply.format(table)) for table in ("messages", "posts")])
