-- Incoming webhooks. Each has an account without a way in, which is the author of what it posts on its board. (account_id
-- refers to it without REFERENCES: no node of the last release can delete such an account.) Of what was posted in the last
-- ten seconds, “recent” has when, and a hash. The check is for nodes and commands of the last release, which know no bots and
-- would let somebody in, or give them a role.
ALTER TABLE accounts ADD COLUMN bot INTEGER NOT NULL DEFAULT 0
    CHECK (bot = 0 OR (password IS NULL AND role = 'member'));
CREATE TABLE hooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL UNIQUE,
    board_id INTEGER NOT NULL,
    hash BLOB NOT NULL,
    made_by INTEGER REFERENCES accounts (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    drops_repeats INTEGER NOT NULL,
    recent TEXT
) STRICT;
CREATE INDEX hooks_by_board ON hooks (board_id);
CREATE INDEX hooks_by_maker ON hooks (made_by);
