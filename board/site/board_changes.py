"""What a site does to its boards: makes, changes, hands over and deletes them. As in boards.py, a board that the caller may
not read is refused as one that never was.
"""

import contextlib
from collections.abc import Iterator, Sequence

from board.caller import Caller
from board.errors import DeniedError, Problem
from board.limits import Limits
from board.said import msgid, said
from board.site.boards import Boards, finding_board
from board.site.members_named import NOBODY, MembersNamed, Names, refuse
from board.slugs import as_typed, check_is_free, clean_about, clean_board_name, clean_rules, clean_slug, slugs_from
from storage.boards import BoardChange
from storage.errors import TooManyInvitationsError, TooManyOwnedError
from storage.records import Board

FULL = msgid("@%(username)s is invited to as many boards as one may be.")
OWNS = msgid("@%(username)s owns as many boards as a member may here.")


@contextlib.contextmanager
def inviting(limits: Limits, caller: Caller, ids: Sequence[int]) -> Iterator[None]:
    """Around what invites members, or gives them a board. Raises DeniedError."""
    with limits.inviting.counting(*(f"{caller.key} {id}" for id in ids)):
        try:
            yield
        except TooManyInvitationsError as error:
            refuse([Problem(name, "too_many_boards", said(FULL, username=name)) for name in error.usernames])


class BoardChanges(Boards, MembersNamed):
    async def make_board(
        self, caller: Caller, said: BoardChange, *, invite: Names = NOBODY, once: bool = False
    ) -> Board:
        """Makes a board, which the caller then owns, and invites these members: both or neither. One for the invited gets a
        random slug, any other the one in `said`, or one that is made from its name and is free. With `once`, what the caller
        has just made alike is returned instead.

        Raises DeniedError, BadTextError, SlugTakenError, TooManyBoardsError.
        """
        self.check_may_make_boards(caller)
        credential = caller.member_credential
        self.limits.managing.check(caller.key, 1 + len(invite.texts))
        said = cleaned(said._replace(name=said.name or ""))
        assert said.name
        self._check_name(said.name)
        slug, *others = [said.slug] if said.slug else slugs_from(said.name)
        invited = [account.id for account in await self.meant(invite, credential.account.id)]
        is_free = credential.account.is_moderator
        counting = contextlib.nullcontext() if is_free else self.limits.making_from.counting(caller.address)
        with counting, inviting(self.limits, caller, invited):
            return await self.storage.create_board(
                credential.account,
                slug,
                said.name,
                or_slugs=others,
                about=said.about or "",
                rules=said.rules or "",
                read_by=said.read_by or "everyone",
                write_by=said.write_by or "guests",
                order=said.order or "newest",
                most_owned=self._most_owned,
                credential=credential.id,
                invite=invited,
                once=once,
            )

    @property
    def _most_owned(self) -> int | None:
        """How many boards a member may own; None if only moderators make them, who may give a member any number."""
        return self.rules.boards_each if self.rules.board_making == "members" else None

    def _check_name(self, name: str) -> None:
        """Raises BadTextError."""
        check_is_free(name, (self.rules.title, self.rules.first_name))

    async def change_board(
        self,
        caller: Caller,
        slug: str,
        change: BoardChange,
        began_from: int | None = None,
        *,
        invite: Names = NOBODY,
        owner: Names = NOBODY,
    ) -> Board | None:
        """Returns the board as it is then; None if the caller may not read it any more. `began_from` is the number of its
        last change that the caller knows, if nothing later may be overwritten. With the change, these members are invited,
        and the board goes to another owner: all or nothing.

        Raises DeniedError, BadTextError, SlugTakenError, TooManyBoardsError, BoardChangedError.
        """
        credential, board = await self._manage(caller, slug, 1 + len(invite.texts) + len(owner.texts))
        change = cleaned(change, board.read_by)
        invited = [account.id for account in await self.meant(invite, board.owner_id)]
        heirs = await self.meant(owner)
        if len(heirs) > 1:
            raise DeniedError("names_several", "A board has one owner: name one member.")
        if change == BoardChange() and not (invited or heirs):
            return board
        if change.name is not None and change.name != board.name:
            self._check_name(change.name)
        with finding_board(), inviting(self.limits, caller, [*invited, *(heir.id for heir in heirs)]):
            try:
                return await self.storage.set_board(
                    credential.account,
                    board.id,
                    change,
                    credential=credential.id,
                    began_from=began_from,
                    invite=invited,
                    owner_id=heirs[0].id if heirs else None,
                    most_owned=self._most_owned,
                )
            except TooManyOwnedError:
                raise DeniedError("too_many_boards", said(OWNS, username=heirs[0].username)) from None

    async def delete_board(self, caller: Caller, slug: str, name: str) -> None:
        """Deletes a board with all that is on it. Its name must be given, so that nobody deletes another one by mistake.

        Raises DeniedError.
        """
        credential, board = await self._manage(caller, slug)
        if as_typed(name) != as_typed(board.name):
            raise DeniedError(
                "name_differs",
                said("This isn't the board's name. Type it exactly, capitals too: %(name)s", name=board.name),
            )
        with finding_board():
            await self.storage.delete_board(credential.account, board.id, credential=credential.id)


def cleaned(change: BoardChange, read_by: str = "") -> BoardChange:
    """Returns the words as they are stored. `read_by` is who may read the board now. Raises BadTextError, DeniedError."""
    is_random = (change.read_by or read_by) == "invited"
    if is_random and change.slug:
        raise DeniedError("random_slug", "A board for the invited gets a random short name, which nobody can guess.")
    return change._replace(
        slug=None if is_random or change.slug is None else clean_slug(change.slug),
        name=None if change.name is None else clean_board_name(change.name),
        about=None if change.about is None else clean_about(change.about),
        rules=None if change.rules is None else clean_rules(change.rules),
    )
