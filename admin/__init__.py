"""bin/admin: what the operator can do with a board, beside a running server or without one."""
