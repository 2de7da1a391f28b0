"""bin/admin: what the one who runs the board can do with it, beside or without a running server."""
