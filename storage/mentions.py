"""Finds the accounts that a message mentions. Their ids are kept beside it, as a text such as “;3;17;”."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from storage.asking import BOARD, may_moderate, to_board, together
from storage.names import load_table
from storage.records import ALL, EVERYBODY, FIRST_BOARD
from storage.rows import account_by
from storage.skeletons import skeleton
from storage.tx import Nouns, Tx, places
from storage.words import fold

MOST_MENTIONS = 20
"""Usernames in one message that are looked up."""
CANDIDATES = 200
"""Accounts that SQL finds by what their names look like, and that are judged by their names here."""
BETWEEN_WORDS = re.compile(r"[\s-]+")


class Named(NamedTuple):
    """What one needs to mention an account."""

    id: int
    username: str
    name: str


class Mentions(Nouns):
    async def members_beginning(self, prefix: str, limit: int) -> list[Named]:
        """Returns the accounts whose usernames, or any words of whose names, begin with this: by their usernames, the former
        first. Neither case nor accents matter in a name. Webhooks are left out: nobody reads there.
        """
        await load_table()
        return await self._read(read_beginning, prefix, limit)

    async def members_with(self, ids: Collection[int]) -> list[Named]:
        """Returns those of these accounts that exist, by their usernames."""
        return await self._read(read_with, sorted(set(ids)))


async def read_beginning(tx: Tx, prefix: str, limit: int) -> list[Named]:
    """SQL reads all accounts. It finds them by their skeletons, as no engine folds names as fold() does: whole, or with
    anything between the letters, where accents are.
    """
    username, word = prefix.lower(), fold(prefix)
    letters = [f"\\{letter}" if letter in "\\%_" else letter for letter in skeleton(word)]
    begins, words = "substr(username, 1, $2) = $1", "' ' || replace(skeleton, '-', ' ') LIKE '% ' || {} ESCAPE '\\'"
    # Most are left out before their names are taken apart, which takes longer.
    alike = f"skeleton LIKE '%' || $3 ESCAPE '\\' AND {words.format('$3')}"
    order = f"CASE WHEN {begins} THEN 0 WHEN {words.format('$4')} THEN 1 ELSE 2 END, username"
    select = f"SELECT id, username, name FROM accounts WHERE ({begins} OR {alike}) AND NOT bot ORDER BY {order} LIMIT {CANDIDATES}"
    patterns = "%".join([*letters, ""]), "".join([*letters, "%"])
    rows = [Named(*row) for row in await tx.all(select, username, len(username), *patterns)]
    found = [row for row in rows if row.username.startswith(username) or begins_a_word(word, row.name)]
    return found[:limit]


def begins_a_word(beginning: str, name: str) -> bool:
    return any(word.startswith(beginning) for word in BETWEEN_WORDS.split(fold(name)))


async def read_with(tx: Tx, ids: Sequence[int]) -> list[Named]:
    if not ids:
        return []
    named = together(ids)
    select = f"SELECT id, username, name FROM accounts WHERE id IN ({places(1, named)}) ORDER BY username"
    return [Named(*row) for row in await tx.all(select, *named)]


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
