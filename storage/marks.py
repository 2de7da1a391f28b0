"""Read marks: the newest message that an account has seen on a board; and what a list of boards says by them."""

from collections.abc import Mapping
from typing import NamedTuple

from storage.asking import BOARD, readable, to_board, values
from storage.errors import NotFoundError
from storage.records import EVERYBODY, FIRST_BOARD, Asker, Board
from storage.tx import Nouns, Row, Tx, in_steps

MOST_UNREAD = 100
"""So many unread messages are counted, and looked at for mentions."""
GREATEST = 2**63 - 1
"""The greatest number that an engine takes."""


class Standing(NamedTuple):
    """How far a board is, and how far the asker has read."""

    newest: int | None
    """The id of its newest message that is not deleted."""
    read: int | None = None
    """The asker's mark; None if there is none."""
    unread: int = 0
    """Messages after the mark, at most MOST_UNREAD. Without one: those since the account was made; on a board for the
    invited, all; none on the first board if the asker may read no other, as it would tell that there is one.
    """
    mentions: int = 0
    """Those of the newest MOST_UNREAD unread messages that mention the asker, or everybody."""


Marks = Mapping[int, int]
"""Marks of one account that this process has not saved yet, by board. Another one may have saved a later one."""


class ReadMarks(Nouns):
    async def listed(self, asker: Asker, after: str, limit: int, unsaved: Marks) -> list[tuple[Board, Standing]]:
        """Returns boards beside the first that the asker may read, by their slugs, those after this one, in one statement."""
        return await self._read(read_listed, asker, after, limit, unsaved)

    async def standing(self, board_id: int, asker: Asker, unsaved: Marks) -> Standing:
        """Returns how far a board is, also the first. Raises NotFoundError."""
        return await self._read(read_standing, board_id, asker, unsaved)

    async def save_marks(self, marks: Mapping[tuple[int, int], int]) -> None:
        """Stores marks by account and board: the greater of this and the one that is there, at most the newest message.

        Skips boards that the account may not read, and what no longer exists. On the first board, only accounts that may
        read another one have a mark: it would tell others that there is one.
        """
        for save, is_first in ((SAVE_FIRST, True), (SAVE_OTHER, False)):
            rows = [
                (*key, min(id, GREATEST), *values(Asker(key[0])))
                for key, id in marks.items()
                if (key[1] == FIRST_BOARD) == is_first
            ]
            for some in in_steps(rows):
                await self._write(lambda tx, save=save, some=some: tx.run_many(save, some))  # type: ignore[misc]


SAVE = (
    "INSERT INTO marks (account_id, board_id, last_read) "
    "SELECT accounts.id, CAST($2 AS bigint), CASE WHEN $3 < newest.id THEN $3 ELSE newest.id END "
    "FROM accounts CROSS JOIN (SELECT max(id) AS id FROM {messages}) AS newest "
    "WHERE accounts.id = $1 AND newest.id IS NOT NULL AND EXISTS (SELECT 1 FROM boards WHERE {which}) "
    "ON CONFLICT (board_id, account_id) DO UPDATE SET last_read = excluded.last_read "
    "WHERE excluded.last_read > marks.last_read"
)
SAVE_FIRST = SAVE.format(messages="messages", which=readable(4))
SAVE_OTHER = SAVE.format(messages="posts WHERE board_id = $2", which=f"boards.id = $2 AND {readable(4)}")


def mark_of(board: str, place: int, unsaved: Marks) -> tuple[str, list[int]]:
    """Returns SQL for the mark that an account has on this board, with the account at this parameter, and the values of
    the parameters after it.
    """
    account = f"CAST(${place} AS bigint)"
    saved = f"(SELECT last_read FROM marks WHERE marks.board_id = {board} AND account_id = {account})"
    if not unsaved:
        return saved, []
    places = range(place + 1, place + 1 + 2 * len(unsaved), 2)
    cases = " ".join(f"WHEN CAST(${at} AS bigint) THEN CAST(${at + 1} AS bigint)" for at in places)
    both = f"SELECT {saved} AS mark UNION ALL SELECT CASE {board} {cases} END"
    return f"(SELECT max(mark) FROM ({both}) AS known)", [number for pair in unsaved.items() for number in pair]


