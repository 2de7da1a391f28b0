"""What a site does with its boards: finds and lists them, and judges who may make and change them.

To a caller who may not read a board, it is one that never was: each verb refuses both alike, with no_such_board, after
all that does not depend on the board and before all that does. Storage judges again, in the transaction that writes.
"""

import contextlib
from collections.abc import Iterator

from board.caller import Caller
from board.errors import DeniedError
from board.said import msgid, said
from board.scopes import GUESTS
from board.site.parts import Parts
from board.slugs import FIRST, fold_slug
from storage.errors import NotFoundError
from storage.marks import Standing
from storage.records import FIRST_BOARD, Account, Board, Credential

NO_BOARD = msgid("There is no such board.")
MAKES = {
    "members": msgid("Only members can make boards."),
    "moderators": msgid("Only moderators can make boards here."),
}
"""By the setting BOARD_MAKING."""
MANAGES = msgid("Only a board's owner and moderators can do this.")
BOARDS_AT_ONCE = 100
"""Boards, or members of one, in an answer, unless fewer are asked for."""


@contextlib.contextmanager
def finding_board() -> Iterator[None]:
    """What storage does not find is a board that the caller may not read, or that never was. Raises DeniedError."""
    try:
        yield
    except NotFoundError:
        raise DeniedError("no_such_board", NO_BOARD) from None


def check_is_not_first(board: Board) -> None:
    """Raises DeniedError."""
    if board.id == FIRST_BOARD:
        raise DeniedError("first_board", "The site's settings say what its first board is.")


