"""SQLite's SQL for what is kept about an account (storage/about.py), and what mentions it (storage/marks.py)."""

from storage.rows import EVERYWHERE

MESSAGE = "substr(target, instr(target, 'message ') + 8)"
ABOUT_ITS_MESSAGE = (
    "target LIKE '%message %' AND (EXISTS "
    f"(SELECT 1 FROM {EVERYWHERE} WHERE author_id = ?1 AND id = CAST({MESSAGE} AS INTEGER)) "
    f"OR at >= ?3 AND (instr({MESSAGE} || ' ', ' by ' || ?2 || ' ') OR instr({MESSAGE} || ' ', ', ' || ?2 || ' ')))"
)
"""A condition on an entry of the audit log, as storage/audit.py words it. Older entries don't name the author."""
MENTIONS = (
    "CASE WHEN instr(lower(body), '@' || {0}) > 0 "  # which takes a tenth of the time in most
    "THEN lower(' ' || body || ' ') GLOB '*[^a-z0-9_]@' || {0} || '[^a-z0-9_]*' ELSE false END"
)
JOIN_LAST = "LEFT JOIN posts AS last ON last.seq = (SELECT max(seq) FROM posts WHERE board_id = boards.id)"