def begun_at(mark: str, place: int, living: str, unless: str) -> str:
    """SQL: what was read of a board, by a mark, or without one by the account at this parameter. It looks at no more
    messages than are counted as unread, since they have no index by time.
    """
    newest = f"SELECT id, created_at {living} ORDER BY id DESC LIMIT {MOST_UNREAD}"
    before = f"SELECT max(id) FROM ({newest}) AS last WHERE last.created_at < accounts.created_at"
    begin = f"SELECT CASE {unless} ELSE coalesce(({before}), 0) END FROM accounts"
    return f"coalesce({mark}, ({begin} WHERE accounts.id = CAST(${place} AS bigint)))"


def begun_elsewhere(mark: str, place: int) -> str:
    """SQL: the same of a row of boards."""
    living = "FROM posts WHERE posts.board_id = boards.id AND body IS NOT NULL"
    return begun_at(mark, place, living, "WHEN boards.read_by = 'invited' THEN 0")


def standing_of(living: str, place: int) -> str:
    """SQL: the columns of Standing after the mark, for the account at this parameter, which has read up to `found.seen`.
    `living` is FROM and WHERE of the messages that are not deleted.
    """
    whom = f"(mentions LIKE '%;{EVERYBODY};%' OR mentions LIKE '%;' || CAST(CAST(${place} AS bigint) AS text) || ';%')"
    unread = f"{living} AND id > found.seen ORDER BY id DESC LIMIT {MOST_UNREAD}"
    return (
        f"(SELECT id {living} ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM (SELECT id {unread}) AS unread), "
        f"(SELECT count(*) FROM (SELECT mentions {unread}) AS unread WHERE {whom})"
    )


async def read_listed(tx: Tx, asker: Asker, after: str, limit: int, unsaved: Marks) -> list[tuple[Board, Standing]]:
    mark, numbers = mark_of("boards.id", 6, unsaved)
    columns = f"{BOARD}, {mark} AS mark, {begun_elsewhere(mark, 3)} AS seen"
    boards = f"SELECT {columns} FROM boards WHERE slug > $1 AND {readable(3)} ORDER BY slug LIMIT $2"
    living = "FROM posts WHERE posts.board_id = found.id AND body IS NOT NULL"
    select = f"SELECT {BOARD}, mark, {standing_of(living, 3)} FROM ({boards}) AS found ORDER BY slug"
    rows = await tx.all(select, after, limit, *values(asker), asker.account_id, *numbers)
    return [(to_board(row[:-4]), to_standing(row[-4:])) for row in map(tuple, rows)]


async def read_standing(tx: Tx, board_id: int, asker: Asker, unsaved: Marks) -> Standing:
    mark, numbers = mark_of("CAST($1 AS bigint)", 2, {id: mark for id, mark in unsaved.items() if id == board_id})
    may_read = readable(3 + len(numbers))
    if board_id == FIRST_BOARD:
        living, alone = "FROM messages WHERE body IS NOT NULL", f"NOT EXISTS (SELECT 1 FROM boards WHERE {may_read})"
        found = f"SELECT {mark} AS mark, {begun_at(mark, 2, living, f'WHEN {alone} THEN NULL')} AS seen"
    else:
        living = "FROM posts WHERE board_id = $1 AND body IS NOT NULL"
        seen = begun_elsewhere(mark, 2)
        found = f"SELECT {mark} AS mark, {seen} AS seen FROM boards WHERE boards.id = $1 AND {may_read}"
    row = await tx.one(
        f"SELECT mark, {standing_of(living, 2)} FROM ({found}) AS found",
        *(board_id, asker.account_id, *numbers, *values(asker)),
    )
    if row is None:
        raise NotFoundError(f"board {board_id}")
    return to_standing(row)


def to_standing(row: Row) -> Standing:
    mark, newest, unread, mentions = row
    return Standing(newest, mark, unread, mentions)
