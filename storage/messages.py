"""Reads and changes messages. Each engine has its own way of posting, searching and reading changes of the first board."""

from collections.abc import Sequence

from storage.asking import check_may_read, check_may_write, may_moderate
from storage.audit import of_message
from storage.errors import NotAllowedError, NotAuthorError
from storage.mentions import resolve
from storage.reading import (
    read_anywhere,
    read_changes_on,
    read_count_on,
    read_log,
    read_message,
    read_page,
    read_page_after,
    read_snapshot_on,
)
from storage.records import FIRST_BOARD, GUEST, OPERATOR, Asker, Board, Changes, Message, Page, Snapshot
from storage.rights import check_active, check_in_force
from storage.rows import (
    account_by,
    author_of,
    note,
)
from storage.tx import Nouns, Tx


class StoredMessages(Nouns):
    """What both engines do with messages in the same way.

    A message that is not on the board, and a board that the asker may not read, are not found: before anything else.
    """

    async def edit(
        self,
        id: int,
        body: str,
        by: int | None = None,
        began_from: int | None = None,
        *,
        credential: int | None = None,
        board_id: int = FIRST_BOARD,
        mentioned: Sequence[str] = (),
    ) -> Message:
        """Edits a message, and whom it mentions. `by` is the account that wrote it; None is the board itself.

        If given, `began_from` is the `changed_at` that the author saw: a message that has been edited since is left as
        it is, and nothing is done if it has this body already. Raises NotFoundError, NotAuthorError, NotAllowedError,
        ArchivedError, ModeratorsOnlyError, EditConflictError.
        """
        words = await self._words(body, board_id)

        async def unit(tx: Tx) -> Message:
            await check_may_change(tx, id, by, credential, board_id, edits=True)
            mentions = await resolve(tx, mentioned, by, board_id)
            return await set_words(tx, board_id, id, body, words, mentions, began_from)

        return await self._write(unit)

    async def delete(
        self,
        id: int,
        by: int | None = None,
        *,
        moderates: bool = False,
        credential: int | None = None,
        board_id: int = FIRST_BOARD,
    ) -> Message:
        """Deletes a message's words permanently. `by` is its author; None is the board itself.

        With `moderates`, `by` may also be any moderator, or the board's owner; the same transaction then writes to the
        audit log.

        Raises NotFoundError, NotAuthorError, NotAllowedError.
        """

        async def unit(tx: Tx) -> Message:
            if await check_may_change(tx, id, by, credential, board_id, moderates=moderates):
                author, _ = await author_of(tx, id)
                await note(tx, await account_by(tx, "id", by), "delete", of_message(id, author), board_id)
            return await empty(tx, board_id, id)

        return await self._write(unit)

    async def message(self, id: int, asker: Asker) -> Message:
        """Returns a message of any board that the asker may read. Raises NotFoundError."""
        return await self._read(read_anywhere, id, asker)

    async def board_of(self, board_id: int, asker: Asker) -> Board:
        """Returns the board with this id, which a message or an entry of the log has. Raises NotFoundError."""
        return await self._read(check_may_read, board_id, asker)

    async def before(self, id: int | None, limit: int, board_id: int = FIRST_BOARD, asker: Asker = GUEST) -> Page:
        """Returns the messages before this one, or the newest if it is None, and whether there are older ones."""
        return await self._read(read_page, id, limit, board_id, asker)

    async def after(self, id: int, limit: int, board_id: int = FIRST_BOARD, asker: Asker = GUEST) -> Page:
        """Returns the messages after this one, and whether there are newer ones."""
        return await self._read(read_page_after, id, limit, board_id, asker)

    async def count_on(self, board_id: int, asker: Asker) -> int:
        """Returns how many messages there are on a board that is not the first. Raises NotFoundError."""
        return await self._read(read_count_on, board_id, asker)

    # --- changes: of all boards, and of one that is not the first

    async def log_after(self, seq: int, limit: int) -> Changes:
        """Returns the changes after `seq` on all boards, also hidden ones, at one moment, as changes_after()."""
        return await self._read_for_delivery(read_log, seq, limit)

    async def changes_on(self, board_id: int, asker: Asker, seq: int, limit: int) -> Changes:
        """Returns the changes after `seq` on a board that is not the first, with the board's own position."""
        return await self._read(read_changes_on, board_id, asker, seq, limit)

    async def snapshot_on(self, board_id: int, asker: Asker, *, changes: int, page: int) -> Snapshot:
        """Returns the newest changes of a board that is not the first, none older than its floor, and its newest page:
        for deliver().
        """
        return await self._read_at_one_moment(read_snapshot_on, board_id, asker, changes, page)


async def check_may_change(
    tx: Tx,
    id: int,
    by: int | None,
    credential: int | None,
    board_id: int,
    *,
    moderates: bool = False,
    edits: bool = False,
) -> bool:
    """Checks the right again, inside the transaction. Returns whether the change is moderation.

    Raises NotFoundError, NotAuthorError, NotAllowedError, OutdatedError.
    """
    asker = OPERATOR if by is None else Asker(by, credential)
    board = None if board_id == FIRST_BOARD else await check_may_read(tx, board_id, asker)
    if by is None:
        return False
    author = (await read_message(tx, board_id, id)).author
    is_author = author is not None and author.id == by
    if not is_author and not moderates:
        raise NotAuthorError(f"message {id}")
    account = await check_active(tx, by)
    await check_in_force(tx, by, credential)
    if not is_author and not may_moderate(account, board):
        raise NotAllowedError(f"account {by} is no moderator")
    if edits and board is not None:
        check_may_write(board, account)
    return not is_author


async def set_words(
    tx: Tx, board_id: int, id: int, body: str, words: object, mentions: str | None, began_from: int | None
) -> Message:
    """Edits a message, as StoredMessages.edit() says. Raises NotFoundError, EditConflictError."""
    if began_from is not None and (now := await read_message(tx, board_id, id)).has_already(body, began_from):
        tx.has_news = True  # so that the board shows what the answer says
        return now
    return await tx.set_message(board_id, id, body, words, mentions)


async def empty(tx: Tx, board_id: int, id: int) -> Message:
    """Deletes a message's words, and the secret of a guest. Raises NotFoundError."""
    await tx.run("DELETE FROM guest_secrets WHERE message_id = $1", id)
    return await tx.set_message(board_id, id, None, None)
