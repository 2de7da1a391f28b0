"""PostgreSQL's SQL for what is kept about an account (storage/about.py)."""

ABOUT_ITS_MESSAGE = (
    "EXISTS (SELECT FROM messages WHERE author_id = $1 "
    "AND id = substring(target FROM 'message ([0-9]{1,18})')::bigint) "
    "OR at >= $3 AND target ~ ('message [0-9]+( by|,) ' || $2 || '( |$)')"
)
"""A condition on an entry of the audit log, as storage/audit.py words it. Older entries don't name the author."""
