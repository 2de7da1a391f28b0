"""What moderators and the one at the command line do, in PostgreSQL; each act is in the audit log with it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from storage.audit import of_block, of_removal
from storage.bulk import REMOVED_AT_ONCE
from storage.postgres.rights import check_in_force, check_moderates, check_no_moderator, end_ways_in
from storage.postgres.rows import Engine, account_by, count, look_again
from storage.postgres.suspensions import forgive
from storage.records import (
    ADDRESS_DAYS,
    DAY_MS,
    DELETED_NAME,
    ERASURE_DAYS,
    Account,
    AuditEntry,
    NotFound,
    OwnAddress,
)
from storage.ways_in import SIGN_INS

if TYPE_CHECKING:
    from storage.postgres.connection import Database

T = TypeVar("T")


class Moderation(Engine):
    async def set_role(self, actor: Account | None, username: str, role: str) -> None:
        await self._act(actor, None, role, username, set_account, username, "role = $2", role)

    async def suspend(self, actor: Account | None, username: str, *, credential: int | None = None) -> None:
        await self._act(actor, credential, "suspend", username, suspend, username, actor is not None)

    async def restore(self, actor: Account | None, username: str, *, credential: int | None = None) -> None:
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
        async def target(db: "Database") -> str:
            return of_block(message_id, await author_of(db, message_id), until)

        await self._act(actor, credential, "block", target, block_source, message_id, until, own_address)

    async def remove_all(
        self,
        actor: Account | None,
        message_id: int,
        own_address: str | None = None,
        *,
        credential: int | None = None,
    ) -> int:
        async def target(db: "Database") -> str:
            return of_removal(message_id, await author_of(db, message_id))

        values = (message_id, own_address, actor is not None)
        removed, is_all = await self._act(actor, credential, "remove", target, remove_by_source, *values)
        while not is_all:
            more, is_all = await self._act(actor, credential, None, target, remove_by_source, *values)
            removed += more
        return removed

    async def log(self, actor: Account | None, action: str, target: str) -> None:
        await self._writer.write(lambda db: note(db, actor, action, target))

    async def audit(self, before: int | None, limit: int) -> list[AuditEntry]:
        return await self._reader.read(read_audit, before, limit)

    async def forget(self, sessions_before: int, tokens_before: int, bots_before: int = 0) -> None:
        before = {"session": sessions_before, "token": tokens_before, "bot": bots_before}
        await self._writer.write(lambda db: forget(db, before))
        while ids := await self._reader.read(read_old_addresses):
            await self._writer.write(lambda db, ids=ids: forget_addresses(db, ids))  # type: ignore[misc]

    async def _act(
        self,
        actor: Account | None,
        credential: int | None,
        action: str | None,
        target: "str | Callable[[Database], Awaitable[str]]",
        act: "Callable[..., Awaitable[T]]",
        *values: object,
    ) -> T:
        """Does it and logs it, both or neither; without an action it continues a removal that is logged already."""

        async def unit(db: "Database") -> T:
            if actor is not None:
                await check_moderates(db, actor.id)
                await check_in_force(db, actor.id, credential)
            words = target if isinstance(target, str) else await target(db)  # before: afterwards it may be gone
            done = await act(db, *values)
            if action is not None:
                await note(db, actor, action, words)
            return done

        return await self._writer.write(unit)


async def note(db: "Database", actor: Account | None, action: str, target: str) -> None:
    """In the audit log."""
    await db.execute(
        "INSERT INTO audit (at, actor_id, actor_name, action, target) VALUES (now_ms(), $1, $2, $3, $4)",
        actor and actor.id,
        actor.username if actor else "command line",
        action,
        target,
    )


async def author_of(db: "Database", message_id: int) -> str:
    """The username of a message's author."""
    author_id = await db.fetchval("SELECT author_id FROM messages WHERE id = $1", message_id)
    if author_id is None:
        return "a guest"
    author = await account_by(db, "id", author_id)
    return author.username if author else DELETED_NAME


async def raise_floor(db: "Database") -> None:
    """After a bulk change: every client is to replace what it shows."""
    await db.execute("UPDATE board SET seq = seq + 1, floor = seq + 1")


async def set_account(db: "Database", username: str, assignment: str, *values: object) -> int:
    """The account's id. Raises NotFound."""
    account = await account_by(db, "username", username)
    if account is None:
        raise NotFound(f"account {username}")
    await db.execute(f"UPDATE accounts SET {assignment} WHERE id = $1", account.id, *values)
    await look_again(db, account.id)
    return account.id


