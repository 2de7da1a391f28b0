"""One-time links, stored by their hash. A link's kind is `invite`, or `password` for an account.

An invitation has the role of the account that it makes. That for a moderator is the owner's link of a new site.
"""

from storage.errors import LinkGoneError, NotAllowedError
from storage.records import Account
from storage.rows import ACCOUNT, account_by
from storage.tx import Nouns, Tx


class Links(Nouns):
    async def create_link(
        self, kind: str, hash: bytes, account_id: int | None, expires_at: int, role: str = "member"
    ) -> None:
        """`role` is that of the account that an invitation makes. Raises NotAllowedError for a webhook's account: there is
        no way into it.
        """
        insert = "INSERT INTO links (hash, kind, account_id, expires_at, account_role) VALUES ($1, $2, $3, $4, $5)"

        async def unit(tx: Tx) -> None:
            account = await account_by(tx, "id", account_id)
            if account is not None and account.is_bot:
                raise NotAllowedError(f"{account.username} is an incoming webhook")
            await tx.run(insert, hash, kind, account_id, expires_at, role)

        await self._write(unit)

    async def invitation(self, hash: bytes) -> str:
        """Returns the role of the account that this invitation makes. Raises LinkGoneError."""
        return await self._read(read_invitation, hash)

    async def link(self, kind: str, hash: bytes) -> Account | None:
        """Returns the account that the link is for, or None for an invitation. Raises LinkGoneError."""
        return await self._read(read_link, kind, hash)

    async def has_moderator(self) -> bool:
        return await self._read(read_has_moderator)


async def read_has_moderator(tx: Tx) -> bool:
    return await tx.one("SELECT 1 FROM accounts WHERE role = 'moderator' LIMIT 1") is not None


async def read_link(tx: Tx, kind: str, hash: bytes) -> Account | None:
    """Returns the account that the link is for, or None for an invitation. Raises LinkGoneError."""
    row = await tx.one(
        f"SELECT {ACCOUNT} FROM links LEFT JOIN accounts ON accounts.id = account_id "
        "WHERE hash = $1 AND kind = $2 AND expires_at > now_ms()",
        hash,
        kind,
    )
    account = Account(*row) if row and row[0] is not None else None
    if row is None or (account and account.is_bot):  # a command of the last release makes links also for a bot
        raise LinkGoneError(kind)
    return account


async def use_link(tx: Tx, kind: str, hash: bytes) -> int | None:
    row = await tx.one(
        "DELETE FROM links WHERE hash = $1 AND kind = $2 AND expires_at > now_ms() RETURNING account_id", hash, kind
    )
    if row is None:
        raise LinkGoneError(kind)
    account_id: int | None = row[0]
    return account_id


async def read_invitation(tx: Tx, hash: bytes) -> str:
    """Returns a role. An invitation for a moderator ends with the first moderator. Raises LinkGoneError."""
    row = await tx.one(
        "SELECT account_role FROM links WHERE hash = $1 AND kind = 'invite' AND expires_at > now_ms()", hash
    )
    if row is None or (row[0] == "moderator" and await read_has_moderator(tx)):
        raise LinkGoneError("invite")
    return str(row[0])


async def use_invitation(tx: Tx, hash: bytes) -> str:
    role = await read_invitation(tx, hash)
    await use_link(tx, "invite", hash)
    return role
