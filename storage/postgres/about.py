"""PostgreSQL's SQL for what is kept about an account (storage/about.py), and what mentions it (storage/marks.py)."""

from storage.rows import EVERYWHERE

ABOUT_ITS_MESSAGE = (
    f"EXISTS (SELECT FROM {EVERYWHERE} WHERE author_id = $1 "
    "AND id = substring(target FROM 'message ([0-9]{1,18})')::bigint) "
    "OR at >= $3 AND target ~ ('message [0-9]+( by|,) ' || $2 || '( |$)')"
)
"""A condition on an entry of the audit log, as storage/audit.py words it. Older entries don't name the author."""
MENTIONS = (
    "CASE WHEN strpos(lower(body), '@' || {0}) > 0 "  # which is quickly said of most
    "THEN (' ' || body || ' ') ~* ('[^a-z0-9_]@' || {0} || '[^a-z0-9_]') ELSE false END"
)
JOIN_LAST = (  # joined in another way, all posts may be read for one board
    "LEFT JOIN LATERAL (SELECT id, seq, author_id, body FROM posts "
    "WHERE posts.board_id = boards.id ORDER BY seq DESC LIMIT 1) AS last ON true"
)
