"""Checks rights in the transaction that uses them, and ends ways into an account."""

from collections.abc import Collection

from storage.errors import IsModeratorError, NotAllowedError, OutdatedError
from storage.records import Account, Password
from storage.rows import account_by, note_access_change
from storage.suspensions import remember_suspension
from storage.tables import BY_PROVIDER
from storage.tx import Tx
from storage.ways_in import WAYS_IN

PROVIDER = f"CASE WHEN {BY_PROVIDER} THEN provider END"
"""SQL: the provider that a credential comes from, or NULL."""


async def check_active(tx: Tx, account_id: int) -> Account:
    """Returns the account as it is now. Raises NotAllowedError for one that is suspended or deleted."""
    account = await account_by(tx, "id", account_id)
    if account is None or account.suspended_at is not None:
        raise NotAllowedError(f"account {account_id}")
    return account


async def check_moderates(tx: Tx, account_id: int) -> None:
    """Raises NotAllowedError for an account that is not, or is no longer, a moderator."""
    if not (await check_active(tx, account_id)).is_moderator:
        raise NotAllowedError(f"account {account_id} is no moderator")


def check_no_moderator(account: Account | None) -> None:
    """Raises IsModeratorError."""
    if account is not None and account.is_moderator:
        raise IsModeratorError(account.username)


async def check_in_force(
    tx: Tx, account_id: int, credential: int | None, password: Password | None = None
) -> str | None:
    """Checks that the request's credential, and the password that was verified, are still valid. Raises OutdatedError.

    Returns the provider that the credential comes from, if any.
    """
    if password is not None:
        row = await tx.one("SELECT password FROM accounts WHERE id = $1", account_id)
        if row is None or row[0] != password.hash:
            raise OutdatedError(f"the password of account {account_id}")
    if credential is None:
        return None
    ours = f"SELECT {PROVIDER} FROM credentials WHERE id = $1 AND account_id = $2"
    row = await tx.one(ours, credential, account_id)
    if row is None:
        raise OutdatedError(f"credential {credential}")
    provider: str | None = row[0]
    return provider


async def has_password(tx: Tx, account_id: int) -> bool:
    row = await tx.one("SELECT password IS NOT NULL FROM accounts WHERE id = $1", account_id)
    return row is not None and bool(row[0])


async def revoke(tx: Tx, where: str, *values: object) -> int:
    """Ends the credentials that match `where`. Returns how many."""
    rows = await tx.all(f"DELETE FROM credentials WHERE {where} RETURNING account_id", *values)
    for account_id in {account_id for (account_id,) in rows}:
        await note_access_change(tx, account_id)
    return len(rows)


async def end_ways_in(
    tx: Tx, account_id: int, *, ways: Collection[str] = WAYS_IN, keep: int | None = None, spare: Collection[str] = ()
) -> None:
    """Ends all ways into an account that are in these tables, except the credential `keep` and the identities of the
    providers in `spare`.
    """
    for table in ways:
        if table == "credentials":
            await revoke(tx, "account_id = $1 AND id <> $2", account_id, keep or 0)
        elif table == "identities":
            for (provider,) in await tx.all("SELECT provider FROM identities WHERE account_id = $1", account_id):
                if provider not in spare:
                    await end_identity(tx, account_id, provider, keep)
        else:
            await tx.run(f"DELETE FROM {table} WHERE account_id = $1", account_id)
    await note_access_change(tx, account_id)


async def switch_off_webhooks(tx: Tx, account_id: int) -> None:
    """At a recovery: an intruder may have had them send what it reads to another site."""
    off = "UPDATE webhooks SET ended = 'recovered', revision = revision + 1, next_at = NULL WHERE account_id = $1"
    await tx.run(f"{off} AND paused_at IS NULL AND ended IS NULL", account_id)


async def end_identity(tx: Tx, account_id: int, provider: str, keep: int | None = None) -> None:
    """Removes an account's identity and all credentials that come from it, except the credential `keep`."""
    await remember_suspension(tx, account_id, provider)
    await tx.run("DELETE FROM identities WHERE account_id = $1 AND provider = $2", account_id, provider)
    await revoke(tx, f"account_id = $1 AND {PROVIDER} = $2 AND id <> $3", account_id, provider, keep or 0)
    mark = f"UPDATE credentials SET {BY_PROVIDER} = false WHERE account_id = $1 AND {PROVIDER} = $2"
    await tx.run(mark, account_id, provider)
    await note_access_change(tx, account_id)
