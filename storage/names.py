"""Names of accounts: which are refused, and which need the username beside them.

Names may repeat. A page shows @username beside each of two names with the same skeleton, and beside one that nobody could
take: it came from another site, or was there before that was so. What is shown is looked up when it is read, so only the
skeletons are kept.
"""

import asyncio
import unicodedata
from collections.abc import Collection, Iterable, Mapping

from storage.asking import together
from storage.errors import NameReservedError
from storage.people import Present
from storage.queries import GUESTS
from storage.records import ALL, DELETED_NAME, Account
from storage.rights import check_in_force
from storage.rows import ACCOUNT, note_access_change, told_apart
from storage.skeletons import skeleton, table
from storage.tx import Nouns, Tx, in_steps, places

RESERVED = ("Guest", "Moderator", "Mod", "Admin", "Administrator", DELETED_NAME)
"""Names that the board itself uses for people, or that say what somebody may do."""
WITH_A_MEANING = (ALL, GUESTS)
"""Usernames that nobody can take: @all and `from:guests` mean others. Names that look like them can be taken."""
AT_ONCE = 100
"""Accounts whose skeletons are made in one transaction: a few hundred statements."""
NOBODY = 0
SIGN = "@"
"""What stands before usernames. A name with it could show another's beside it."""


class Names(Nouns):
    reserved_names: Collection[str] = RESERVED
    """What nobody may be called. A site adds its title."""

    async def check_names(self, account_id: int | None, *, username: str, name: str) -> None:
        """Raises NameReservedError if the account, or somebody new, can't take one of them."""
        await load_table()
        await self._read(lambda tx: check_new(tx, self.reserved_names, account_id, username=username, name=name))

    async def check_guest_name(self, name: str) -> None:
        """Raises NameReservedError for a reserved word and for a moderator's name. A moderator's username is no reason: the
        refusal would tell it, and a guest's name is never shown as a username.
        """
        await load_table()
        if is_refused(await self._read(read_taken, self.reserved_names, "name"), None, name):
            raise NameReservedError("a guest")

    async def free_usernames(self, usernames: Iterable[str]) -> list[str]:
        """Returns those that somebody new can take."""
        await load_table()
        taken = await self._read(read_taken, self.reserved_names, "username", "name")
        return [one for one in usernames if one not in WITH_A_MEANING and not is_refused(taken, None, one)]

    async def accounts_called(self, usernames: Collection[str], names: Collection[str], each: int) -> list[Account]:
        """Returns the accounts with these usernames, at least one, and with exactly these names: so many of each name. None
        of them is that of a webhook.
        """
        return await self._read(read_called, usernames, names, each)

    async def set_name(self, account_id: int, name: str, credential: int | None = None) -> None:
        """Raises NameReservedError."""
        await load_table()

        async def unit(tx: Tx) -> None:
            await check_in_force(tx, account_id, credential)
            await check_new(tx, self.reserved_names, account_id, name=name)
            await give_name(tx, self.reserved_names, account_id, name)

        await self._write(unit)

    async def make_skeletons(self) -> None:
        """Looks at the names of all accounts that a node of the last release, an import or a migration has brought."""
        while await self._read(has_unseen):
            await load_table()
            await self._write(lambda tx: make_some(tx, self.reserved_names))

    async def presents(self, account_ids: Collection[int]) -> list[Present]:
        """Returns how these accounts are shown now: of those that still exist."""
        steps = in_steps([(id,) for id in account_ids])
        found = [await self._read_for_delivery(read_presents, [id for (id,) in some]) for some in steps]
        return [present for some in found for present in some]


async def load_table() -> None:
    """Called before skeletons are made: it is read on a thread, once."""
    if not table.cache_info().currsize:
        await asyncio.to_thread(table)


async def read_taken(tx: Tx, reserved: Collection[str], *columns: str) -> dict[str, set[int]]:
    """Returns the skeletons that nobody can take, except for the moderators who have them in these columns: username, name."""
    taken: dict[str, set[int]] = {skeleton(name): {NOBODY} for name in reserved}
    for account_id, *those in await tx.all(f"SELECT id, {', '.join(columns)} FROM accounts WHERE role = 'moderator'"):
        for one in those:
            taken.setdefault(skeleton(one), set()).add(account_id)
    return taken


def is_refused(taken: Mapping[str, set[int]], account_id: int | None, name: str) -> bool:
    """Whether the account, or somebody new, can't take this name."""
    return bool(taken.get(skeleton(name), set()) - {account_id}) or has_sign(name)


def has_sign(name: str) -> bool:
    return SIGN in unicodedata.normalize("NFKC", name)


