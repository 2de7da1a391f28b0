"""Sessions and tokens. They are found by the hash of their secret."""

from collections.abc import Mapping, Sequence

from storage.asking import check_may_read
from storage.errors import NotFoundError, OutdatedError, TooManyTokensError
from storage.records import MOST_BOT_TOKENS, MOST_CREDENTIALS, Account, Asker, Credential, Password
from storage.rights import PROVIDER, check_active, check_in_force, end_ways_in, revoke
from storage.rows import ACCOUNT
from storage.tables import BY_PROVIDER
from storage.tx import Nouns, Row, Tx, in_steps
from storage.ways_in import READS, SIGN_INS

SELECT = (
    "SELECT credentials.id, coalesce(credentials.reads, kind), credentials.name, credentials.created_at, last_used_at, "
    f"{PROVIDER}, credentials.board_id, {ACCOUNT} FROM credentials JOIN accounts ON accounts.id = account_id"
)


class Credentials(Nouns):
    """Sessions and tokens, stored by the hash of their secret."""

    async def create_credential(
        self,
        account_id: int,
        kind: str,
        hash: bytes,
        name: str,
        replaces: bytes | None = None,
        *,
        identity_id: int | None = None,
        password: Password | None = None,
        by: int | None = None,
        board_id: int | None = None,
    ) -> Credential:
        """`password` is the one that was verified for it, `by` the credential that asks for it, `board_id` the board
        that a bot's token is for: NotFoundError, if the account may not read it.

        A credential that comes from an identity needs that the account still has it: the identity `identity_id`, or the
        one of the provider that the credential `by` comes from. That provider's is then the new credential, too.

        Raises OutdatedError if one of these is no longer valid, TooManyTokensError for a bot's token beyond
        MOST_BOT_TOKENS, and NotAllowedError for a suspended account.
        """

        async def unit(tx: Tx) -> Credential:
            await check_active(tx, account_id)
            provider = await check_in_force(tx, account_id, by, password)
            if identity_id is not None or provider is not None:
                provider = await provider_of(tx, account_id, identity_id, provider)
            if replaces is not None:
                await revoke(tx, "hash = $1", replaces)
            await make_room(tx, account_id, kind)
            if board_id is not None:
                await check_may_read(tx, board_id, Asker(account_id, by))
            await insert(tx, account_id, kind, hash, name, provider, board_id)
            return await read_credential(tx, hash)

        return await self._write(unit)

    async def credential(self, hash: bytes) -> Credential:
        """Returns the credential, however old. Raises NotFoundError, also while its account is suspended."""
        return await self._read(read_credential, hash)

    async def credentials(self, account_id: int) -> list[Credential]:
        """Returns the account's credentials, the last used first."""
        return await self._read(read_credentials, account_id)

    async def revoke_credential(self, account_id: int, id: int, kind: str | None = None) -> None:
        """Ends one credential; if a kind is given, only one of that kind. Raises NotFoundError."""

        async def unit(tx: Tx) -> None:
            if not await revoke(
                tx,
                "account_id = $1 AND id = $2 AND coalesce(reads, kind) = coalesce($3, reads, kind)",
                account_id,
                id,
                kind,
            ):
                raise NotFoundError(f"credential {id}")

        await self._write(unit)

    async def revoke_all(self, account_id: int, keep: int | None = None) -> None:
        """Ends all SIGN_INS except the credential `keep`."""
        await self._write(lambda tx: end_ways_in(tx, account_id, ways=SIGN_INS, keep=keep))

    async def save_uses(self, uses: Mapping[int, int]) -> None:
        """Stores when credentials were last used; `uses` maps their ids to times."""
        update = "UPDATE credentials SET last_used_at = $1 WHERE id = $2 AND last_used_at < $1"
        for some in in_steps([(at, id) for id, at in uses.items()]):
            await self._write(lambda tx, some=some: tx.run_many(update, some))  # type: ignore[misc]

    async def access_changes_after(self, number: int) -> Sequence[int]:
        """Returns the ids of accounts about which something has changed since Head.access was this number."""

        async def read(tx: Tx) -> list[int]:
            rows = await tx.all("SELECT DISTINCT account_id FROM access_changes WHERE number > $1", number)
            return [account_id for (account_id,) in rows]

        return await self._read_for_delivery(read)


async def insert(
    tx: Tx, account_id: int, kind: str, hash: bytes, name: str, provider: str | None, board_id: int | None
) -> None:
    await tx.run(
        f"INSERT INTO credentials (account_id, kind, hash, name, created_at, last_used_at, {BY_PROVIDER}, provider, "
        "board_id, reads) SELECT $1, $2, $3, $4, now, now, $5, $6, CAST($7 AS bigint), CAST($8 AS text) "
        "FROM (SELECT now_ms() AS now) AS clock",
        account_id,
        "bot" if kind in READS else kind,
        hash,
        name,
        provider is not None,
        provider or "",
        board_id,
        kind if kind in READS else None,
    )


def to_credential(row: Row) -> Credential:
    id, kind, name, created_at, last_used_at, provider, board_id = row[:7]
    return Credential(id, Account(*row[7:]), kind, name, created_at, last_used_at, provider, board_id)


async def read_credential(tx: Tx, hash: bytes) -> Credential:
    """Raises NotFoundError, also while its account is suspended."""
    row = await tx.one(f"{SELECT} WHERE hash = $1 AND suspended_at IS NULL", hash)
    if row is None:
        raise NotFoundError("credential")
    return to_credential(row)


async def read_credentials(tx: Tx, account_id: int) -> list[Credential]:
    rows = await tx.all(f"{SELECT} WHERE account_id = $1 ORDER BY last_used_at DESC, credentials.id DESC", account_id)
    return [to_credential(row) for row in rows]


async def provider_of(tx: Tx, account_id: int, identity_id: int | None, provider: str | None) -> str:
    """Returns the provider of the account's identity, which is found by its id or by its provider.

    Raises OutdatedError if the account doesn't have it.
    """
    found = "SELECT provider FROM identities WHERE account_id = $1 AND (id = $2 OR provider = $3)"
    row = await tx.one(found, account_id, identity_id, provider)
    if row is None:
        raise OutdatedError(f"the identity of account {account_id}")
    return str(row[0])


async def make_room(tx: Tx, account_id: int, kind: str) -> None:
    """Ends the credentials that were unused for longest; for a bot's token or a feed, raises TooManyTokensError instead."""
    if kind == "bot" or kind in READS:
        bots = "SELECT count(*) FROM credentials WHERE account_id = $1 AND kind = 'bot'"
        row = await tx.one(bots, account_id)
        if row is not None and row[0] >= MOST_BOT_TOKENS:
            raise TooManyTokensError(f"tokens of account {account_id}")
        return
    others = "SELECT id FROM credentials WHERE account_id = $1 AND kind <> 'bot' ORDER BY last_used_at DESC"
    if oldest := (await tx.all(others, account_id))[MOST_CREDENTIALS - 1 :]:
        await revoke(tx, f"id IN ({', '.join(str(id) for (id,) in oldest)})")
