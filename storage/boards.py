"""Boards beside the first. Rules for words and forms of slugs are those of the callers.

To an asker who may not read a board, there is none: each method raises NotFoundError for it before anything else.
"""

import contextlib
from collections.abc import Sequence
from typing import NamedTuple

from storage.asking import BOARD, asker_of, check_manages, check_may_read, readable, to_board, values
from storage.audit import of_board, of_rename
from storage.board_ends import end_board
from storage.errors import BoardChangedError, NotAllowedError, NotFoundError, TooManyBoardsError
from storage.invitations import add_invitations
from storage.owners import check_may_own, give
from storage.records import MODERATORS_BOARDS, MOST_BOARDS, Account, Asker, Board
from storage.rights import check_active, check_in_force
from storage.rows import next_board_change, note
from storage.slugs import take_free_slug, take_random_slug, take_slug
from storage.tx import Nouns, Tx

JUST_MS = 60_000
"""How long a form that is sent again makes no second board."""


class BoardChange(NamedTuple):
    """What becomes of a board; None leaves it as it is."""

    slug: str | None = None
    name: str | None = None
    about: str | None = None
    rules: str | None = None
    read_by: str | None = None
    write_by: str | None = None
    order: str | None = None
    is_archived: bool | None = None


class Boards(Nouns):
    """The actor is a moderator or the board's owner, or None for the operator at the command line.

    All that changes a board is in the audit log, where only those find it who may read the board.
    """

    async def create_board(
        self,
        actor: Account | None,
        slug: str,
        name: str,
        *,
        or_slugs: Sequence[str] = (),
        about: str = "",
        rules: str = "",
        read_by: str = "everyone",
        write_by: str = "guests",
        order: str = "newest",
        most_owned: int | None = None,
        credential: int | None = None,
        owner_id: int | None = None,
        invite: Sequence[int] = (),
        once: bool = False,
    ) -> Board:
        """Makes a board, which the actor owns. One for the invited gets a random slug, as a taken one would tell of it.

        If the slug is another board's, the first of `or_slugs` is taken that is not. The operator may give it to
        `owner_id` at once. The actor is a moderator; with `most_owned`, any account that owns fewer boards. These
        accounts are invited, too. With `once`, a board that is alike, and that the actor made within the last minute, is
        returned instead. Raises SlugTakenError, TooManyBoardsError, NotAllowedError; NotFoundError if an account has gone.
        """
        said = (name, about, rules, read_by, write_by, order)

        async def unit(tx: Tx) -> Board:
            if once and (made := await find_just_made(tx, actor, credential, None if or_slugs else slug, said)):
                await add_invitations(tx, actor, made.id, invite)
                return made
            await check_may_create(tx, actor, credential, most_owned)
            board_id = await insert_board(tx, actor, [slug, *or_slugs], said)
            await add_invitations(tx, actor, board_id, invite)
            if owner_id is not None:
                await give(tx, actor, board_id, owner_id)
            return await check_may_read(tx, board_id, asker_of(None, None))

        return await self._write(unit)

    async def set_board(
        self,
        actor: Account | None,
        board_id: int,
        change: BoardChange,
        *,
        credential: int | None = None,
        began_from: int | None = None,
        invite: Sequence[int] = (),
        owner_id: int | None = None,
        most_owned: int | None = None,
    ) -> Board | None:
        """Returns the board as it is then; None if the actor may not read it any more. `began_from` is the number of the
        last change of its row that the actor has seen, if nothing later may be overwritten.

        A board that becomes one of the invited gets a random slug; its old ones end, and it can't have another. In the
        same step, these accounts are invited, and the board goes to the account `owner_id`, which may own so many. Raises
        NotFoundError, NotAllowedError, SlugTakenError, TooManyBoardsError, BoardChangedError.
        """

        async def unit(tx: Tx) -> Board | None:
            board = await check_manages(tx, actor, credential, board_id)
            if began_from not in (None, board.changed):
                raise BoardChangedError(f"board {board_id}")
            if change != BoardChange():
                await update_board(tx, actor, board, change)
            for deed in deeds(board, change):
                renamed = of_rename(board, change.name, change.slug)
                await note(tx, actor, deed, renamed if deed == "rename" else of_board(board_id), board_id)
            await add_invitations(tx, actor, board_id, invite)
            if owner_id is not None:
                await give(tx, actor, board_id, owner_id, most_owned)
            with contextlib.suppress(NotFoundError):
                return await check_may_read(tx, board_id, asker_of(actor, credential))
            return None

        return await self._write(unit)

    async def delete_board(self, actor: Account | None, board_id: int, *, credential: int | None = None) -> None:
        """From the commit on, there is no such board. Its messages go with the next forget(). Raises NotFoundError, NotAllowedError."""

        async def unit(tx: Tx) -> None:
            await end_board(tx, actor, await check_manages(tx, actor, credential, board_id))

        await self._write(unit)

    async def board(self, slug: str, asker: Asker) -> Board:
        """Returns the board that has this slug, or had it. Raises NotFoundError."""
        return await self._read(read_by_slug, slug, asker)


