"""Reads and changes messages. Each engine has its own way of posting, searching and reading changes."""

from storage.audit import of_message
from storage.errors import NotAuthorError, NotFoundError
from storage.records import Message, Page
from storage.rights import check_active, check_in_force, check_moderates
from storage.rows import COLUMNS, account_by, author_of, note, to_message
from storage.tx import Nouns, Tx


class StoredMessages(Nouns):
    """What both engines do with messages in the same way."""

    async def edit(
        self, id: int, body: str, by: int | None = None, began_from: int | None = None, *, credential: int | None = None
    ) -> Message:
        """Edits a message. `by` is the account that wrote it; None is the board itself.

        If given, `began_from` is the `changed_at` that the author saw: a message that has been edited since is left as
        it is, and nothing is done if it has this body already. Raises NotFoundError, NotAuthorError, NotAllowedError,
        EditConflictError.
        """
        words = await self._words(body)

        async def unit(tx: Tx) -> Message:
            await check_may_change(tx, id, by, credential)
            if began_from is not None and (now := await read_message(tx, id)).has_already(body, began_from):
                tx.has_news = True  # so that the board shows what the answer says
                return now
            return await tx.set_message(id, body, words)

        return await self._write(unit)

    async def delete(
        self, id: int, by: int | None = None, *, moderates: bool = False, credential: int | None = None
    ) -> Message:
        """Deletes a message's words permanently. `by` is its author; None is the board itself.

        With `moderates`, `by` may also be any moderator; the same transaction then writes to the audit log.

        Raises NotFoundError, NotAuthorError, NotAllowedError.
        """

        async def unit(tx: Tx) -> Message:
            if await check_may_change(tx, id, by, credential, moderates=moderates):
                await note(tx, await account_by(tx, "id", by), "delete", of_message(id, await author_of(tx, id)))
            return await tx.set_message(id, None, None)

        return await self._write(unit)

    async def message(self, id: int) -> Message:
        """Raises NotFoundError."""
        return await self._read(read_message, id)

    async def before(self, id: int | None, limit: int) -> Page:
        """Returns the messages before this one, or the newest if it is None, and whether there are older ones."""
        return await self._read(read_page, id, limit)

    async def after(self, id: int, limit: int) -> Page:
        """Returns the messages after this one, and whether there are newer ones."""
        return await self._read(read_page_after, id, limit)


async def check_may_change(tx: Tx, id: int, by: int | None, credential: int | None, *, moderates: bool = False) -> bool:
    """Checks the right again, inside the transaction. Returns whether the change is moderation.

    Raises NotFoundError, NotAuthorError, NotAllowedError, OutdatedError.
    """
    if by is None:
        return False
    author = (await read_message(tx, id)).author
    is_author = author is not None and author.id == by
    if not is_author and not moderates:
        raise NotAuthorError(f"message {id}")
    await check_active(tx, by)
    await check_in_force(tx, by, credential)
    if not is_author:
        await check_moderates(tx, by)
    return not is_author


async def read_message(tx: Tx, id: int) -> Message:
    row = await tx.one(f"SELECT {COLUMNS} FROM messages WHERE id = $1 AND body IS NOT NULL", id)
    if row is None:
        raise NotFoundError(f"message {id}")
    return to_message(row)


async def read_page(tx: Tx, before: int | None, limit: int) -> Page:
    where, values = ("AND id < $2", [before]) if before is not None else ("", [])
    rows = await tx.all(
        f"SELECT {COLUMNS} FROM messages WHERE body IS NOT NULL {where} ORDER BY id DESC LIMIT $1", limit + 1, *values
    )
    return Page([to_message(row) for row in reversed(rows[:limit])], older=len(rows) > limit)


async def read_page_after(tx: Tx, after: int, limit: int) -> Page:
    rows = await tx.all(
        f"SELECT {COLUMNS} FROM messages WHERE body IS NOT NULL AND id > $1 ORDER BY id LIMIT $2", after, limit + 1
    )
    return Page([to_message(row) for row in rows[:limit]], older=False, newer=len(rows) > limit)
