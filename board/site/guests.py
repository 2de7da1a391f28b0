"""What guests say with their posts, and do with their own messages, by the secret that each was posted with."""

import contextlib
import datetime
from collections.abc import AsyncIterator

from board.account_names import clean_name
from board.caller import Caller
from board.errors import DeniedError
from board.said import said
from board.site.messages import Messages
from board.text import clean
from storage.errors import CLOSED, MembersOnlyError, NameReservedError, NotAllowedError, UnavailableError
from storage.records import GUEST_MS, NAMELESS, Guest, Message


class Guests(Messages):
    async def _checked_guest(self, caller: Caller, guest: Guest, key: str | None) -> Guest:
        """Returns what is stored of what a guest says with a post. Of a member it is nothing: members have names. A name that
        nobody can take refuses a new post only, and without a key each post is new.

        Raises BadTextError for a name that is not one, NameReservedError.
        """
        if caller.credential is not None:
            return NAMELESS
        if guest.name is None or not guest.name.strip():
            return guest._replace(name=None)
        name = clean_name(guest.name)
        try:
            await self.storage.check_guest_name(name)
        except NameReservedError:
            if key is None:
                raise
            return guest._replace(name=None, is_refused=True)
        return guest._replace(name=name)

    @contextlib.asynccontextmanager
    async def _blocked(self, caller: Caller) -> AsyncIterator[None]:
        """Says until when a guest's address is blocked, if storage refuses the guest for that. Raises DeniedError."""
        try:
            yield
        except NotAllowedError as error:
            until = None
            if caller.credential is None and not isinstance(error, tuple(CLOSED.values())):
                with contextlib.suppress(UnavailableError):
                    until = await self.storage.blocked_until(caller.address)
            if until is None:
                raise
            end = datetime.datetime.fromtimestamp(until / 1000, datetime.UTC)
            words = said("Posting is blocked until %(time)s UTC.", time=f"{end:%Y-%m-%d %H:%M}")
            raise DeniedError("not_allowed", words) from None

    async def editable_until(self, message: Message, is_new: bool, secret_hash: bytes) -> int | None:
        """Returns until when a guest may change what was posted with this secret; None for what was posted before, with
        another one, or by a node of the last release, which knows none.
        """
        if message.deleted or not (is_new or await self.storage.is_own(message.id, secret_hash)):
            return None
        return message.created_at + GUEST_MS

    async def edit(
        self, caller: Caller, id: int, text: str, began_from: int | None, secret_hash: bytes | None = None
    ) -> Message:
        """Edits a message, for the member who wrote it, or for the guest who has its secret. It counts as a post.

        Raises what edit() does for members, and TooLateError.
        """
        if secret_hash is None:
            return await super().edit(caller, id, text, began_from)
        if self.rules.posting == "members":
            raise MembersOnlyError
        self._count_post(caller)
        body = clean(text, self.rules.message_length)
        board_id = (await self.storage.message(id, caller.asker)).board_id
        there = caller.address, began_from, board_id
        async with self._blocked(caller):
            return await self.storage.edit_by_guest(id, body, secret_hash, *there, self._mentioned(caller, body))

    async def delete(self, caller: Caller, id: int, secret_hash: bytes | None = None) -> Message:
        """Deletes a message, for its author, a moderator, or the guest who has its secret. Raises what delete() does for
        members, and TooLateError.
        """
        if secret_hash is None:
            return await super().delete(caller, id)
        self.limits.deleting.check(caller.key)
        board_id = (await self.storage.message(id, caller.asker)).board_id
        async with self._blocked(caller):
            return await self.storage.delete_by_guest(id, secret_hash, caller.address, board_id)
