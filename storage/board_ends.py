"""How boards beside the first end: at once for all who read them, and then row by row."""

from storage.audit import of_deletion
from storage.records import Account, Board
from storage.removal import delete_from
from storage.rows import next_board_change, note
from storage.tx import ROWS_AT_ONCE, Tx

ENDING = ("posts", "marks", "webhooks")
"""What may be left of a deleted board: a node of the last release knows no webhooks."""


async def end_board(tx: Tx, actor: Account | None, board: Board) -> None:
    """From the commit on, there is no such board. Its messages go with the next forget()."""
    await note(tx, actor, "delete", of_deletion(board.id, board.slug, board.read_by), board.id)
    number = await next_board_change(tx)
    await tx.run(
        "UPDATE boards SET deleted_at = now_ms(), name = '', about = '', rules = '', owner_id = NULL, "
        "floor = $1, changed = $1 WHERE id = $2",
        *(number, board.id),
    )
    await tx.run("UPDATE slugs SET ended = true WHERE board_id = $1", board.id)
    await tx.run("DELETE FROM invitations WHERE board_id = $1", board.id)
    await tx.run("DELETE FROM webhooks WHERE board_id = $1", board.id)


async def read_deleted(tx: Tx) -> int | None:
    """Returns a deleted board that still has messages, read marks or webhooks; nobody can read them."""
    left = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE board_id = boards.id)" for table in ENDING)
    which = f"deleted_at IS NOT NULL AND ({left})"
    row = await tx.one(f"SELECT id FROM boards WHERE {which} LIMIT 1")
    return row[0] if row else None


async def clear_deleted(tx: Tx, board_id: int) -> None:
    """Removes some of its messages and read marks, and its webhooks."""
    await tx.run("DELETE FROM webhooks WHERE board_id = $1", board_id)
    some = f"SELECT id FROM posts WHERE board_id = $1 ORDER BY id LIMIT {ROWS_AT_ONCE}"
    await delete_from(tx, "posts", f"id IN ({some})", board_id)
    marks = f"SELECT id FROM marks WHERE board_id = $1 LIMIT {ROWS_AT_ONCE}"
    await tx.run(f"DELETE FROM marks WHERE id IN ({marks})", board_id)
