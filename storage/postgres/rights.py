"""Checks rights in the transaction that uses them, and ends ways into an account, in PostgreSQL."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from storage.postgres.rows import account_by, look_again
from storage.postgres.suspensions import remember_suspension
from storage.records import Account, IsModerator, NotAllowed, Outdated, Password
from storage.ways_in import WAYS_IN

if TYPE_CHECKING:
    from storage.postgres.connection import Database


async def check_active(db: "Database", account_id: int) -> Account:
    """Raises NotAllowed for an account that is suspended or gone."""
    account = await account_by(db, "id", account_id)
    if account is None or account.suspended_at is not None:
        raise NotAllowed(f"account {account_id}")
    return account


async def check_moderates(db: "Database", account_id: int) -> None:
    """Raises NotAllowed for an account that is not a moderator, or no longer."""
    if not (await check_active(db, account_id)).is_moderator:
        raise NotAllowed(f"account {account_id} is no moderator")


def check_no_moderator(account: Account | None) -> None:
    """Raises IsModerator."""
    if account is not None and account.is_moderator:
        raise IsModerator(account.username)


async def check_in_force(
    db: "Database", account_id: int, credential: int | None, password: Password | None = None
) -> bool:
    """Checks that the request's credential, and the password that was verified, are still valid. Raises Outdated.

    Returns whether that credential is Facebook's.
    """
    if password is not None:
        row = await db.fetchrow("SELECT password FROM accounts WHERE id = $1", account_id)
        if row is None or row[0] != password.hash:
            raise Outdated(f"the password of account {account_id}")
    if credential is None:
        return False
    ours = "SELECT by_facebook FROM credentials WHERE id = $1 AND account_id = $2"
    row = await db.fetchrow(ours, credential, account_id)
    if row is None:
        raise Outdated(f"credential {credential}")
    return bool(row[0])


async def revoke(db: "Database", where: str, *values: object) -> int:
    """Ends some credentials; returns how many."""
    rows = await db.fetch(f"DELETE FROM credentials WHERE {where} RETURNING account_id", *values)
    for account_id in {account_id for (account_id,) in rows}:
        await look_again(db, account_id)
    return len(rows)


async def end_ways_in(
    db: "Database", account_id: int, *, ways: Collection[str] = WAYS_IN, keep: int | None = None
) -> None:
    """Ends all ways into an account (of these tables), except the credential to keep."""
    for table in ways:
        if table == "credentials":
            await revoke(db, "account_id = $1 AND id IS DISTINCT FROM $2", account_id, keep)
        elif table == "identities":
            await end_identity(db, account_id, keep)
        else:
            await db.execute(f"DELETE FROM {table} WHERE account_id = $1", account_id)
    await look_again(db, account_id)


async def end_identity(db: "Database", account_id: int, keep: int | None = None) -> None:
    """Removes an account's identity and all that was made by it, except the credential to keep."""
    await remember_suspension(db, account_id)
    await db.execute("DELETE FROM identities WHERE account_id = $1", account_id)
    await revoke(db, "account_id = $1 AND by_facebook AND id IS DISTINCT FROM $2", account_id, keep)
    await db.execute("UPDATE credentials SET by_facebook = false WHERE account_id = $1", account_id)
    await look_again(db, account_id)
