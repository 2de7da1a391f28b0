"""Makes records of rows, and has the SQL that several nouns share."""

import heapq
import hmac
from collections.abc import Collection, Iterable
from typing import Any

from storage.records import DELETED_NAME, FIRST_BOARD, REACTIONS, Account, Author, Message
from storage.tx import Tx

ACCOUNT = "accounts.id, username, accounts.name, role, accounts.created_at, suspended_at, bot"
"""The columns of Account."""
ENTRY = "id, at, actor_id, actor_name, action, target, board_id, board_name"
"""The columns of AuditEntry."""
WRITTEN = "id, seq, author_id, author_name, body, created_at, edited_at, reply_to, reactions, mentions, pinned_at"
"""The columns of a message that are kept with it."""


def told_apart(account: str) -> str:
    """SQL: whether the name of this row of accounts needs the username beside it: as another one's looks the same, or it is
    another one's username. It looks at three others at most.
    """
    other = f"SELECT 1 FROM accounts AS other WHERE other.id <> {account}.id AND other"
    alike, known = f"{other}.skeleton = {account}.skeleton", f"{other}.username = lower({account}.name)"
    return f"({account}.apart OR EXISTS ({alike}) OR EXISTS ({known}))"


BESIDE = (
    f"(SELECT CASE WHEN a.name <> author_name OR {told_apart('a')} THEN a.username ELSE '' END "
    "|| CASE WHEN a.role = 'moderator' THEN '*' WHEN a.bot THEN '+' ELSE '' END FROM accounts AS a WHERE a.id = author_id)"
)
"""SQL: what stands beside the name of a message's author now: the username, if it needs one, and * for a moderator or + for a bot.
Present.as_author() in people.py is the same rule for messages in memory.
"""
COLUMNS = f"{WRITTEN}, {BESIDE} AS beside"
"""The columns of a message, as to_message() takes them."""
IN_FIRST = f"{COLUMNS} FROM messages WHERE CAST($1 AS bigint) = {FIRST_BOARD}"
IN_ANOTHER = f"{COLUMNS}, board_id FROM posts WHERE board_id = $1"
"""The messages of the board $1, after SELECT: those of the first are in another table, which is as it was before
there were others.
"""
KEPT = f"{WRITTEN}, key, address"
EVERYWHERE = (
    f"(SELECT {KEPT}, CAST({FIRST_BOARD} AS bigint) AS board_id FROM messages "
    f"UNION ALL SELECT {KEPT}, board_id FROM posts) AS everywhere"
)
"""The messages of all boards, for what concerns an id, an author or an address: conditions and orders reach the indexes
of both, as long as each column has one type in both.
"""


def messages_in(board_id: int) -> str:
    return IN_FIRST if board_id == FIRST_BOARD else IN_ANOTHER


def table_of(board_id: int) -> str:
    return "messages" if board_id == FIRST_BOARD else "posts"


def to_message(row: Iterable[Any]) -> Message:
    """Takes COLUMNS and, unless it is the first, the board's id."""
    id, seq, author_id, author_name, body, created_at, edited_at, reply_to, *more = row
    reactions, mentions, pinned_at, beside, *board_id = more
    author, guest_name = (None, author_name) if author_id is None else (to_author(author_id, author_name, beside), None)
    board = board_id[0] if board_id else FIRST_BOARD
    is_pinned = body is not None and pinned_at is not None  # a node of the last release leaves it on what it deletes
    kept = counts_in(reactions), guest_name, ids_in(mentions), is_pinned
    return Message(id, seq, author, body, created_at, edited_at, reply_to, board, *kept)


def to_author(id: int, name: str | None, beside: str | None) -> Author:
    """`beside` is what BESIDE gives; None for an account that is gone."""
    beside = beside or ""
    username = beside.rstrip("*+")  # which no username has
    return Author(id, name or "", username or None, beside.endswith("*"), beside.endswith("+"))


