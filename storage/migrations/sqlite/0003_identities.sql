-- A Facebook id linked to an account; it is app-scoped, so it means something together with the app's id only.
-- name is the one that came from Facebook last; the picture was fetched at a sign-in.
CREATE TABLE identities (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    app_id TEXT NOT NULL,
    facebook_id TEXT NOT NULL,
    name TEXT NOT NULL,
    picture_kind TEXT,
    picture BLOB,
    created_at INTEGER NOT NULL,
    UNIQUE (app_id, facebook_id)
) STRICT;
CREATE UNIQUE INDEX identities_by_account ON identities (account_id);

-- Whether logging in with Facebook made this session: it ends when the person takes that permission back.
ALTER TABLE credentials ADD COLUMN by_facebook INTEGER NOT NULL DEFAULT 0;

-- What was signed and may be used once only, by its hash, until it would be refused for its age anyway.
CREATE TABLE used (
    hash BLOB PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Deletions that people asked Facebook for, by the code that they were given. It says nothing about who it was.
CREATE TABLE erasures (
    code TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
