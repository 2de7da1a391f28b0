"""Checks rights in the transaction that uses them, and ends ways into an account, in SQLite."""

import sqlite3
from collections.abc import Collection

from storage.records import Account, IsModerator, NotAllowed, Outdated, Password
from storage.sqlite.rows import account_by, look_again, now_ms
from storage.sqlite.suspensions import remember_suspension
from storage.ways_in import WAYS_IN


def check_allowed(db: sqlite3.Connection, account_id: int | None, address: str | None) -> Account | None:
    """The account as it is now. Raises NotAllowed for one that is suspended or gone, and a guest's blocked address."""
    if account_id is not None:
        account = account_by(db, "id", account_id)
        if account is None or account.suspended_at is not None:
            raise NotAllowed(f"account {account_id}")
        return account
    if db.execute("SELECT 1 FROM blocks WHERE address = ? AND until > ?", (address, now_ms())).fetchone():
        raise NotAllowed("address")
    return None


def check_moderates(db: sqlite3.Connection, account_id: int) -> None:
    """Raises NotAllowed for an account that is not a moderator, or no longer."""
    account = account_by(db, "id", account_id)
    if account is None or account.suspended_at is not None or not account.is_moderator:
        raise NotAllowed(f"account {account_id} is no moderator")


def check_no_moderator(account: Account | None) -> None:
    """Raises IsModerator."""
    if account is not None and account.is_moderator:
        raise IsModerator(account.username)


def check_in_force(
    db: sqlite3.Connection, account_id: int, credential: int | None, password: Password | None = None
) -> bool:
    """Checks that the request's credential, and the password that was verified, are still valid. Raises Outdated.

    Returns whether that credential is Facebook's.
    """
    if password is not None:
        row = db.execute("SELECT password FROM accounts WHERE id = ?", (account_id,)).fetchone()
        if row != (password.hash,):
            raise Outdated(f"the password of account {account_id}")
    if credential is None:
        return False
    ours = "SELECT by_facebook FROM credentials WHERE id = ? AND account_id = ?"
    row = db.execute(ours, (credential, account_id)).fetchone()
    if row is None:
        raise Outdated(f"credential {credential}")
    return bool(row[0])


def revoke(db: sqlite3.Connection, where: str, *values: object) -> int:
    """Ends some credentials; returns how many."""
    rows = db.execute(f"DELETE FROM credentials WHERE {where} RETURNING account_id", values).fetchall()
    for account_id in {account_id for (account_id,) in rows}:
        look_again(db, account_id)
    return len(rows)


def end_ways_in(
    db: sqlite3.Connection, account_id: int, *, ways: Collection[str] = WAYS_IN, keep: int | None = None
) -> None:
    """Ends all ways into an account (of these tables), except the credential to keep."""
    for table in ways:
        if table == "credentials":
            revoke(db, "account_id = ? AND id IS NOT ?", account_id, keep)
        elif table == "identities":
            end_identity(db, account_id, keep)
        else:
            db.execute(f"DELETE FROM {table} WHERE account_id = ?", (account_id,))
    look_again(db, account_id)


def end_identity(db: sqlite3.Connection, account_id: int, keep: int | None = None) -> None:
    """Removes an account's identity and all that was made by it, except the credential to keep."""
    remember_suspension(db, account_id)
    db.execute("DELETE FROM identities WHERE account_id = ?", (account_id,))
    revoke(db, "account_id = ? AND by_facebook = 1 AND id IS NOT ?", account_id, keep)
    db.execute("UPDATE credentials SET by_facebook = 0 WHERE account_id = ?", (account_id,))
    look_again(db, account_id)