def counts_in(reactions: str | None) -> tuple[tuple[str, int], ...]:
    """Returns the counts that the database keeps beside a message. Of kinds that a newer release has, none."""
    if reactions is None:
        return ()
    counts = dict(one.split(" ") for one in reactions.strip(";").split(";"))
    return tuple((kind, int(counts[kind])) for kind in REACTIONS if kind in counts)


def ids_in(mentions: str | None) -> tuple[int, ...]:
    """Returns the ids that the database keeps beside a message, such as “;3;17;”."""
    return () if mentions is None else tuple(map(int, mentions.strip(";").split(";")))


async def next_number(tx: Tx) -> int:
    """Takes the next number of the one sequence, for a change of a message."""
    row = await tx.one("UPDATE board SET seq = seq + 1 RETURNING seq")
    assert row is not None
    seq: int = row[0]
    return seq


def newest(messages: Iterable[Message], count: int) -> list[Message]:
    """Returns so many of the newest, the newest first."""
    return heapq.nlargest(count, messages, key=lambda message: message.id)


def epoch_of(secret: bytes, site: str, board_id: int) -> str:
    """Returns the epoch of a board beside the first, by the secret and the epoch of the site: a cursor of one board means
    nothing on another, and does not say how many boards were made before, as an id would.
    """
    return hmac.digest(secret, f"epoch {site}/{board_id}".encode(), "sha256").hex()[:12]


async def note_access_change(tx: Tx, account_id: int) -> None:
    """Makes every process read this account again, and authenticate its parked polls again."""
    row = await tx.one("UPDATE board SET access = access + 1 RETURNING access")
    assert row is not None
    tx.has_news = True
    insert = "INSERT INTO access_changes (number, account_id, at) VALUES ($1, $2, now_ms())"
    await tx.run(insert, row[0], account_id)


async def account_by(tx: Tx, column: str, value: object) -> Account | None:
    row = await tx.one(f"SELECT {ACCOUNT} FROM accounts WHERE {column} = $1", value)
    return Account(*row) if row else None


async def raise_floor(tx: Tx, board_ids: Collection[int]) -> None:
    """Called after a bulk change: every client of these boards must replace what it shows."""
    if FIRST_BOARD in board_ids:
        tx.has_news = True
        await tx.run("UPDATE board SET seq = seq + 1, floor = seq + 1")
    others = [id for id in board_ids if id != FIRST_BOARD]
    if others:
        number = await next_board_change(tx)
        await tx.run_many("UPDATE boards SET floor = $1, changed = $1 WHERE id = $2", [(number, id) for id in others])


async def next_board_change(tx: Tx) -> int:
    """Returns the next number of the sequence, for a change of rows of boards."""
    tx.has_news = True
    row = await tx.one("UPDATE board SET seq = seq + 1, boards = seq + 1 RETURNING boards")
    assert row is not None
    number: int = row[0]
    return number


async def note(
    tx: Tx, actor: Account | None, action: str, target: str, board_id: int = FIRST_BOARD, by: str = "command line"
) -> None:
    """Writes an entry to the audit log; without an actor, `by` says who it was. Of another board than the first, only those are told who may read it, and
    by the name that it has now; that of one for the invited is not written down.
    """
    await tx.run(
        "INSERT INTO audit (at, actor_id, actor_name, action, target, board_id, board_name) VALUES (now_ms(), $1, $2, $3, "
        "$4, $5, (SELECT name FROM boards WHERE id = $5 AND read_by <> 'invited'))",
        actor and actor.id,
        actor.username if actor else by,
        action,
        target,
        None if board_id == FIRST_BOARD else board_id,
    )


async def author_of(tx: Tx, message_id: int) -> tuple[str, int]:
    """Returns the username of a message's author, as the audit log shows it, and the message's board."""
    row = await tx.one(f"SELECT author_id, board_id FROM {EVERYWHERE} WHERE id = $1", message_id)
    if row is None or row[0] is None:
        return "a guest", row[1] if row else FIRST_BOARD
    author = await account_by(tx, "id", row[0])
    return author.username if author else DELETED_NAME, row[1]