async def check_new(
    tx: Tx, reserved: Collection[str], account_id: int | None, *, username: str | None = None, name: str | None = None
) -> None:
    """Raises NameReservedError. An account may keep the username and the name that it has: its name may be one that came
    from elsewhere, and that it can't take as its username.
    """
    kept = await tx.one("SELECT username, name FROM accounts WHERE id = $1", account_id) or (None, None)
    taken = await read_taken(tx, reserved, "username", "name")
    new = [one for one, own in zip((username, name), kept, strict=True) if one is not None and one != own]
    has_meaning = username in WITH_A_MEANING and username != kept[0]
    if has_meaning or any(is_refused(taken, account_id, one) for one in new):
        raise NameReservedError(f"account {account_id}")


async def give_name(tx: Tx, reserved: Collection[str], account_id: int, name: str) -> None:
    """Gives the account this name, also one that nobody can take."""
    row = await tx.one("SELECT skeleton FROM accounts WHERE id = $1", account_id)
    await tx.run("UPDATE accounts SET name = $1 WHERE id = $2", name, account_id)
    await keep_skeleton(tx, await read_taken(tx, reserved, "username"), account_id, name)
    if row is not None and row[0] != skeleton(name):
        await note_only_other(tx, row[0], account_id)
    await note_access_change(tx, account_id)


async def keep_skeleton(tx: Tx, taken: Mapping[str, set[int]], account_id: int, name: str) -> None:
    """Keeps what the name of an account looks like. `taken` needs no names: those with a moderator's are found by that."""
    apart = is_refused(taken, account_id, name)
    update = "UPDATE accounts SET skeleton = $1, apart = $2 WHERE id = $3"
    await tx.run(update, skeleton(name), apart, account_id)
    await note_only_other(tx, skeleton(name), account_id)


async def judge_again(tx: Tx, account: Account) -> None:
    """Called after the role or the username of this account has changed. Who has its username as a name is shown in another
    way; who has a moderator's, as apart: make_skeletons() does the rest of that, and tells all processes.
    """
    await note_only_other(tx, skeleton(account.username), account.id)
    if account.is_moderator:
        update = "UPDATE accounts SET skeleton = NULL, apart = true WHERE skeleton = $1 AND id <> $2"
        await tx.run(update, skeleton(account.username), account.id)


async def note_only_other(tx: Tx, kept: str | None, but: int) -> None:
    """Tells all processes of the only other account with this skeleton, if there is just one: it is shown in another way
    from now on. More than one are told apart before and afterwards.
    """
    rows = await tx.all("SELECT id FROM accounts WHERE skeleton = $1 AND id <> $2 LIMIT 2", kept, but)
    if len(rows) == 1:
        await note_access_change(tx, rows[0][0])


async def has_unseen(tx: Tx) -> bool:
    return await tx.one("SELECT 1 FROM accounts WHERE skeleton IS NULL LIMIT 1") is not None


async def make_some(tx: Tx, reserved: Collection[str]) -> None:
    rows = await tx.all("SELECT id, name FROM accounts WHERE skeleton IS NULL ORDER BY id LIMIT $1", AT_ONCE)
    taken = await read_taken(tx, reserved, "username")
    for account_id, name in rows:
        await keep_skeleton(tx, taken, account_id, name)
    for present in await read_presents(tx, [account_id for account_id, _ in rows]):
        if present.is_apart:
            await note_access_change(tx, present.id)


async def read_presents(tx: Tx, account_ids: Collection[int]) -> list[Present]:
    if not account_ids:
        return []
    columns = f"a.id, a.name, a.username, {told_apart('a')}, a.role = 'moderator', a.bot"
    ids = together(list(account_ids))
    rows = await tx.all(f"SELECT {columns} FROM accounts AS a WHERE a.id IN ({places(1, ids)})", *ids)
    return [Present(*row[:3], *map(bool, row[3:])) for row in rows]


async def read_called(tx: Tx, usernames: Collection[str], names: Collection[str], each: int) -> list[Account]:
    which = f"SELECT id FROM accounts WHERE username IN ({places(1, usernames)})"
    if names:  # they have no index: all accounts are read once, but none where usernames alone are asked for
        alike = "SELECT id, row_number() OVER (PARTITION BY name ORDER BY id) AS place FROM accounts WHERE name IN"
        alike = f"{alike} ({places(len(usernames) + 1, names)})"
        which += f" UNION ALL SELECT id FROM ({alike}) AS alike WHERE place <= {each}"
    select = f"SELECT {ACCOUNT} FROM accounts WHERE id IN ({which}) AND NOT bot ORDER BY id"
    return [Account(*row) for row in await tx.all(select, *usernames, *names)]
