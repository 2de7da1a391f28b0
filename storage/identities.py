"""Identities at providers of logins, linked to accounts, with their pictures. Also notes what may be used only once."""

from collections.abc import Collection, Sequence

from storage.accounts import add_account, is_taken, remove_account, rename_author
from storage.errors import IdentityTakenError, LastWayInError, LinkGoneError, NotFoundError, UsernameTakenError
from storage.names import Names, give_name, load_table
from storage.people import Identity
from storage.reactions import remove_in_steps
from storage.records import Account, Password
from storage.rights import PROVIDER, check_in_force, end_identity, has_password, revoke
from storage.rows import ACCOUNT, account_by, note, note_access_change, raise_floor
from storage.suspensions import check_identity
from storage.tables import SUBJECT
from storage.tx import Row, Tx
from storage.ways_in import LINKED, label_of

SELECT = (
    f"SELECT identities.id, provider, app_id, {SUBJECT}, identities.name, identities.created_at, notice_at, {ACCOUNT} "
    " FROM identities JOIN accounts ON accounts.id = account_id"
)


class Identities(Names):
    """The key of an identity is (provider, app id, the person's id there). An account has at most one of each provider."""

    async def use_once(self, hash: bytes, until: int) -> None:
        """Notes that something signed was used, and keeps that note until `until`.

        Raises LinkGoneError if it was used before.
        """

        async def unit(tx: Tx) -> None:
            if not await tx.run("INSERT INTO used (hash, until) VALUES ($1, $2) ON CONFLICT DO NOTHING", hash, until):
                raise LinkGoneError("used")

        await self._write(unit)

    async def identity(self, provider: str, app_id: str, subject: str) -> Identity:
        """Raises NotFoundError."""
        return await self._read(find, provider, app_id, subject)

    async def identities_of(self, account_id: int) -> list[Identity]:
        """Returns the account's identities, the first linked first."""
        return await self._read(read_identities, account_id)

    async def create_identity(
        self,
        account_id: int,
        provider: str,
        app_id: str,
        subject: str,
        name: str,
        credential: int | None = None,
        label: str | None = None,
    ) -> Identity:
        """Links an identity, with a notice for its owner, and logs that by the provider's label. May be repeated.

        Raises IdentityTakenError, and NotAllowedError for an identity that was deleted while its account was suspended.
        """

        async def unit(tx: Tx) -> Identity:
            await check_in_force(tx, account_id, credential)
            by_key = await identity_by_key(tx, provider, app_id, subject)
            of_account = [one for one in await read_identities(tx, account_id) if one.provider == provider]
            if of_account != ([by_key] if by_key else []):
                raise IdentityTakenError(provider)
            if by_key is not None:
                return by_key
            await check_identity(tx, app_id, subject)
            made = await insert(tx, account_id, provider, app_id, subject, name)
            await tx.run("UPDATE identities SET notice_at = created_at WHERE id = $1", made.id)
            await note(tx, made.account, LINKED.replace("%", label or label_of(provider)), made.account.username)
            return await find(tx, provider, app_id, subject)

        return await self._write(unit)

    async def dismiss_notice(self, account_id: int, provider: str) -> None:
        """Notes that the account's owner has seen that an identity was linked."""

        async def unit(tx: Tx) -> None:
            update = "UPDATE identities SET notice_at = NULL WHERE account_id = $1 AND provider = $2"
            await tx.run(update, account_id, provider)

        await self._write(unit)

    async def create_account_with_identity(
        self,
        provider: str,
        app_id: str,
        subject: str,
        name: str,
        usernames: Sequence[str],
        invite: bytes | None = None,
    ) -> Identity:
        """Makes an account without a password, under the first free username and any name. Returns an existing identity
        as it is.

        Raises UsernameTakenError if none of the usernames is free, LinkGoneError if the invitation was used or has run
        out, and NotAllowedError for an identity that was deleted while its account was suspended.
        """
        await load_table()

        async def unit(tx: Tx) -> Identity:
            if known := await identity_by_key(tx, provider, app_id, subject):  # another tab may have made it
                return known
            await check_identity(tx, app_id, subject)
            for username in usernames:
                if not await is_taken(tx, username):
                    account = await add_account(tx, self.reserved_names, username, name, Password(None), invite)
                    return await insert(tx, account.id, provider, app_id, subject, name)
            raise UsernameTakenError(name)

        return await self._write(unit)

    async def rename_identity(self, id: int, name: str) -> None:
        """Stores the person's new name at the provider. The account gets it too if it had the old name from there."""
        await load_table()

        async def unit(tx: Tx) -> None:
            row = await tx.one("SELECT account_id, name FROM identities WHERE id = $1", id)
            if row is None or row[1] == name:
                return
            await tx.run("UPDATE identities SET name = $1 WHERE id = $2", name, id)
            account = await account_by(tx, "id", row[0])
            if account is not None and account.name == row[1]:
                await give_name(tx, self.reserved_names, account.id, name)
            await note_access_change(tx, row[0])

        await self._write(unit)

    async def unlink_identity(
        self,
        account_id: int,
        provider: str,
        keep: int | None = None,
        password: Password | None = None,
        *,
        app_ids: Collection[tuple[str, str]] = (),
        passwords: bool = True,
    ) -> None:
        """Removes the identity, and ends the sessions that come from it and what they have made, except the request's
        own, `keep`.

        `password` is the one that was verified. Raises OutdatedError, and LastWayInError if nothing else lets anybody
        in: neither a password, if `passwords` count, nor an identity of one of these providers with their app ids.
        """

        async def unit(tx: Tx) -> None:
            await check_in_force(tx, account_id, keep, password)
            others = [one for one in await read_identities(tx, account_id) if one.provider != provider]
            stays = any((one.provider, one.app_id) in app_ids for one in others)
            if not stays and not (passwords and await has_password(tx, account_id)):
                raise LastWayInError(provider)
            await end_identity(tx, account_id, provider, keep)

        await self._write(unit)

    async def deauthorize_identity(self, provider: str, app_id: str, subject: str, before: int) -> None:
        """Ends the identity's sessions, and the tokens made by them, from before this time. Ignores an unknown one."""

        async def unit(tx: Tx) -> None:
            if known := await identity_by_key(tx, provider, app_id, subject):
                where = f"account_id = $1 AND {PROVIDER} = $2 AND created_at < $3"
                await revoke(tx, where, known.account.id, known.provider, before)

        await self._write(unit)

    async def erase_identity(self, provider: str, app_id: str, subject: str, before: int, code: str) -> None:
        """Removes what came with the identity, its picture and name; the account too, if nothing else lets its owner in.

        Its messages stay: as a deleted account's, under the username, or under a name that is not the provider's. An
        identity made after `before` stays, because the request was not about it. The code is noted in any case.
        """
        await load_table()

        async def find(tx: Tx) -> Identity | None:
            known = await identity_by_key(tx, provider, app_id, subject)
            return known if known and known.created_at < before else None

        async def whose(tx: Tx) -> int | None:
            known = await find(tx)
            return known.account.id if known and await is_only_way_in(tx, known) else None

        async def unit(tx: Tx) -> None:
            await tx.run("INSERT INTO erasures (code, at) VALUES ($1, now_ms()) ON CONFLICT DO NOTHING", code)
            if known := await find(tx):
                await erase(tx, self.reserved_names, known)

        await remove_in_steps(self._write, whose)
        await self._write(unit)

    async def erased_at(self, code: str) -> int:
        """Returns when the request with this code was carried out. Raises NotFoundError."""
        return await self._read(read_erased_at, code)


