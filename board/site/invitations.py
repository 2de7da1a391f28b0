"""What a site does with invitations to boards: lists, gives and takes them back. As in boards.py, a board that the caller
may not read is refused as one that never was.
"""

from board.account_names import fold_username
from board.caller import Caller
from board.errors import DeniedError
from board.said import msgid
from board.site.board_changes import BoardChanges, inviting
from board.site.boards import BOARDS_AT_ONCE, MANAGES, check_is_not_first, finding_board
from board.site.members_named import Names
from storage.errors import NotFoundError
from storage.records import Account, Board

NOBODY_CALLED_SO = msgid("There is no member with this username.")


class Invitations(BoardChanges):
    async def invited(
        self, caller: Caller, board: Board, after: int, limit: int = BOARDS_AT_ONCE
    ) -> tuple[list[Account], bool]:
        """Returns the accounts that have an invitation to a board that the caller may change (`board_to_manage`), by their
        ids, those after this one; and whether there are more. Raises DeniedError, NotAllowedError.
        """
        with finding_board():
            accounts = await self.storage.invited(board.id, caller.asker, after, limit + 1)
        return accounts[:limit], len(accounts) > limit

    async def invite(self, caller: Caller, slug: str, username: str) -> Account:
        """Lets a member read a board. Raises DeniedError."""
        credential, board = await self._manage(caller, slug)
        account = await self._account(username)
        with finding_board(), inviting(self.limits, caller, [account.id]):
            await self.storage.invite(credential.account, board.id, account.id, credential=credential.id)
        return account

    async def invite_named(self, caller: Caller, slug: str, names: Names) -> tuple[list[Account], list[Account]]:
        """Lets these members read a board: all of them or none. Returns those who are invited by this, and those who were
        before. Raises DeniedError.
        """
        credential, board = await self._manage(caller, slug, len(names.texts))
        accounts = await self.meant(names, board.owner_id)
        ids = [account.id for account in accounts]
        with finding_board(), inviting(self.limits, caller, ids):
            new = await self.storage.invite(credential.account, board.id, *ids, credential=credential.id)
        return [one for one in accounts if one.id in new], [one for one in accounts if one.id not in new]

    async def uninvite(self, caller: Caller, slug: str, username: str) -> None:
        """Takes an invitation back; everybody may give back their own. Raises DeniedError."""
        credential = self._person(caller, MANAGES)
        if fold_username(username) == credential.account.username:
            self.limits.managing.check(caller.key)
            board, account = await self.board(caller, slug), credential.account
            check_is_not_first(board)
        else:
            _, board = await self._manage(caller, slug)
            account = await self._account(username)
        with finding_board():
            await self.storage.uninvite(credential.account, board.id, account.id, credential=credential.id)

    async def _account(self, username: str) -> Account:
        """Raises DeniedError."""
        try:
            account = await self.storage.account(fold_username(username))
        except NotFoundError:
            raise DeniedError("no_such_account", NOBODY_CALLED_SO) from None
        if account.is_bot:
            raise DeniedError("no_such_account", NOBODY_CALLED_SO)
        return account
