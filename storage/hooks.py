"""Incoming webhooks: each has an address with a secret, and an account, which is the author of what it posts on its board."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from storage.accounts import add_account, is_taken, remove_account
from storage.asking import asker_of, check_may_read, may_moderate
from storage.audit import of_hook
from storage.errors import (
    NoSuchHookError,
    NotAllowedError,
    TooManyHooksError,
    UsernameTakenError,
)
from storage.hook_posts import check_takes_posts
from storage.names import Names, check_new, give_name, load_table
from storage.records import FIRST_BOARD, Account, Board, Message, Password
from storage.rights import check_active, check_in_force
from storage.rows import ACCOUNT, EVERYWHERE, account_by, note
from storage.tx import Tx

HOOKS_EACH, HOOKS_OWNED, MOST_HOOKS = 20, 60, 1000
"""Per board, on the boards of one owner, and on the site."""
HOOK = f"hooks.id, board_id, hooks.created_at, last_used_at, drops_repeats, made_by, {ACCOUNT}"


class Hook(NamedTuple):
    id: int
    board_id: int
    created_at: int
    last_used_at: int | None
    drops_repeats: bool
    maker: Account | None
    """Who made it, unless that account is deleted."""
    account: Account
    """Its name is that of the hook."""


class Hooks(Names):
    """The actor is a moderator or, on another board than the first, its owner; to one who may not read the board, there is
    none. Each method with a credential raises OutdatedError if it has ended.
    """

    async def hooks_on(self, actor: Account, board_id: int, *, credential: int | None = None) -> list[Hook]:
        """Returns the hooks of a board, in the order in which they were made. Raises NotFoundError, NotAllowedError."""

        async def read(tx: Tx) -> list[Hook]:
            rows = await tx.all(f"SELECT {HOOK} {JOINED} WHERE board_id = $1 ORDER BY hooks.id", board_id)
            hooks = [await to_hook(tx, row) for row in rows]
            await check_keeps_hooks(tx, actor, credential, board_id)  # last: a right that ended since is gone
            return hooks

        return await self._read(read)

    async def make_hook(
        self,
        actor: Account,
        board_id: int,
        name: str,
        usernames: Sequence[str],
        hash: bytes,
        *,
        credential: int | None = None,
    ) -> Hook:
        """Makes a hook with the hash of its secret, and an account for it, with the first of these usernames that is free.
        Raises NotFoundError, NotAllowedError, TooManyHooksError, NameReservedError.
        """
        await load_table()

        async def unit(tx: Tx) -> Hook:
            board = await check_keeps_hooks(tx, actor, credential, board_id)
            await check_room(tx, actor, board_id, board)
            username = await first_free(tx, usernames)
            await check_new(tx, self.reserved_names, None, name=name)
            account = await add_account(tx, self.reserved_names, username, name, Password(None))
            await tx.run("UPDATE accounts SET bot = true WHERE id = $1", account.id)
            row = await tx.one(
                "INSERT INTO hooks (account_id, board_id, hash, made_by, created_at, drops_repeats) "
                "VALUES ($1, $2, $3, $4, now_ms(), true) RETURNING id",
                *(account.id, board_id, hash, actor.id),
            )
            assert row is not None
            await note(tx, actor, "make", of_hook(row[0], username, board), board_id)
            return await find_hook(tx, board_id, row[0])

        return await self._write(unit)

    async def set_hook(
        self,
        actor: Account,
        board_id: int,
        id: int,
        *,
        name: str | None = None,
        drops_repeats: bool | None = None,
        hash: bytes | None = None,
        credential: int | None = None,
    ) -> Hook:
        """Changes what is given. With the hash of a new secret, the old one ends. Raises NotFoundError, NotAllowedError,
        NoSuchHookError, NameReservedError.
        """
        await load_table()

        async def unit(tx: Tx) -> Hook:
            board = await check_keeps_hooks(tx, actor, credential, board_id)
            hook = await find_hook(tx, board_id, id)
            if name is not None:
                await check_new(tx, self.reserved_names, hook.account.id, name=name)
                await give_name(tx, self.reserved_names, hook.account.id, name)
            change = (
                "UPDATE hooks SET hash = coalesce($1, hash), drops_repeats = coalesce($2, drops_repeats) WHERE id = $3"
            )
            await tx.run(change, hash, drops_repeats, id)
            changed = await find_hook(tx, board_id, id)
            for deed, is_done in (("change", changed != hook), ("new secret", hash is not None)):
                if is_done:
                    await note(tx, actor, deed, of_hook(id, hook.account.username, board), board_id)
            return changed

        return await self._write(unit)

    async def revoke_hook(self, actor: Account, board_id: int, id: int, *, credential: int | None = None) -> None:
        """From the commit on, it posts nothing. Its account stays as the author of what it has posted, if anything. Raises
        NotFoundError, NotAllowedError, NoSuchHookError.
        """

        async def unit(tx: Tx) -> None:
            board = await check_keeps_hooks(tx, actor, credential, board_id)
            hook = await find_hook(tx, board_id, id)
            await end_hook(tx, id, hook.account.id)
            await note(tx, actor, "revoke", of_hook(id, hook.account.username, board), board_id)

        await self._write(unit)

    async def try_hook(
        self, actor: Account, board_id: int, id: int, body: str, address: str | None, *, credential: int | None = None
    ) -> Message:
        """Posts as the hook, for an actor who sees how that looks. Raises NotFoundError, NotAllowedError, NoSuchHookError,
        ArchivedError.
        """
        words = await self._words(body, board_id)

        async def unit(tx: Tx) -> Message:
            await check_keeps_hooks(tx, actor, credential, board_id)
            hook = await find_hook(tx, board_id, id)
            await check_takes_posts(tx, board_id)
            account = await check_active(tx, hook.account.id)
            return await tx.add_message(board_id, account, body, words, address)

        return await self._write(unit)


async def end_hook(tx: Tx, id: int, account_id: int) -> None:
    """Its account stays as long as there is something that it wrote: read_idle_bot() finds it later."""
    await tx.run("DELETE FROM hooks WHERE id = $1", id)
    wrote = f"SELECT 1 FROM {EVERYWHERE} WHERE author_id = $1 AND body IS NOT NULL LIMIT 1"
    if not await tx.one(wrote, account_id):
        await remove_account(tx, account_id, keep_messages=True)


async def read_idle_bot(tx: Tx) -> int | None:
    """Returns a bot's account without a hook, of which all messages were deleted."""
    wrote = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} AS m WHERE m.author_id = accounts.id AND m.body IS NOT NULL)"
        for table in ("messages", "posts")
    )
    hook = "EXISTS (SELECT 1 FROM hooks WHERE account_id = accounts.id)"
    row = await tx.one(f"SELECT id FROM accounts WHERE bot AND NOT ({hook} OR {wrote}) LIMIT 1")
    return row[0] if row else None


