"""What moderators do. Storage checks again, in the transaction, that they are moderators, and writes the audit log."""

from typing import Literal

from board.caller import Caller
from board.errors import DeniedError
from board.said import msgid
from board.site.parts import Parts
from storage.audit import AuditEntry
from storage.records import DAY_MS, Credential

MODERATORS_ONLY = msgid("Only moderators can do this.")
AUDIT_PAGE = 100
"""Entries of the audit log on one page."""


class Moderation(Parts):
    def _check(self, caller: Caller) -> Credential:
        """Returns the moderator's credential. Raises DeniedError for others and for bots' tokens."""
        if not caller.may_moderate:
            raise DeniedError("moderators_only", MODERATORS_ONLY)
        return caller.member_credential

    async def change_suspension(self, caller: Caller, message_id: int, act: Literal["suspend", "unsuspend"]) -> None:
        """Suspends the author of a message, or ends the suspension. Raises DeniedError, NotFoundError, IsModeratorError."""
        credential, message = self._check(caller), await self.storage.message(message_id, caller.asker)
        if message.author is None:
            raise DeniedError("no_account", "A guest has no account to suspend. Block the address instead.")
        author = await self.storage.account_of(message.author.id)
        change = self.storage.suspend if act == "suspend" else self.storage.restore
        await change(credential.account, author.username, credential=credential.id)
        self.account_log.write(f"{act}ed", author.id, caller.address, f"by account {credential.account.id}")

    async def block_source(self, caller: Caller, message_id: int, days: int) -> None:
        """Blocks the address that a message came from. Raises DeniedError, NotFoundError, OwnAddressError."""
        credential, until = self._check(caller), round(self.credentials.clock() * 1000) + days * DAY_MS
        await self.storage.block_address(
            credential.account, message_id, until, caller.address, credential=credential.id
        )

    async def remove_all(self, caller: Caller, message_id: int) -> None:
        """Removes all messages of a message's author. Raises DeniedError, NotFoundError, OwnAddressError,
        IsModeratorError."""
        credential = self._check(caller)
        await self.storage.remove_all(credential.account, message_id, caller.address, credential=credential.id)

    async def count_by_source(self, caller: Caller, message_id: int) -> int:
        """Returns how many messages remove_all() would remove, at most MOST_COUNTED. Raises DeniedError."""
        self._check(caller)
        return await self.storage.count_by_source(caller.asker, message_id)

    async def audit(self, caller: Caller, before: int | None) -> tuple[list[AuditEntry], int | None]:
        """Returns a page of the audit log, the newest first, and the entry before which it continues, if it does.

        Raises DeniedError.
        """
        self._check(caller)
        entries, changed = list[AuditEntry](), -1
        while changed != self.waiters.directory.changed:  # else a board changed hands, or ended, during the read
            changed = self.waiters.directory.changed
            entries = await self.storage.audit(before, AUDIT_PAGE + 1, caller.asker)
        page = entries[:AUDIT_PAGE]
        return page, page[-1].id if len(entries) > AUDIT_PAGE else None
