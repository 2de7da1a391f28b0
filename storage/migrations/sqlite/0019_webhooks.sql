-- Outgoing webhooks: where the changes of a board are sent, and how far each one is. The log itself is the queue.
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    board_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    shape TEXT NOT NULL,
    secret BLOB NOT NULL,
    old_secret BLOB,
    old_until INTEGER,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    paused_at INTEGER,
    ended TEXT,
    epoch TEXT NOT NULL,
    sent INTEGER NOT NULL,
    base INTEGER NOT NULL,
    told INTEGER NOT NULL,
    settled_at INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    waited INTEGER NOT NULL,
    next_at INTEGER,
    succeeded_at INTEGER,
    failed_at INTEGER,
    error TEXT
) STRICT;
CREATE INDEX webhooks_by_board ON webhooks (board_id);
CREATE INDEX webhooks_by_account ON webhooks (account_id);
