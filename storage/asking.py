"""Judges what an asker may read and write on a board, in the transaction that reads or writes.

The site's settings are the rights of the first board. They are not looked at here, but in board/ and handlers/.
"""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from storage.errors import CLOSED, NotAllowedError, NotFoundError
from storage.records import FIRST_BOARD, OPERATOR, Account, Asker, Board
from storage.rights import check_active, check_in_force
from storage.tx import Row, Tx, places

T = TypeVar("T")
IDS_TOGETHER = 20
"""Boards and messages are named in a statement by a multiple of this, the last one several times: else each number of them
would be another statement for the engine to prepare and to keep.
"""
BOARD = (
    "id, slug, name, about, rules, read_by, write_by, owner_id, created_at, archived_at, floor, changed, reading_order"
)
"""The columns of Board."""


IS_MANAGER = (
    "EXISTS (SELECT 1 FROM accounts WHERE accounts.id = {0} AND suspended_at IS NULL "
    "AND (role = 'moderator' OR accounts.id = boards.owner_id))"
)
"""SQL: whether account {0} may moderate a board that it may read."""


def readable(place: int) -> str:
    """SQL: whether a row of boards may be read by an asker, whose values() begin with this parameter."""
    return f"boards.deleted_at IS NULL AND {allowed(place)}"


def allowed(place: int) -> str:
    """SQL: the same, also of a deleted board, of which the audit log still tells; but its owner and invitations are gone.

    A bot's token reads no board of the invited but the one that it was made for. The function post_to() of PostgreSQL
    has the same rule.
    """
    account, credential, is_operator = f"${place}", f"${place + 1}", f"${place + 2}"
    invitation = f"SELECT 1 FROM invitations WHERE invitations.board_id = boards.id AND account_id = {account}"
    in_person = (
        f"SELECT 1 FROM credentials WHERE credentials.id = {credential} AND credentials.account_id = {account} "
        "AND (kind <> 'bot' OR credentials.board_id = boards.id)"
    )
    return (
        f"(CAST({is_operator} AS boolean) OR boards.read_by = 'everyone' "
        f"OR EXISTS (SELECT 1 FROM accounts WHERE accounts.id = {account} AND suspended_at IS NULL) "
        f"AND (boards.read_by = 'members' OR (boards.owner_id = {account} OR EXISTS ({invitation})) "
        f"AND (CAST({credential} AS bigint) IS NULL OR EXISTS ({in_person}))))"
    )


def on_readable(table: str, place: int, rule: Callable[[int], str] = readable) -> str:
    """SQL: whether the board that a row of this table names, or the first, may be read by an asker."""
    board = f"SELECT 1 FROM boards WHERE boards.id = {table}.board_id AND {rule(place)}"
    return f"(coalesce({table}.board_id, {FIRST_BOARD}) = {FIRST_BOARD} OR EXISTS ({board}))"


def values(asker: Asker) -> tuple[int | None, int | None, bool]:
    return asker.account_id, asker.credential_id, asker.is_operator


def asker_of(actor: Account | None, credential: int | None) -> Asker:
    """The actor of moderation: None is the one at the command line."""
    return OPERATOR if actor is None else Asker(actor.id, credential)


def to_board(row: Row) -> Board:
    return Board._make(row)


async def check_may_read(tx: Tx, board_id: int, asker: Asker) -> Board:
    """Returns a board that is not the first. Raises NotFoundError: to an asker who may not read one, there is none."""
    select = f"SELECT {BOARD} FROM boards WHERE id = $1 AND {readable(2)}"
    row = await tx.one(select, board_id, *values(asker))
    if row is None:
        raise NotFoundError(f"board {board_id}")
    return to_board(row)


def together(ids: Sequence[T]) -> list[T]:
    """Names some of them again, as IDS_TOGETHER says."""
    return [*ids, *list(ids[-1:]) * (-len(ids) % IDS_TOGETHER)]


async def read_readable(tx: Tx, board_ids: Collection[int], asker: Asker) -> list[int]:
    """Returns those of these boards that the asker may read, in their order; the first is one that everybody may. Raises
    NotFoundError if there are none.
    """
    may_be_read, others = {FIRST_BOARD}, [id for id in board_ids if id != FIRST_BOARD]
    if others:
        named = together(others)
        select = f"SELECT id FROM boards WHERE id IN ({places(4, named)}) AND {readable(1)}"
        may_be_read |= {id for (id,) in await tx.all(select, *values(asker), *named)}
    found = [id for id in board_ids if id in may_be_read]
    if not found:
        raise NotFoundError(f"boards {board_ids}")
    return found


async def read_judged(
    tx: Tx, asker: Asker, select: str, order: str, board_id: int, *bound: object, also: str | None = None
) -> Sequence[Row]:
    """Returns the rows of a SELECT whose $1 is the id of a board that is not the first. Raises NotFoundError.

    The right is judged by the statement that reads, so both see one moment, without a transaction around them. `also` is
    what others than the operator need besides, as SQL with {0} for the account.
    """
    place = len(bound) + 2
    more = f" AND (CAST(${place + 2} AS boolean) OR {also.format(f'${place}')})" if also else ""
    rows = await tx.all(
        f"SELECT found.* FROM boards LEFT JOIN ({select}) AS found ON true "
        f"WHERE boards.id = $1 AND {readable(place)}{more} ORDER BY found.{order}",
        board_id,
        *bound,
        *values(asker),
    )
    if not rows:
        raise NotFoundError(f"board {board_id}")
    return [row for row in rows if row[0] is not None]


def closed_to(board: Board, account: Account | None) -> str | None:
    """Returns why an account, or a guest, can't post on a board that it may read, nor edit there: it is `archived`, or
    for `members` or `moderators` only. None if it can. PostgreSQL's post_to() has the same rule.
    """
    if board.archived_at is not None:
        return "archived"
    if board.write_by == "moderators":
        return None if account is not None and may_moderate(account, board) else "moderators"
    return "members" if account is None and board.write_by == "members" else None


def check_may_write(board: Board, account: Account | None) -> None:
    """Raises ArchivedError, MembersOnlyError, ModeratorsOnlyError."""
    if reason := closed_to(board, account):
        raise CLOSED[reason](f"board {board.id}")


def may_moderate(account: Account, board: Board | None) -> bool:
    """Whether the account may delete what others write on a board that it may read, and change that board."""
    return account.is_moderator or (board is not None and account.id == board.owner_id)


async def check_manages(tx: Tx, actor: Account | None, credential: int | None, board_id: int) -> Board:
    """Returns the board. Raises NotFoundError, NotAllowedError, OutdatedError."""
    board = await check_may_read(tx, board_id, asker_of(actor, credential))
    if actor is not None:
        account = await check_active(tx, actor.id)
        await check_in_force(tx, actor.id, credential)
        if not may_moderate(account, board):
            raise NotAllowedError(f"account {actor.id} doesn't moderate board {board_id}")
    return board
