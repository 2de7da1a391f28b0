"""Reactions of accounts to messages. Triggers of the database count them beside each message (migrations)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from storage.asking import check_may_read, on_readable, together, values
from storage.errors import ArchivedError
from storage.names import read_presents
from storage.reading import read_anywhere, read_message
from storage.records import FIRST_BOARD, Asker, Author, Message
from storage.rights import check_active, check_in_force
from storage.rows import next_number, raise_floor, table_of
from storage.tx import Nouns, Tx, places

REMOVED_AT_ONCE = 2000
"""Reactions of an account that is deleted. They take the writer some hundredths of a second, in which posts wait."""

HIDDEN = f"SELECT 1 FROM posts WHERE posts.id = message_id AND NOT {on_readable('posts', 1)}"
BOARD_ID = f"coalesce((SELECT board_id FROM posts WHERE posts.id = message_id), {FIRST_BOARD})"
MAY_READ = f"NOT EXISTS ({HIDDEN})"
"""SQL: whether the asker with the values $1 to $3 may read the message of a reaction. What is not in `posts` is on the
first board.
"""


class Reaction(NamedTuple):
    """What is kept of one of an account's reactions."""

    id: int
    message_id: int
    kind: str
    created_at: int


class Reactions(Nouns):
    """A reaction that comes or goes is a change of its message, which gets the next number; `edited_at` stays."""

    async def react(self, id: int, kind: str, asker: Asker) -> Message:
        """Adds the asker's reaction of this kind to a message of any board. Nothing changes if it is there.

        Raises NotFoundError, NotAllowedError, ArchivedError, OutdatedError.
        """
        insert = (
            "INSERT INTO reactions (message_id, account_id, kind, created_at) VALUES ($1, $2, $3, now_ms()) "
            "ON CONFLICT (message_id, account_id, kind) DO NOTHING"
        )
        return await self._write(lambda tx: change(tx, insert, id, kind, asker))

    async def withdraw(self, id: int, kind: str, asker: Asker) -> Message:
        """Takes the asker's reaction of this kind back. Nothing changes if there is none. Raises what react() does."""
        delete = "DELETE FROM reactions WHERE message_id = $1 AND account_id = $2 AND kind = $3"
        return await self._write(lambda tx: change(tx, delete, id, kind, asker))

    async def reactions_to(
        self, id: int, after: int, limit: int, asker: Asker
    ) -> tuple[Message, list[tuple[Author, list[str]]]]:
        """Returns a message, and who reacted to it, with the kinds of each: so many accounts after this one, by their ids,
        with their present names. Raises NotFoundError.
        """
        return await self._read(read_reactions_to, id, after, limit, asker)

    async def own_reactions(self, ids: Sequence[int], asker: Asker) -> list[tuple[int, int, str]]:
        """Returns the asker's reactions to those of these messages that it may read: message, board and kind of each."""
        return await self._read(read_own_reactions, ids, asker)

    async def reacted_by(self, account_id: int, after: int, limit: int) -> list[Reaction]:
        """Returns the account's reactions after the one with this id, for its owner's download."""
        return await self._read(read_reacted_by, account_id, after, limit)


async def change(tx: Tx, sql: str, id: int, kind: str, asker: Asker) -> Message:
    """Runs the SQL if the asker may react to this message. If it changed a row, the message gets the next number."""
    message = await read_anywhere(tx, id, asker)
    assert asker.account_id is not None
    await check_active(tx, asker.account_id)
    await check_in_force(tx, asker.account_id, asker.credential_id)
    board_id = message.board_id
    if board_id != FIRST_BOARD and (await check_may_read(tx, board_id, asker)).archived_at is not None:
        raise ArchivedError(f"board {board_id}")
    tx.has_news = True  # so that the board shows what the answer says, also if this was sent again
    if not await tx.run(sql, id, asker.account_id, kind):
        return message
    await tx.run(f"UPDATE {table_of(board_id)} SET seq = $1 WHERE id = $2", await next_number(tx), id)
    return await read_message(tx, board_id, id)


async def read_reactions_to(
    tx: Tx, id: int, after: int, limit: int, asker: Asker
) -> tuple[Message, list[tuple[Author, list[str]]]]:
    message = await read_anywhere(tx, id, asker)
    some = "SELECT DISTINCT account_id FROM reactions WHERE message_id = $4 AND account_id > $5 ORDER BY 1 LIMIT $6"
    rows = await tx.all(
        "SELECT accounts.id, kind FROM reactions JOIN accounts ON accounts.id = account_id "
        f"WHERE message_id = $4 AND account_id IN ({some}) AND {MAY_READ} ORDER BY accounts.id, reactions.id",
        *(*values(asker), id, after, limit),
    )
    kinds: dict[int, list[str]] = {}
    for account_id, kind in rows:
        kinds.setdefault(account_id, []).append(kind)
    members = {one.id: one.as_author(one.name) for one in await read_presents(tx, list(kinds))}
    return message, [(members[id], kinds[id]) for id in kinds if id in members]


async def read_own_reactions(tx: Tx, ids: Sequence[int], asker: Asker) -> list[tuple[int, int, str]]:
    named = together(ids)
    rows = await tx.all(
        f"SELECT message_id, {BOARD_ID}, kind FROM reactions WHERE account_id = $1 AND message_id IN ({places(4, named)}) "
        f"AND {MAY_READ} ORDER BY id",
        *(*values(asker), *named),
    )
    return [(message_id, board_id, kind) for message_id, board_id, kind in rows]


async def read_reacted_by(tx: Tx, account_id: int, after: int, limit: int) -> list[Reaction]:
    select = (
        "SELECT id, message_id, kind, created_at FROM reactions WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3"
    )
    return [Reaction(*row) for row in await tx.all(select, account_id, after, limit)]


async def remove_in_steps(
    write: Callable[[Callable[[Tx], Awaitable[bool]]], Awaitable[bool]], whose: Callable[[Tx], Awaitable[int | None]]
) -> None:
    """Removes all but REMOVED_AT_ONCE of the reactions of an account that is about to be deleted; the rest go with it.

    `whose` says in each step which account that is, or None if it is none any more.
    """

    async def step(tx: Tx) -> bool:
        account_id = await whose(tx)
        removed = account_id is not None and await remove_some(tx, account_id)
        tx.has_news = False  # polls hear of it with the deletion
        return removed

    while await write(step):
        pass


async def remove_some(tx: Tx, account_id: int) -> bool:
    """Removes the newest REMOVED_AT_ONCE reactions of an account that is to be deleted, and returns whether it did. If there
    are no more than that, it removes none: they go with the account.
    """
    select = "SELECT id FROM reactions WHERE account_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2"
    last = await tx.one(select, account_id, REMOVED_AT_ONCE)
    if last is None:
        return False
    await remove_after(tx, account_id, last[0])
    return True


async def remove_after(tx: Tx, account_id: int, after: int = 0) -> None:
    """Removes an account's reactions after the one with this id. It raises the floors of their boards, as a change for each
    would take longer than its reaction.
    """
    there = "id IN (SELECT message_id FROM reactions WHERE account_id = $1 AND id > $2)"
    boards = await tx.all(f"SELECT DISTINCT board_id FROM posts WHERE {there}", account_id, after)
    if await tx.one(f"SELECT 1 FROM messages WHERE {there} LIMIT 1", account_id, after):
        boards = [(FIRST_BOARD,), *boards]
    if await tx.run("DELETE FROM reactions WHERE account_id = $1 AND id > $2", account_id, after):
        await raise_floor(tx, [board_id for (board_id,) in boards])