async def remove_idle_bot(tx: Tx) -> bool:
    """Removes one that read_idle_bot() finds. Returns whether there was one."""
    account_id = await read_idle_bot(tx)
    if account_id is not None:
        await remove_account(tx, account_id, keep_messages=True)
    return account_id is not None


async def read_ended(tx: Tx) -> tuple[int, int] | None:
    """Returns a hook whose board is deleted, and its account."""
    board = "SELECT 1 FROM boards WHERE boards.id = board_id AND deleted_at IS NOT NULL"
    row = await tx.one(f"SELECT id, account_id FROM hooks WHERE EXISTS ({board}) LIMIT 1")
    return (row[0], row[1]) if row else None


async def has_bots(tx: Tx) -> bool:
    """Whether there is, or was, a hook on the site."""
    return await tx.one("SELECT 1 FROM accounts WHERE bot LIMIT 1") is not None


JOINED = "FROM hooks JOIN accounts ON accounts.id = account_id"


async def check_keeps_hooks(tx: Tx, actor: Account, credential: int | None, board_id: int) -> Board | None:
    """Returns the board, unless it is the first. Raises NotFoundError, NotAllowedError, OutdatedError."""
    board = None
    if board_id != FIRST_BOARD:
        board = await check_may_read(tx, board_id, asker_of(actor, credential))
    account = await check_active(tx, actor.id)
    await check_in_force(tx, actor.id, credential)
    if not may_moderate(account, board):
        raise NotAllowedError(f"account {actor.id} doesn't moderate board {board_id}")
    return board


async def check_room(tx: Tx, actor: Account, board_id: int, board: Board | None) -> None:
    """Raises TooManyHooksError. A revoked one makes room. Moderators are bound by the board alone: so owners of boards can't
    use up what moderators need.
    """
    own = "SELECT 1 FROM boards WHERE boards.id = board_id AND owner_id = $2"
    counts = f"SELECT count(*), count(CASE WHEN board_id = $1 THEN 1 END), count(CASE WHEN EXISTS ({own}) THEN 1 END) FROM hooks"
    everywhere, here, owned = await tx.one(counts, board_id, board.owner_id if board else None) or (0, 0, 0)
    if here >= HOOKS_EACH or (not actor.is_moderator and (owned >= HOOKS_OWNED or everywhere >= MOST_HOOKS)):
        raise TooManyHooksError(f"board {board_id}")


async def first_free(tx: Tx, usernames: Sequence[str]) -> str:
    """Returns the first username that nobody has. Raises UsernameTakenError."""
    for username in usernames:
        if not await is_taken(tx, username):
            return username
    raise UsernameTakenError(", ".join(usernames))


async def find_hook(tx: Tx, board_id: int, id: int) -> Hook:
    """Raises NoSuchHookError."""
    row = await tx.one(f"SELECT {HOOK} {JOINED} WHERE hooks.id = $1 AND board_id = $2", id, board_id)
    if row is None:
        raise NoSuchHookError(f"webhook {id}")
    return await to_hook(tx, row)


async def to_hook(tx: Tx, row: Sequence[Any]) -> Hook:
    id, board_id, created_at, last_used_at, drops_repeats, made_by, *account = row
    maker = await account_by(tx, "id", made_by) if made_by is not None else None
    return Hook(id, board_id, created_at, last_used_at, bool(drops_repeats), maker, Account(*account))
