"""Accounts."""

from collections.abc import Collection

from storage.errors import NotFoundError, UsernameTakenError
from storage.links import read_link, use_invitation, use_link
from storage.names import Names, check_new, judge_again, keep_skeleton, load_table, note_only_other, read_taken
from storage.owners import leave_boards
from storage.reactions import remove_after, remove_in_steps
from storage.records import DELETED_NAME, FIRST_BOARD, Account, Password
from storage.removal import delete_all, delete_newest
from storage.rights import check_active, check_in_force, end_ways_in, switch_off_webhooks
from storage.rows import ACCOUNT, account_by, note, note_access_change, raise_floor
from storage.skeletons import skeleton
from storage.suspensions import is_reserved
from storage.tx import Tx
from storage.ways_in import LINK_USED, OWN_ACTIONS, OWNER_LINK_USED, SIGN_INS, WAYS_IN


class Accounts(Names):
    async def create_account(
        self,
        username: str,
        name: str,
        password: Password,
        invite: bytes | None = None,
        *,
        any_name: bool = False,
    ) -> Account:
        """With `any_name`, the name may be one that nobody could take.

        Raises UsernameTakenError, NameReservedError, or LinkGoneError if the invitation was used or has run out.
        """
        await load_table()

        async def unit(tx: Tx) -> Account:
            if await is_taken(tx, username):
                raise UsernameTakenError(username)
            if not any_name:
                await check_new(tx, self.reserved_names, None, username=username, name=name)
            return await add_account(tx, self.reserved_names, username, name, password, invite)

        return await self._write(unit)

    async def use_owner_link(self, account_id: int, hash: bytes) -> Account:
        """Gives the account the role that the link has. Raises LinkGoneError, NotAllowedError."""
        await load_table()

        async def unit(tx: Tx) -> Account:
            await check_active(tx, account_id)
            role = await use_invitation(tx, hash)
            await tx.run("UPDATE accounts SET role = $1 WHERE id = $2", role, account_id)
            await note_access_change(tx, account_id)
            account = await check_active(tx, account_id)
            await judge_again(tx, account)
            await note(tx, account, OWNER_LINK_USED, account.username)
            return account

        return await self._write(unit)

    async def account(self, username: str) -> Account:
        """Raises NotFoundError."""
        return await self._read(find, "username", username)

    async def account_of(self, id: int) -> Account:
        """Raises NotFoundError."""
        return await self._read(find, "id", id)

    async def has_tutorial_account(self, tutorial_name: str) -> bool:
        """Whether this user of a tutorial's board was imported."""
        return await self._read(has_tutorial_name, tutorial_name)

    async def password(self, username: str) -> tuple[Account | None, Password]:
        return await self._read(read_password, username)

    async def set_password(
        self,
        account_id: int,
        password: Password,
        *,
        old: Password,
        keep: int | None = None,
        hash: bytes | None = None,
        unlink: bool = False,
    ) -> None:
        """Sets the password. Ends all ways in except the credential `keep`, which gets a new secret if `hash` is given.

        With `unlink`, also ends linked identities: their owner decides that, because they may sign in with them. `old` is
        the password that was verified. Raises OutdatedError if it, or the credential `keep`, is no longer valid.
        """

        async def unit(tx: Tx) -> None:
            await check_in_force(tx, account_id, keep, old)
            await replace_password(tx, account_id, password)
            await end_ways_in(tx, account_id, ways=WAYS_IN if unlink else SIGN_INS, keep=keep)
            if hash is not None:
                await tx.run("UPDATE credentials SET hash = $1 WHERE id = $2", hash, keep)

        await self._write(unit)

    async def upgrade_password(self, account_id: int, old: Password, new: Password) -> bool:
        """Stores a new hash of the same password; ends nothing.

        Returns whether it did: not if the password has changed since.
        """
        update = "UPDATE accounts SET password = $1 WHERE id = $2 AND password = $3"
        return bool(await self._write(lambda tx: tx.run(update, new.hash, account_id, old.hash)))

    async def set_username(
        self, account_id: int, username: str, credential: int | None = None, password: Password | None = None
    ) -> None:
        """Raises UsernameTakenError, NameReservedError, and OutdatedError if this is no longer the password."""
        await load_table()

        async def unit(tx: Tx) -> None:
            await check_in_force(tx, account_id, credential, password)
            if await is_taken(tx, username, but_by=account_id):
                raise UsernameTakenError(username)
            await check_new(tx, self.reserved_names, account_id, username=username)
            await note_only_other(tx, skeleton((await find(tx, "id", account_id)).username), account_id)
            await tx.run("UPDATE accounts SET username = $1 WHERE id = $2", username, account_id)
            await judge_again(tx, await find(tx, "id", account_id))
            await note_access_change(tx, account_id)

        await self._write(unit)

    async def delete_account(
        self, account_id: int, *, keep_messages: bool, password: Password | None = None, credential: int | None = None
    ) -> None:
        """Deletes the account and its ways in. Its messages are deleted too, or stay as those of a deleted account.

        Raises the floor if it has messages. `password` is the one that was verified, or says that there is none. Raises
        OutdatedError if that has changed.
        """

        async def unit(tx: Tx) -> None:
            await check_in_force(tx, account_id, credential, password)
            await remove_account(tx, account_id, keep_messages=keep_messages)

        async def thin_out(tx: Tx) -> bool:
            await check_in_force(tx, account_id, credential, password)
            removed = await delete_newest(tx, None, "author_id = $1", account_id)
            await raise_floor(tx, removed)
            tx.has_news = False  # polls hear of it with the last step
            return bool(removed)

        async def whose(tx: Tx) -> int:
            await check_in_force(tx, account_id, credential, password)
            return account_id

        await remove_in_steps(self._write, whose)
        while not keep_messages and await self._write(thin_out):
            pass  # the transaction below deletes the rest together with the account
        await self._write(unit)

    async def use_password_link(self, hash: bytes, password: Password, *, spare: Collection[str] = ()) -> Account:
        """Sets the password, and ends all ways in except the identities of the providers in `spare`. Switches off the outgoing
        webhooks of the account. The audit log notes it. Raises LinkGoneError.
        """

        async def unit(tx: Tx) -> Account:
            await read_link(tx, "password", hash)
            account_id = await use_link(tx, "password", hash)
            assert account_id is not None
            await replace_password(tx, account_id, password)
            await end_ways_in(tx, account_id, spare=spare)
            await switch_off_webhooks(tx, account_id)
            account = await find(tx, "id", account_id)
            await note(tx, account, LINK_USED, account.username)
            return account

        return await self._write(unit)


