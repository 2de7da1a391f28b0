"""Facebook ids that are linked to accounts, with their pictures. Also notes what may be used only once."""

from collections.abc import Sequence

from storage.accounts import add_account, is_taken, remove_account, use_link
from storage.errors import IdentityTakenError, LastWayInError, LinkGoneError, NotFoundError, UsernameTakenError
from storage.records import Account, Identity, Password, Picture
from storage.rights import check_in_force, end_identity, revoke
from storage.rows import ACCOUNT, note, note_access_change, raise_floor
from storage.suspensions import check_identity
from storage.tx import Nouns, Row, Tx
from storage.ways_in import LINKED

SELECT = (
    "SELECT identities.id, app_id, facebook_id, identities.name, identities.created_at, notice_at, "
    f"{ACCOUNT} FROM identities JOIN accounts ON accounts.id = account_id"
)


class Identities(Nouns):
    """The key of an identity is (app id, the id that Facebook gave the person for this app)."""

    async def use_once(self, hash: bytes, until: int) -> None:
        """Notes that something signed was used, and keeps that note until `until`.

        Raises LinkGoneError if it was used before.
        """

        async def unit(tx: Tx) -> None:
            if not await tx.run("INSERT INTO used (hash, until) VALUES ($1, $2) ON CONFLICT DO NOTHING", hash, until):
                raise LinkGoneError("used")

        await self._write(unit)

    async def identity(self, app_id: str, facebook_id: str) -> Identity:
        """Raises NotFoundError."""
        return await self._read(find, app_id, facebook_id)

    async def identity_of(self, account_id: int) -> Identity:
        """Raises NotFoundError."""
        return await self._read(find_of, account_id)

    async def create_identity(
        self, account_id: int, app_id: str, facebook_id: str, name: str, credential: int | None = None
    ) -> Identity:
        """Links an identity, with a notice for the account's owner, and logs that. Repeating it changes nothing.

        Raises IdentityTakenError, and NotAllowedError for an identity that was deleted while its account was suspended.
        """

        async def unit(tx: Tx) -> Identity:
            await check_in_force(tx, account_id, credential)
            by_key = await identity_by_key(tx, app_id, facebook_id)
            by_account = await identity_by_account(tx, account_id)
            if by_key != by_account:
                raise IdentityTakenError(facebook_id)
            if by_key is not None:
                return by_key
            await check_identity(tx, app_id, facebook_id)
            await insert(tx, account_id, app_id, facebook_id, name)
            await tx.run("UPDATE identities SET notice_at = created_at WHERE account_id = $1", account_id)
            made = await find_of(tx, account_id)
            await note(tx, made.account, LINKED, made.account.username)
            return made

        return await self._write(unit)

    async def dismiss_notice(self, account_id: int) -> None:
        """Notes that the account's owner has seen that an identity was linked."""

        async def unit(tx: Tx) -> None:
            await tx.run("UPDATE identities SET notice_at = NULL WHERE account_id = $1", account_id)

        await self._write(unit)

    async def create_account_with_identity(
        self, app_id: str, facebook_id: str, name: str, usernames: Sequence[str], invite: bytes | None = None
    ) -> Identity:
        """Makes an account without a password, under the first free username. Returns an existing identity as it is.

        Raises UsernameTakenError if none of the usernames is free, LinkGoneError if the invitation was used or has run
        out, and NotAllowedError for an identity that was deleted while its account was suspended.
        """

        async def unit(tx: Tx) -> Identity:
            if known := await identity_by_key(tx, app_id, facebook_id):  # another tab may have made it
                return known
            await check_identity(tx, app_id, facebook_id)
            if invite is not None:
                await use_link(tx, "invite", invite)
            for username in usernames:
                if not await is_taken(tx, username):
                    account = await add_account(tx, username, name, Password(None))
                    await insert(tx, account.id, app_id, facebook_id, name)
                    return await find(tx, app_id, facebook_id)
            raise UsernameTakenError(name)

        return await self._write(unit)

    async def rename_identity(self, id: int, name: str) -> None:
        """Stores the person's new name at Facebook. The account gets it too if it had the old name from there."""

        async def unit(tx: Tx) -> None:
            row = await tx.one("SELECT account_id, name FROM identities WHERE id = $1", id)
            if row is None or row[1] == name:
                return
            await tx.run("UPDATE identities SET name = $1 WHERE id = $2", name, id)
            await tx.run("UPDATE accounts SET name = $1 WHERE id = $2 AND name = $3", name, *row)
            await note_access_change(tx, row[0])

        await self._write(unit)

    async def unlink_identity(self, account_id: int, keep: int | None = None, password: Password | None = None) -> None:
        """Removes the identity, and ends Facebook's sessions and what they have made, except the request's own, `keep`.

        `password` is the one that was verified. Raises LastWayInError for an account without one, and OutdatedError.
        """

        async def unit(tx: Tx) -> None:
            await check_in_force(tx, account_id, keep, password)
            if not await has_password(tx, account_id):
                raise LastWayInError(f"account {account_id}")
            await end_identity(tx, account_id, keep)

        await self._write(unit)

    async def set_picture(self, identity_id: int, picture: Picture | None) -> None:
        values = (picture.kind, picture.content) if picture else (None, None)

        async def unit(tx: Tx) -> None:
            await tx.run("UPDATE identities SET picture_kind = $2, picture = $3 WHERE id = $1", identity_id, *values)

        await self._write(unit)

    async def picture(self, account_id: int) -> Picture:
        """Raises NotFoundError."""
        return await self._read(read_picture, account_id)

    async def deauthorize_identity(self, app_id: str, facebook_id: str, before: int) -> None:
        """Ends Facebook's sessions, and the tokens made by them, from before this time. Ignores an unknown identity."""

        async def unit(tx: Tx) -> None:
            if known := await identity_by_key(tx, app_id, facebook_id):
                await revoke(tx, "account_id = $1 AND by_facebook AND created_at < $2", known.account.id, before)

        await self._write(unit)

    async def erase_identity(self, app_id: str, facebook_id: str, before: int, code: str) -> None:
        """Removes what came from Facebook: identity, picture and name; the account too, if it has no password.

        Its messages stay: as a deleted account's, under the username, or under a name that is not Facebook's. An
        identity made after `before` stays, because the request was not about it. The code is noted in any case.
        """

        async def unit(tx: Tx) -> None:
            await tx.run("INSERT INTO erasures (code, at) VALUES ($1, now_ms()) ON CONFLICT DO NOTHING", code)
            known = await identity_by_key(tx, app_id, facebook_id)
            if known and known.created_at < before:
                await erase(tx, known)

        await self._write(unit)

    async def erased_at(self, code: str) -> int:
        """Returns when the request with this code was carried out. Raises NotFoundError."""
        return await self._read(read_erased_at, code)


