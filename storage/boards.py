"""Boards beside the first. Rules for words and forms of slugs are those of the callers.

To an asker who may not read a board, there is none: each method raises NotFoundError for it before anything else.
"""

import contextlib
import dataclasses
from collections.abc import Sequence

from storage.asking import BOARD, asker_of, check_may_read, may_moderate, readable, to_board, values
from storage.audit import of_board, of_deletion, of_rename
from storage.errors import BoardChangedError, NotAllowedError, NotFoundError, TooManyBoardsError, TooManyOwnedError
from storage.owners import give
from storage.records import MODERATORS_BOARDS, MOST_BOARDS, Account, Asker, Board
from storage.rights import check_active, check_in_force
from storage.rows import next_board_change, note
from storage.slugs import take_free_slug, take_random_slug, take_slug
from storage.tx import ROWS_AT_ONCE, Nouns, Tx

JUST_MS = 60_000
"""How long a form that is sent again makes no second board."""


@dataclasses.dataclass(frozen=True, slots=True)
class BoardChange:
    """What becomes of a board; None leaves it as it is."""

    slug: str | None = None
    name: str | None = None
    about: str | None = None
    rules: str | None = None
    read_by: str | None = None
    write_by: str | None = None
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
        most_owned: int | None = None,
        credential: int | None = None,
        owner_id: int | None = None,
        once: bool = False,
    ) -> Board:
        """Makes a board, which the actor owns. One for the invited gets a random slug, as a taken one would tell of it.

        If the slug is another board's, the first of `or_slugs` is taken that is not. The operator may give it to
        `owner_id` at once. The actor is a moderator; with `most_owned`, any account that owns fewer boards. With `once`,
        a board that is alike, and that the actor made within the last minute, is returned instead. Raises
        SlugTakenError, TooManyBoardsError, NotAllowedError; NotFoundError if that account has gone.
        """
        said = (name, about, rules, read_by, write_by)

        async def unit(tx: Tx) -> Board:
            if once and (made := await find_just_made(tx, actor, credential, None if or_slugs else slug, said)):
                return made
            await check_may_create(tx, actor, credential, most_owned)
            row = await tx.one("SELECT coalesce(max(id), 1) + 1 FROM boards")  # rows never leave
            assert row is not None
            hidden = read_by == "invited"
            called = await (take_random_slug(tx, row[0]) if hidden else take_free_slug(tx, [slug, *or_slugs], row[0]))
            await insert_board(tx, row[0], called, *said, actor and actor.id)
            await note(tx, actor, "make", of_board(row[0]), row[0])
            if owner_id is not None:
                return await give(tx, row[0], owner_id)
            return await check_may_read(tx, row[0], asker_of(None, None))

        return await self._write(unit)

    async def set_board(
        self,
        actor: Account | None,
        board_id: int,
        change: BoardChange,
        *,
        credential: int | None = None,
        began_from: int | None = None,
    ) -> Board | None:
        """Returns the board as it is then; None if the actor may not read it any more. `began_from` is the number of the
        last change of its row that the actor has seen, if nothing later may be overwritten.

        A board that becomes one of the invited gets a random slug; its old ones end, and it can't have another. Raises
        NotFoundError, NotAllowedError, SlugTakenError, TooManyBoardsError, BoardChangedError.
        """

        async def unit(tx: Tx) -> Board | None:
            board = await check_manages(tx, actor, credential, board_id)
            if began_from not in (None, board.changed):
                raise BoardChangedError(f"board {board_id}")
            await update_board(tx, actor, board, change)
            for deed in deeds(board, change):
                renamed = of_rename(board, change.name, change.slug)
                await note(tx, actor, deed, renamed if deed == "rename" else of_board(board_id), board_id)
            with contextlib.suppress(NotFoundError):
                return await check_may_read(tx, board_id, asker_of(actor, credential))
            return None

        return await self._write(unit)

    async def delete_board(self, actor: Account | None, board_id: int, *, credential: int | None = None) -> None:
        """From the commit on, there is no such board. Its messages go with the next forget(). Raises NotFoundError, NotAllowedError."""

        async def unit(tx: Tx) -> None:
            board = await check_manages(tx, actor, credential, board_id)
            await note(tx, actor, "delete", of_deletion(board_id, board.slug, board.read_by), board_id)
            number = await next_board_change(tx)
            await tx.run(
                "UPDATE boards SET deleted_at = now_ms(), name = '', about = '', rules = '', owner_id = NULL, "
                "floor = $1, changed = $1 WHERE id = $2",
                *(number, board_id),
            )
            await tx.run("UPDATE slugs SET ended = true WHERE board_id = $1", board_id)
            await tx.run("DELETE FROM invitations WHERE board_id = $1", board_id)

        await self._write(unit)

    async def board(self, slug: str, asker: Asker) -> Board:
        """Returns the board that has this slug, or had it. Raises NotFoundError."""
        return await self._read(read_by_slug, slug, asker)


