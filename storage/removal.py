"""Removes many messages in steps. docs/decisions/0014-removals-in-steps.md says why."""

from storage.tx import Tx

REMOVED_AT_ONCE = 2000
"""Messages. They take SQLite's writer about 30 ms, in which posts wait. More take several transactions."""


async def delete_newest(tx: Tx, where: str, value: object, but: int = 0) -> int | None:
    """Removes the newest REMOVED_AT_ONCE messages except `but`, and returns how many.

    If there are no more than that, it removes nothing and returns None.
    """
    select = f"SELECT id FROM messages WHERE {where} ORDER BY id DESC LIMIT 1 OFFSET $2"
    last = await tx.one(select, value, REMOVED_AT_ONCE)
    if last is None:
        return None
    return await tx.delete_messages(f"{where} AND id > $2 AND id <> $3", value, last[0], but)
