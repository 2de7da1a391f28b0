"""What moderators and the operator at the command line do. Each action is written to the audit log with it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from storage.asking import allowed, asker_of, on_readable, values
from storage.audit import AuditEntry, of_block, of_removal
from storage.errors import NotAllowedError, NotFoundError, OwnAddressError
from storage.names import judge_again, load_table
from storage.records import FIRST_BOARD, Account, Asker
from storage.removal import count_all, delete_all, delete_newest
from storage.rights import check_in_force, check_moderates, check_no_moderator, end_ways_in
from storage.rows import ACCOUNT, ENTRY, EVERYWHERE, account_by, author_of, note, note_access_change, raise_floor
from storage.suspensions import forgive
from storage.tx import Nouns, Tx
from storage.ways_in import SIGN_INS

T = TypeVar("T")


class Moderation(Nouns):
    """The actor is a moderator, or None for the operator at the command line. All actions are logged.

    Each method with an actor raises NotAllowedError if they are no longer a moderator.
    """

    async def moderators(self) -> list[Account]:
        async def read(tx: Tx) -> list[Account]:
            return [Account(*row) for row in await tx.all(f"SELECT {ACCOUNT} FROM accounts WHERE role = 'moderator'")]

        return await self._read(read)

    async def set_role(self, actor: Account | None, username: str, role: str) -> None:
        """Raises NotFoundError."""
        await load_table()
        await self._act(actor, None, role, username, give_role, username, role)

    async def suspend(self, actor: Account | None, username: str, *, credential: int | None = None) -> None:
        """Also ends all SIGN_INS. Raises NotFoundError, and IsModeratorError except at the command line."""
        await self._act(actor, credential, "suspend", username, suspend, username, actor is not None)

    async def restore(self, actor: Account | None, username: str, *, credential: int | None = None) -> None:
        """Also ends the suspension of a deleted account. Raises NotFoundError."""
        await self._act(actor, credential, "restore", username, restore, username)

    async def block_address(
        self,
        actor: Account | None,
        message_id: int,
        until: int,
        own_address: str | None = None,
        *,
        credential: int | None = None,
    ) -> None:
        """Blocks the address that a message came from. Raises NotFoundError, also if that is no longer kept.

        Raises OwnAddressError if the actor has the same address: everyone does behind a proxy that names no clients.
        """

        async def target(tx: Tx) -> tuple[str, int]:
            author, board_id = await author_of(tx, message_id)
            return of_block(message_id, author, until), board_id

        by = asker_of(actor, credential)
        await self._act(actor, credential, "block", target, block_source, by, message_id, until, own_address)

    async def remove_all(
        self,
        actor: Account | None,
        message_id: int,
        own_address: str | None = None,
        *,
        credential: int | None = None,
    ) -> int:
        """Removes all messages of this message's author, or of a guest's address, on the boards that the actor may
        read. Raises their floors. Returns how many.

        More than REMOVED_AT_ONCE are removed in several transactions, so that posts get turns in between: the newest
        first, this message last. The first one writes to the log. After an interruption, the same call continues.

        Raises NotFoundError, OwnAddressError, and IsModeratorError except at the command line.
        """

        async def target(tx: Tx) -> tuple[str, int]:
            author, board_id = await author_of(tx, message_id)
            return of_removal(message_id, author), board_id

        arguments = (asker_of(actor, credential), message_id, own_address)
        removed, is_all = await self._act(actor, credential, "remove", target, remove_by_source, *arguments)
        while not is_all:
            more, is_all = await self._act(actor, credential, None, target, remove_by_source, *arguments)
            removed += more
        return removed

    async def count_by_source(self, by: Asker, message_id: int) -> int:
        """Returns how many messages remove_all() would take the words of, at most MOST_COUNTED; 0 if it can't find its author."""

        async def read(tx: Tx) -> int:
            try:
                author_id, address, _ = await source_of(tx, by, message_id)
            except NotFoundError:
                return 0
            return await count_all(tx, by, *all_by(author_id, address))

        return await self._read(read)

    async def log(self, actor: Account | None, action: str, target: str) -> None:
        await self._write(lambda tx: note(tx, actor, action, target))

    async def audit(self, before: int | None, limit: int, asker: Asker) -> list[AuditEntry]:
        """Returns the entries before this one, the newest first: none about a board that the asker may not read, or could
        not, if it is deleted; but all that the asker has done.
        """
        return await self._read(read_audit, before, limit, asker)

    async def _act(
        self,
        actor: Account | None,
        credential: int | None,
        action: str | None,
        target: str | Callable[[Tx], Awaitable[tuple[str, int]]],
        act: Callable[..., Awaitable[T]],
        *values: object,
    ) -> T:
        """Runs `act` and logs it, both or neither. Without an action, it continues a removal that is logged already."""

        async def unit(tx: Tx) -> T:
            if actor is not None:
                await check_moderates(tx, actor.id)
                await check_in_force(tx, actor.id, credential)
            # first: afterwards the message may be gone
            words = (target, FIRST_BOARD) if isinstance(target, str) else await target(tx)
            done = await act(tx, *values)
            if action is not None:
                await note(tx, actor, action, *words)
            return done

        return await self._write(unit)


