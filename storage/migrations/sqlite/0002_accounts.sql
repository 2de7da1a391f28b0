-- access counts the rows of access_changes, so that a look at this row tells whether there are new ones.
ALTER TABLE board ADD COLUMN access INTEGER NOT NULL DEFAULT 0;

-- Where a message came from, so that a moderator can block it; forgotten after 30 days.
ALTER TABLE messages ADD COLUMN address TEXT;
CREATE INDEX messages_by_author ON messages (author_id, id) WHERE author_id IS NOT NULL;
CREATE INDEX messages_by_address ON messages (address, id) WHERE address IS NOT NULL;

-- A person or a bot. The username is folded; the name is what others see. AUTOINCREMENT, since an id is never
-- given to somebody else. tutorial_name: the name as a tutorial's database had it, whose SHA-1 hash is wrapped in
-- password, behind "sha1:", until the first sign-in.
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'moderator')),
    password TEXT,
    tutorial_name TEXT,
    created_at INTEGER NOT NULL,
    suspended_at INTEGER
) STRICT;

-- A browser's session, a token from signing in, or a bot's named token. Of the secret only the hash is kept.
CREATE TABLE credentials (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('session', 'token', 'bot')),
    hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL
) STRICT;
CREATE INDEX credentials_by_account ON credentials (account_id);

-- Accounts whose credentials were revoked or whose rights changed: what is known of them must be read again.
CREATE TABLE access_changes (
    number INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- One-time links: an invitation, or a new password for an account.
CREATE TABLE links (
    hash BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('invite', 'password')),
    account_id INTEGER REFERENCES accounts (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE blocks (
    address TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who did what; an actor without an account is the one at the command line.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor_id INTEGER,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL
) STRICT;
