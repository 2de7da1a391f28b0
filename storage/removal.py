"""Removes many messages in steps. docs/decisions/0014-removals-in-steps.md says why."""

from collections import Counter

from storage.asking import on_readable, values
from storage.records import Asker
from storage.rows import EVERYWHERE
from storage.tx import Tx

REMOVED_AT_ONCE = 2000
"""Messages. They take SQLite's writer about 30 ms, in which posts wait. More take several transactions."""
MOST_COUNTED = 1000
"""Messages of one author that are counted for the page of each of them: they take about a millisecond."""


async def delete_newest(tx: Tx, asker: Asker | None, where: str, value: object, but: int = 0) -> Counter[int]:
    """Removes the newest REMOVED_AT_ONCE messages except `but`, on the boards of delete_all(), and returns how many on
    each.

    If there are no more than that, it removes none. `where` has the value as $1.
    """
    rights, bound = rights_of(asker, "everywhere", 3)
    select = f"SELECT id FROM {EVERYWHERE} WHERE {where} AND {rights} ORDER BY id DESC LIMIT 1 OFFSET $2"
    last = await tx.one(select, value, REMOVED_AT_ONCE, *bound)
    if last is None:
        return Counter()
    return await delete_all(tx, asker, f"{where} AND id > $2 AND id <> $3", value, last[0], but)


async def count_all(tx: Tx, asker: Asker | None, where: str, value: object) -> int:
    """Returns how many messages with words delete_all() would remove; MOST_COUNTED if it would remove as many with or
    without words, or more.
    """
    rights, bound = rights_of(asker, "everywhere", 3)
    counted = f"SELECT body FROM {EVERYWHERE} WHERE {where} AND {rights} LIMIT $2"
    row = await tx.one(f"SELECT count(body), count(*) FROM ({counted}) AS counted", value, MOST_COUNTED, *bound)
    assert row is not None
    with_words: int = row[0]
    return MOST_COUNTED if row[1] == MOST_COUNTED else with_words


async def delete_all(tx: Tx, asker: Asker | None, where: str, *bound: object) -> Counter[int]:
    """Removes messages permanently, on all boards that the asker may read; without one, on all, also deleted boards.

    Returns how many on each.
    """
    rights, more = rights_of(asker, "posts", len(bound) + 1)
    removed = await delete_from(tx, "messages", where, *bound)
    return removed + await delete_from(tx, "posts", f"{where} AND {rights}", *bound, *more)


async def delete_from(tx: Tx, table: str, where: str, *bound: object) -> Counter[int]:
    """Removes these rows of `messages` or `posts` permanently, with their guests' secrets. Returns how many on each board."""
    secrets = f"message_id IN (SELECT id FROM {table} WHERE {where})"
    await tx.run(f"DELETE FROM guest_secrets WHERE {secrets}", *bound)
    return await tx.delete_messages(table, where, *bound)


def rights_of(asker: Asker | None, table: str, place: int) -> tuple[str, tuple[object, ...]]:
    """Returns SQL and its values, which begin with this parameter."""
    return ("true", ()) if asker is None else (on_readable(table, place), values(asker))
