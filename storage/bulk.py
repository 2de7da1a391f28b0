"""How much is done in one transaction where there may be very much: docs/decisions/0014-removals-in-steps.md."""

REMOVED_AT_ONCE = 2000
"""Messages: some 30 ms of SQLite's writer, in which posts wait. What is more takes several transactions."""