async def set_account(tx: Tx, username: str, assignment: str, *values: object) -> int:
    """Changes the account, and returns its id. Raises NotFoundError."""
    account = await account_by(tx, "username", username)
    if account is None:
        raise NotFoundError(f"account {username}")
    await tx.run(f"UPDATE accounts SET {assignment} WHERE id = $1", account.id, *values)
    await note_access_change(tx, account.id)
    return account.id


async def give_role(tx: Tx, username: str, role: str) -> None:
    account = await account_by(tx, "username", username)
    if account is not None and account.is_bot and role != "member":
        raise NotAllowedError(f"{username} is an incoming webhook")
    await set_account(tx, username, "role = $2", role)
    account = await account_by(tx, "username", username)
    assert account is not None
    await judge_again(tx, account)


async def suspend(tx: Tx, username: str, spares_moderators: bool) -> None:
    if spares_moderators:
        check_no_moderator(await account_by(tx, "username", username))
    account_id = await set_account(tx, username, "suspended_at = now_ms()")
    await end_ways_in(tx, account_id, ways=SIGN_INS)


async def restore(tx: Tx, username: str) -> None:
    """Raises NotFoundError if there is no such account, and no row of a suspended one that was deleted."""
    notes = await forgive(tx, username)
    if await account_by(tx, "username", username) or not notes:
        await set_account(tx, username, "suspended_at = NULL")


async def source_of(tx: Tx, by: Asker, message_id: int) -> tuple[int | None, str | None, int]:
    """Returns the author's account, the address and the board of a message. Raises NotFoundError."""
    select = f"SELECT author_id, address, board_id FROM {EVERYWHERE} WHERE id = $1 AND {on_readable('everywhere', 2)}"
    row = await tx.one(select, message_id, *values(by))
    if row is None or tuple(row)[:2] == (None, None):
        raise NotFoundError(f"the author of message {message_id}")
    return row[0], row[1], row[2]


async def block_source(tx: Tx, by: Asker, message_id: int, until: int, own_address: str | None) -> None:
    _, address, _ = await source_of(tx, by, message_id)
    if address is None:
        raise NotFoundError(f"the address of message {message_id}")
    check_elsewhere(address, own_address)
    await tx.run(
        "INSERT INTO blocks (address, until) VALUES ($1, $2) ON CONFLICT (address) DO UPDATE SET until = excluded.until",
        address,
        until,
    )


def check_elsewhere(address: str | None, own_address: str | None) -> None:
    """Raises OwnAddressError if the actor has this address too: then it does not identify anybody."""
    if address is not None and address == own_address:
        raise OwnAddressError(address)


async def remove_by_source(tx: Tx, by: Asker, message_id: int, own_address: str | None) -> tuple[int, bool]:
    """Removes all messages of this message's account, or for a guest's message, all guests' messages from its address.

    If there are more than REMOVED_AT_ONCE, it removes that many of the newest, and keeps this message until the end:
    the next call can still name it. Returns how many it removed, and whether that was all.
    """
    author_id, address, _ = await source_of(tx, by, message_id)
    if author_id is None:
        check_elsewhere(address, own_address)
    elif not by.is_operator:
        check_no_moderator(await account_by(tx, "id", author_id))
    source = all_by(author_id, address)
    removed = await delete_newest(tx, by, *source, but=message_id)
    if is_all := not removed:
        removed = await delete_all(tx, by, *source)
    await raise_floor(tx, removed)
    tx.has_news = is_all  # polls hear of it after the last step: each would reset every page
    return removed.total(), is_all


def all_by(author_id: int | None, address: str | None) -> tuple[str, object]:
    """Returns the condition for all messages of an account or, by guests, from an address; and the value of its $1."""
    return ("author_id = $1", author_id) if author_id else ("author_id IS NULL AND address = $1", address)


async def read_audit(tx: Tx, before: int | None, limit: int, by: Asker) -> list[AuditEntry]:
    where, bound = ("AND id < $5", [before]) if before is not None else ("", [])
    rows = await tx.all(
        f"SELECT {ENTRY} FROM audit WHERE (actor_id = $2 OR {on_readable('audit', 2, allowed)}) {where} ORDER BY id DESC LIMIT $1",
        limit,
        *values(by),
        *bound,
    )
    return [AuditEntry(*row) for row in rows]
