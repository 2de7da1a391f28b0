-- One row: where the board stands. seq is the number of the last change; floor, the change below which
-- cursors are reset; epoch tells this database from any other; secret signs what the server hands out.
CREATE TABLE board (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    floor INTEGER NOT NULL,
    secret BLOB NOT NULL
) STRICT;

INSERT INTO board (one, epoch, seq, floor, secret) VALUES (1, lower(hex(randomblob(4))), 0, 0, randomblob(32));

-- id is the change that posted the message, seq its last one. A deleted message keeps its row, without
-- words, so that clients which have it learn of it. Times are milliseconds since 1970, UTC.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL UNIQUE,
    author_id INTEGER,
    author_name TEXT,
    body TEXT,
    created_at INTEGER NOT NULL,
    edited_at INTEGER,
    key TEXT,
    fingerprint BLOB -- of the key and the words posted with it: a retry must bring the same
) STRICT;

-- A key belongs to its author; all guests together count as author 0.
CREATE UNIQUE INDEX messages_by_key ON messages (ifnull(author_id, 0), key) WHERE key IS NOT NULL;