class Boards(Parts):
    async def board(self, caller: Caller, slug: str) -> Board:
        """Returns the board that has this slug, or had it. Raises DeniedError."""
        folded = fold_slug(slug)
        if folded == FIRST:
            return self.first_board
        if folded is None:
            raise DeniedError("no_such_board", NO_BOARD)
        with finding_board():
            return await self.storage.board(folded, caller.asker)

    @property
    def first_board(self) -> Board:
        """The first board, which has no row: the site's settings say what it is."""
        readers = "everyone" if self.rules.reading == "public" else "members"
        rules = self.rules
        return Board(
            FIRST_BOARD, FIRST, rules.first_name, "", "", readers, rules.posting, None, 0, None, 0, 0, rules.order
        )

    def order_on(self, board_id: int) -> str:
        """Returns which message the page of a board has first, one of ORDERS, as this process knows it."""
        live = self.waiters.directory.of(board_id)
        return live.row.order if live and live.row else self.rules.order

    async def slug_with(self, caller: Caller, board_id: int | None) -> str | None:
        """Returns the slug of the board with this id; None if there is none that the caller may read."""
        if board_id is None:
            return None
        try:
            return (await self.storage.board_of(board_id, caller.asker)).slug
        except NotFoundError:
            return None

    async def boards(
        self, caller: Caller, after: str | None, limit: int = BOARDS_AT_ONCE
    ) -> tuple[list[tuple[Board, Standing]], bool]:
        """Returns the boards after this one, or all: the first board, and others by their slugs; and whether there are
        more. Guests get them from memory, and so without their rules.
        """
        others = limit - (after is None)
        begin = "" if after in (None, FIRST) else after
        if caller.account is None:
            return self._for_guests(begin, others, with_first=after is None)
        first = [] if after is not None else [(self.first_board, await self.standing(caller, self.first_board))]
        listed = await self.storage.listed(caller.asker, begin, others + 1, self.marks.of(caller.account.id))
        return first + listed[:others], len(listed) > others

    def _for_guests(self, begin: str, others: int, *, with_first: bool) -> tuple[list[tuple[Board, Standing]], bool]:
        directory = self.waiters.directory
        live = directory.listed(GUESTS, others + 1, begin)
        listed = [(board.row, Standing(board.newest or None)) for board in live if board.row]
        first = [(self.first_board, Standing(directory.first.newest or None))] if with_first else []
        return first + listed[:others], len(live) > others

    async def standing(self, caller: Caller, board: Board) -> Standing:
        """Returns how far a board is, and how far the caller has read. Raises DeniedError."""
        with finding_board():
            return await self.storage.standing(board.id, caller.asker, self.marks.of(caller.asker.account_id))

    async def owner_of(self, board: Board) -> Account | None:
        """Returns who owns a board that the caller may change."""
        with contextlib.suppress(NotFoundError):
            return await self.storage.account_of(board.owner_id) if board.owner_id is not None else None
        return None

    # --- who may make and change them

    def may_manage(self, caller: Caller, board: Board) -> bool:
        """Whether the caller may change this board, which it may read, and delete what others write there."""
        if caller.credential is None or not caller.credential.is_person or board.id == FIRST_BOARD:
            return False
        return caller.credential.account.is_moderator or caller.credential.account.id == board.owner_id

    def may_make_boards(self, caller: Caller) -> bool:
        """Whether the caller may make boards, unless there are too many."""
        if caller.credential is None or not caller.credential.is_person:
            return False
        return caller.credential.account.is_moderator or self.rules.board_making == "members"

    def check_may_make_boards(self, caller: Caller) -> None:
        """Raises DeniedError."""
        who_may = MAKES[self.rules.board_making]
        self._person(caller, who_may)
        if not self.may_make_boards(caller):
            raise DeniedError("moderators_only", who_may)

    async def boards_in_the_way(self, caller: Caller) -> list[Board]:
        """Returns the boards that a member owns, if these are as many as one may own."""
        return await self.storage.boards_in_the_way(caller.member_credential.account, self.rules.boards_each)

    async def count_on(self, caller: Caller, board: Board) -> int:
        """Returns how many messages a board beside the first has. Raises DeniedError."""
        with finding_board():
            return await self.storage.count_on(board.id, caller.asker)

    async def _manage(self, caller: Caller, slug: str, times: int = 1) -> tuple[Credential, Board]:
        """Returns the credential and the board, for those who may change it, and counts that. Raises DeniedError."""
        credential = self._person(caller, MANAGES)
        self.limits.managing.check(caller.key, times)
        return credential, await self.board_to_manage(caller, slug)

    async def board_to_manage(self, caller: Caller, slug: str) -> Board:
        """Returns a board that the caller may change. Raises DeniedError."""
        self._person(caller, MANAGES)
        board = await self.board(caller, slug)
        check_is_not_first(board)
        if not self.may_manage(caller, board):
            raise DeniedError("owner_only", MANAGES)
        return board

    def may_moderate_on(self, caller: Caller, board: Board) -> bool:
        """The same as may_manage(), also for the first board, which belongs to the moderators."""
        return caller.may_moderate if board.id == FIRST_BOARD else self.may_manage(caller, board)

    async def board_to_moderate(self, caller: Caller, slug: str) -> Board:
        """The same as board_to_manage(), also for the first board. Raises DeniedError."""
        self._person(caller, MANAGES)
        board = await self.board(caller, slug)
        if not self.may_moderate_on(caller, board):
            raise DeniedError("owner_only", MANAGES)
        return board

    async def _moderate(self, caller: Caller, slug: str) -> tuple[Credential, Board]:
        """The same as _manage(), also for the first board. Raises DeniedError."""
        credential = self._person(caller, MANAGES)
        self.limits.managing.check(caller.key)
        return credential, await self.board_to_moderate(caller, slug)

    def _person(self, caller: Caller, who_may: str) -> Credential:
        """Refuses guests and bots, whatever the board. Raises DeniedError."""
        if caller.credential is None:
            raise DeniedError("sign_in_first", said("%(rule)s Please sign in.", rule=said(who_may)))
        if caller.credential.kind == "bot":
            raise DeniedError("bot_token", "A bot's token can't do this. Sign in with the password.")
        return caller.credential
