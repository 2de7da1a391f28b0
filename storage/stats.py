"""Counts everything on a board, with one statement that every engine understands."""

import time
from typing import NamedTuple

from storage.records import DAY_MS
from storage.rows import EVERYWHERE


class Stats(NamedTuple):
    messages: int
    deleted: int
    last_day: int
    oldest: int | None
    newest: int | None
    accounts: int
    moderators: int
    suspended: int
    identities: int
    sessions: int
    tokens: int
    bots: int
    seq: int
    bytes: int


def statement(bytes: str) -> str:
    """`bytes` is the engine's SQL for the size of the database. The columns are in the order of the fields of Stats."""
    since = time.time_ns() // 1_000_000 - DAY_MS
    kinds = ", ".join(f"(SELECT count(*) FROM credentials WHERE kind = '{k}')" for k in ("session", "token", "bot"))
    return f"""
        SELECT count(body), count(*) - count(body), count(CASE WHEN body IS NOT NULL AND created_at > {since} THEN 1 END),
            min(CASE WHEN body IS NOT NULL THEN created_at END), max(CASE WHEN body IS NOT NULL THEN created_at END),
            (SELECT count(*) FROM accounts), (SELECT count(*) FROM accounts WHERE role = 'moderator'),
            (SELECT count(*) FROM accounts WHERE suspended_at IS NOT NULL), (SELECT count(*) FROM identities),
            {kinds}, (SELECT seq FROM board), {bytes}
        FROM {EVERYWHERE}"""
