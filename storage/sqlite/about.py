"""SQLite's SQL for what is kept about an account (storage/about.py)."""

from storage.rows import EVERYWHERE

MESSAGE = "substr(target, instr(target, 'message ') + 8)"
ABOUT_ITS_MESSAGE = (
    "target LIKE '%message %' AND (EXISTS "
    f"(SELECT 1 FROM {EVERYWHERE} WHERE author_id = ?1 AND id = CAST({MESSAGE} AS INTEGER)) "
    f"OR at >= ?3 AND (instr({MESSAGE} || ' ', ' by ' || ?2 || ' ') OR instr({MESSAGE} || ' ', ', ' || ?2 || ' ')))"
)
"""A condition on an entry of the audit log, as storage/audit.py words it. Older entries don't name the author."""
JOIN_LAST = "LEFT JOIN posts AS last ON last.seq = (SELECT max(seq) FROM posts WHERE board_id = boards.id)"
