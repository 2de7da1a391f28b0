"""What a site does with invitations to boards: lists, gives and takes them back. As in boards.py, a board that the caller
may not read is refused as one that never was.
"""

import itertools
import re
from unicodedata import normalize

from board.account_names import NAME_LENGTH, fold_username
from board.caller import Caller
from board.errors import DeniedError
from board.signs import beginning
from board.site.boards import BOARDS_AT_ONCE, MANAGES, Boards, check_is_not_first, finding_board
from board.text import tidy
from storage.errors import NotFoundError, TooManyInvitationsError
from storage.records import Account, Board, Credential

COMMA = re.compile("[,\n\u060c\u3001\uff0c]")
"""What stands between names: also the commas of Arabic, Chinese and Japanese."""
INVITED_AT_ONCE = 10
"""Names are looked for in one statement, which reads all accounts."""
TOLD_APART = 5
"""Members of one name that a refusal lists."""


class Invitations(Boards):
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
        await self._invite(caller, credential, board, [account])
        return account

    async def invite_named(self, caller: Caller, slug: str, text: str) -> tuple[list[Account], list[Account]]:
        """Lets members read a board whose usernames or names these are, with commas between them: all of them or none.
        A name is compared exactly, however its accents are encoded. Returns those who are invited by this, and those who
        were before. Raises DeniedError.
        """
        text = tidy(text)
        names = names_in(text)
        credential, board = await self._manage(caller, slug, len(names))
        accounts = await self._meant(text, names)
        for account in accounts:
            if account.id == board.owner_id:
                raise DeniedError("owns_board", f"\u2068{account.name}\u2069 owns this board, and needs no invitation.")
        new = await self._invite(caller, credential, board, accounts)
        return [one for one in accounts if one.id in new], [one for one in accounts if one.id not in new]

    async def _invite(self, caller: Caller, credential: Credential, board: Board, accounts: list[Account]) -> set[int]:
        """Returns the ids of those who had no invitation before. Raises DeniedError."""
        ids = [account.id for account in accounts]
        with finding_board(), self.limits.inviting.counting(*(f"{caller.key} {id}" for id in ids)):
            try:
                return await self.storage.invite(credential.account, board.id, *ids, credential=credential.id)
            except TooManyInvitationsError as error:
                raise DeniedError("too_many_boards", f"{error}.") from None

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
            return await self.storage.account(fold_username(username))
        except NotFoundError:
            raise DeniedError("no_such_account", "There is no member with this username.") from None

    async def _meant(self, text: str, names: list[str]) -> list[Account]:
        """Returns the members who are meant by this text, which has these names. Raises DeniedError."""
        whole, *parts = await self._called([text, *names])
        if whole:  # somebody's name may have a comma in it, and be chosen so that it is a list of others
            others = itertools.chain(*parts) if all(parts) else ()
            return [only_one(list(dict.fromkeys([*others, *whole])), text)]
        return list(dict.fromkeys(only_one(found, name) for found, name in zip(parts, names, strict=True)))

    async def _called(self, texts: list[str]) -> list[list[Account]]:
        """Returns for each text the members who may be meant: first the one who has it as a username, with @ before it or
        without, then those who have it as their name.
        """
        said = [username_and_name(text) for text in texts]
        usernames = {username for username, _ in said if username}
        names = {form for _, name in said if name for form in (name, nfc(name), normalize("NFD", name))}
        accounts = await self.storage.accounts_called(usernames, names, TOLD_APART + 1) if usernames else []
        return [
            [one for one in accounts if one.username == username]
            + [one for one in accounts if one.username != username and nfc(one.name) == nfc(name)]
            for username, name in said
        ]


def nfc(name: str) -> str:
    return normalize("NFC", name)


def names_in(text: str) -> list[str]:
    """Returns the names between the commas. Raises DeniedError."""
    names = [name for name in COMMA.split(text) if name.strip()] or [text]
    if len(names) > INVITED_AT_ONCE:
        raise DeniedError("too_many_names", f"Invite at most {INVITED_AT_ONCE} members at once.")
    return names


def username_and_name(text: str) -> tuple[str, str]:
    """Returns the username and the name that this may be, "" for what it can't be. With @ before it, it is no name."""
    name = " ".join(text.split())  # as names are kept
    username = fold_username(name.removeprefix("@"))
    if not username or len(name) > NAME_LENGTH:
        return "", ""
    return username, "" if name.startswith("@") else name


def only_one(found: list[Account], text: str) -> Account:
    """Returns the member who is meant by this text. Raises DeniedError if there is none, or more than one."""
    called = f"“\u2068{beginning(text.strip(), NAME_LENGTH)}\u2069”"
    if not found:
        raise DeniedError("no_such_account", f"No member has the username or the name {called}.")
    if len(found) > 1:
        these = ", ".join(f"@{one.username} (\u2068{one.name}\u2069)" for one in found[:TOLD_APART])
        more = " and others" if len(found) > TOLD_APART else ""
        raise DeniedError("names_several", f"{called} may be {these}{more}. Type the username with the @ before it.")
    return found[0]
