"""PostgreSQL's SQL for what is kept about an account (storage/about.py)."""

from storage.rows import EVERYWHERE

ABOUT_ITS_MESSAGE = (
    f"EXISTS (SELECT FROM {EVERYWHERE} WHERE author_id = $1 "
    "AND id = substring(target FROM 'message ([0-9]{1,18})')::bigint) "
    "OR at >= $3 AND target ~ ('message [0-9]+( by|,) ' || $2 || '( |$)')"
)
"""A condition on an entry of the audit log, as storage/audit.py words it. Older entries don't name the author."""
JOIN_LAST = (  # joined in another way, all posts may be read for one board
    "LEFT JOIN LATERAL (SELECT id, seq, author_id, body FROM posts "
    "WHERE posts.board_id = boards.id ORDER BY seq DESC LIMIT 1) AS last ON true"
)
