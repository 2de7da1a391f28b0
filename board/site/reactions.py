"""What a site does with reactions to messages."""

from collections.abc import Sequence

from board.caller import Caller
from board.errors import DeniedError
from board.reactions import kind_of
from board.site.parts import Parts
from storage.records import Author, Message


class Reactions(Parts):
    async def react(self, caller: Caller, id: int, text: str, *, withdraws: bool = False) -> Message:
        """Adds the caller's reaction to a message of any board, or takes it back. Returns the message as it is then, also
        if nothing changed. A guest is refused for every message, even for one that doesn't exist.

        Raises DeniedError, NotFoundError, NotAllowedError.
        """
        if caller.account is None:
            raise DeniedError("sign_in_first", "Only members can react to messages. Please sign in.")
        kind = kind_of(text)
        self.limits.reacting.check(caller.key)
        self.limits.reacting_from.check(caller.address)
        act = self.storage.withdraw if withdraws else self.storage.react
        return await act(id, kind, caller.asker)

    async def reactions_to(
        self, caller: Caller, id: int, after: int, limit: int
    ) -> tuple[Message, list[tuple[Author, list[str]]], bool]:
        """Returns a message, who reacted to it (those accounts after this one, by their ids) with the kinds of each, and
        whether there are more. Raises NotFoundError.
        """
        message, found = await self.storage.reactions_to(id, after, limit + 1, caller.asker)
        return message, found[:limit], len(found) > limit

    async def own_reactions(self, caller: Caller, ids: Sequence[int]) -> list[tuple[int, int, str]]:
        """Returns the caller's reactions to these messages: message, board and kind of each."""
        return await self.storage.own_reactions(ids, caller.asker)