async def add_account(
    tx: Tx, reserved: Collection[str], username: str, name: str, password: Password, invite: bytes | None = None
) -> Account:
    """Makes an account with the role that the invitation has, under any name. Raises LinkGoneError."""
    role = await use_invitation(tx, invite) if invite is not None else "member"
    row = await tx.one(
        "INSERT INTO accounts (username, name, password, tutorial_name, role, created_at, password_at) "
        "SELECT $1, $2, $3, $4, $5, now, CASE WHEN CAST($3 AS text) IS NOT NULL THEN now END FROM (SELECT now_ms() AS now) AS clock "
        f"RETURNING {ACCOUNT}",
        username,
        name,
        password.hash,
        password.tutorial_name,
        role,
    )
    assert row is not None
    account = Account(*row)
    await keep_skeleton(tx, await read_taken(tx, reserved, "username"), account.id, name)
    await judge_again(tx, account)
    if account.is_moderator:
        await note(tx, account, OWNER_LINK_USED, username)
    return account


async def remove_account(tx: Tx, account_id: int, *, keep_messages: bool) -> None:
    await end_ways_in(tx, account_id)
    await leave_boards(tx, account_id)
    await remove_after(tx, account_id)
    kept = await tx.one("SELECT skeleton, username FROM accounts WHERE id = $1", account_id)
    await tx.run("DELETE FROM accounts WHERE id = $1", account_id)
    if kept is not None:
        for one in {kept[0], skeleton(kept[1])}:
            await note_only_other(tx, one, account_id)
    await tx.run(
        "DELETE FROM audit WHERE actor_id = $1 AND (action LIKE $2 OR action LIKE $3)", account_id, *OWN_ACTIONS
    )
    if keep_messages:
        changed = await rename_author(tx, account_id, DELETED_NAME, erases=True)
    else:
        changed = await delete_all(tx, None, "author_id = $1", account_id)
    await raise_floor(tx, changed)


async def rename_author(tx: Tx, account_id: int, name: str, *, erases: bool = False) -> Collection[int]:
    """Changes the name on an account's messages, and with `erases` also deletes their addresses. Returns the boards
    that they are on.
    """
    other, address = (
        ("author_name <> $1 OR address IS NOT NULL", ", address = NULL") if erases else ("author_name <> $1", "")
    )
    where = f"author_id = $2 AND body IS NOT NULL AND ({other})"
    boards = {id for (id,) in await tx.all(f"SELECT DISTINCT board_id FROM posts WHERE {where}", name, account_id)}
    if boards:
        await tx.run(f"UPDATE posts SET author_name = $1{address} WHERE {where}", name, account_id)
    if await tx.run(f"UPDATE messages SET author_name = $1{address} WHERE {where}", name, account_id):
        boards.add(FIRST_BOARD)
    return boards


async def is_taken(tx: Tx, username: str, but_by: int | None = None) -> bool:
    """Whether another account has this username, or had it when it was deleted while suspended."""
    holder = await account_by(tx, "username", username)
    return holder.id != but_by if holder else await is_reserved(tx, username)


async def find(tx: Tx, column: str, value: object) -> Account:
    account = await account_by(tx, column, value)
    if account is None:
        raise NotFoundError(f"account {value}")
    return account


async def has_tutorial_name(tx: Tx, tutorial_name: str) -> bool:
    return await tx.one("SELECT 1 FROM accounts WHERE tutorial_name = $1", tutorial_name) is not None


async def read_password(tx: Tx, username: str) -> tuple[Account | None, Password]:
    select = f"SELECT {ACCOUNT}, password, tutorial_name, password_at FROM accounts WHERE username = $1"
    row = await tx.one(select, username)
    return (Account(*row[:-3]), Password(*row[-3:])) if row else (None, Password(None))


async def replace_password(tx: Tx, account_id: int, password: Password) -> None:
    update = "UPDATE accounts SET password = $1, password_at = now_ms() WHERE id = $2"
    await tx.run(update, password.hash, account_id)
