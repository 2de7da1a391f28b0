"""What incoming webhooks post. All that may stop one is judged in the transaction that writes."""

import hmac

from storage.errors import ArchivedError, BoardGoneError, NoSuchHookError
from storage.guests import now_ms
from storage.records import FIRST_BOARD, Message
from storage.rights import check_active
from storage.tx import Nouns, Row, Tx

REPEAT_MS = 10_000
"""How long the same bytes are a repetition: senders try again within seconds, or send from two servers at once."""
MOST_RECENT = 500
"""Hashes of recent posts that are kept for a hook: more than seven nodes let it post in REPEAT_MS."""


class HookPosts(Nouns):
    async def hook_by(self, id: int, hash: bytes) -> tuple[int, int]:
        """Returns the account and the board of the hook with this secret. Raises NoSuchHookError."""
        account_id, board_id, *_ = await self._read(read_hook, id, hash)
        return account_id, board_id

    async def post_by_hook(
        self, id: int, hash: bytes, board_id: int, body: str, digest: str, address: str | None
    ) -> Message | None:
        """Posts, and returns the message. Returns None for what it has posted within REPEAT_MS: what has the same digest.

        All that may stop it is judged in this transaction. Raises NoSuchHookError for another secret and a hook that was
        revoked, BoardGoneError, ArchivedError, and NotAllowedError if its account is suspended.
        """
        words = await self._words(body, board_id)

        async def unit(tx: Tx) -> Message | None:
            account_id, _, drops_repeats, recent = await read_hook(tx, id, hash)
            await check_takes_posts(tx, board_id)
            account = await check_active(tx, account_id)
            now = await now_ms(tx)
            known = {} if not drops_repeats else still_recent(recent, now)
            if digest in known:
                return None
            kept = [f"{at} {one}" for one, at in [*known.items(), (digest, now)][-MOST_RECENT:]]
            used = "UPDATE hooks SET last_used_at = $1, recent = $2 WHERE id = $3"
            await tx.run(used, now, "\n".join(kept) if drops_repeats else None, id)
            return await tx.add_message(board_id, account, body, words, address)

        return await self._write(unit)


async def check_takes_posts(tx: Tx, board_id: int) -> None:
    """Looks only whether anything is written there: those who moderate the board have made the hook, so who else may write
    does not matter. Raises BoardGoneError, ArchivedError.
    """
    if board_id == FIRST_BOARD:
        return
    row = await tx.one("SELECT archived_at FROM boards WHERE id = $1 AND deleted_at IS NULL", board_id)
    if row is None:
        raise BoardGoneError(f"board {board_id}")
    if row[0] is not None:
        raise ArchivedError(f"board {board_id}")


async def read_hook(tx: Tx, id: int, hash: bytes) -> Row:
    """Raises NoSuchHookError for a hook that there is not and, after the same work, for another secret."""
    row = await tx.one("SELECT hash, account_id, board_id, drops_repeats, recent FROM hooks WHERE id = $1", id)
    if not hmac.compare_digest(bytes(row[0]) if row else bytes(len(hash)), hash) or row is None:
        raise NoSuchHookError("webhook")
    return row[1:]


def still_recent(recent: str | None, now: int) -> dict[str, int]:
    """Returns when each of the kept digests was posted. One from the future is old: the clock has been set back."""
    lines = (line.split(" ") for line in (recent or "").splitlines())
    return {digest: int(at) for at, digest in lines if 0 <= now - int(at) < REPEAT_MS}