async def suspend(db: "Database", username: str, spares_moderators: bool) -> None:
    if spares_moderators:
        check_no_moderator(await account_by(db, "username", username))
    account_id = await set_account(db, username, "suspended_at = now_ms()")
    await end_ways_in(db, account_id, ways=SIGN_INS)


async def restore(db: "Database", username: str) -> None:
    """Raises NotFound if there is neither the account nor a row of a deleted one that was suspended."""
    notes = await forgive(db, username)
    if await account_by(db, "username", username) or not notes:
        await set_account(db, username, "suspended_at = NULL")


async def source_of(db: "Database", message_id: int) -> tuple[int | None, str | None]:
    row = await db.fetchrow("SELECT author_id, address FROM messages WHERE id = $1", message_id)
    if row is None or tuple(row) == (None, None):
        raise NotFound(f"the author of message {message_id}")
    return row[0], row[1]


async def block_source(db: "Database", message_id: int, until: int, own_address: str | None) -> None:
    _, address = await source_of(db, message_id)
    if address is None:
        raise NotFound(f"the address of message {message_id}")
    check_elsewhere(address, own_address)
    await db.execute(
        "INSERT INTO blocks VALUES ($1, $2) ON CONFLICT (address) DO UPDATE SET until = excluded.until", address, until
    )


def check_elsewhere(address: str | None, own_address: str | None) -> None:
    """Raises OwnAddress: an address that the actor has, too, singles nobody out."""
    if address is not None and address == own_address:
        raise OwnAddress(address)


async def remove_by_source(
    db: "Database", message_id: int, own_address: str | None, spares_moderators: bool
) -> tuple[int, bool]:
    """Removes all that this message's account has posted, or for a guest's, all that guests posted from its address.

    If there are more than REMOVED_AT_ONCE, it removes that many of the newest, and this message last: the next call
    can still name it. Returns how many, and whether it was all.
    """
    author_id, address = await source_of(db, message_id)
    if author_id is None:
        check_elsewhere(address, own_address)
    elif spares_moderators:
        check_no_moderator(await account_by(db, "id", author_id))
    where, value = ("author_id = $1", author_id) if author_id else ("author_id IS NULL AND address = $1", address)
    some = await delete_newest(db, where, value, but=message_id)
    removed = count(await db.execute(f"DELETE FROM messages WHERE {where}", value)) if some is None else some
    await raise_floor(db)
    return removed, some is None


async def delete_newest(db: "Database", where: str, value: object, but: int = 0) -> int | None:
    """Removes the newest REMOVED_AT_ONCE except this one, and returns how many; None if there are not more."""
    select = f"SELECT id FROM messages WHERE {where} ORDER BY id DESC LIMIT 1 OFFSET $2"
    last = await db.fetchval(select, value, REMOVED_AT_ONCE)
    if last is None:
        return None
    return count(await db.execute(f"DELETE FROM messages WHERE {where} AND id > $2 AND id <> $3", value, last, but))


async def forget(db: "Database", before: Mapping[str, int]) -> None:
    """`before` has, for each kind of credential, the time of last use before which it has expired."""
    for kind, time in before.items():
        await db.execute("DELETE FROM credentials WHERE kind = $1 AND last_used_at < $2", kind, time)
    await db.execute("DELETE FROM links WHERE expires_at < now_ms()")
    await db.execute("DELETE FROM blocks WHERE until < now_ms()")
    await db.execute("DELETE FROM used WHERE until < now_ms()")
    await db.execute("DELETE FROM suspensions WHERE until < now_ms()")
    await db.execute("DELETE FROM erasures WHERE at < now_ms() - $1::bigint", ERASURE_DAYS * DAY_MS)
    await db.execute("DELETE FROM access_changes WHERE at < now_ms() - $1::bigint", DAY_MS)


async def read_old_addresses(db: "Database") -> list[int]:
    """Numbers of messages whose address is to be deleted."""
    where = "address IS NOT NULL AND created_at < now_ms() - $1::bigint"
    select = f"SELECT id FROM messages WHERE {where} LIMIT $2"
    return [id for (id,) in await db.fetch(select, ADDRESS_DAYS * DAY_MS, REMOVED_AT_ONCE)]


async def forget_addresses(db: "Database", ids: list[int]) -> None:
    await db.execute("UPDATE messages SET address = NULL WHERE id = ANY($1::bigint[])", ids)


async def read_audit(db: "Database", before: int | None, limit: int) -> list[AuditEntry]:
    where, values = ("WHERE id < $2", [before]) if before is not None else ("", [])
    rows = await db.fetch(
        f"SELECT id, at, actor_id, actor_name, action, target FROM audit {where} ORDER BY id DESC LIMIT $1",
        limit,
        *values,
    )
    return [AuditEntry(*row) for row in rows]
