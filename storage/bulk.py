"""How much is done in one transaction: docs/decisions/0014-removals-in-steps.md."""

REMOVED_AT_ONCE = 2000
"""Messages. They take SQLite's writer about 30 ms, in which posts wait. More take several transactions."""