def to_identity(row: Row | None) -> Identity | None:
    if row is None:
        return None
    id, app_id, facebook_id, name, created_at, notice_at = row[:6]
    return Identity(id, Account(*row[6:]), app_id, facebook_id, name, created_at, notice_at)


async def identity_by_key(tx: Tx, app_id: str, facebook_id: str) -> Identity | None:
    return to_identity(await tx.one(f"{SELECT} WHERE app_id = $1 AND facebook_id = $2", app_id, facebook_id))


async def identity_by_account(tx: Tx, account_id: int) -> Identity | None:
    return to_identity(await tx.one(f"{SELECT} WHERE account_id = $1", account_id))


async def find(tx: Tx, app_id: str, facebook_id: str) -> Identity:
    if known := await identity_by_key(tx, app_id, facebook_id):
        return known
    raise NotFoundError("identity")


async def find_of(tx: Tx, account_id: int) -> Identity:
    if known := await identity_by_account(tx, account_id):
        return known
    raise NotFoundError("identity")


async def insert(tx: Tx, account_id: int, app_id: str, facebook_id: str, name: str) -> None:
    await tx.run(
        "INSERT INTO identities (account_id, app_id, facebook_id, name, created_at) VALUES ($1, $2, $3, $4, now_ms())",
        account_id,
        app_id,
        facebook_id,
        name,
    )


async def has_password(tx: Tx, account_id: int) -> bool:
    row = await tx.one("SELECT password IS NOT NULL FROM accounts WHERE id = $1", account_id)
    return row is not None and bool(row[0])


async def erase(tx: Tx, identity: Identity) -> None:
    """Removes all that came from Facebook, also earlier names from there that old messages may have."""
    account = identity.account
    if not await has_password(tx, account.id):
        await remove_account(tx, account.id, keep_messages=True)
        return
    await end_identity(tx, account.id)
    name = account.username if account.name == identity.name else account.name
    await tx.run("UPDATE accounts SET name = $1 WHERE id = $2", name, account.id)
    await note_access_change(tx, account.id)
    rename = "UPDATE messages SET author_name = $1 WHERE author_id = $2 AND body IS NOT NULL AND author_name <> $1"
    if await tx.run(rename, name, account.id):
        await raise_floor(tx)


async def read_picture(tx: Tx, account_id: int) -> Picture:
    row = await tx.one(
        "SELECT picture_kind, picture FROM identities WHERE account_id = $1 AND picture IS NOT NULL", account_id
    )
    if row is None:
        raise NotFoundError("picture")
    return Picture(*row)


async def read_erased_at(tx: Tx, code: str) -> int:
    row = await tx.one("SELECT at FROM erasures WHERE code = $1", code)
    if row is None:
        raise NotFoundError("erasure")
    at: int = row[0]
    return at