async def insert_board(tx: Tx, actor: Account | None, slugs: Sequence[str], said: tuple[str, ...]) -> int:
    """Returns its id. Raises SlugTakenError."""
    row = await tx.one("SELECT coalesce(max(id), 1) + 1 FROM boards")  # rows never leave
    assert row is not None
    id: int = row[0]
    slug = await (take_random_slug(tx, id) if said[3] == "invited" else take_free_slug(tx, slugs, id))
    columns = "id, slug, name, about, rules, read_by, write_by, reading_order, owner_id, created_at, floor, changed"
    places = "$1, $2, $3, $4, $5, $6, $7, $8, $9, now_ms(), $10, $10"
    given = (id, slug, *said, actor and actor.id, await next_board_change(tx))
    await tx.run(f"INSERT INTO boards ({columns}) VALUES ({places})", *given)
    await note(tx, actor, "make", of_board(id), id)
    return id


async def find_just_made(
    tx: Tx, actor: Account | None, credential: int | None, slug: str | None, said: tuple[str, ...]
) -> Board | None:
    """Returns the board that the actor made within JUST_MS with this slug, or with any, and with these words and rights."""
    if actor is None:
        return None
    await check_active(tx, actor.id)
    await check_in_force(tx, actor.id, credential)
    row = await tx.one(
        f"SELECT {BOARD} FROM boards WHERE owner_id = $1 AND name = $2 AND about = $3 AND rules = $4 AND read_by = $5 "
        "AND write_by = $6 AND reading_order = $7 AND created_at > now_ms() - $8 AND slug = coalesce($9, slug) AND deleted_at IS NULL LIMIT 1",
        *(actor.id, *said, JUST_MS, None if said[3] == "invited" else slug),
    )
    return to_board(row) if row else None


async def check_may_create(tx: Tx, actor: Account | None, credential: int | None, most_owned: int | None) -> None:
    most = MOST_BOARDS
    if actor is not None:
        account = await check_active(tx, actor.id)
        await check_in_force(tx, actor.id, credential)
        if not account.is_moderator:
            most -= MODERATORS_BOARDS
            if most_owned is None:
                raise NotAllowedError(f"account {actor.id} is no moderator")
        await check_may_own(tx, account, most_owned)
    row = await tx.one("SELECT count(*) FROM boards WHERE deleted_at IS NULL")
    if row is not None and row[0] >= most:
        raise TooManyBoardsError(f"there are {row[0]}")


async def update_board(tx: Tx, actor: Account | None, board: Board, change: BoardChange) -> None:
    read_by, slug, owner_id = change.read_by or board.read_by, board.slug, board.owner_id
    if read_by == "invited" and board.read_by != "invited":
        slug, owner_id = await take_random_slug(tx, board.id), owner_id or (actor.id if actor else None)
    elif change.slug is not None and change.slug != slug:
        if read_by == "invited":
            raise NotAllowedError(f"the slug of board {board.id} is random")
        slug = change.slug
        await take_slug(tx, slug, board.id)
    said = {"name": change.name, "about": change.about, "rules": change.rules,
            "write_by": change.write_by, "reading_order": change.order, "slug": slug, "read_by": read_by, "owner_id": owner_id}  # fmt: skip
    new = {column: value for column, value in said.items() if value is not None}
    places = ", ".join(f"{column} = ${place}" for place, column in enumerate(new, 3))
    if change.is_archived is not None:
        places += ", archived_at = " + ("coalesce(archived_at, now_ms())" if change.is_archived else "NULL")
    number = await next_board_change(tx)
    await tx.run(f"UPDATE boards SET changed = $1, {places} WHERE id = $2", number, board.id, *new.values())


def deeds(board: Board, change: BoardChange) -> list[str]:
    """Returns what the audit log says of a change: an action for each thing that matters, or `change` for all others."""
    found = list[str]()
    if change == BoardChange():
        return found
    if change.read_by not in (None, board.read_by):
        found.append(f"read by {change.read_by}")
    if change.is_archived is not None and change.is_archived != (board.archived_at is not None):
        found.append("archive" if change.is_archived else "unarchive")
    if change.name not in (None, board.name) or change.slug not in (None, board.slug):
        found.append("rename")
    rest = ("about", "rules", "write_by", "order")
    if not found or any(getattr(change, name) not in (None, getattr(board, name)) for name in rest):
        found.append("change")
    return found


async def read_by_slug(tx: Tx, slug: str, asker: Asker) -> Board:
    select = f"SELECT {BOARD} FROM boards WHERE id = (SELECT board_id FROM slugs WHERE slugs.slug = $1 AND NOT ended)"
    row = await tx.one(f"{select} AND {readable(2)}", slug, *values(asker))
    if row is None:
        raise NotFoundError("board")
    return to_board(row)


async def has_orders(tx: Tx) -> bool:
    """Whether a board has the oldest message first, or had it when it was deleted."""
    return await tx.one("SELECT 1 FROM boards WHERE reading_order <> 'newest' LIMIT 1") is not None
