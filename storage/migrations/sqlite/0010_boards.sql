-- Boards beside the first, which has no row: the settings say what it is, and its messages are in “messages”. Rows
-- never leave: a deleted board has no words any more. read_by is everyone, members or invited; write_by is guests,
-- members or moderators. floor is the change below which cursors of this board are reset; changed is the row's last
-- change. Their ids begin with 2.
CREATE TABLE boards (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    about TEXT NOT NULL,
    rules TEXT NOT NULL,
    read_by TEXT NOT NULL CHECK (read_by IN ('everyone', 'members', 'invited')),
    write_by TEXT NOT NULL CHECK (write_by IN ('guests', 'members', 'moderators')),
    owner_id INTEGER REFERENCES accounts (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    archived_at INTEGER,
    deleted_at INTEGER,
    floor INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT;
CREATE INDEX boards_by_change ON boards (changed);
CREATE INDEX boards_by_owner ON boards (owner_id) WHERE owner_id IS NOT NULL;

-- Every slug that a board has or had: none is given to another board. One that has ended leads nowhere.
CREATE TABLE slugs (
    slug TEXT PRIMARY KEY,
    board_id INTEGER NOT NULL,
    ended INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX slugs_by_board ON slugs (board_id);

-- Who may read a board of the invited, beside its owner.
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    board_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    UNIQUE (board_id, account_id)
) STRICT;
CREATE INDEX invitations_by_account ON invitations (account_id);

-- The newest message that an account has seen on a board.
CREATE TABLE marks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    board_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    last_read INTEGER NOT NULL,
    UNIQUE (board_id, account_id)
) STRICT;
CREATE INDEX marks_by_account ON marks (account_id);

-- The messages of these boards, as “messages” has those of the first: numbers are of the same sequence.
CREATE TABLE posts (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL UNIQUE,
    board_id INTEGER NOT NULL,
    author_id INTEGER,
    author_name TEXT,
    body TEXT,
    created_at INTEGER NOT NULL,
    edited_at INTEGER,
    key TEXT,
    fingerprint BLOB,
    address TEXT
) STRICT;
CREATE INDEX posts_by_board ON posts (board_id, id);
CREATE INDEX posts_by_change ON posts (board_id, seq);
-- A key belongs to its author and board; all guests together count as author 0.
CREATE UNIQUE INDEX posts_by_key ON posts (ifnull(author_id, 0), key, board_id) WHERE key IS NOT NULL;
CREATE INDEX posts_by_author ON posts (author_id, id) WHERE author_id IS NOT NULL;
CREATE INDEX posts_by_address ON posts (address, id) WHERE address IS NOT NULL;

-- What they are found by, as “search_parts” has it for “messages”: post_words_0, post_words_1 …
CREATE TABLE post_parts (
    number INTEGER PRIMARY KEY,
    cut_by TEXT NOT NULL
) STRICT;

-- The newest change of any row of boards, so that a look at this row tells whether there is one.
ALTER TABLE board ADD COLUMN boards INTEGER NOT NULL DEFAULT 0;

-- The board of the invited that a bot's token was made for.
ALTER TABLE credentials ADD COLUMN board_id INTEGER;

-- The board that an entry is about, if not the first: those who may not read it are not told.
ALTER TABLE audit ADD COLUMN board_id INTEGER;
