"""Finds the accounts that a message mentions. Their ids are kept beside it, as a text such as “;3;17;”."""

from collections.abc import Sequence

from storage.asking import BOARD, may_moderate, to_board, together
from storage.records import EVERYBODY, FIRST_BOARD
from storage.rows import account_by
from storage.tx import Nouns, Tx, places

MOST_MENTIONS = 20
"""Usernames in one message that are looked up."""
ALL = "all"
"""What moderators write for everybody who may read the board. An account that had this username before can't be mentioned."""


class Mentions(Nouns):
    async def accounts_beginning(self, prefix: str, limit: int) -> list[tuple[int, str, str]]:
        """Returns id, username and name of accounts whose usernames begin with this, by their usernames."""
        return await self._read(read_beginning, prefix, limit)


async def read_beginning(tx: Tx, prefix: str, limit: int) -> list[tuple[int, str, str]]:
    select = "SELECT id, username, name FROM accounts WHERE substr(username, 1, $2) = $1 ORDER BY username LIMIT $3"
    return [(id, username, name) for id, username, name in await tx.all(select, prefix, len(prefix), limit)]


async def resolve(tx: Tx, usernames: Sequence[str], by: int | None, board_id: int) -> str | None:
    """Returns the ids of the accounts with these usernames, as they are kept, or None if there are none.

    Whether they may read the board is not looked at: all who see the message would learn it. Nor whether they are
    suspended, which only moderators know.
    """
    ids = [EVERYBODY] if ALL in usernames and await moderates(tx, by, board_id) else []
    if names := together([username for username in usernames if username != ALL][:MOST_MENTIONS]):
        rows = await tx.all(f"SELECT id FROM accounts WHERE username IN ({places(1, names)}) ORDER BY id", *names)
        ids += [id for (id,) in rows]
    return f";{';'.join(map(str, ids))};" if ids else None


async def moderates(tx: Tx, account_id: int | None, board_id: int) -> bool:
    account = await account_by(tx, "id", account_id)
    row = None if board_id == FIRST_BOARD else await tx.one(f"SELECT {BOARD} FROM boards WHERE id = $1", board_id)
    return account is not None and may_moderate(account, to_board(row) if row else None)


async def has_mentions(tx: Tx) -> bool:
    """Whether any message on the site mentions somebody. A deleted one may still have ids: of a node of the last release."""
    mention = "SELECT 1 FROM {} WHERE mentions IS NOT NULL AND body IS NOT NULL LIMIT 1"
    return any([await tx.one(mention.format(table)) for table in ("messages", "posts")])
