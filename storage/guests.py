"""Guests' own messages: for GUEST_MS, a guest may edit or delete one by the secret that came with its post."""

import hmac
from collections.abc import Sequence

from storage.asking import check_may_read, check_may_write
from storage.errors import NameReservedError, NotAllowedError, NotAuthorError, TooLateError
from storage.mentions import resolve
from storage.messages import empty, set_words
from storage.reading import read_message
from storage.records import FIRST_BOARD, GUEST, GUEST_MS, Board, Guest, Message
from storage.tx import Nouns, Tx


class Guests(Nouns):
    """Each guest's message that is too old is refused as such, so that the answer does not depend on whether its secret is
    forgotten already.
    """

    async def edit_by_guest(
        self,
        id: int,
        body: str,
        secret_hash: bytes,
        address: str | None,
        began_from: int | None = None,
        board_id: int = FIRST_BOARD,
        mentioned: Sequence[str] = (),
    ) -> Message:
        """Edits a message as edit() does. Raises NotFoundError, TooLateError, NotAuthorError (for another secret, and for
        each member's message), NotAllowedError (for a blocked address), ArchivedError, MembersOnlyError,
        ModeratorsOnlyError, EditConflictError.
        """
        words = await self._words(body, board_id)

        async def unit(tx: Tx) -> Message:
            board = await check_own(tx, id, secret_hash, address, board_id)
            if board is not None:
                check_may_write(board, None)
            mentions = await resolve(tx, mentioned, None, board_id)
            return await set_words(tx, board_id, id, body, words, mentions, began_from)

        return await self._write(unit)

    async def delete_by_guest(
        self, id: int, secret_hash: bytes, address: str | None, board_id: int = FIRST_BOARD
    ) -> Message:
        """Deletes a message's words permanently, also where guests may no longer write. Raises NotFoundError, TooLateError,
        NotAuthorError, NotAllowedError.
        """

        async def unit(tx: Tx) -> Message:
            await check_own(tx, id, secret_hash, address, board_id)
            return await empty(tx, board_id, id)

        return await self._write(unit)

    async def blocked_until(self, address: str | None) -> int | None:
        """Returns until when guests from this address are blocked, in milliseconds; None if they are not."""
        return await self._read(read_block, address)

    async def is_own(self, id: int, secret_hash: bytes) -> bool:
        """Whether this is the hash of a message's secret, as long as it is kept."""
        return await self._read(has_secret, id, secret_hash)


async def check_own(tx: Tx, id: int, secret_hash: bytes, address: str | None, board_id: int) -> Board | None:
    """Checks that a guest may change this message. Returns its board, unless it is the first."""
    board = None if board_id == FIRST_BOARD else await check_may_read(tx, board_id, GUEST)
    message = await read_message(tx, board_id, id)
    # A message from the future is too old as well: the clock has been set back, nobody knows by how much.
    if message.author is None and abs(await now_ms(tx) - message.created_at) >= GUEST_MS:
        raise TooLateError(f"message {id}")
    if not await has_secret(tx, id, secret_hash):
        raise NotAuthorError(f"message {id}")
    await check_address(tx, address)
    return board


async def has_secret(tx: Tx, id: int, secret_hash: bytes) -> bool:
    row = await tx.one("SELECT hash FROM guest_secrets WHERE message_id = $1", id)
    return row is not None and hmac.compare_digest(bytes(row[0]), secret_hash)


async def now_ms(tx: Tx) -> int:
    row = await tx.one("SELECT now_ms()")
    assert row is not None
    now: int = row[0]
    return now


async def check_address(tx: Tx, address: str | None) -> None:
    """Raises NotAllowedError for a blocked address."""
    if await read_block(tx, address) is not None:
        raise NotAllowedError("address")


async def read_block(tx: Tx, address: str | None) -> int | None:
    row = await tx.one("SELECT until FROM blocks WHERE address = $1 AND until > now_ms()", address)
    return row[0] if row else None


def check_name_is_free(guest: Guest) -> None:
    """Raises NameReservedError for a new post under a name that nobody can take."""
    if guest.is_refused:
        raise NameReservedError("a guest")


async def keep_secret(tx: Tx, message: Message, secret_hash: bytes) -> None:
    """Called in the transaction that posts the message. PostgreSQL's post_guests() does the same."""
    insert = "INSERT INTO guest_secrets (message_id, hash, until) VALUES ($1, $2, $3)"
    await tx.run(insert, message.id, secret_hash, message.created_at + GUEST_MS)
