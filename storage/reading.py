"""Reads messages, changes and snapshots of boards. Changes of the first board are read by each engine in its own way."""

from storage.asking import on_readable, read_judged, readable, values
from storage.errors import NotFoundError
from storage.records import FIRST_BOARD, GUEST, Asker, Changes, Head, Message, Page, Snapshot
from storage.rows import (
    COLUMNS,
    EVERYWHERE,
    IN_ANOTHER,
    IN_FIRST,
    epoch_of,
    messages_in,
    to_message,
)
from storage.tx import Tx


async def read_message(tx: Tx, board_id: int, id: int) -> Message:
    row = await tx.one(f"SELECT {messages_in(board_id)} AND id = $2 AND body IS NOT NULL", board_id, id)
    if row is None:
        raise NotFoundError(f"message {id}")
    return to_message(row)


async def read_pinned(tx: Tx, board_id: int) -> Message | None:
    """Returns the pinned message of a board that the caller has judged, or None. It is found by an index of pinned ones."""
    pinned = "pinned_at IS NOT NULL AND body IS NOT NULL ORDER BY pinned_at DESC LIMIT 1"
    row = await tx.one(f"SELECT {messages_in(board_id)} AND {pinned}", board_id)
    return to_message(row) if row else None


async def read_anywhere(tx: Tx, id: int, asker: Asker) -> Message:
    where = f"id = $1 AND body IS NOT NULL AND {on_readable('everywhere', 2)}"
    row = await tx.one(f"SELECT {COLUMNS}, board_id FROM {EVERYWHERE} WHERE {where}", id, *values(asker))
    if row is None:
        raise NotFoundError(f"message {id}")
    return to_message(row)


BEFORE_NEWEST = "SELECT seq FROM messages WHERE seq > $1 ORDER BY seq DESC LIMIT 1 OFFSET $2"
"""Of the first board, the change before so many of the newest. They can't be counted back: the changes of other boards
have numbers between theirs.
"""


async def read_page(tx: Tx, before: int | None, limit: int, board_id: int = FIRST_BOARD, asker: Asker = GUEST) -> Page:
    where, bound = ("AND id < $3", [before]) if before is not None else ("", [])
    rest = f"AND body IS NOT NULL {where} ORDER BY id DESC LIMIT $2"
    if board_id == FIRST_BOARD:
        rows = await tx.all(f"SELECT {IN_FIRST} {rest}", board_id, limit + 1, *bound)
    else:
        rows = await read_judged(tx, asker, f"SELECT {IN_ANOTHER} {rest}", "id DESC", board_id, limit + 1, *bound)
    return Page([to_message(row) for row in reversed(rows[:limit])], older=len(rows) > limit)


async def read_page_after(tx: Tx, after: int, limit: int, board_id: int = FIRST_BOARD, asker: Asker = GUEST) -> Page:
    rest = "AND body IS NOT NULL AND id > $2 ORDER BY id LIMIT $3"
    if board_id == FIRST_BOARD:
        rows = await tx.all(f"SELECT {IN_FIRST} {rest}", board_id, after, limit + 1)
    else:
        rows = await read_judged(tx, asker, f"SELECT {IN_ANOTHER} {rest}", "id", board_id, after, limit + 1)
    return Page([to_message(row) for row in rows[:limit]], older=False, newer=len(rows) > limit)


async def read_count_on(tx: Tx, board_id: int, asker: Asker) -> int:
    select = "SELECT count(*) AS n FROM posts WHERE board_id = $1 AND body IS NOT NULL"
    [(count,)] = await read_judged(tx, asker, select, "n", board_id)
    return int(count)


async def read_log(tx: Tx, seq: int, limit: int) -> Changes:
    first = f"SELECT {COLUMNS}, {FIRST_BOARD} AS board_id FROM messages WHERE seq > $1 ORDER BY seq LIMIT $2"
    others = f"SELECT {COLUMNS}, board_id FROM posts WHERE seq > $1 ORDER BY seq LIMIT $2"
    rows = await tx.all(
        "SELECT epoch, board.seq, floor, access, boards, newer.* FROM board LEFT JOIN "
        f"(SELECT * FROM ({first}) AS a UNION ALL SELECT * FROM ({others}) AS b ORDER BY seq LIMIT $2) AS newer "
        "ON true ORDER BY newer.seq",
        seq,
        limit + 1,
    )
    messages = [to_message(row[5:]) for row in rows[:limit] if row[5] is not None]
    return Changes(Head(*rows[0][:5]), messages, more=len(rows) > limit)


async def read_changes_on(tx: Tx, board_id: int, asker: Asker, seq: int, limit: int) -> Changes:
    """The board's last change is the greater of its floor and the greatest number of its messages: they leave only when
    the floor rises.
    """
    rows = await tx.all(
        "SELECT secret, epoch, access, board.boards, boards.floor, "
        "(SELECT max(seq) FROM posts WHERE board_id = $1) AS last, newer.* FROM board CROSS JOIN boards LEFT JOIN "
        f"(SELECT {IN_ANOTHER} AND seq > $2 ORDER BY seq LIMIT $3) AS newer ON true "
        f"WHERE boards.id = $1 AND {readable(4)} ORDER BY newer.seq",
        board_id,
        seq,
        limit + 1,
        *values(asker),
    )
    if not rows:
        raise NotFoundError(f"board {board_id}")
    secret, epoch, access, changed, floor, last = rows[0][:6]
    head = Head(epoch_of(secret, epoch, board_id), max(floor, last or 0), floor, access, changed)
    messages = [to_message(row[6:]) for row in rows[:limit] if row[6] is not None]
    return Changes(head, messages, more=len(rows) > limit)


async def read_snapshot_on(tx: Tx, board_id: int, asker: Asker, changes: int, page: int) -> Snapshot:
    """It starts at the change before the oldest of them: numbers of a board have gaps, so they can't be counted back."""
    head = (await read_changes_on(tx, board_id, asker, 0, 0)).head
    before = "SELECT seq FROM posts WHERE board_id = $1 AND seq > $2 ORDER BY seq DESC LIMIT 1 OFFSET $3"
    row = await tx.one(before, board_id, head.floor, changes)
    start = row[0] if row else head.floor
    newest = await read_changes_on(tx, board_id, asker, start, changes)
    shown = await read_page(tx, None, page, board_id, asker)
    return Snapshot(head, newest.messages, shown, start, await read_pinned(tx, board_id))