async def insert_board(tx: Tx, *values: object) -> None:
    columns = "id, slug, name, about, rules, read_by, write_by, owner_id, created_at, floor, changed"
    places = "$1, $2, $3, $4, $5, $6, $7, $8, now_ms(), $9, $9"
    await tx.run(f"INSERT INTO boards ({columns}) VALUES ({places})", *values, await next_board_change(tx))


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
        "AND write_by = $6 AND created_at > now_ms() - $7 AND slug = coalesce($8, slug) AND deleted_at IS NULL LIMIT 1",
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
            owned = await tx.all("SELECT 1 FROM boards WHERE owner_id = $1", actor.id)
            if most_owned is None:
                raise NotAllowedError(f"account {actor.id} is no moderator")
            if len(owned) >= most_owned:
                raise TooManyOwnedError(f"account {actor.id} owns {len(owned)}")
    row = await tx.one("SELECT count(*) FROM boards WHERE deleted_at IS NULL")
    if row is not None and row[0] >= most:
        raise TooManyBoardsError(f"there are {row[0]}")


async def check_manages(tx: Tx, actor: Account | None, credential: int | None, board_id: int) -> Board:
    """Returns the board. Raises NotFoundError, NotAllowedError, OutdatedError."""
    board = await check_may_read(tx, board_id, asker_of(actor, credential))
    if actor is not None:
        account = await check_active(tx, actor.id)
        await check_in_force(tx, actor.id, credential)
        if not may_moderate(account, board):
            raise NotAllowedError(f"account {actor.id} doesn't moderate board {board_id}")
    return board


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
            "write_by": change.write_by, "slug": slug, "read_by": read_by, "owner_id": owner_id}  # fmt: skip
    new = {column: value for column, value in said.items() if value is not None}
    places = ", ".join(f"{column} = ${place}" for place, column in enumerate(new, 3))
    if change.is_archived is not None:
        places += ", archived_at = " + ("coalesce(archived_at, now_ms())" if change.is_archived else "NULL")
    number = await next_board_change(tx)
    await tx.run(f"UPDATE boards SET changed = $1, {places} WHERE id = $2", number, board.id, *new.values())


def deeds(board: Board, change: BoardChange) -> list[str]:
    """Returns what the audit log says of a change: an action for each thing that matters, or `change` for all others."""
    found = []
    if change.read_by not in (None, board.read_by):
        found.append(f"read by {change.read_by}")
    if change.is_archived is not None and change.is_archived != (board.archived_at is not None):
        found.append("archive" if change.is_archived else "unarchive")
    if change.name not in (None, board.name) or change.slug not in (None, board.slug):
        found.append("rename")
    rest = ("about", "rules", "write_by")
    if not found or any(getattr(change, name) not in (None, getattr(board, name)) for name in rest):
        found.append("change")
    return found


async def leave_boards(tx: Tx, account_id: int) -> None:
    """Takes a board from an owner who leaves, with a number that tells of it, as of any change of its row."""
    if await tx.one("SELECT 1 FROM boards WHERE owner_id = $1", account_id):
        number = await next_board_change(tx)
        await tx.run("UPDATE boards SET owner_id = NULL, changed = $1 WHERE owner_id = $2", number, account_id)


async def read_by_slug(tx: Tx, slug: str, asker: Asker) -> Board:
    select = f"SELECT {BOARD} FROM boards WHERE id = (SELECT board_id FROM slugs WHERE slugs.slug = $1 AND NOT ended)"
    row = await tx.one(f"{select} AND {readable(2)}", slug, *values(asker))
    if row is None:
        raise NotFoundError("board")
    return to_board(row)


async def read_deleted(tx: Tx) -> int | None:
    """Returns a deleted board that still has messages or read marks; nobody can read them."""
    left = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE board_id = boards.id)" for table in ("posts", "marks"))
    which = f"deleted_at IS NOT NULL AND ({left})"
    row = await tx.one(f"SELECT id FROM boards WHERE {which} LIMIT 1")
    return row[0] if row else None


async def clear_deleted(tx: Tx, board_id: int) -> None:
    """Removes some of its messages and read marks."""
    some = f"SELECT id FROM posts WHERE board_id = $1 ORDER BY id LIMIT {ROWS_AT_ONCE}"
    await tx.delete_messages("posts", f"id IN ({some})", board_id)
    marks = f"SELECT id FROM marks WHERE board_id = $1 LIMIT {ROWS_AT_ONCE}"
    await tx.run(f"DELETE FROM marks WHERE id IN ({marks})", board_id)
