"""Reads from a database's rows when it was last used, with one statement for every engine."""

NEWEST = """
SELECT created_at FROM messages WHERE id = (SELECT max(id) FROM messages)
UNION ALL SELECT created_at FROM posts WHERE id = (SELECT max(id) FROM posts)
UNION ALL SELECT at FROM audit WHERE id = (SELECT max(id) FROM audit)
UNION ALL SELECT max(last_used_at) FROM credentials
UNION ALL SELECT max(created_at) FROM accounts
UNION ALL SELECT max(at) FROM access_changes
"""
"""Returns one row for each kind of time; NULL or no row if there is none."""
