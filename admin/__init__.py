"""bin/admin: what the one who runs the board can do with it. Each command is a function here or beside it."""