def to_identity(row: Row) -> Identity:
    id, *rest = row[:7]
    return Identity(id, Account(*row[7:]), *rest)


async def identity_by_key(tx: Tx, provider: str, app_id: str, subject: str) -> Identity | None:
    row = await tx.one(f"{SELECT} WHERE provider = $1 AND app_id = $2 AND {SUBJECT} = $3", provider, app_id, subject)
    return to_identity(row) if row else None


async def read_identities(tx: Tx, account_id: int) -> list[Identity]:
    rows = await tx.all(f"{SELECT} WHERE account_id = $1 ORDER BY identities.id", account_id)
    return [to_identity(row) for row in rows]


async def find(tx: Tx, provider: str, app_id: str, subject: str) -> Identity:
    if known := await identity_by_key(tx, provider, app_id, subject):
        return known
    raise NotFoundError("identity")


async def insert(tx: Tx, account_id: int, provider: str, app_id: str, subject: str, name: str) -> Identity:
    """Raises IdentityTakenError for an id that another provider gave, with an app's id that is the same there: the
    schema of the last release allows no two such rows.
    """
    if await tx.one(f"SELECT 1 FROM identities WHERE app_id = $1 AND {SUBJECT} = $2", app_id, subject):
        raise IdentityTakenError(provider)
    await tx.run(
        f"INSERT INTO identities (account_id, provider, app_id, {SUBJECT}, name, created_at) "
        "VALUES ($1, $2, $3, $4, $5, now_ms())",
        *(account_id, provider, app_id, subject, name),
    )
    return await find(tx, provider, app_id, subject)


async def is_only_way_in(tx: Tx, identity: Identity) -> bool:
    account_id = identity.account.id
    return not await has_password(tx, account_id) and await read_identities(tx, account_id) == [identity]


async def erase(tx: Tx, reserved: Collection[str], identity: Identity) -> None:
    """Removes all that came with the identity, also earlier names from there that old messages may have."""
    account = identity.account
    if await is_only_way_in(tx, identity):
        await remove_account(tx, account.id, keep_messages=True)
        return
    await end_identity(tx, account.id, identity.provider)
    name = account.username if account.name == identity.name else account.name
    await give_name(tx, reserved, account.id, name)
    await raise_floor(tx, await rename_author(tx, account.id, name))


async def read_erased_at(tx: Tx, code: str) -> int:
    row = await tx.one("SELECT at FROM erasures WHERE code = $1", code)
    if row is None:
        raise NotFoundError("erasure")
    at: int = row[0]
    return at
