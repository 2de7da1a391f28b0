"""When a database was last in use, by its rows: one statement for every engine."""

NEWEST = """
SELECT created_at FROM messages WHERE id = (SELECT max(id) FROM messages)
UNION ALL SELECT at FROM audit WHERE id = (SELECT max(id) FROM audit)
UNION ALL SELECT max(last_used_at) FROM credentials
UNION ALL SELECT max(created_at) FROM accounts
UNION ALL SELECT max(at) FROM access_changes
"""
"""One row for each kind of time, or a NULL."""
