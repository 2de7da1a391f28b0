"""What a site does with the pinned message of a board."""

from board.caller import Caller
from board.errors import DeniedError
from board.said import msgid
from board.site.messages import Messages
from storage.records import Message

PINS = msgid("Only moderators and the board's owner can pin a message.")


class Pins(Messages):
    async def pin(self, caller: Caller, id: int, *, ends: bool = False) -> Message:
        """Pins a message at the top of its board, in the place of another one, or ends that it is pinned. For those who may
        delete what others write there. Returns the message as it is then, also if nothing changed.

        Raises DeniedError, NotFoundError, NotAllowedError, ArchivedError.
        """
        _, board_id = await self._find(caller, id, PINS)
        if not caller.may_moderate and not await self._owns(caller, board_id):
            raise DeniedError("moderators_only", PINS)
        self.limits.managing.check(caller.key)
        return await self.storage.pin(id, caller.asker, ends=ends)
