"""Invitations to boards, which let an account read one. The rules are those of boards.py."""

from collections.abc import Iterable

from storage.asking import IS_MANAGER, asker_of, check_manages, check_may_read, read_judged
from storage.audit import of_invitation
from storage.errors import NotAllowedError, NotFoundError, TooManyInvitationsError
from storage.records import MOST_INVITATIONS, Account, Asker
from storage.rights import check_in_force
from storage.rows import ACCOUNT, account_by, next_board_change, note, note_access_change
from storage.tx import Nouns, Tx


class Invitations(Nouns):
    async def invite(
        self, actor: Account | None, board_id: int, *account_ids: int, credential: int | None = None
    ) -> set[int]:
        """Lets accounts read a board, all of them or none. Returns those that had no invitation before.

        Raises NotFoundError, NotAllowedError, TooManyInvitationsError.
        """

        async def unit(tx: Tx) -> set[int]:
            await check_manages(tx, actor, credential, board_id)
            return await add_invitations(tx, actor, board_id, account_ids)

        return await self._write(unit)

    async def uninvite(
        self, actor: Account | None, board_id: int, account_id: int, *, credential: int | None = None
    ) -> None:
        """Takes an invitation back; everybody may give back their own. Raises NotFoundError, NotAllowedError."""

        async def unit(tx: Tx) -> None:
            if actor is None or actor.id != account_id:
                await check_manages(tx, actor, credential, board_id)
            else:
                await check_may_read(tx, board_id, asker_of(actor, credential))
                await check_in_force(tx, actor.id, credential)
            if await tx.run("DELETE FROM invitations WHERE board_id = $1 AND account_id = $2", board_id, account_id):
                invited = await account_by(tx, "id", account_id)
                assert invited is not None  # an invitation ends with its account
                await note(tx, actor, "uninvite", of_invitation(board_id, invited.username), board_id)
                await note_access_change(tx, account_id)
                await next_board_change(tx)

        await self._write(unit)

    async def invited(self, board_id: int, asker: Asker, after: int, limit: int) -> list[Account]:
        """Returns the accounts that have an invitation, by their ids, those after this one, to an asker who may change that.

        Raises NotFoundError, NotAllowedError.
        """
        return await self._read(read_invited, board_id, asker, after, limit)


async def add_invitations(tx: Tx, actor: Account | None, board_id: int, account_ids: Iterable[int]) -> set[int]:
    """Returns the accounts that had none before. Raises NotFoundError, and TooManyInvitationsError with all of them that
    have as many as they may.
    """
    new, full = set(), list[str]()
    for id in account_ids:
        invited = await account_by(tx, "id", id)
        if invited is None or invited.is_bot:
            raise NotFoundError(f"account {id}")
        if await add_invitation(tx, actor, board_id, invited):
            new.add(id)
            row = await tx.one("SELECT count(*) FROM invitations WHERE account_id = $1", id)
            if row is not None and row[0] > MOST_INVITATIONS:
                full.append(invited.username)
    if full:
        raise TooManyInvitationsError(full)
    return new


async def add_invitation(tx: Tx, actor: Account | None, board_id: int, invited: Account) -> bool:
    """Returns whether there was none before."""
    at = "SELECT $1, $2, now_ms() WHERE true ON CONFLICT (board_id, account_id) DO NOTHING"
    if not await tx.run(f"INSERT INTO invitations (board_id, account_id, at) {at}", board_id, invited.id):
        return False
    await note(tx, actor, "invite", of_invitation(board_id, invited.username), board_id)
    await note_access_change(tx, invited.id)
    await next_board_change(tx)
    return True


async def read_invited(tx: Tx, board_id: int, asker: Asker, after: int, limit: int) -> list[Account]:
    select = (
        f"SELECT {ACCOUNT} FROM invitations JOIN accounts ON accounts.id = account_id "
        "WHERE board_id = $1 AND accounts.id > $2 ORDER BY accounts.id LIMIT $3"
    )
    try:
        rows = await read_judged(tx, asker, select, "id", board_id, after, limit, also=IS_MANAGER)
    except NotFoundError:
        await check_may_read(tx, board_id, asker)
        raise NotAllowedError(f"account {asker.account_id} doesn't moderate board {board_id}") from None
    return [Account(*row) for row in rows]
